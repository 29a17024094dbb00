"""Asking an address what it is: sites, repositories, MCP servers; private ones; and what it costs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import Settings

from forges.picking import FieldError
from indexing import probing
from indexing.models import Source
from indexing.probing import Probe, probe
from indexing.reasons import Reason
from orgs.models import Organization, User
from tests import factories
from tests.forges.conftest import SIDES, Side
from tests.forges_app.conftest import of
from tests.site.server import Site
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.messages import Headers, Reply, Request
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db

Ask = Callable[..., Probe]
everywhere = pytest.mark.parametrize("side", SIDES.values(), ids=SIDES)


@pytest.fixture
def ask(bob: User) -> Ask:
    def asked(url: str, **options: Any) -> Probe:
        return probe(url, membership=of(bob), **options)

    return asked


@pytest.fixture
def docs_repo(forge: Forge) -> HostedRepository:
    """octo/docs, public, with the branches main, next and feature/search."""
    hosted = forge.repository("octo/docs")
    hosted.git.commit({"README.md": "# Docs\n", "guide/intro.md": "# Intro\n"})
    for name in ("next", "feature/search"):
        hosted.git.branch(name, at="main")
    return hosted


def known(acme: Organization, side: Side, forge: Forge, maker: User | None = None, login: str = "") -> Any:
    """A connection of Acme's, by which the local forge is recognised."""
    credential = side.credential(forge, login or "nobody")
    return factories.connection(
        acme,
        maker,
        shared=bool(maker),
        forge=side.key,
        base_url=side.base_url(forge),
        account=login,
        token=credential.token,
        username=credential.username,
    )


# -- repositories ------------------------------------------------------------------------------------------------------


@everywhere
def test_a_public_repository_is_read_without_any_account(
    side: Side, ask: Ask, forge: Forge, docs_repo: HostedRepository, acme: Organization
) -> None:
    if side.key != "git":
        known(acme, side, forge)
    found = ask(f"{forge.url}/octo/docs.git")
    assert (found.kind, found.forge, found.reason) == ("repository", side.key, None)
    assert (found.default_branch, found.branch, found.include, found.private) == ("main", "", "", False)
    assert found.connection is None
    assert found.url == f"{forge.url}/octo/docs"
    assert found.repository_id
    assert set(found.facts()) <= {field.name for field in Source._meta.get_fields()}


@everywhere
def test_a_private_one_needs_an_account_unless_the_member_has_one(
    side: Side, ask: Ask, forge: Forge, acme: Organization, bob: User, adam: User
) -> None:
    forge.repository("octo/secret", private=True).git.commit({"a.md": "# A\n"})
    if side.key == "git":
        assert ask(f"{forge.url}/octo/secret.git").reason == Reason.AUTH_REQUIRED
        return
    colleagues = known(acme, side, forge, adam, "octo")
    colleagues.shared = False
    colleagues.save()
    found = ask(f"{forge.url}/octo/secret")
    assert (found.kind, found.reason, found.notes) == ("repository", Reason.AUTH_REQUIRED, ())
    assert ask(f"{forge.url}/octo/secret", connection=colleagues).reason == Reason.AUTH_REQUIRED, "not theirs to use"

    stranger = known(acme, side, forge, bob, "mallory")
    found = ask(f"{forge.url}/octo/secret")
    assert found.reason == Reason.AUTH_REQUIRED
    assert "the connection that you can use does not see it" in found.notes[0]
    assert ask(f"{forge.url}/octo/secret", connection=stranger).reason == Reason.NOT_FOUND

    own = known(acme, side, forge, bob, "octo")
    found = ask(f"{forge.url}/octo/secret")
    assert (found.reason, found.private, found.connection) == (None, True, own)
    assert ask(f"{forge.url}/octo/secret", connection=own).connection == own


@pytest.mark.parametrize(
    ("path", "branch", "include"),
    [
        ("tree/main/guide", "", "/guide/"),
        ("tree/next/guide", "next", "/guide/"),
        ("tree/feature/search", "feature/search", ""),
        ("tree/feature/search/guide/deep", "feature/search", "/guide/deep/"),
        ("blob/main/guide/intro.md", "", "/guide/intro.md"),
        ("blob/next/guide/%5Bslug%5D.md", "next", "/guide/\\[slug\\].md"),
        ("tree/v1.0/guide", "", "/guide/"),
        ("commits/0123456789012345678901234567890123456789/guide", "", "/guide/"),
    ],
)
def test_a_link_into_it_gives_the_branch_and_the_pattern(
    path: str, branch: str, include: str, ask: Ask, forge: Forge, docs_repo: HostedRepository, acme: Organization
) -> None:
    known(acme, SIDES["github"], forge)
    found = ask(f"{forge.url}/octo/docs/{path}")
    assert (found.reason, found.branch, found.include) == (None, branch, include)
    assert found.url == f"{forge.url}/octo/docs", "whatever part is meant, it is this repository"
    assert bool(found.notes) == ("v1.0" in path)


def test_an_empty_one_and_a_rate_limit_are_told(ask: Ask, forge: Forge, acme: Organization) -> None:
    known(acme, SIDES["github"], forge)
    forge.repository("octo/new")
    assert ask(f"{forge.url}/octo/new").reason == Reason.EMPTY
    with forge.fault(faults.rate_limited(), times=None):
        found = ask(f"{forge.url}/octo/new")
    assert found.reason == Reason.RATE_LIMITED
    assert found.until is not None


def test_a_server_of_git_that_nobody_named_is_found_out(ask: Ask, forge: Forge, docs_repo: HostedRepository) -> None:
    found = ask(f"{forge.url}/octo/docs")
    assert (found.kind, found.forge, found.repository) == ("repository", "git", f"{forge.url}/octo/docs")
    forge.repository("octo/secret", private=True).git.commit({"a.md": "# A\n"})
    found = ask(f"{forge.url}/octo/secret")
    assert (found.kind, found.reason) == ("repository", Reason.AUTH_REQUIRED)


# -- sites -------------------------------------------------------------------------------------------------------------


def test_a_site_tells_how_many_pages_it_has_and_its_repository(ask: Ask) -> None:
    with Site(30, sitemap=True) as site:
        front = f"<html><body><main><h1>Docs</h1><p>{'Words. ' * 60}</p></main><footer>"
        link = (
            '<a href="https://github.com/Octo/docs/edit/main/guide/intro.md">Edit this page</a></footer></body></html>'
        )
        site.add("/", front + link)
        found = ask(site.url)
        assert site.requests.count() <= 8
    assert (found.kind, found.reason, found.private) == ("site", None, False)
    assert found.by == "sitemap"
    assert found.pages is not None
    assert found.pages >= 30
    (hint,) = found.repositories
    assert (hint.label, hint.repository, hint.url) == ("GitHub", "octo/docs", "https://github.com/octo/docs")


@pytest.mark.parametrize(
    ("status", "reason"), [(401, Reason.AUTH_REQUIRED), (403, Reason.AUTH_REQUIRED), (404, Reason.NOT_FOUND)]
)
def test_a_site_that_cannot_be_read_says_why(status: int, reason: Reason, ask: Ask, site: Site) -> None:
    site.fail("*", status=status)
    found = ask(f"{site.url}/guide/intro/")
    assert (found.kind, found.reason, found.private) == ("site", reason, status != 404)
    assert site.requests.count() <= 12


def test_an_inward_address_is_never_asked(ask: Ask, site: Site) -> None:
    for address in (site.elsewhere(), f"{site.elsewhere()}/mcp"):
        assert ask(address).reason == Reason.BLOCKED_ADDRESS
    site.redirect("/", site.elsewhere())
    assert ask(site.url).reason == Reason.BLOCKED_ADDRESS
    assert all("127.0.0.2" not in request.origin for request in site.requests)


def test_what_is_no_address_is_an_error_of_its_field(ask: Ask) -> None:
    for text in ("", "acme/docs", "https://bob:secret@example.com/"):
        with pytest.raises(FieldError) as refused:
            ask(text)
        assert refused.value.field == "url"
        assert "secret" not in str(refused.value)


def test_a_server_that_does_not_answer_is_left_alone(ask: Ask, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "SECONDS", 1.0)
    site.arm_on("*", faults.slow(30.0))
    assert ask(f"{site.url}/a/b/mcp").reason == Reason.NETWORK
    assert site.requests.count() <= 3


# -- MCP servers -------------------------------------------------------------------------------------------------------

HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "result": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "serverInfo": {"name": "acme-docs", "version": "1"},
    },
}


def json_hello(request: Request) -> Reply:
    if request.method == "DELETE":
        return Reply(204)
    if request.method != "POST":
        return Reply(405)
    headers = Headers([("Content-Type", "application/json"), ("Mcp-Session-Id", "one")])
    return Reply(200, json.dumps(HELLO).encode(), headers)


def streamed_hello(request: Request) -> Reply:
    if request.method != "POST":
        return Reply(405)

    def events() -> Iterator[bytes]:
        yield b": hello\n\n"
        yield b'event: message\ndata: {"jsonrpc":"2.0","method":"notifications/message","params":{}}\n\n'
        yield f"event: message\ndata: {json.dumps(HELLO)}\n\n".encode()

    return Reply(200, events(), Headers([("Content-Type", "text/event-stream")]))


@pytest.mark.parametrize("answers", [json_hello, streamed_hello])
@pytest.mark.parametrize("path", ["/mcp", "/api/v2"])
def test_an_mcp_server_is_known_by_its_answer(answers: Any, path: str, ask: Ask, site: Site) -> None:
    site.routes[path] = answers
    found = ask(f"{site.url}{path}")
    assert (found.kind, found.reason, found.name) == ("mcp", None, "acme-docs")
    first = next(iter(site.requests)) if path == "/mcp" else None
    assert first is None or first.method == "POST"
    if answers is json_hello:
        assert [each.method for each in site.requests][-1] == "DELETE", "it need not keep the session"


@pytest.mark.parametrize(
    ("challenge", "path", "is_one"),
    [
        ("Bearer", "/mcp", True),
        ('Bearer resource_metadata="https://example.com/.well-known/oauth-protected-resource"', "/api", True),
        ("Bearer", "/api", False),
        ('Basic realm="Wiki"', "/mcp", False),
    ],
)
def test_one_that_wants_a_token_says_so(challenge: str, path: str, is_one: bool, ask: Ask, site: Site) -> None:
    site.routes[path] = lambda _: Reply(401, b"", Headers([("WWW-Authenticate", challenge)]))
    found = ask(f"{site.url}{path}")
    assert found.reason == Reason.AUTH_REQUIRED
    assert (found.kind == "mcp") == is_one
    assert found.private


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'{"jsonrpc": "2.0", "id": 1, "error": {"code": -32601}}',
        b'{"jsonrpc": "2.0", "result": []}',
        b"[" * 100_000,
        b'{"jsonrpc": "2.0", "result": {"protocolVersion": "1"}, "x": "' + b"x" * 300_000 + b'"}',
    ],
)
def test_other_answers_are_none(body: bytes, ask: Ask, site: Site) -> None:
    site.routes["/mcp"] = lambda _: Reply(200, body, Headers([("Content-Type", "application/json")]))
    assert ask(f"{site.url}/mcp").kind == "site"
    assert ask(f"{site.url}/mcp", kind="mcp").reason is not None


def test_its_name_is_fit_to_be_shown(ask: Ask, site: Site) -> None:
    about = {"title": "A\x00\n\u202eB" + "x" * 500}
    hello = {"jsonrpc": "2.0", "id": 1, "result": {"protocolVersion": "2025-06-18", "serverInfo": about}}
    answer = json.dumps(hello).encode()
    site.routes["/mcp"] = lambda _: Reply(200, answer, Headers([("Content-Type", "application/json")]))
    assert ask(f"{site.url}/mcp").name == ("AB" + "x" * 500)[:200]


# -- what somebody says it is ------------------------------------------------------------------------------------------


def test_what_it_is_can_be_said(ask: Ask, forge: Forge, docs_repo: HostedRepository, site: Site, acme: Any) -> None:
    known(acme, SIDES["github"], forge)
    assert ask(f"{forge.url}/octo/docs", kind="site").kind == "site"
    assert ask(f"{forge.url}/octo/docs", kind="repository").reason is None
    found = ask(site.url, kind="mcp")
    assert (found.kind, found.reason) == ("mcp", Reason.NOT_FOUND)
    found = ask(f"{site.url}/some/page", kind="repository")
    assert (found.kind, found.forge, found.reason) == ("repository", "git", Reason.AUTH_REQUIRED)
    with pytest.raises(FieldError):
        ask(site.url, kind="repository")


def test_another_organisations_servers_are_nobody_elses_business(
    ask: Ask, forge: Forge, docs_repo: HostedRepository, charlie: User, settings: Settings
) -> None:
    known(of(charlie).organization, SIDES["gitlab"], forge)
    assert ask(f"{forge.url}/octo/docs").forge == "git"
