"""One suite for every client that writes: commits, pull requests and webhooks do the same at each forge."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping

import pytest

from forges.clients.base import Author, Client
from forges.clients.errors import Forbidden, ForgeError, Moved, NotFound, Protected
from forges.clients.webhooks import new_secret
from tests.forges.conftest import SIDES, Way
from tests.wire import samples
from tests.wire.forge import Forge
from tests.wire.repos import Executable
from tests.wire.world import HostedRepository

ALICE = Author("Alice Liddell", "alice@example.org")
MILLRACE = Author("Millrace", "millrace@example.org")
URL = "http://127.0.0.1:9/hooks/one"


@pytest.fixture(params=[key for key, side in SIDES.items() if side.manages])
def managing_way(request: pytest.FixtureRequest, forge: Forge) -> Way:
    """The ways with pull requests and webhooks."""
    return Way(forge, SIDES[request.param])


@pytest.fixture
def client(way: Way) -> Iterator[Client]:
    with way.open("acme") as opened:
        yield opened


@pytest.fixture
def manager(managing_way: Way) -> Iterator[Client]:
    with managing_way.open("acme") as opened:
        yield opened


@pytest.fixture
def docs(forge: Forge) -> HostedRepository:
    hosted = forge.repository("acme/docs", private=True)
    hosted.git.commit({"README.md": "one", "a/b.md": "b", "a/c.md": "c", "run": Executable(b"#!/bin/sh\n")})
    return hosted


Write = Callable[..., str]


@pytest.fixture
def write(way: Way, forge: Forge, client: Client) -> Write:
    """Commit to acme/docs: `write(changes, parent, "branch", by=another_client)`."""

    def commit(changes: Mapping[str, bytes | None], parent: str, branch: str = "main", by: Client = client) -> str:
        hosted = forge.world.find("acme/docs")
        assert hosted
        facts = {"message": "Sync", "author": ALICE, "committer": MILLRACE}
        return by.commit(way.name(hosted), branch=branch, parent=parent, changes=changes, **facts)  # type: ignore[arg-type]

    return commit


def test_all_changes_are_one_commit_of_its_author(way: Way, write: Write, docs: HostedRepository) -> None:
    parent = docs.git.tip("main") or ""
    changes = {"README.md": b"two", "a/b.md": None, "new/\xfc.md": "ü\n".encode(), "bin": b"\0\xff"}
    made = write(changes, parent)
    assert docs.git.tip("main") == made
    commit = docs.git.read_commit(made)
    assert commit is not None
    assert list(commit.parents) == [parent]
    assert (commit.author.name, commit.author.email) == (ALICE.name, ALICE.email)
    if way.key in ("github", "git"):  # the others name whom the credential speaks for
        assert (commit.committer.name, commit.committer.email) == (MILLRACE.name, MILLRACE.email)
    assert commit.message.strip() == "Sync"
    found = docs.git.files()
    assert set(found) == {"README.md", "a/c.md", "new/\xfc.md", "bin", "run"}
    assert docs.git.blob(found["new/\xfc.md"]) == "ü\n".encode()
    assert docs.git.blob(found["bin"]) == b"\0\xff"
    assert subprocess.run(["git", "-C", docs.git.path, "fsck", "--strict"], capture_output=True, check=True)


def test_a_new_branch_begins_at_the_parent(write: Write, docs: HostedRepository) -> None:
    parent = docs.git.tip("main") or ""
    docs.git.commit({"later.md": "x"})
    made = write({"x.md": b"x"}, parent, "sync/1")
    assert docs.git.tip("sync/1") == made
    commit = docs.git.read_commit(made)
    assert commit is not None
    assert list(commit.parents) == [parent]


def test_the_first_commit_of_an_empty_repository_has_no_parent(forge: Forge, write: Write) -> None:
    hosted = forge.repository("acme/docs")
    made = write({"README.md": b"first", "a/b.md": b"second"}, "")
    assert hosted.git.tip("main") == made
    assert set(hosted.git.files()) == {"README.md", "a/b.md"}
    with pytest.raises(Moved):
        write({"README.md": b"second"}, "")
    assert hosted.git.tip("main") == made


def test_a_head_that_is_another_writes_nothing(write: Write, docs: HostedRepository) -> None:
    parent = docs.git.tip("main") or ""
    newer = docs.git.commit({"other.md": "x"})
    with pytest.raises(Moved) as caught:
        write({"x.md": b"x"}, parent)
    assert caught.value.retryable
    assert docs.git.tip("main") == newer


def test_many_files_take_a_number_of_requests_that_does_not_grow(
    client: Client, write: Write, docs: HostedRepository
) -> None:
    parent = docs.git.tip("main") or ""
    changes: dict[str, bytes | None] = {}
    for path, data in samples.many(90, folder="servers").items():
        assert isinstance(data, bytes)
        changes[path] = data
    write(changes, parent)
    assert client.usage.requests <= 6


def test_a_protected_branch_is_told_from_what_a_credential_may_not(remote_way: Way, docs: HostedRepository) -> None:
    docs.roles["vera"] = "read"
    parent, name = docs.git.tip("main") or "", remote_way.name(docs)
    facts = {"branch": "main", "parent": parent, "changes": {"x.md": b"x"}, "message": "Sync", "author": ALICE}
    with remote_way.open("vera") as reader, pytest.raises((Forbidden, NotFound)) as caught:
        reader.commit(name, **facts)  # type: ignore[arg-type]
    if remote_way.key != "gitlab":  # it says the same of both
        assert not isinstance(caught.value, Protected)
    docs.protected_branches.add("main")
    with remote_way.open("acme") as client, pytest.raises(Protected) as refused:
        client.commit(name, **facts)  # type: ignore[arg-type]
    assert "ull request" in refused.value.advice
    assert "GH006" not in str(refused.value)
    assert docs.git.tip("main") == parent


def test_what_the_caller_knows_to_be_there_changes_nothing(way: Way, client: Client, docs: HostedRepository) -> None:
    parent, files = docs.git.tip("main") or "", docs.git.files()
    changes = {"README.md": b"two", "a/b.md": None, "new.md": b"n"}
    made = client.commit(
        way.name(docs),
        branch="main",
        parent=parent,
        changes=changes,
        message="Sync",
        author=ALICE,
        there={path: files[path] for path in ("README.md", "a/b.md")},
    )
    assert docs.git.tip("main") == made
    assert set(docs.git.files()) == {"README.md", "a/c.md", "new.md", "run"}


def test_a_pull_request_is_opened_once_then_found_and_updated(
    forge: Forge, managing_way: Way, manager: Client, docs: HostedRepository
) -> None:
    facts = {"source": "sync", "target": "main"}
    docs.git.branch("sync", at="main")
    docs.git.commit({"x.md": "x"}, branch="sync")
    assert manager.find_pull_request("acme/docs", **facts) is None
    first = manager.pull_request("acme/docs", title="Sync", body="What changed.", **facts)
    assert manager.pull_request("acme/docs", title="Sync again", body="What changed.", **facts) == first
    assert first.number
    assert first.url.startswith(f"{forge.url}/acme/docs/")
    assert manager.find_pull_request("acme/docs", **facts) == first
    assert manager.find_pull_request("acme/docs", source="main", target="sync") is None
    for opened in (*docs.pulls, *forge.gitlab.merge_requests[docs.id]):
        opened.state = "closed"
    assert manager.find_pull_request("acme/docs", **facts) is None
    with managing_way.open("mallory") as outsider, pytest.raises((Forbidden, NotFound)):
        outsider.find_pull_request("acme/docs", **facts)


def test_a_webhook_is_made_found_changed_and_taken_away(
    managing_way: Way, manager: Client, docs: HostedRepository
) -> None:
    secret = new_secret(managing_way.key)
    made = manager.create_hook("acme/docs", url=URL, secret=secret)
    assert (made.url, made.active, made.complete) == (URL, True, True)
    assert manager.hooks("acme/docs") == (made,)
    changed = manager.update_hook("acme/docs", made.id, url=f"{URL}/new", secret=new_secret(managing_way.key))
    assert (changed.id, changed.url, changed.active, changed.complete) == (made.id, f"{URL}/new", True, True)
    for _ in range(2):
        manager.delete_hook("acme/docs", made.id)
    assert manager.hooks("acme/docs") == ()


def test_whether_a_credential_may_push_is_told_without_a_push(way: Way, docs: HostedRepository) -> None:
    before, name = docs.git.branches(), way.name(docs)
    docs.roles["vera"] = "read"
    with way.open("acme") as writer:
        writer.check_push(name, "main")
        writer.check_push(name, "made-by-the-first-push")
    if not way.local:
        with way.open("vera") as reader, pytest.raises((Forbidden, NotFound)) as caught:
            reader.check_push(name, "main")
        assert not isinstance(caught.value, Protected)
    assert docs.git.branches() == before


def test_gitlab_tells_of_a_protected_branch_beforehand(forge: Forge, docs: HostedRepository) -> None:
    docs.protected_branches.add("main")
    with Way(forge, SIDES["gitlab"]).open("acme") as client:
        with pytest.raises(Protected):
            client.check_push("acme/docs", "main")
        client.check_push("acme/docs")


def test_webhooks_of_a_repository_are_its_administrators(managing_way: Way, docs: HostedRepository) -> None:
    docs.roles["vera"] = "read"
    for login in ("vera", "mallory"):
        with managing_way.open(login) as client, pytest.raises((Forbidden, NotFound)) as caught:
            client.create_hook("acme/docs", url=URL, secret="secret-of-a-hook")
        assert "secret-of-a-hook" not in str(caught.value)


def test_a_repository_is_found_by_what_outlives_its_name(forge: Forge, manager: Client, docs: HostedRepository) -> None:
    found = manager.repository("acme/docs")
    forge.world.rename("acme/docs", "acme/book")
    assert manager.find(found.id).id == found.id
    assert manager.find(found.id).full_name.lower() == "acme/book"
    forge.world.delete("acme/book")
    with pytest.raises(ForgeError) as caught:
        manager.find(found.id)
    assert isinstance(caught.value, NotFound)
