"""An organisation with one of everything that a page can show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from allauth.idp.oidc.models import Client as OAuthClient
from django.utils import timezone

from catalog import versions
from catalog.models import Content, Prompt, Tool, Toolkit
from endpoint import keys
from endpoint.models import ApiKey, Grant, RequestLog, Setup
from endpoint.recording.writing import write
from endpoint.setups import BUILT_IN
from gitsync.mirror.excerpts import excerpt
from gitsync.mirror.showing import show
from gitsync.models import EntityState, MirroredEntity
from indexing.models import EmptyQuery, Source
from integrations.models import Integration
from integrations.refreshing import PREVIEW, REFRESH
from jobs import runs
from jobs.models import Run, Status
from orgs import invitations
from orgs.models import Membership, Role
from tests import factories
from tests.browser import steps
from tests.browser.team import Team
from tests.endpoint.events import event
from tests.gitsync.mirrors import entity_of, mirror_for
from tests.indexing.pages import page_of, run_of
from tests.indexing.searched import put_page
from tests.wire import samples
from tests.wire.forge import Forge

PAGE = """\
# Everything

A paragraph with `code`, a [link](https://example.com) and a list:

- one
- two

| column | another column | a third one that is rather long |
|--------|----------------|---------------------------------|
| a      | b              | c                               |

```python
print("a line that is so long that it does not fit on a telephone, not even when that is held in landscape")
```
"""


@dataclass(frozen=True)
class Furnished:
    team: Team
    integration: Integration
    content: Content
    tool: Tool
    prompt: Prompt
    toolkit: Toolkit
    succeeded: Run
    preview: Run
    failed: Run
    held: Run
    running: Run
    broken: MirroredEntity
    """A command whose file in git cannot be read."""
    torn: MirroredEntity
    """One that was changed on both sides."""
    source: Source
    """A site with pages, beside one that is in error, one that is being indexed, and a paused MCP server."""
    repository: Source
    invitation: str
    """The token of an open invitation."""
    asked: RequestLog
    """A request of an agent that failed."""
    key: ApiKey
    """One that reaches several things, beside one for everything, one that is expired and one that is revoked."""
    """Also there: a server whose requests of the month are used up, and one that offers nothing."""
    consent: str
    """The address of the page on which people let a client in."""

    @classmethod
    def new(cls, forge: Forge, url: str) -> Self:
        """`url` is that of the installation."""
        team = Team.new()
        _used_up(team)
        _bare(team)
        docs = forge.repository("acme/a-repository-with-quite-a-long-name-of-its-own", private=True)
        docs.git.commit({**samples.everything(), "docs/everything.md": PAGE})
        integration = team.connects(docs, forge)
        versions.cut_version(server=team.docs, note="The first one", by=team.alice, activate=True)
        docs.git.commit({"docs/guide.md": samples.markdown("Another guide"), "docs/deep/er/still.md": None})
        succeeded = team.refreshes(integration)
        docs.git.commit({"docs/everything.md": PAGE.replace("one", "two"), "docs/new.md": "# New\n"})
        weather = factories.provider(team.docs, "Weather", base_url="https://${REGION}.example.com")
        factories.variable(team.docs, "REGION", "eu-1")
        factories.variable(team.docs, "API_KEY", secret="a key")
        member = Membership.objects.get(user=team.alice, organization=team.organization)
        report = factories.tool(weather, "sendReport", method="POST", path="/reports", destructive=True)
        return cls(
            team=team,
            integration=integration,
            content=Content.objects.get(server=team.docs, path="docs/everything.md"),
            tool=factories.tool(
                weather,
                "getWeather",
                description="The weather of a city.",
                path="/cities/{city}",
                path_schema={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
                headers={"X-Api-Key": "${API_KEY}"},
            ),
            prompt=factories.prompt(
                weather,
                arguments=[{"name": "city", "description": "Where", "required": True}],
                messages=[{"role": "user", "text": "Is it warm in {{city}}?"}],
            ),
            toolkit=factories.toolkit(team.organization, "Desk", report),
            succeeded=succeeded,
            preview=team.runs(integration, PREVIEW),
            failed=_failed(team, forge),
            held=_held(team, forge),
            running=_running(team, forge),
            **_mirrored(team),
            source=_sources(team),
            repository=Source.objects.get(server=team.docs, name="Secrets"),
            invitation=invitations.invite(by=member, role=Role.OPERATOR).token,
            asked=_asked(team),
            key=_keys(team, member),
            consent=steps.a_client_asks_for(team.docs, at=url),
        )


def _asked(team: Team) -> RequestLog:
    """Requests of agents of every outcome, and a client that was let in; the last one, which failed."""
    editor = OAuthClient.objects.create(name="Editor", secret="!")
    address = f"http://localhost/mcp/{team.organization.slug}/{team.docs.slug}"
    Grant.objects.create(
        user=team.alice, client=editor, organization=team.organization, server=team.docs, resource=address
    )
    outcomes = (("ok", ""), ("limited", "429"), ("error", "-32602"), ("tool_error", "timeout"))
    write([event(team.docs, query="a line", found=0, outcome=outcome, code=code) for outcome, code in outcomes])
    return RequestLog.objects.for_org(team.organization).order_by("-id")[0]


def _keys(team: Team, member: Membership) -> ApiKey:
    servers = [factories.server(team.organization, f"Server with quite a long name {each}").pk for each in range(5)]
    key, _ = keys.make_key(by=member, values={"name": "Editor of the writers", "servers": servers})
    for name in ("Build", "Expired", "Revoked"):
        other, _ = keys.make_key(by=member, values={"name": name, "everything": True, "may_call": True})
        if name == "Expired":
            ApiKey.objects.filter(pk=other.pk).update(expires_at=timezone.now() - timedelta(days=1))
        elif name == "Revoked":
            keys.revoke_key(key=other, by=member)
    return key


def _used_up(team: Team) -> None:
    server = factories.server(team.organization, "Used up", slug="used-up")
    Setup.objects.create(server=server, monthly_quota=1)
    write([event(server)])


def _bare(team: Team) -> None:
    server = factories.server(team.organization, "Bare", slug="bare")
    Setup.objects.create(server=server, built_in={tool: {"enabled": False} for tool in BUILT_IN})


def _failed(team: Team, forge: Forge) -> Run:
    gone = forge.repository("acme/gone")
    gone.git.commit({"README.md": "# Gone\n"})
    integration = team.connects(gone, forge, mount_path="gone")
    forge.world.delete("acme/gone")
    return team.refreshes(integration)


def _held(team: Team, forge: Forge) -> Run:
    book = forge.repository("acme/book")
    book.git.commit({f"chapters/{number:02}.md": f"# {number}\n" for number in range(12)})
    integration = team.connects(book, forge, mount_path="book")
    book.git.commit({f"chapters/{number:02}.md": None for number in range(8)})
    return team.refreshes(integration)


def _running(team: Team, forge: Forge) -> Run:
    """A Run that some other worker is at, and stays at."""
    large = forge.repository("acme/large")
    large.git.commit({"README.md": "# Large\n"})
    integration = team.connects(large, forge, mount_path="large", server=factories.server(team.organization, "Large"))
    run = runs.request_run(
        kind=REFRESH,
        subject=integration,
        organization=team.organization,
        scope=str(integration.server_id),
        options={"prune": True},
        trigger="manual",
        requested_by=team.bob,
        enqueue=False,
    ).run
    now = timezone.now()
    Run.objects.filter(pk=run.pk).update(
        status=Status.RUNNING,
        stage="Fetching files",
        done=1_200,
        total=20_000,
        attempts=1,
        started_at=now,
        enqueued_at=now,
        lease_until=now + timedelta(hours=1),
    )
    return Run.objects.get(pk=run.pk)


def _sources(team: Team) -> Source:
    """As they would be; nothing was asked, and no worker is at the one that runs."""
    now = timezone.now()
    site = factories.source(
        team.docs, name="Handbook", url="https://handbook.example.com/", indexed_at=now, pages=1, chunks=1, skipped=1
    )
    put_page(site, "https://handbook.example.com/guide/", PAGE)
    page_of(site, "a/page/with/quite/a/long/address/of/its/own/", skip_reason="too_large", skip_detail="61 MB")
    place = {"forge": "github", "base_url": "https://api.github.com", "repository": "acme/secret"}
    factories.source(
        team.docs,
        Source.Kind.REPOSITORY,
        name="Secrets",
        private=True,
        error_code="auth_required",
        error_text="GitHub answered 404 for acme/secret.",
        **place,
    )
    factories.source(team.docs, Source.Kind.MCP, name="Tools", paused_at=now, indexed_at=now, notice="It is slow.")
    running = factories.source(team.docs, name="Long", url="https://long.example.com/")
    run_of(
        running,
        stage="https://long.example.com/a/page/with/quite/a/long/address/of/its/own/that/is",
        done=312,
        total=1_200,
        started_at=now,
        enqueued_at=now,
        lease_until=now + timedelta(hours=1),
    )
    EmptyQuery.objects.create(server=team.docs, query="how do I turn it off")
    return site


def _mirrored(team: Team) -> dict[str, MirroredEntity]:
    """Two that are not in step with their files in git; no forge was asked."""
    mirror = mirror_for(team.organization, assigned_by=team.alice)
    hello, greet = (factories.command(team.organization, name) for name in ("Hello", "Greet"))
    error = {
        "code": "INVALID_JSON",
        "status": 400,
        "message": "A comma is missing.",
        "path": "commands/hello.json",
        "line": 3,
        "column": 3,
        "excerpt": excerpt(b'{\n  "name": "Hello"\n  "slug": "hello"\n}\n', 3, 3),
        "others": [{"message": "It has no prompt.", "path": "commands/hello.json", "line": 1, "column": 1}],
    }
    conflict = {"code": "CONFLICT", "status": 400, "message": "It was changed here and in git.", "fields": ["prompt"]}
    document = {"name": "Greet", "slug": "greet", "prompt": "Greet."}
    torn = entity_of(
        mirror,
        EntityState.CONFLICT,
        entity=greet.pk,
        files={"commands/greet.json": "a" * 40},
        document=document,
        theirs={**document, "prompt": "Greet them, one after the other. " * 20},
        error={**conflict, "path": "commands/greet.json"},
    )
    broken = entity_of(mirror, entity=hello.pk, name="Hello", path="commands/hello.json", error=error)
    show(mirror)
    return {"broken": broken, "torn": torn}
