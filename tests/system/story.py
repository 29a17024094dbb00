"""What a person does with every kind of credential at every forge, and what happens to them: all through the site."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.urls import reverse

from forges import checking, hook_runs
from forges.models import Connection, ConnectionStatus, Delivery, Hook, HookStatus, Method
from forges.oauth.providers import callback_url
from integrations.models import Integration
from jobs.models import Run, Status, Trigger
from jobs.runs import request_run
from orgs.models import Organization, User
from tests import factories
from tests.forges.conftest import BITBUCKET_SCOPES
from tests.forges_app.conftest import Registered, make_due
from tests.forges_app.visiting import Visitor
from tests.system.conftest import OWNER, strike, work
from tests.system.crawling import Watched
from tests.wire import faults
from tests.wire.faults import Fault
from tests.wire.forge import Forge
from tests.wire.installations import HostedApp
from tests.wire.messages import Proceed, Reply, Request, json_reply
from tests.wire.world import HostedRepository

CONNECTIONS = "/o/acme/connections/"
TOKEN_PATH = {
    "github": "POST /login/oauth/access_token",
    "gitlab": "POST /oauth/token",
    "bitbucket": "POST /site/oauth2/access_token",
}


def echoing(code: int) -> Fault:
    """A forge, or what stands before it, that writes the credential into its answer."""

    def fault(request: Request, proceed: Proceed) -> Reply:
        sent = f"{dict(request.headers)} {request.body.decode('latin-1')}"
        return json_reply({"message": sent, "error": sent, "error_description": sent}, code)

    return fault


TROUBLES = [faults.cut_before_reply(), *map(echoing, (200, 400, 401, 403, 404, 409, 422, 429, 500))]
FEW = [echoing(200), echoing(400), echoing(401), echoing(500)]


class Story:
    """The chapters that follow are one each for a way to connect."""

    def __init__(self, forge: Forge, person: User, organization: Organization, book: HostedRepository) -> None:
        self.forge, self.person, self.organization, self.book = forge, person, organization, book
        self.client = Watched(person)
        self.visitor = Visitor(self.client, forge, OWNER)
        self._number = 0

    # -- connecting ----------------------------------------------------------------------------------------------------

    def by_oauth(self, registered: Registered, **options: Any) -> Connection:
        self.visitor.connects(reverse("forges:start", args=["acme", registered.application.key]), write="on", **options)
        return Connection.objects.latest("connected_at")

    def by_app(self, **options: Any) -> Connection:
        url = self.visitor.set_out(f"{CONNECTIONS}add/app/", install="1", **options)
        self.client.get(self.visitor.decides(url, "install", account=OWNER))
        return Connection.objects.get(method=Method.GITHUB_APP)

    def by_form(self, what: str, **fields: str) -> int:
        return int(self.client.post(f"{CONNECTIONS}add/{what}/", fields).status_code)

    def follow(self, connection: Connection) -> Integration:
        chosen = {f"credential_{connection.forge}": str(connection.pk)}
        return self._connect(forge=connection.forge, base_url=self._server(connection.forge), on_push="on", **chosen)

    def follow_with_token(self, forge: str, token: str, **fields: str) -> Integration:
        entered = {"base_url": self._server(forge), f"credential_{forge}": "token", **fields}
        return self._connect(forge=forge, token=token, **entered)

    def _server(self, forge: str) -> str:
        return self.forge.url if forge in ("github", "gitlab") else ""

    def _connect(self, **fields: str) -> Integration:
        server = factories.server(self.organization)
        page = f"/o/acme/servers/{server.slug}/integrations/connect/"
        entered = {"repository": self.book.full_name, "branch": "", "include": "", "exclude": "", "mount_path": ""}
        for part in ("repositories/", "branches/", "count/"):
            self.client.post(f"{page}{part}", {**entered, **fields})
        wrong = self.client.post(page, {**entered, **fields, "branch": "nowhere"})
        assert wrong.status_code == 422
        answer = self.client.post(page, {**entered, **fields})
        assert answer.status_code == 302, answer.content.decode()
        work()
        return Integration.objects.get(server=server)

    # -- and what happens ----------------------------------------------------------------------------------------------

    def commit(self) -> dict[str, str]:
        self._number += 1
        return {f"notes/{self._number}.md": f"# Note {self._number}\n"}

    def push(self) -> None:
        self.forge.push(self.book.full_name, self.commit())
        work()

    def refresh(self, integration: Integration, *, changed: bool = True) -> Run:
        if changed:
            self.book.git.commit(self.commit())
        self.client.post(reverse("integrations:refresh", args=["acme", integration.pk]), {"prune": "keep"})
        work()
        found: Run = Run.objects.about(integration)[0]
        return found

    def ask(self, name: str, row: Connection | Hook | Delivery, **fields: str) -> None:
        """Press a button of ours."""
        assert self.client.post(reverse(f"forges:{name}", args=["acme", row.pk]), fields).status_code in (200, 302)


def overdue(story: Story, row: Connection) -> None:
    row.refresh_from_db()
    story.forge.world.oauth.expire(make_due(row, expired=True).token)


# -- OAuth -------------------------------------------------------------------------------------------------------------


def live_with_oauth(story: Story, registered: Registered) -> None:
    key = registered.application.app.forge
    registered.hosted.redirect_uris |= {callback_url(registered.application.key)}
    row = story.by_oauth(registered, shared="on")
    integration = story.follow(row)
    hook = Hook.objects.get(forge=key)
    assert hook.status == HookStatus.ACTIVE, hook.reason
    story.push()
    be_delivered_to(story, hook, row.token)
    overdue(story, row)
    assert story.refresh(integration).status == Status.SUCCEEDED
    for trouble in TROUBLES:
        with story.forge.fault(trouble, on="GET *"):
            story.refresh(integration)
        story.ask("connection_check", row)
    for trouble in FEW:
        overdue(story, row)
        with story.forge.fault(trouble, on=TOKEN_PATH[key]):
            story.refresh(integration)
        story.by_oauth(registered, into=str(row.pk))
    be_rejected(story, registered, row, integration)
    right, registered.hosted.client_secret = registered.hosted.client_secret, "another secret of the application"
    overdue(story, row)
    story.refresh(integration)
    assert Connection.objects.get(pk=row.pk).status == ConnectionStatus.ERROR
    registered.hosted.client_secret = right
    story.ask("connection_check", row)
    assert story.refresh(integration).status == Status.SUCCEEDED


def be_delivered_to(story: Story, hook: Hook, token: str) -> None:
    """Forged, decorated with what has no business there, redelivered, and with another secret."""
    world = story.forge.world
    (remote,) = [each for each in world.hooks.of(story.book, hook.forge) if each.url.endswith(str(hook.pk))]
    sent = world.hooks.last(remote)
    assert sent.status == 202
    assert world.hooks.send(replace(remote, secret="guessed", signing_token=""), sent.event, sent.body).status == 401
    decorated = {"Authorization": f"Bearer {token}", "Cookie": f"a={token}", "X-Gitlab-Secret": token, "X-Token": token}
    assert world.hooks.send(remote, sent.event, sent.body[:-1] + b" }", headers=decorated).status == 202
    world.hooks.redeliver(sent)
    story.ask("redeliver", Delivery.objects.filter(hook=hook).latest("received_at"))
    story.ask("hook_rotate", hook)
    work()
    story.push()
    assert world.hooks.last(remote).status == 202


def be_rejected(story: Story, registered: Registered, row: Connection, integration: Integration) -> None:
    row.refresh_from_db()
    story.forge.world.oauth.revoke(row.refresh_token)
    overdue(story, row)
    assert story.refresh(integration).status == Status.WAITING
    story.by_oauth(registered, into=str(row.pk))
    work()


# -- the others --------------------------------------------------------------------------------------------------------


def live_with_app(story: Story, app: HostedApp, address: str, secret: str) -> None:
    app.oauth.redirect_uris = {callback_url("app")}
    app.token_ttl = 3600.0
    world = story.forge.world
    world.hooks.add("github", None, address, secret=secret, events=app.events, app_id=app.app_id, content_type="json")
    row = story.by_app()
    integration = story.follow(row)
    story.push()
    assert Delivery.objects.filter(connection=row).exists()
    for trouble in FEW:
        for path in ("GET *", "POST /app/installations/*"):
            with story.forge.fault(trouble, on=path):
                story.refresh(integration)
                story.ask("connection_check", row)
        story.ask("connection_check", row)
    installation = world.apps.of(app, OWNER)
    assert installation
    world.apps.suspend(installation.id)
    story.refresh(integration)
    world.apps.suspend(installation.id, False)
    world.apps.uninstall(installation.id)
    story.refresh(integration)
    story.by_app(into=str(row.pk))
    assert story.refresh(integration).status == Status.SUCCEEDED


def live_with_consumer(story: Story) -> None:
    scopes = ["account", "repository", "webhook"]
    consumer = story.forge.world.oauth.app("bitbucket", owner=OWNER, scopes=scopes)
    key = consumer.client_id
    assert story.by_form("consumer", key=key, consumer_secret="a wrong secret of the consumer") == 422
    assert story.by_form("consumer", key=key, consumer_secret=consumer.client_secret) == 302
    row = Connection.objects.get(method=Method.CONSUMER)
    integration = story.follow(row)
    for trouble in FEW:
        with story.forge.fault(trouble, on=TOKEN_PATH["bitbucket"]), story.forge.fault(trouble, on="GET *", times=1):
            story.refresh(integration)
        story.ask("connection_check", row)
    assert story.refresh(integration).status == Status.SUCCEEDED


def live_with_tokens(story: Story) -> None:
    forge, soon = story.forge, datetime.now(UTC) + timedelta(days=5)
    email = f"{OWNER}@example.org"
    entered: list[tuple[str, str, dict[str, str]]] = [
        ("github", forge.token(OWNER, scopes=["repo"], expires_at=soon), {}),
        ("github", forge.token(OWNER, fine_grained=True), {}),
        ("gitlab", forge.gitlab_token(OWNER, expires_at=soon), {}),
        ("bitbucket", forge.bitbucket_token(OWNER, scopes=BITBUCKET_SCOPES, email=email), {"username": email}),
        ("bitbucket", forge.bitbucket_token(OWNER, kind="workspace"), {}),
    ]
    for key, token, more in entered:
        server = forge.url if key != "bitbucket" else ""
        with forge.fault(echoing(401), on="GET *"):
            assert story.by_form("token", forge=key, base_url=server, token=token, **more) == 422
        assert story.by_form("token", forge=key, base_url=server, token=token, **more) == 302
        row = Connection.objects.latest("connected_at")
        story.refresh(story.follow(row))
        for trouble in FEW:
            with forge.fault(trouble, on="GET *"):
                story.ask("connection_check", row)
    assert story.by_form("token", forge="bitbucket", token="ATBBxpassword-of-an-app", username=email) == 422
    assert story.by_form("token", forge="github", base_url=forge.url, token="ghp_nobody-has-this-token") == 422
    live_with_tokens_of_their_own(story, email)


def live_with_tokens_of_their_own(story: Story, email: str) -> None:
    """Entered on the form of the repository, plain git's too."""
    forge = story.forge
    plain = forge.clone_url(story.book.full_name)
    for key, token, more in (
        ("github", forge.token(OWNER), {}),
        ("gitlab", forge.gitlab_token(OWNER), {}),
        ("bitbucket", forge.bitbucket_token(OWNER, scopes=BITBUCKET_SCOPES, email=email), {"email": email}),
        ("git", forge.token(OWNER), {"repository": plain, "username": OWNER}),
    ):
        integration = story.follow_with_token(key, token, **more)
        assert story.refresh(integration).status == Status.SUCCEEDED
        for trouble in FEW:
            with forge.fault(trouble):
                story.refresh(integration)
        forge.world.revoke(token)
        assert story.refresh(integration).error_code == "auth_failed"


# -- by themselves, and at the end -------------------------------------------------------------------------------------


def live_through_a_night(story: Story) -> None:
    organization = story.organization
    request_run(kind=checking.CHECK, subject=organization, organization=organization, trigger=Trigger.SCHEDULE)
    hook_runs.nightly()
    for integration in Integration.objects.filter(on_push=True):
        strike(integration)
    work()


def end(story: Story) -> None:
    """Some are disconnected, some deleted, and the forge fails while it takes one back; the rest is for the pages."""
    rows = list(Connection.objects.order_by("created_at"))
    for row in rows[1::3]:
        story.ask("connection_disconnect", row)
    for number, row in enumerate(rows[2::3]):
        with story.forge.fault(echoing(500), times=number % 2):
            story.ask("connection_delete", row)
    work()
