"""One suite for every client that writes: commits, pull requests and webhooks do the same at each forge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from forges.clients.base import Author, Client
from forges.clients.errors import Forbidden, ForgeError, Moved, NotFound
from forges.clients.webhooks import new_secret
from tests.forges.conftest import SIDES, Way
from tests.wire import samples
from tests.wire.forge import Forge
from tests.wire.repos import Executable
from tests.wire.world import HostedRepository

ALICE = Author("Alice Liddell", "alice@example.org")
URL = "http://127.0.0.1:9/hooks/one"


@pytest.fixture(params=[key for key, side in SIDES.items() if side.writes])
def way(request: pytest.FixtureRequest, forge: Forge) -> Way:
    return Way(forge, SIDES[request.param])


@pytest.fixture
def client(way: Way) -> Iterator[Client]:
    with way.open("acme") as opened:
        yield opened


@pytest.fixture
def docs(forge: Forge) -> HostedRepository:
    hosted = forge.repository("acme/docs", private=True)
    hosted.git.commit({"README.md": "one", "a/b.md": "b", "a/c.md": "c", "run": Executable(b"#!/bin/sh\n")})
    return hosted


def write(client: Client, changes: Mapping[str, bytes | None], parent: str, branch: str = "main") -> str:
    return client.commit("acme/docs", branch=branch, parent=parent, changes=changes, message="Sync", author=ALICE)


def test_all_changes_are_one_commit_of_its_author(client: Client, docs: HostedRepository) -> None:
    parent = docs.git.tip("main") or ""
    changes = {"README.md": b"two", "a/b.md": None, "new/\xfc.md": "ü\n".encode(), "bin": b"\0\xff"}
    made = write(client, changes, parent)
    assert docs.git.tip("main") == made
    commit = docs.git.read_commit(made)
    assert commit is not None
    assert list(commit.parents) == [parent]
    assert (commit.author.name, commit.author.email) == (ALICE.name, ALICE.email)
    assert commit.message.strip() == "Sync"
    found = docs.git.files()
    assert set(found) == {"README.md", "a/c.md", "new/\xfc.md", "bin", "run"}
    assert docs.git.blob(found["new/\xfc.md"]) == "ü\n".encode()
    assert docs.git.blob(found["bin"]) == b"\0\xff"


def test_a_new_branch_begins_at_the_parent(client: Client, docs: HostedRepository) -> None:
    parent = docs.git.tip("main") or ""
    docs.git.commit({"later.md": "x"})
    made = write(client, {"x.md": b"x"}, parent, "sync/1")
    assert docs.git.tip("sync/1") == made
    commit = docs.git.read_commit(made)
    assert commit is not None
    assert list(commit.parents) == [parent]


def test_the_first_commit_of_an_empty_repository_has_no_parent(forge: Forge, client: Client) -> None:
    hosted = forge.repository("acme/docs")
    made = write(client, {"README.md": b"first", "a/b.md": b"second"}, "")
    assert hosted.git.tip("main") == made
    assert set(hosted.git.files()) == {"README.md", "a/b.md"}
    with pytest.raises(Moved):
        write(client, {"README.md": b"second"}, "")
    assert hosted.git.tip("main") == made


def test_a_head_that_is_another_writes_nothing(client: Client, docs: HostedRepository) -> None:
    parent = docs.git.tip("main") or ""
    newer = docs.git.commit({"other.md": "x"})
    with pytest.raises(Moved) as caught:
        write(client, {"x.md": b"x"}, parent)
    assert caught.value.retryable
    assert docs.git.tip("main") == newer


def test_many_files_take_a_number_of_requests_that_does_not_grow(client: Client, docs: HostedRepository) -> None:
    parent = docs.git.tip("main") or ""
    changes: dict[str, bytes | None] = {}
    for path, data in samples.many(90, folder="servers").items():
        assert isinstance(data, bytes)
        changes[path] = data
    write(client, changes, parent)
    assert client.usage.requests <= 6


def test_a_protected_branch_and_one_who_may_only_read_are_forbidden(
    way: Way, client: Client, docs: HostedRepository
) -> None:
    docs.roles["vera"] = "read"
    parent = docs.git.tip("main") or ""
    with way.open("vera") as reader, pytest.raises((Forbidden, NotFound)):
        write(reader, {"x.md": b"x"}, parent)
    docs.protected_branches.add("main")
    with pytest.raises(Forbidden):
        write(client, {"x.md": b"x"}, parent)
    assert docs.git.tip("main") == parent


def test_a_pull_request_is_opened_once_and_then_updated(forge: Forge, client: Client, docs: HostedRepository) -> None:
    write(client, {"x.md": b"x"}, docs.git.tip("main") or "", "sync")
    facts = {"source": "sync", "target": "main", "body": "What changed."}
    first = client.pull_request("acme/docs", title="Sync", **facts)
    assert client.pull_request("acme/docs", title="Sync again", **facts) == first
    assert first.number
    assert first.url.startswith(f"{forge.url}/acme/docs/")


def test_a_webhook_is_made_found_changed_and_taken_away(way: Way, client: Client, docs: HostedRepository) -> None:
    secret = new_secret(way.key)
    made = client.create_hook("acme/docs", url=URL, secret=secret)
    assert (made.url, made.active, made.complete) == (URL, True, True)
    assert client.hooks("acme/docs") == (made,)
    changed = client.update_hook("acme/docs", made.id, url=f"{URL}/new", secret=new_secret(way.key))
    assert (changed.id, changed.url, changed.active, changed.complete) == (made.id, f"{URL}/new", True, True)
    for _ in range(2):
        client.delete_hook("acme/docs", made.id)
    assert client.hooks("acme/docs") == ()


def test_webhooks_of_a_repository_are_its_administrators(way: Way, docs: HostedRepository) -> None:
    docs.roles["vera"] = "read"
    for login in ("vera", "mallory"):
        with way.open(login) as client, pytest.raises((Forbidden, NotFound)) as caught:
            client.create_hook("acme/docs", url=URL, secret="secret-of-a-hook")
        assert "secret-of-a-hook" not in str(caught.value)


def test_a_repository_is_found_by_what_outlives_its_name(forge: Forge, client: Client, docs: HostedRepository) -> None:
    found = client.repository("acme/docs")
    forge.world.rename("acme/docs", "acme/book")
    assert client.find(found.id).id == found.id
    assert client.find(found.id).full_name.lower() == "acme/book"
    forge.world.delete("acme/book")
    with pytest.raises(ForgeError) as caught:
        client.find(found.id)
    assert isinstance(caught.value, NotFound)
