"""Plain git: a commit made without git, sent as git sends it, and what servers and their hooks say to it."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from forges.clients.base import Author, Client
from forges.clients.errors import (
    AuthFailed,
    Conflict,
    Forbidden,
    ForgeError,
    InvalidName,
    Moved,
    Protected,
    TooLarge,
    Unavailable,
)
from tests.forges.conftest import SIDES, Way
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.messages import Headers, Proceed, Reply, Request
from tests.wire.objects import git
from tests.wire.repos import Executable, GitRepo, Submodule, Symlink
from tests.wire.world import HostedRepository

ANN = Author("Ann <x>\n", "ann@example.org")
MILLRACE = Author("Millrace", "millrace@example.org")
PUSH = "POST */git-receive-pack"


@pytest.fixture
def docs(forge: Forge) -> HostedRepository:
    hosted = forge.repository("acme/docs")
    hosted.git.commit({"README.md": "one", "a/b.md": "b", "a/deep/c.md": "c", "run": Executable(b"#!/bin/sh\n")})
    return hosted


@pytest.fixture
def way(forge: Forge) -> Way:
    return Way(forge, SIDES["git"])


@pytest.fixture
def client(way: Way) -> Iterator[Client]:
    with way.open("acme") as opened:
        yield opened


def commit(
    client: Client, way: Way, hosted: HostedRepository, changes: Mapping[str, bytes | None], **facts: Any
) -> str:
    parent = facts.pop("parent", hosted.git.tip("main") or "")
    wanted = {"branch": "main", "message": "Sync\n\nand why", "author": ANN, "committer": MILLRACE, **facts}
    return client.commit(way.name(hosted), parent=parent, changes=changes, **wanted)


def modes(repo: GitRepo) -> dict[str, str]:
    tree = repo.tree_of(repo.tip("main") or "")
    return {entry.path: entry.mode for entry in repo.tree(tree or "", recursive=True) if entry.kind != "tree"}


# -- what is made ------------------------------------------------------------------------------------------------------


def test_a_commit_says_who_wrote_it_who_made_it_and_when_in_utc(
    client: Client, way: Way, docs: HostedRepository
) -> None:
    before = int(time.time())
    made = commit(client, way, docs, {"README.md": b"two"})
    raw = git(docs.git.path, "cat-file", "commit", made).decode()
    head, _, message = raw.partition("\n\n")
    fields = dict(line.split(" ", 1) for line in head.splitlines())
    author, committer = fields["author"].rsplit(" ", 2), fields["committer"].rsplit(" ", 2)
    assert (author[0], committer[0]) == ("Ann x <ann@example.org>", "Millrace <millrace@example.org>")
    assert author[2] == committer[2] == "+0000"
    assert before <= int(author[1]) == int(committer[1]) <= time.time()
    assert message == "Sync\n\nand why\n"


def test_files_keep_their_mode_and_what_is_beside_them_stays(client: Client, way: Way, docs: HostedRepository) -> None:
    docs.git.commit({"link": Symlink("README.md"), "sub": Submodule("1" * 40)})
    commit(client, way, docs, {"run": b"#!/bin/sh\nnew\n", "a/b.md": b"B", "new": b"n", "link": b"text"})
    assert modes(docs.git) == {
        "README.md": "100644",
        "a/b.md": "100644",
        "a/deep/c.md": "100644",
        "link": "100644",
        "new": "100644",
        "run": "100755",
        "sub": "160000",
    }


def test_a_folder_goes_with_its_last_file(client: Client, way: Way, docs: HostedRepository) -> None:
    commit(
        client, way, docs, {"a/b.md": None, "a/deep/c.md": None, "nowhere/x.md": None, "a": None, "README.md/x": None}
    )
    assert set(docs.git.files()) == {"README.md", "run"}
    made = commit(client, way, docs, {"README.md": None, "run": None})
    assert docs.git.tip("main") == made
    assert docs.git.files() == {}


def test_nothing_that_differs_is_no_commit(client: Client, way: Way, docs: HostedRepository, forge: Forge) -> None:
    head = docs.git.tip("main")
    assert commit(client, way, docs, {"README.md": b"one", "gone.md": None, "a": None}) == head
    assert docs.git.tip("main") == head
    assert not forge.requests.count(PUSH)
    empty = forge.repository("acme/empty")
    with pytest.raises(Conflict, match="nothing to commit"):
        commit(client, way, empty, {"gone.md": None})


@pytest.mark.parametrize("path", ["README.md/x.md", "a", "a/deep", "sub/x.md", "sub", "link/x.md"])
def test_what_is_in_the_way_is_named(client: Client, way: Way, docs: HostedRepository, path: str) -> None:
    head = docs.git.commit({"link": Symlink("a"), "sub": Submodule("1" * 40)})
    with pytest.raises(Conflict, match="in the repository is") as caught:
        commit(client, way, docs, {path: b"x"})
    assert not caught.value.retryable
    assert docs.git.tip("main") == head


@pytest.mark.parametrize(
    "path", ["", "/a", "a/", "a//b", "./a", "a/../b", ".git/config", "a/.GIT/x", "a\0b", "x/" * 200]
)
def test_a_path_that_git_does_not_take_is_refused(client: Client, way: Way, docs: HostedRepository, path: str) -> None:
    for data in (b"x", None):
        with pytest.raises(InvalidName):
            commit(client, way, docs, {path: data})


def test_thousands_of_files_are_one_quick_commit(client: Client, way: Way, docs: HostedRepository) -> None:
    started = time.monotonic()
    commit(client, way, docs, {f"servers/s{n % 40}/t{n}.json": os.urandom(1500) for n in range(4000)})
    assert time.monotonic() - started < 30  # less than two seconds on an idle machine
    assert len(docs.git.files()) == 4004
    assert client.usage.requests == 5


def test_a_push_is_no_larger_than_the_limit(way: Way, docs: HostedRepository) -> None:
    head = docs.git.tip("main")
    with way.open("acme", max_archive_bytes=20_000) as client, pytest.raises(TooLarge):
        commit(client, way, docs, {"noise": os.urandom(30_000)})
    assert docs.git.tip("main") == head


def test_who_lists_without_sizes_fetches_no_file(
    forge: Forge, client: Client, way: Way, docs: HostedRepository
) -> None:
    docs.git.commit({"noise": os.urandom(1 << 20)})
    name, head = way.name(docs), docs.git.tip("main") or ""
    listing = client.tree(name, head, sizes=False)
    assert {entry.path: entry.oid for entry in listing.entries} == docs.git.files()
    assert {entry.size for entry in listing.entries} == {None}
    assert b"blob:none" in next(request.body for request in forge.requests if b"want" in request.body)
    spent = client.usage.requests
    commit(client, way, docs, {"x.md": b"x"})
    assert client.usage.requests - spent == 2


def test_a_server_that_cannot_leave_files_out_is_written_to_as_well(
    forge: Forge, client: Client, way: Way, docs: HostedRepository
) -> None:
    git(docs.git.path, "config", "uploadpack.allowFilter", "false")
    made = commit(client, way, docs, {"x.md": b"x"})
    assert docs.git.tip("main") == made


# -- who may -----------------------------------------------------------------------------------------------------------


def test_a_token_that_may_only_read_is_told_what_it_lacks(forge: Forge, way: Way, docs: HostedRepository) -> None:
    docs.roles["vera"] = "read"
    for login in ("vera", "mallory"):
        with way.open(login) as reader, pytest.raises(Forbidden, match="does not let this credential push") as caught:
            commit(reader, way, docs, {"x.md": b"x"})
        assert type(caught.value) is Forbidden
        assert "write" in caught.value.advice
    with way.open() as nobody, pytest.raises(AuthFailed, match="asks for a token"):
        commit(nobody, way, docs, {"x.md": b"x"})


def test_a_push_goes_to_no_other_server(forge: Forge, client: Client, way: Way, docs: HostedRepository) -> None:
    elsewhere = forge.listen_also()
    signed = ("Authorization", "Basic " + base64.b64encode(f"x:{forge.token('acme')}".encode()).decode())

    def lead_away(request: Request, proceed: Proceed) -> Reply:
        if request.origin == elsewhere:  # where everybody may push
            return proceed(replace(request, headers=Headers([*request.headers.items(), signed])))
        return Reply(302, b"", Headers([("Location", f"{elsewhere}{request.target}")]))

    for on in ("GET */info/refs", PUSH):
        with forge.fault(lead_away, on=on), pytest.raises(ForgeError):
            commit(client, way, docs, {"x.md": b"the text"})
    for request in forge.requests:
        if request.origin == elsewhere:
            assert b"the text" not in request.body
            assert not request.path.endswith("/git-receive-pack")
            assert "Authorization" not in request.headers


# -- what servers say --------------------------------------------------------------------------------------------------


def pkt(data: bytes) -> bytes:
    return b"%04x%b" % (len(data) + 4, data)


def reported(status: bytes, said: bytes = b"", unpack: bytes = b"unpack ok") -> faults.Fault:
    """A push that is answered with this, and not done."""
    report = pkt(unpack + b"\n") + pkt(status + b"\n") + b"0000"
    body = (pkt(b"\x02" + said) if said else b"") + pkt(b"\x01" + report) + b"0000"
    return faults.instead(
        lambda: Reply(200, body, Headers([("Content-Type", "application/x-git-receive-pack-result")]))
    )


@pytest.mark.parametrize(
    ("status", "said", "error"),
    [
        (b"ng refs/heads/main fetch first", b"", Moved),
        (b"ng refs/heads/main non-fast-forward", b"", Moved),
        (b"ng refs/heads/main failed to update ref", b"cannot lock ref", Moved),
        (b"ng refs/heads/main stale info", b"", Moved),
        (b"ng refs/heads/main protected branch hook declined", b"error: GH006: Protected branch", Protected),
        (b"ng refs/heads/main push declined due to repository rule violations", b"error: GH013", Protected),
        (b"ng refs/heads/main pre-receive hook declined", b"GitLab: You are not allowed to push", Protected),
        (b"ng refs/heads/main pre-receive hook declined", b"", Protected),
        (b"ng refs/heads/main hook declined", b"gitea: Not allowed to push to protected branch main", Protected),
        (b"ng refs/heads/main push declined", b"GH013: Push cannot contain secrets https://unblock/", Forbidden),
        (b"ng refs/heads/main branch is currently checked out", b"", Conflict),
        (b"ng refs/heads/main something new", b"", Conflict),
        (b"ok refs/heads/other", b"", Unavailable),
        (b"ng", b"", Unavailable),
        (b"ng refs/heads/main \xff\xfe", b"", Unavailable),
    ],
)
def test_a_refused_push_is_told_as_what_it_is_and_never_repeated(
    forge: Forge,
    client: Client,
    way: Way,
    docs: HostedRepository,
    status: bytes,
    said: bytes,
    error: type[ForgeError],
) -> None:
    with forge.fault(reported(status, said + b" <script>"), on=PUSH), pytest.raises(error) as caught:
        commit(client, way, docs, {"x.md": b"x"})
    assert type(caught.value) is error
    for text in (str(caught.value), caught.value.advice):
        assert not any(words in text for words in ("GH0", "unblock", "script", "declined", "something new"))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (reported(b"ng refs/heads/main unpacker error", unpack=b"unpack index-pack abnormal exit"), Unavailable),
        (reported(b"ng refs/heads/main x", unpack=b"unpack pack exceeds maximum allowed size"), TooLarge),
        (faults.cut_request(300), Unavailable),
        (faults.cut_body(20), Unavailable),
        (faults.web_page(), ForgeError),
        (faults.status(403, "Forbidden"), Forbidden),
        (faults.status(502), Unavailable),
        (faults.rate_limited(), ForgeError),
    ],
)
def test_a_push_that_breaks_off_is_an_error_and_the_next_one_works(
    forge: Forge, client: Client, way: Way, docs: HostedRepository, fault: faults.Fault, error: type[ForgeError]
) -> None:
    with forge.fault(fault, on=PUSH), pytest.raises(error):
        commit(client, way, docs, {"x.md": b"x"})
    parent = docs.git.tip("main")
    made = commit(client, way, docs, {"y.md": b"y"})
    assert docs.git.tip("main") == made != parent


def test_a_server_that_lists_without_end_is_not_read_without_end(
    forge: Forge, client: Client, way: Way, docs: HostedRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forges.clients.git_transport._MAX_RECEIVED", 1_000)
    for n in range(30):
        docs.git.branch(f"branches/of/a/long/name/{n}", at="main")
    with pytest.raises(TooLarge, match="more about the repository"):
        commit(client, way, docs, {"x.md": b"x"})


def test_branches_are_kept_like_files_in_folders(client: Client, way: Way, docs: HostedRepository) -> None:
    for branch in ("main/docs", "next"):
        docs.git.branch("next/one", at="main")
        with pytest.raises(Conflict, match="There can be no branch"):
            commit(client, way, docs, {"x.md": b"x"}, branch=branch)
