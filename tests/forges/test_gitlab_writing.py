"""GitLab: one commit for all changes, on the parent that was asked for, and merge requests."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from forges.clients.base import Author, Client, PullRequest
from forges.clients.errors import Conflict, Forbidden, InvalidName, Moved, NotFound, TooLarge, Unavailable
from forges.clients.gitlab_writing import shared_folder
from tests.forges.conftest import OpenGitLab
from tests.wire import faults, samples
from tests.wire.forge import Forge
from tests.wire.repos import Executable
from tests.wire.world import HostedRepository

ALICE = Author("Alice Liddell", "alice@example.org")
COMMITS = "POST */repository/commits"


@pytest.fixture
def client(forge: Forge, open_gitlab: OpenGitLab) -> Client:
    return open_gitlab(forge.gitlab_token("acme"))


@pytest.fixture
def docs(forge: Forge) -> HostedRepository:
    hosted = forge.repository("acme/docs", private=True)
    hosted.git.commit({"README.md": "one", "a/b.md": "b", "a/c.md": "c", "run": Executable(b"#!/bin/sh\n")})
    return hosted


def write(client: Client, changes: Mapping[str, bytes | None], parent: str, *, branch: str = "main") -> str:
    return client.commit("acme/docs", branch=branch, parent=parent, changes=changes, message="Sync", author=ALICE)


def test_all_changes_are_one_commit_with_its_author(client: Client, docs: HostedRepository) -> None:
    parent = docs.git.tip("main") or ""
    changes = {"README.md": b"two", "a/b.md": None, "new/\xfc.bin": b"\0\xff", "gone.md": None, "run": b"#!/bin/bash\n"}
    made = write(client, changes, parent)
    assert docs.git.tip("main") == made
    commit = docs.git.read_commit(made)
    assert commit is not None
    assert list(commit.parents) == [parent]
    assert (commit.author.name, commit.author.email) == (ALICE.name, ALICE.email)
    tree = client.tree("acme/docs", made)
    assert {entry.path for entry in tree.entries} == {"README.md", "a/c.md", "new/\xfc.bin", "run"}
    assert {entry.path: str(entry.kind) for entry in tree.entries}["run"] == "executable"
    blob = docs.git.files()["new/\xfc.bin"]
    assert dict(client.blobs("acme/docs", [blob])) == {blob: b"\0\xff"}


def test_a_push_costs_a_head_a_look_at_what_is_there_and_one_commit(
    forge: Forge, client: Client, docs: HostedRepository
) -> None:
    docs.git.commit(samples.many(300))
    parent = docs.git.tip("main") or ""
    changes: dict[str, bytes | None] = {f"servers/web/{n}.md": b"%d" % n for n in range(150)}
    parent = write(client, changes, parent)
    assert client.usage.requests == 3
    write(client, dict.fromkeys(changes, b"more"), parent)
    assert client.usage.requests == 3 + 4  # two pages of what lies in servers/web
    assert forge.requests.count(COMMITS) == 2


def test_what_is_so_already_is_not_committed(client: Client, docs: HostedRepository) -> None:
    parent = docs.git.tip("main") or ""
    assert write(client, {"README.md": b"one", "nowhere/x.md": None}, parent) == parent
    assert docs.git.tip("main") == parent


def test_a_new_branch_begins_at_the_parent(client: Client, docs: HostedRepository) -> None:
    parent = docs.git.tip("main") or ""
    docs.git.commit({"later.md": "x"})
    made = write(client, {"x.md": b"x"}, parent, branch="sync/1")
    assert docs.git.tip("sync/1") == made
    assert "later.md" not in {entry.path for entry in client.tree("acme/docs", made).entries}


def test_the_first_commit_of_an_empty_project_has_no_parent(forge: Forge, client: Client) -> None:
    hosted = forge.repository("acme/docs")
    made = write(client, {"README.md": b"first"}, "")
    assert hosted.git.tip("main") == made
    with pytest.raises(Moved):
        write(client, {"README.md": b"second"}, "")
    assert hosted.git.tip("main") == made


def test_a_head_that_is_another_writes_nothing(forge: Forge, client: Client, docs: HostedRepository) -> None:
    parent = docs.git.tip("main") or ""
    newer = docs.git.commit({"other.md": "x"})
    for before in (parent, "1" * 40):
        with pytest.raises(Moved):
            write(client, {"x.md": b"x"}, before)
    with pytest.raises(Moved):
        write(client, {"x.md": b"x"}, "1" * 40, branch="new")
    assert docs.git.tip("main") == newer
    assert docs.git.tip("new") is None


def test_a_push_to_the_same_file_in_the_last_moment_writes_nothing(
    forge: Forge, client: Client, docs: HostedRepository
) -> None:
    for changes in ({"README.md": b"ours"}, {"README.md": None}, {"theirs.md": b"ours"}):
        parent = docs.git.tip("main") or ""
        theirs: list[str] = []
        push = faults.first(
            lambda theirs=theirs: theirs.append(  # type: ignore[misc]
                docs.git.commit({"README.md": f"after {docs.git.tip('main')}", "theirs.md": "theirs"})
            )
        )
        with forge.fault(push, on=COMMITS, times=1), pytest.raises(Moved):
            write(client, changes, parent)
        assert docs.git.tip("main") == theirs[0]
        docs.git.commit({"theirs.md": None})


def test_a_push_to_another_file_in_the_last_moment_is_told_and_nobodys_work_is_lost(
    forge: Forge, client: Client, docs: HostedRepository
) -> None:
    parent = docs.git.tip("main") or ""
    push = faults.first(lambda: docs.git.commit({"theirs.md": "theirs"}))
    with forge.fault(push, on=COMMITS, times=1), pytest.raises(Moved):
        write(client, {"README.md": b"ours"}, parent)
    head = client.head("acme/docs", "main")
    assert docs.git.files().keys() >= {"theirs.md", "README.md"}
    assert write(client, {"README.md": b"ours"}, head) == head, "comparing anew finds that all is done"


def test_a_branch_that_somebody_makes_in_the_last_moment_is_left_alone(
    forge: Forge, client: Client, docs: HostedRepository
) -> None:
    parent = docs.git.tip("main") or ""

    def theirs() -> None:
        docs.git.branch("sync")
        docs.git.commit({"theirs.md": "x"}, branch="sync")

    with forge.fault(faults.first(theirs), on=COMMITS, times=1), pytest.raises(Moved):
        write(client, {"x.md": b"x"}, parent, branch="sync")
    assert "x.md" not in {entry.path for entry in client.tree("acme/docs", client.head("acme/docs", "sync")).entries}


def test_a_protected_branch_says_so(forge: Forge, client: Client, docs: HostedRepository) -> None:
    docs.protected_branches.add("main")
    with pytest.raises(Forbidden, match="protected") as caught:
        write(client, {"x.md": b"x"}, docs.git.tip("main") or "")
    assert "Maintainer" in caught.value.advice
    for said in ("You are not allowed to push into this branch", "GitLab: Commit message does not follow the rules"):
        docs.protected_branches.clear()
        with forge.fault(faults.status(400, said), on=COMMITS), pytest.raises(Forbidden) as caught:
            write(client, {"x.md": b"x"}, docs.git.tip("main") or "")
        assert said not in str(caught.value)


def test_a_token_that_may_only_read_is_told_which_scope_it_lacks(
    forge: Forge, open_gitlab: OpenGitLab, docs: HostedRepository
) -> None:
    client = open_gitlab(forge.gitlab_token("acme", scopes=["read_api"]))
    with pytest.raises(Forbidden, match="“api”"):
        write(client, {"x.md": b"x"}, docs.git.tip("main") or "")
    docs.git.branch("sync")
    with pytest.raises(Forbidden, match="“api”"):
        client.pull_request("acme/docs", source="sync", target="main", title="Sync", body="")


def test_a_commit_that_is_too_large_says_so(forge: Forge, client: Client, docs: HostedRepository) -> None:
    forge.gitlab_caps.body_bytes = 10_000
    with pytest.raises(TooLarge):
        write(client, {"x.md": bytes(20_000)}, docs.git.tip("main") or "")


def test_a_tree_that_cannot_be_compared_whole_is_not_written_to(
    forge: Forge, open_gitlab: OpenGitLab, docs: HostedRepository
) -> None:
    client = open_gitlab(forge.gitlab_token("acme"), max_entries=2)
    with pytest.raises(TooLarge, match="FORGE_MAX_ENTRIES"):
        write(client, {"README.md": b"x"}, docs.git.tip("main") or "")


def test_a_file_where_a_folder_should_be_is_a_conflict(client: Client, docs: HostedRepository) -> None:
    with pytest.raises(Conflict) as caught:
        write(client, {"a": b"x"}, docs.git.tip("main") or "")
    assert not caught.value.retryable


def test_an_answer_that_is_lost_after_the_work_is_found_done_the_next_time(
    forge: Forge, client: Client, docs: HostedRepository
) -> None:
    parent = docs.git.tip("main") or ""
    with forge.fault(faults.cut_after_work(), on=COMMITS), pytest.raises(Unavailable):
        write(client, {"README.md": b"two"}, parent)
    with pytest.raises(Moved):
        write(client, {"README.md": b"two"}, parent)
    head = client.head("acme/docs", "main")
    assert write(client, {"README.md": b"two"}, head) == head


def test_branches_and_parents_that_are_none_are_never_sent(client: Client, docs: HostedRepository) -> None:
    for branch, parent in (("../x", "1" * 40), ("main", "main"), ("-x", "")):
        with pytest.raises(InvalidName):
            write(client, {"x.md": b"x"}, parent, branch=branch)
    assert client.usage.requests == 0


def test_a_project_that_was_moved_takes_changes_under_its_new_name(
    forge: Forge, client: Client, docs: HostedRepository
) -> None:
    forge.world.rename("acme/docs", "acme/book")
    parent = docs.git.tip("main") or ""
    with pytest.raises(Conflict, match="moved"):
        write(client, {"x.md": b"x"}, parent)
    assert docs.git.tip("main") == parent


def test_a_hidden_project_is_not_found(forge: Forge, open_gitlab: OpenGitLab, docs: HostedRepository) -> None:
    with pytest.raises(NotFound):
        write(open_gitlab(forge.gitlab_token("mallory")), {"x.md": b"x"}, docs.git.tip("main") or "")


def test_a_merge_request_is_opened_once_and_then_updated(forge: Forge, client: Client, docs: HostedRepository) -> None:
    write(client, {"x.md": b"x"}, docs.git.tip("main") or "", branch="sync")

    def propose(title: str) -> PullRequest:
        return client.pull_request("acme/docs", source="sync", target="main", title=title, body="What changed.")

    first = propose("Sync")
    assert propose("Sync") == propose("Sync again") == first
    assert len(forge.gitlab.merge_requests[docs.id]) == 1
    assert forge.gitlab.merge_requests[docs.id][0].title == "Sync again"
    assert forge.requests.count("PUT *") == 1
    assert first == PullRequest("1", f"{forge.url}/acme/docs/-/merge_requests/1")


def test_a_merge_request_that_somebody_opens_in_the_last_moment_is_the_one(
    forge: Forge, open_gitlab: OpenGitLab, client: Client, docs: HostedRepository
) -> None:
    write(client, {"x.md": b"x"}, docs.git.tip("main") or "", branch="sync")
    other = open_gitlab(forge.gitlab_token("acme"))
    facts = {"source": "sync", "target": "main", "body": ""}
    quicker = faults.first(lambda: other.pull_request("acme/docs", title="Theirs", **facts))
    with forge.fault(quicker, on="POST */merge_requests", times=1):
        client.pull_request("acme/docs", title="Ours", **facts)
    assert [request.title for request in forge.gitlab.merge_requests[docs.id]] == ["Ours"]


def test_the_folder_that_all_changes_share_is_what_is_looked_at() -> None:
    assert shared_folder({"a/b/c.md": 1, "a/b/d/e.md": 1}) == "a/b"
    assert shared_folder({"a/b/c.md": 1}) == "a/b"
    assert shared_folder({"ab/c.md": 1, "a/c.md": 1}) == ""
    assert shared_folder({"c.md": 1}) == ""
    assert shared_folder({}) == ""
