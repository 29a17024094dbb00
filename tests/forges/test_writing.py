"""Comparing, committing and replaying: the same on every forge, whatever happens in between."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from forges.clients.base import Author, Client
from forges.clients.errors import (
    AuthFailed,
    Conflict,
    Moved,
    NotFound,
    Protected,
    TooLarge,
    Unavailable,
)
from forges.writing import Written, write
from tests.forges.conftest import SIDES, Way
from tests.wire import faults, samples
from tests.wire.forge import Forge
from tests.wire.repos import Submodule
from tests.wire.world import HostedRepository

ANN = Author("Ann", "ann@example.org")
COMMITS = {
    "github": "PATCH */git/refs/*",
    "gitlab": "POST */repository/commits",
    "bitbucket": "POST */src",
    "git": "POST */git-receive-pack",
}
"""The request with which each forge moves the branch."""

Wanted = Mapping[str, bytes | None]
Push = Callable[..., Written]


@pytest.fixture
def docs(forge: Forge) -> HostedRepository:
    hosted = forge.repository("acme/docs", private=True)
    hosted.git.commit({"README.md": "one", "ours/a.md": "a", "ours/old.md": "old", "other/b.md": "b"})
    return hosted


@pytest.fixture
def client(way: Way) -> Iterator[Client]:
    with way.open("acme") as opened:
        yield opened


@pytest.fixture
def remote(remote_way: Way) -> Iterator[Client]:
    with remote_way.open("acme") as opened:
        yield opened


def push(way: Way, client: Client, hosted: HostedRepository, wanted: Wanted, **facts: Any) -> Written:
    """Write as a caller does; without waiting, unless told otherwise."""
    name = way.name(hosted)
    return write(
        client,
        name=name,
        **{
            "repository_id": facts.get("repository_id") or client.repository(name).id,
            "branch": "main",
            "propose": lambda _tree: wanted,
            "message": "Sync",
            "author": ANN,
            "sleep": lambda _seconds: None,
            **facts,
        },
    )


def blob(hosted: HostedRepository, path: str, branch: str = "main") -> bytes | None:
    oid = hosted.git.files(branch).get(path)
    return None if oid is None else hosted.git.blob(oid)


def commits(hosted: HostedRepository, branch: str = "main") -> int:
    count, oid = 0, hosted.git.tip(branch)
    while oid:
        found = hosted.git.read_commit(oid)
        assert found
        count, oid = count + 1, next(iter(found.parents), None)
    return count


# -- what is written ---------------------------------------------------------------------------------------------------


def test_what_differs_is_one_commit_and_what_is_so_already_is_none(
    way: Way, client: Client, docs: HostedRepository
) -> None:
    parent = docs.git.tip("main")
    wanted: Wanted = {"ours/a.md": b"A", "ours/new.md": b"n", "ours/old.md": None, "other/b.md": b"b", "gone.md": None}
    written = push(way, client, docs, wanted)
    assert (written.parent, written.commit, written.changed) == (parent, docs.git.tip("main"), True)
    assert (written.branch, written.name, written.tries) == ("main", way.name(docs), 1)
    assert {path: blob(docs, path) for path in docs.git.files()} == {
        "README.md": b"one",
        "ours/a.md": b"A",
        "ours/new.md": b"n",
        "other/b.md": b"b",
    }
    again = push(way, client, docs, wanted)
    assert (again.commit, again.parent, again.changed) == (written.commit, written.commit, False)
    assert commits(docs) == 2


def test_a_proposal_sees_all_that_is_there(way: Way, client: Client, docs: HostedRepository) -> None:
    seen: list[dict[str, str]] = []

    def propose(tree: Mapping[str, str]) -> Wanted:
        seen.append(dict(tree))
        return {}

    push(way, client, docs, {}, propose=propose)
    assert seen == [docs.git.files()]


def test_a_known_tree_is_not_listed_again_while_it_is_the_heads(
    way: Way, client: Client, docs: HostedRepository
) -> None:
    head = docs.git.tip("main") or ""
    trees: list[Mapping[str, str]] = []
    known = {"ours/a.md": docs.git.files()["ours/a.md"]}

    def propose(tree: Mapping[str, str]) -> Wanted:
        trees.append(tree)
        return {"ours/a.md": b"A"}

    assert push(way, client, docs, {}, propose=propose, known=(head, known)).changed
    assert not push(way, client, docs, {}, propose=propose, known=(head, known)).changed
    assert trees == [known, docs.git.files()]


@pytest.mark.parametrize("blocked", ["README.md/x.md", "ours", "other/b.md/c/d.md", "lib/x.md", "lib"])
def test_a_file_does_not_take_the_place_of_a_folder_nor_a_folder_that_of_a_file(
    way: Way, client: Client, docs: HostedRepository, blocked: str
) -> None:
    head = docs.git.commit({"lib": Submodule("1" * 40)})
    if blocked == "lib":
        blocked = "ours/a.md/lib"
    with pytest.raises(Conflict, match="in the repository is"):
        push(way, client, docs, {blocked: b"x", "fine.md": b"y"})
    assert docs.git.tip("main") == head


def test_a_folder_takes_the_place_of_a_file_that_goes(way: Way, client: Client, docs: HostedRepository) -> None:
    push(way, client, docs, {"README.md": None, "README.md/x.md": b"x"})
    assert blob(docs, "README.md/x.md") == b"x"


# -- where it is written -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("branch", ["main", "millrace/docs"])
def test_an_empty_repository_begins_on_its_base(way: Way, client: Client, forge: Forge, branch: str) -> None:
    hosted = forge.repository("acme/empty")
    written = push(way, client, hosted, {"a.md": b"a", "b/c.md": b"c", "gone.md": None}, branch=branch, base="main")
    assert (written.parent, written.branch, written.changed) == ("", "main", True)
    assert hosted.git.branches() == {"main": written.commit}
    assert set(hosted.git.files()) == {"a.md", "b/c.md"}


def test_a_branch_that_is_missing_begins_at_its_base(way: Way, client: Client, docs: HostedRepository) -> None:
    head = docs.git.tip("main")
    written = push(way, client, docs, {"x.md": b"x"}, branch="millrace/docs", base="main")
    assert (written.parent, written.branch) == (head, "millrace/docs")
    assert docs.git.branches() == {"main": head, "millrace/docs": written.commit}
    second = push(way, client, docs, {"y.md": b"y"}, branch="millrace/docs", base="main")
    assert second.parent == written.commit
    with pytest.raises(NotFound):
        push(way, client, docs, {"x.md": b"x"}, branch="none")
    with pytest.raises(NotFound):
        push(way, client, docs, {"x.md": b"x"}, branch="side", base="none")
    assert set(docs.git.branches()) == {"main", "millrace/docs"}


@pytest.mark.parametrize("taken", [False, True], ids=["redirects", "taken"])
@pytest.mark.parametrize("key", [key for key, side in SIDES.items() if side.manages])
def test_a_repository_is_written_to_under_the_name_that_it_has_now(
    forge: Forge, docs: HostedRepository, key: str, taken: bool
) -> None:
    way = Way(forge, SIDES[key])
    with way.open("acme") as client:
        number = client.repository("acme/docs").id
        renamed = forge.world.rename("acme/docs", "acme/book")
        if taken:
            forge.world.moved.pop("acme/docs")
            forge.repository("acme/docs").git.commit({"somebody.md": "else's"})
        written = write(
            client,
            name="acme/docs",
            repository_id=number,
            branch="main",
            propose=lambda _tree: {"x.md": b"x"},
            message="Sync",
            author=ANN,
            sleep=lambda _seconds: None,
        )
    assert blob(renamed, "x.md") == b"x"
    if taken:
        assert written.name == "acme/book"
        assert set(forge.world.repositories["acme/docs"].git.files()) == {"somebody.md"}


# -- somebody else writes, too -----------------------------------------------------------------------------------------


def test_what_somebody_pushed_meanwhile_stays_and_ours_comes_on_top(
    way: Way, client: Client, docs: HostedRepository
) -> None:
    trees: list[Mapping[str, str]] = []
    waits: list[float] = []

    def propose(tree: Mapping[str, str]) -> Wanted:
        if not trees:
            docs.git.commit({"theirs.md": "t", "ours/a.md": "theirs as well"})
        trees.append(tree)
        return {"ours/a.md": b"A", "ours/old.md": None}

    written = push(way, client, docs, {}, propose=propose, sleep=waits.append, jitter=lambda: 0.5)
    assert written.tries == 2
    assert "theirs.md" in trees[1]
    assert (blob(docs, "theirs.md"), blob(docs, "ours/a.md"), blob(docs, "ours/old.md")) == (b"t", b"A", None)
    assert commits(docs) == 3
    assert waits == [0.2]


def test_a_push_in_the_very_moment_of_ours_is_not_lost(
    forge: Forge, remote_way: Way, remote: Client, docs: HostedRepository
) -> None:
    theirs = faults.first(lambda: docs.git.commit({"theirs.md": "t"}))
    with forge.fault(theirs, on=COMMITS[remote_way.key], times=1) as armed:
        push(remote_way, remote, docs, {"ours/a.md": b"A"})
    assert armed.hits == 1
    assert (blob(docs, "theirs.md"), blob(docs, "ours/a.md")) == (b"t", b"A")


def test_two_writers_at_once_both_arrive(way: Way, docs: HostedRepository) -> None:
    together = threading.Barrier(2, timeout=20)

    def run(who: str) -> Written:
        first = True

        def propose(_tree: Mapping[str, str]) -> Wanted:
            nonlocal first
            if first:
                together.wait()
            first = False
            return {f"{who}/{n}.md": who.encode() for n in range(5)}

        with way.open("acme") as client:
            return push(way, client, docs, {}, propose=propose, sleep=lambda seconds: time.sleep(seconds / 10))

    with ThreadPoolExecutor(2) as pool:
        written = list(pool.map(run, ("ann", "bob")))
    assert {path for path in docs.git.files() if path.startswith(("ann/", "bob/"))} == {
        f"{who}/{n}.md" for who in ("ann", "bob") for n in range(5)
    }
    assert commits(docs) == 3
    assert docs.git.tip("main") in {one.commit for one in written}


def test_a_branch_that_never_rests_is_given_up(way: Way, client: Client, docs: HostedRepository) -> None:
    waits: list[float] = []

    def propose(_tree: Mapping[str, str]) -> Wanted:
        docs.git.commit({"theirs.md": str(len(waits))})
        return {"ours/a.md": b"A"}

    with pytest.raises(Moved):
        push(way, client, docs, {}, propose=propose, tries=4, sleep=waits.append, jitter=lambda: 0.0)
    assert waits == [0.1, 0.2, 0.4]
    assert blob(docs, "ours/a.md") == b"a"


# -- what keeps it from being written ----------------------------------------------------------------------------------


def test_nothing_is_written_where_the_tree_was_not_listed_whole(way: Way, docs: HostedRepository) -> None:
    head = docs.git.tip("main")
    with way.open("acme", max_entries=2) as client, pytest.raises(TooLarge, match="nothing was written"):
        push(way, client, docs, {"ours/old.md": None})
    assert docs.git.tip("main") == head


def test_a_protected_branch_is_told_as_such(remote_way: Way, remote: Client, docs: HostedRepository) -> None:
    docs.protected_branches.add("main")
    with pytest.raises(Protected):
        push(remote_way, remote, docs, {"x.md": b"x"})
    if remote.opens_pull_requests:
        push(remote_way, remote, docs, {"x.md": b"x"}, branch="side", base="main")
        opened = remote.pull_request(remote_way.name(docs), source="side", target="main", title="Sync", body="")
        assert remote.find_pull_request(remote_way.name(docs), source="side", target="main") == opened


def test_a_repository_deleted_in_between_is_not_found(
    forge: Forge, remote_way: Way, remote: Client, docs: HostedRepository
) -> None:
    number = remote.repository(remote_way.name(docs)).id

    def propose(_tree: Mapping[str, str]) -> Wanted:
        forge.world.delete("acme/docs")
        return {"x.md": b"x"}

    with pytest.raises(NotFound):
        push(remote_way, remote, docs, {}, propose=propose)
    with pytest.raises(NotFound):
        push(remote_way, remote, docs, {"x.md": b"x"}, repository_id=number)


def test_a_token_revoked_in_between_is_told_as_such(forge: Forge, remote_way: Way, docs: HostedRepository) -> None:
    head = docs.git.tip("main")
    credential = remote_way.credential("acme")

    def propose(_tree: Mapping[str, str]) -> Wanted:
        forge.world.revoke(credential.token)
        return {"x.md": b"x"}

    with remote_way.open(credential=credential) as client, pytest.raises(AuthFailed) as caught:
        push(remote_way, client, docs, {}, propose=propose)
    assert credential.token not in str(caught.value)
    assert docs.git.tip("main") == head


@pytest.mark.parametrize("fault", [faults.cut_after_work(), faults.fail_after_work()], ids=["cut", "500"])
def test_after_a_success_that_nobody_heard_of_there_is_nothing_to_do(
    forge: Forge, remote_way: Way, remote: Client, docs: HostedRepository, fault: faults.Fault
) -> None:
    with forge.fault(fault, on=COMMITS[remote_way.key], times=1), pytest.raises(Unavailable) as caught:
        push(remote_way, remote, docs, {"x.md": b"x"})
    assert caught.value.retryable
    made = docs.git.tip("main")
    with remote_way.open("acme") as client:
        again = push(remote_way, client, docs, {"x.md": b"x"})
    assert (again.commit, again.changed) == (made, False)
    assert commits(docs) == 2


def test_it_can_be_stopped_between_its_steps(way: Way, client: Client, docs: HostedRepository) -> None:
    class StoppedError(Exception):
        pass

    head = docs.git.tip("main")
    for steps in range(3):
        left = iter(range(steps))

        def check(left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise StoppedError

        with pytest.raises(StoppedError):
            push(way, client, docs, {"x.md": b"x"}, check=check)
    assert docs.git.tip("main") == head


# -- what it costs -----------------------------------------------------------------------------------------------------

COSTS = {"github": (6, 5), "gitlab": (4, 3), "bitbucket": (4, 2), "git": (6, 6)}
"""Requests of a push, and of one with a known tree."""


@pytest.mark.parametrize("count", [10, 300])
def test_the_number_of_requests_does_not_grow_with_the_files(
    remote_way: Way, docs: HostedRepository, count: int
) -> None:
    name = remote_way.name(docs)
    files: dict[str, bytes | None] = {}
    for path, data in samples.many(count, folder="servers").items():
        assert isinstance(data, bytes)
        files[path] = data
    costs = []
    with remote_way.open("acme") as client:
        number = client.repository(name).id
        facts = {"name": name, "repository_id": number, "branch": "main", "message": "Sync", "author": ANN}
        before = client.usage.requests
        made = write(client, propose=lambda _tree: files, **facts)  # type: ignore[arg-type]
        costs.append(client.usage.requests - before)
        assert docs.git.files().keys() >= files.keys()
        before = client.usage.requests
        known = (made.commit, docs.git.files())
        changed = dict.fromkeys(files, b"changed")
        write(client, propose=lambda _tree: changed, known=known, **facts)  # type: ignore[arg-type]
        costs.append(client.usage.requests - before)
    assert tuple(costs) == COSTS[remote_way.key]
    assert all(blob(docs, path) == b"changed" for path in list(files)[:: max(1, count // 10)])
    assert commits(docs) == 3


def test_every_forge_has_a_price() -> None:
    assert COSTS.keys() == COMMITS.keys() == SIDES.keys()
