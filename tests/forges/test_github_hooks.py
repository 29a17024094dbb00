"""GitHub: webhooks of a repository, made, healed and taken away; what they deliver is verified and understood."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from forges.clients.base import Author, Client
from forges.clients.errors import Conflict, Forbidden, ForgeError, NotFound, RateLimited, Unavailable
from forges.clients.webhooks import Refused, new_secret, parse, verify
from tests.forges.conftest import OpenGitHub
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

URL = "http://127.0.0.1:9/hooks/github/1"
SECRET = "the-secret-of-this-hook"


@pytest.fixture
def client(forge: Forge, open_github: OpenGitHub) -> Client:
    return open_github(forge.token("acme"))


def create(client: Client, url: str = URL) -> str:
    return client.create_hook("acme/docs", url=url, secret=SECRET).id


def test_a_hook_is_made_with_a_secret_and_all_events(
    forge: Forge, client: Client, github_repo: HostedRepository
) -> None:
    made = client.create_hook("acme/docs", url=URL, secret=SECRET)
    assert (made.url, made.active, made.complete) == (URL, True, True)
    assert client.hooks("acme/docs") == (made,)
    (hook,) = forge.world.hooks.of(github_repo)
    assert hook.secret == SECRET
    assert hook.events == {"push", "repository", "delete"}
    assert (hook.options["content_type"], hook.options["insecure_ssl"]) == ("json", "0")
    assert SECRET not in repr(made)


@pytest.mark.parametrize(
    "broken",
    [
        {"active": False},
        {"events": frozenset({"push"})},
        {"url": "http://127.0.0.1:9/old"},
        {"secret": ""},
        {"options": {"content_type": "form", "insecure_ssl": "0"}},
        {"options": {"content_type": "json", "insecure_ssl": "1"}},
        {"options": {"content_type": "json", "insecure_ssl": 1}},
    ],
)
def test_a_hook_that_somebody_changed_is_seen_and_healed(
    forge: Forge, client: Client, github_repo: HostedRepository, broken: dict[str, Any]
) -> None:
    number = create(client)
    (hosted,) = forge.world.hooks.of(github_repo)
    forge.world.hooks.update(hosted, **broken)
    (found,) = client.hooks("acme/docs")
    assert not (found.active and found.complete and found.url == URL)
    healed = client.update_hook("acme/docs", number, url=URL, secret="a new secret")
    assert (healed.id, healed.url, healed.active, healed.complete) == (number, URL, True, True)
    assert hosted.secret == "a new secret"
    assert client.hooks("acme/docs") == (healed,)


def test_a_hook_for_everything_is_complete(forge: Forge, client: Client, github_repo: HostedRepository) -> None:
    create(client)
    forge.world.hooks.update(forge.world.hooks.of(github_repo)[0], events=frozenset({"*"}))
    assert client.hooks("acme/docs")[0].complete


def test_a_hook_that_is_gone_is_told_as_that(forge: Forge, client: Client, github_repo: HostedRepository) -> None:
    number = create(client)
    client.delete_hook("acme/docs", number)
    client.delete_hook("acme/docs", number)
    assert client.hooks("acme/docs") == ()
    with pytest.raises(NotFound):
        client.update_hook("acme/docs", number, url=URL, secret=SECRET)


def test_hooks_are_read_page_by_page(forge: Forge, client: Client, github_repo: HostedRepository) -> None:
    for n in range(103):
        forge.world.hooks.add("github", github_repo, f"{URL}/{n}", events=["release"], content_type="json")
    spent = client.usage.requests
    assert len(client.hooks("acme/docs")) == 103
    assert client.usage.requests - spent == 2


def test_the_same_address_twice_says_so(client: Client, github_repo: HostedRepository) -> None:
    create(client)
    with pytest.raises(Conflict, match="same address already"):
        create(client)
    with pytest.raises(Conflict):
        create(client, url="nowhere")


def test_who_may_not_manage_hooks_is_told_what_it_takes(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository
) -> None:
    for token in (
        forge.token("mallory"),
        forge.token("acme", scopes=["read:user"]),
        forge.token("acme", fine_grained=True),
    ):
        client = open_github(token)
        for ask in (
            lambda client=client: client.hooks("acme/docs"),
            lambda client=client: create(client),
            lambda client=client: client.update_hook("acme/docs", "1", url=URL, secret=SECRET),
        ):
            with pytest.raises(Forbidden, match=r"admin:repo_hook"):
                ask()
    with pytest.raises(NotFound, match="no repository acme/none"):
        open_github(forge.token("acme")).hooks("acme/none")


@pytest.mark.parametrize(
    ("fault", "error"),
    [(faults.status(500), Unavailable), (faults.rate_limited(), RateLimited), (faults.missing_scope(), Forbidden)],
)
def test_trouble_is_told_as_what_it_is(
    forge: Forge, client: Client, github_repo: HostedRepository, fault: faults.Fault, error: type[ForgeError]
) -> None:
    for ask in (
        lambda: client.hooks("acme/docs"),
        lambda: create(client),
        lambda: client.delete_hook("acme/docs", "1"),
    ):
        with forge.fault(fault), pytest.raises(error):
            ask()


@pytest.mark.parametrize("odd", [{"id": "1"}, {"config": None}, {"events": None}, {"config": {"url": "x" * 3000}}])
def test_an_answer_of_another_shape_is_the_servers_failure(
    forge: Forge, client: Client, github_repo: HostedRepository, odd: dict[str, object]
) -> None:
    create(client)
    with (
        forge.fault(faults.alter_json(lambda true: [{**each, **odd} for each in true])),
        pytest.raises(Unavailable, match="not GitHub's"),
    ):
        client.hooks("acme/docs")


def test_an_id_that_is_none_asks_nothing(forge: Forge, client: Client, github_repo: HostedRepository) -> None:
    for odd in ("", "../../../user", "1?x", "٣"):
        client.delete_hook("acme/docs", odd)
        with pytest.raises(NotFound):
            client.update_hook("acme/docs", odd, url=URL, secret=SECRET)
    assert forge.requests.count() == 0


# -- what they deliver ------------------------------------------------------------------------------------------------


@contextmanager
def inbox() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """An address to deliver to, and what came there."""
    came: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(202)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hooks/github/1", came
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_what_our_hook_delivers_is_verified_and_understood(
    forge: Forge, client: Client, github_repo: HostedRepository
) -> None:
    secret, before = new_secret("github"), github_repo.git.tip("main")
    number = str(github_repo.id)
    with inbox() as (url, came):
        client.create_hook("acme/docs", url=url, secret=secret)
        after = forge.push("acme/docs", {"a.md": "a"})
        forge.push("acme/docs", {"b.md": "b"}, branch="next", with_commits=False)
        forge.delete_branch("acme/docs", "next")
        forge.rename("acme/docs", "acme/book")
    events = []
    for headers, body in came:
        verify("github", headers, body, [secret], now=datetime.now(UTC))
        with pytest.raises(Refused):
            verify("github", headers, body, [new_secret("github")], now=datetime.now(UTC))
        events.append(parse("github", headers, body))
    assert {event.repository_id for event in events} == {number}
    kinds = [event.kind for event in events]
    assert kinds[:3] == ["ping", "push", "push"]
    assert set(kinds[3:]) == {"branch_deleted", "renamed"}
    assert (events[1].branch, events[1].before, events[1].after) == ("main", before, after)
    assert (events[2].branch, events[2].before) == ("next", "")
    assert (events[-1].old_name, events[-1].repository) == ("acme/docs", "acme/book")


def test_our_own_commit_comes_back_as_a_push(forge: Forge, client: Client, github_repo: HostedRepository) -> None:
    with inbox() as (url, came):
        client.create_hook("acme/docs", url=url, secret=SECRET)
        made = client.commit(
            "acme/docs",
            branch="main",
            parent=github_repo.git.tip("main") or "",
            changes={"a.md": b"a"},
            message="m",
            author=Author("Ann", "ann@example.org"),
        )
    headers, body = came[-1]
    assert parse("github", headers, body).after == made
