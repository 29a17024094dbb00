"""Bitbucket: webhooks, commits on top of a known parent, and pull requests."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from forges.clients.base import Author, Client
from forges.clients.errors import Conflict, Forbidden, InvalidName, Moved, NotFound, Unavailable
from tests.forges.conftest import OpenGitHub
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.messages import json_reply
from tests.wire.world import HostedRepository

NAME = "acme/docs"
URL = "https://millrace.example/hooks/bitbucket/abc"
ALICE = Author("Alice Example", "alice@example.org")
SCOPES = ("repository:write", "pullrequest:write", "webhook")


@pytest.fixture
def docs(forge: Forge) -> HostedRepository:
    hosted = forge.repository(NAME)
    hosted.git.commit({"README.md": "# Docs\n", "old.md": "old", "docs/a.md": "a"})
    return hosted


@pytest.fixture
def client(forge: Forge, open_bitbucket: OpenGitHub, docs: HostedRepository) -> Client:
    return open_bitbucket(forge.bitbucket_token("acme", kind="workspace", scopes=SCOPES))


def commit(
    client: Client, changes: Mapping[str, bytes | None], *, parent: str, branch: str = "main", message: str = "Change"
) -> str:
    return client.commit(NAME, branch=branch, parent=parent, changes=changes, message=message, author=ALICE)


# -- webhooks ----------------------------------------------------------------------------------------------------------


def test_a_hook_is_made_listed_healed_and_removed(forge: Forge, client: Client, docs: HostedRepository) -> None:
    made = client.create_hook(NAME, url=URL, secret="one")
    assert (made.url, made.active, made.complete) == (URL, True, True)
    (hosted,) = forge.world.hooks.of(docs, "bitbucket")
    assert (hosted.secret, sorted(hosted.events)) == (
        "one",
        ["repo:deleted", "repo:push", "repo:transfer", "repo:updated"],
    )
    forge.world.hooks.update(hosted, active=False, events=frozenset({"repo:push"}))
    (found,) = client.hooks(NAME)
    assert (found.id, found.active, found.complete) == (made.id, False, False)
    healed = client.update_hook(NAME, made.id, url=f"{URL}d", secret="two")
    assert (healed.id, healed.url, healed.active, healed.complete) == (made.id, f"{URL}d", True, True)
    assert forge.world.hooks.of(docs, "bitbucket")[0].secret == "two"
    client.delete_hook(NAME, made.id)
    client.delete_hook(NAME, made.id)
    assert client.hooks(NAME) == ()
    with pytest.raises(NotFound):
        client.update_hook(NAME, made.id, url=URL, secret="three")


def test_a_hook_that_checks_no_certificate_or_has_no_secret_is_not_complete(
    forge: Forge, client: Client, docs: HostedRepository
) -> None:
    events = ["repo:push", "repo:updated", "repo:transfer", "repo:deleted"]
    forge.world.hooks.add("bitbucket", docs, URL, secret="", events=events)
    forge.world.hooks.add("bitbucket", docs, URL, secret="s", events=events, skip_cert_verification=True)
    forge.world.hooks.add("bitbucket", docs, URL, secret="s", events=events)
    assert [hook.complete for hook in client.hooks(NAME)] == [False, False, True]


def test_who_may_not_manage_hooks_is_told_what_that_takes(
    forge: Forge, open_bitbucket: OpenGitHub, docs: HostedRepository
) -> None:
    token = forge.bitbucket_token("acme", kind="workspace", scopes=["repository"])
    with pytest.raises(Forbidden, match="scope “webhook”"):
        open_bitbucket(token).create_hook(NAME, url=URL, secret="s")
    docs.roles["bob"] = "write"
    token = forge.bitbucket_token("bob", scopes=["read:webhook:bitbucket"])
    with pytest.raises(Forbidden, match="administering the repository"):
        open_bitbucket(token, email="bob@example.org").hooks(NAME)
    with pytest.raises(InvalidName):
        open_bitbucket(token, email="bob@example.org").delete_hook(NAME, "../../src")


# -- commits -----------------------------------------------------------------------------------------------------------


def test_one_commit_adds_changes_and_deletes_and_says_who_made_it(client: Client, docs: HostedRepository) -> None:
    before = docs.git.tip("main") or ""
    changes = {
        "README.md": b"# Changed\r\n",
        "new/ü ber.md": "ünïcode".encode(),
        "branch": b"a file that is called like a field",
        "bytes.bin": b"\x00\xff--\r\n",
        "empty.md": b"",
        "old.md": None,
    }
    made = commit(client, changes, parent=before, message="Write things down\n\nWith a body.")
    assert docs.git.tip("main") == made
    found = docs.git.read_commit(made)
    assert found
    assert list(found.parents) == [before]
    assert (found.author.name, found.author.email) == ("Alice Example", "alice@example.org")
    assert found.message.strip() == "Write things down\n\nWith a body."
    files = docs.git.files()
    assert "old.md" not in files
    assert "docs/a.md" in files
    assert {path: docs.git.blob(files[path]) for path, data in changes.items() if data is not None} == {
        path: data for path, data in changes.items() if data is not None
    }


def test_only_deletions_are_a_commit_too(client: Client, docs: HostedRepository) -> None:
    made = commit(client, {"old.md": None, "docs/a.md": None}, parent=docs.git.tip("main") or "")
    assert docs.git.tip("main") == made
    assert list(docs.git.files()) == ["README.md"]


def test_a_branch_that_is_not_there_begins_at_the_parent(client: Client, docs: HostedRepository) -> None:
    old = docs.git.tip("main") or ""
    docs.git.commit({"later.md": "later"})
    made = commit(client, {"new.md": b"new"}, parent=old, branch="millrace/change")
    assert docs.git.tip("millrace/change") == made
    assert "later.md" not in docs.git.files("millrace/change")
    assert docs.git.tip("main") != made


def test_a_branch_that_moved_is_not_written_to(client: Client, docs: HostedRepository) -> None:
    old = docs.git.tip("main") or ""
    new = docs.git.commit({"theirs.md": "theirs"})
    for parent in (old, "1" * 40, ""):
        with pytest.raises(Moved) as caught:
            commit(client, {"ours.md": b"ours"}, parent=parent)
        assert caught.value.retryable
    assert docs.git.tip("main") == new


def test_the_first_commit_of_a_repository_needs_no_parent(forge: Forge, client: Client) -> None:
    hosted = forge.repository("acme/empty")
    made = client.commit("acme/empty", branch="trunk", parent="", changes={"a.md": b"a"}, message="Begin", author=ALICE)
    assert hosted.git.tip("trunk") == made
    assert client.repository("acme/empty").default_branch == "trunk"


def test_a_protected_branch_is_told_from_a_missing_right(
    forge: Forge, open_bitbucket: OpenGitHub, client: Client, docs: HostedRepository
) -> None:
    parent = docs.git.tip("main") or ""
    docs.protected_branches.add("main")
    with pytest.raises(Forbidden, match="branch restriction"):
        commit(client, {"a.md": b"a"}, parent=parent)
    docs.roles["bob"] = "read"
    scopes = ["read:repository:bitbucket", "write:repository:bitbucket"]
    reader = open_bitbucket(forge.bitbucket_token("bob", scopes=scopes), email="bob@example.org")
    with pytest.raises(Forbidden, match="does not let this credential write") as caught:
        commit(reader, {"a.md": b"a"}, parent=parent)
    assert "write" in caught.value.advice
    blind = open_bitbucket(forge.bitbucket_token("acme", kind="workspace", scopes=["repository"]))
    with pytest.raises(Forbidden, match="“repository:write”"):
        commit(blind, {"a.md": b"a"}, parent=parent)
    assert docs.git.tip("main") == parent


def test_a_repository_that_was_renamed_is_not_written_to_by_its_old_name(
    forge: Forge, client: Client, docs: HostedRepository
) -> None:
    parent = docs.git.tip("main") or ""
    forge.world.rename(NAME, "acme/handbook")
    with pytest.raises((NotFound, Moved)):
        commit(client, {"a.md": b"a"}, parent=parent)
    with pytest.raises(NotFound, match="another name"):
        client.create_hook(NAME, url=URL, secret="s")
    assert docs.git.tip("main") == parent


def test_a_commit_that_got_no_answer_is_not_taken_for_one_that_was_refused(
    forge: Forge, client: Client, docs: HostedRepository
) -> None:
    parent = docs.git.tip("main") or ""
    with forge.fault(faults.cut_after_work(), on="POST *"), pytest.raises(Unavailable):
        commit(client, {"a.md": b"a"}, parent=parent)
    with pytest.raises(Moved):
        commit(client, {"a.md": b"a"}, parent=parent)
    with forge.fault(faults.instead(lambda: json_reply({}, 201)), on="POST *"), pytest.raises(Unavailable):
        commit(client, {"b.md": b"b"}, parent=docs.git.tip("main") or "")


def test_a_path_that_an_upload_cannot_name_is_refused(client: Client, docs: HostedRepository) -> None:
    with pytest.raises(InvalidName, match="quotation mark"):
        commit(client, {'a"b.md': b"a"}, parent=docs.git.tip("main") or "")


# -- pull requests -----------------------------------------------------------------------------------------------------


def test_a_pull_request_is_opened_once_and_updated_from_then_on(
    forge: Forge, client: Client, docs: HostedRepository
) -> None:
    branch = 'o"dd'
    commit(client, {"a.md": b"new"}, parent=docs.git.tip("main") or "", branch=branch)
    opened = client.pull_request(NAME, source=branch, target="main", title="One", body="First")
    assert opened.url == f"{forge.url}/acme/docs/pull-requests/{opened.number}"
    again = client.pull_request(NAME, source=branch, target="main", title="Two", body="Second")
    assert again == opened
    (pull,) = docs.pulls
    assert (pull.title, pull.body) == ("Two", "Second")


def test_the_pull_request_of_a_fork_is_not_ours(forge: Forge, client: Client, docs: HostedRepository) -> None:
    commit(client, {"a.md": b"new"}, parent=docs.git.tip("main") or "", branch="change")
    foreign = {
        "id": 7,
        "source": {"branch": {"name": "change"}, "repository": {"full_name": "mallory/docs"}},
        "destination": {"branch": {"name": "main"}},
    }
    fault = faults.alter_json(lambda true: {**true, "values": [foreign]})
    with forge.fault(fault, on="GET */pullrequests*"):
        opened = client.pull_request(NAME, source="change", target="main", title="One", body="First")
    assert opened.number == "1"


def test_a_pull_request_without_a_change_is_a_conflict(
    forge: Forge, client: Client, open_bitbucket: OpenGitHub, docs: HostedRepository
) -> None:
    docs.git.branch("same")
    with pytest.raises(Conflict):
        client.pull_request(NAME, source="same", target="main", title="One", body="")
    with (
        forge.fault(faults.status(403), on="POST */pullrequests"),
        pytest.raises(Forbidden, match="does not let this credential open"),
    ):
        client.pull_request(NAME, source="same", target="main", title="One", body="")
    token = forge.bitbucket_token("acme", kind="workspace", scopes=["repository:write"])
    with pytest.raises(Forbidden, match="“pullrequest”"):
        open_bitbucket(token).pull_request(NAME, source="same", target="main", title="One", body="")
