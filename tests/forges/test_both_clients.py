"""One suite for every client: the same repositories read the same through GitHub's API and through plain git."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from forges.clients import normalise_repository, open_client
from forges.clients.base import (
    AuthFailed,
    Branch,
    Client,
    Conflict,
    Credential,
    EmptyRepository,
    EntryKind,
    ForgeError,
    InvalidName,
    Moved,
    NotFound,
    OutOfTime,
    TooLarge,
    Unavailable,
    blob_id,
)
from tests.forges.conftest import LIMITS, POLICY
from tests.wire import faults, samples
from tests.wire.forge import Forge
from tests.wire.repos import Executable, GitRepo
from tests.wire.world import HostedRepository


@dataclass(frozen=True)
class Way:
    """One way to read the forge's repositories."""

    forge: Forge
    key: str
    local: bool = False

    def open(self, token: str = "", **limits: float) -> Client:
        return open_client(
            self.key,
            base_url=self.forge.url,
            credential=Credential(token),
            policy=POLICY,
            limits=replace(LIMITS, **limits),  # type: ignore[arg-type]
            local_roots=(self.forge.world.folder,) if self.local else (),
        )

    def name(self, hosted: HostedRepository) -> str:
        if self.local:
            address = str(hosted.git.path)
        else:
            address = hosted.full_name if self.key == "github" else self.forge.clone_url(hosted.full_name)
        return normalise_repository(self.key, self.forge.url, address, local_roots=(self.forge.world.folder,))


@pytest.fixture(params=["github", "git", "folder"])
def way(request: pytest.FixtureRequest, forge: Forge) -> Way:
    return Way(forge, "git" if request.param == "folder" else request.param, local=request.param == "folder")


@pytest.fixture(params=["github", "git"])
def remote_way(request: pytest.FixtureRequest, forge: Forge) -> Way:
    """The ways that go over the network."""
    return Way(forge, request.param)


@pytest.fixture
def client(way: Way) -> Iterator[Client]:
    token = "" if way.local else way.forge.token("acme")
    with way.open(token) as opened:
        yield opened


@pytest.fixture
def tip(github_repo: HostedRepository) -> str:
    commit = github_repo.git.tip("main")
    assert commit
    return commit


def test_the_head_is_the_tip_of_the_branch_and_costs_one_request(
    way: Way, client: Client, github_repo: HostedRepository
) -> None:
    name = way.name(github_repo)
    github_repo.git.branch("feature/with/slashes")
    new = github_repo.git.commit({"new.md": "new"}, branch="feature/with/slashes")
    assert client.head(name, "feature/with/slashes") == new
    assert client.head(name, "main") == github_repo.git.tip("main") != new
    assert client.usage.requests == (0 if way.local else 2)


@pytest.mark.parametrize("branch", ["--upload-pack=id", "a..b", "main\n", "../../user", ""])
def test_a_branch_that_git_would_refuse_is_never_asked_for(
    way: Way, client: Client, github_repo: HostedRepository, branch: str
) -> None:
    with pytest.raises(InvalidName):
        client.head(way.name(github_repo), branch)
    assert client.usage.requests == 0


@pytest.mark.parametrize("commit", ["main", "HEAD", "-x", "../../user", "1" * 39, "1" * 41, "A" * 40])
def test_only_a_whole_commit_id_is_a_commit(
    way: Way, client: Client, github_repo: HostedRepository, commit: str
) -> None:
    name = way.name(github_repo)
    for ask in (lambda: client.tree(name, commit), lambda: list(client.archive(name, commit).__enter__())):
        with pytest.raises(InvalidName):
            ask()
    assert client.usage.requests == 0


def test_a_branch_that_is_not_there_is_not_found(way: Way, client: Client, github_repo: HostedRepository) -> None:
    github_repo.git.tag("v1")
    github_repo.git.branch("maintenance")
    for branch in ("missing", "v1", "main-2", "maint"):
        with pytest.raises(NotFound) as caught:
            client.head(way.name(github_repo), branch)
        assert not caught.value.retryable


def test_a_repository_without_a_commit_says_so(way: Way, client: Client, forge: Forge) -> None:
    name = way.name(forge.repository("acme/empty"))
    with pytest.raises(EmptyRepository) as caught:
        client.head(name, "main")
    assert isinstance(caught.value, Conflict)
    assert not caught.value.retryable
    assert client.branches(name) == ()


def test_the_tree_has_every_entry_with_its_id_size_and_kind(
    way: Way, client: Client, github_repo: HostedRepository, tip: str
) -> None:
    github_repo.git.commit({"run.sh": Executable(b"#!/bin/sh\n")})
    commit = client.head(way.name(github_repo), "main")
    listing = client.tree(way.name(github_repo), commit)
    assert listing.complete
    assert listing.commit == commit != tip
    found = {entry.path: entry for entry in listing.entries}
    assert {p: e.oid for p, e in found.items() if e.kind is not EntryKind.SUBMODULE} == github_repo.git.files()
    assert found["empty.txt"].size == 0
    assert found["logo.png"].size == len(samples.PNG)
    assert found["docs/naïve ünïcode.md"].size == len(samples.markdown("Unicode"))
    assert found["run.sh"].kind is EntryKind.EXECUTABLE
    assert found["link.md"].kind is EntryKind.SYMLINK
    assert (found["vendor/library"].kind, found["vendor/library"].size) == (EntryKind.SUBMODULE, None)
    assert found["README.md"].kind is EntryKind.FILE


def test_the_archive_has_the_regular_files_byte_for_byte(
    way: Way, client: Client, github_repo: HostedRepository, tip: str
) -> None:
    with client.archive(way.name(github_repo), tip) as files:
        found = dict(files)
    assert {path: blob_id(data) for path, data in found.items()} == {
        path: oid for path, oid in github_repo.git.files().items() if path != "link.md"
    }
    assert found["latin1.txt"] == samples.LATIN_1


def test_an_archive_can_be_left_half_read(way: Way, client: Client, github_repo: HostedRepository, tip: str) -> None:
    with client.archive(way.name(github_repo), tip) as files:
        next(files)
    assert client.head(way.name(github_repo), "main") == tip


def test_blobs_come_byte_for_byte_whatever_they_hold(way: Way, client: Client, github_repo: HostedRepository) -> None:
    odd = {
        "nul.txt": b"a\0b",
        "surrogate.txt": b"\xed\xa0\x80",
        "crlf.txt": b"a\r\nb\r",
        "bom.txt": b"\xef\xbb\xbfmark",
        "replacement.txt": "\ufffd".encode(),
        "latin.txt": b"\xff\xfe",
        "separators.txt": "a\u2028b\u0085c".encode(),
        "empty.txt": b"",
    }
    commit = github_repo.git.commit(dict(odd))
    client.tree(way.name(github_repo), commit)
    oids = [blob_id(data) for data in odd.values()]
    missing, malformed = "0" * 40, "not an id"
    found = dict(client.blobs(way.name(github_repo), [*oids, oids[0], missing, malformed]))
    assert found == {blob_id(data): data for data in odd.values()}


def test_files_over_the_limit_are_left_out_of_archives_and_blobs(way: Way, github_repo: HostedRepository) -> None:
    large, small = b"x" * 5_000, b"y" * 50
    commit = github_repo.git.commit({"large.md": large, "small.md": small, "large.bin": bytes(5_000)})
    with way.open("" if way.local else way.forge.token("acme"), max_blob_bytes=4_000) as client:
        name = way.name(github_repo)
        sizes = {entry.path: entry.size or 0 for entry in client.tree(name, commit).entries}
        assert sizes["large.md"] > 4_000
        with client.archive(name, commit) as files:
            paths = {path for path, _ in files}
        assert "small.md" in paths
        assert not {"large.md", "large.bin"} & paths
        assert dict(client.blobs(name, [blob_id(large), blob_id(small), blob_id(bytes(5_000))])) == {
            blob_id(small): small
        }


def test_branches_come_with_their_commits(way: Way, client: Client, github_repo: HostedRepository, tip: str) -> None:
    github_repo.git.branch("a/b")
    github_repo.git.tag("not-a-branch")
    new = github_repo.git.commit({"x.md": "x"}, branch="a/b")
    assert set(client.branches(way.name(github_repo))) == {Branch("main", tip), Branch("a/b", new)}


def test_the_default_branch_is_the_one_that_head_names(way: Way, client: Client, forge: Forge) -> None:
    hosted = forge.repository("acme/other", default_branch="trunk")
    hosted.git.commit({"a.md": "a"})
    hosted.git.branch("main")
    found = client.repository(way.name(hosted))
    assert found.default_branch == "trunk"
    assert client.branches(found.full_name)


def test_a_tree_over_the_limit_is_incomplete_and_says_why(way: Way, github_repo: HostedRepository, tip: str) -> None:
    with way.open("" if way.local else way.forge.token("acme"), max_entries=5) as client:
        listing = client.tree(way.name(github_repo), tip)
    assert not listing.complete
    assert len(listing.entries) == 5
    assert "more than 5 files" in listing.reason


def test_an_archive_over_the_limit_stops_on_the_way(way: Way, forge: Forge) -> None:
    hosted = forge.repository("acme/big")
    commit = hosted.git.commit(samples.many(200))
    with way.open("" if way.local else forge.token("acme"), max_archive_bytes=20_000) as client:
        with pytest.raises(TooLarge) as caught, client.archive(way.name(hosted), commit) as files:
            list(files)
        assert not caught.value.retryable


def test_a_commit_that_is_gone_has_moved_and_asking_again_helps(
    way: Way, client: Client, github_repo: HostedRepository
) -> None:
    name = way.name(github_repo)
    for ask in (lambda: client.tree(name, "1" * 40), lambda: list(client.archive(name, "1" * 40).__enter__())):
        with pytest.raises(Moved) as caught:
            ask()
        assert caught.value.retryable


def test_a_private_repository_is_hidden_without_its_token(remote_way: Way, private_repo: HostedRepository) -> None:
    name = remote_way.name(private_repo)
    with remote_way.open(remote_way.forge.token("acme")) as client:
        assert client.head(name, "main")
        assert client.repository(name).private
    for token in ("", remote_way.forge.token("mallory"), "wrong-token"):
        with remote_way.open(token) as client, pytest.raises((NotFound, AuthFailed)) as caught:
            client.head(name, "main")
        assert not caught.value.retryable


@pytest.mark.parametrize(
    ("fault", "error", "retryable"),
    [
        (faults.status(502), Unavailable, True),
        (faults.status(500), Unavailable, True),
        (faults.status(404), NotFound, False),
        (faults.status(401, "Bad credentials"), AuthFailed, False),
        (faults.cut_before_reply(), Unavailable, True),
        (faults.cut_body(after=10), Unavailable, True),
        (faults.redirect("http://169.254.169.254/latest/"), ForgeError, False),
        (faults.redirect("http://10.0.0.1/"), ForgeError, False),
    ],
)
def test_a_forge_that_fails_is_told_by_the_tree_of_errors(
    remote_way: Way,
    github_repo: HostedRepository,
    fault: faults.Fault,
    error: type[ForgeError],
    retryable: bool,
) -> None:
    client = remote_way.open(remote_way.forge.token("acme"))
    with client, remote_way.forge.fault(fault), pytest.raises(error) as caught:
        client.head(remote_way.name(github_repo), "main")
    assert caught.value.retryable is retryable


def test_a_page_in_place_of_an_answer_is_not_taken_for_one(remote_way: Way, github_repo: HostedRepository) -> None:
    for fault in (faults.web_page(), faults.web_page(503)):
        client = remote_way.open(remote_way.forge.token("acme"))
        with client, remote_way.forge.fault(fault), pytest.raises((Unavailable, NotFound)) as caught:
            client.head(remote_way.name(github_repo), "main")
        assert "Maintenance" not in str(caught.value)


def test_a_forge_that_does_not_answer_is_given_up(remote_way: Way, github_repo: HostedRepository) -> None:
    client = remote_way.open(remote_way.forge.token("acme"), timeout=0.2)
    with client, remote_way.forge.fault(faults.slow(1.5)), pytest.raises(Unavailable, match="in time"):
        client.head(remote_way.name(github_repo), "main")


def test_a_forge_that_trickles_is_given_up_at_the_deadline(remote_way: Way, forge: Forge) -> None:
    hosted = forge.repository("acme/slow")
    commit = hosted.git.commit(samples.many(100))
    trickle = faults.slow_body(pause=0.05, piece=100)
    client = remote_way.open(forge.token("acme"), timeout=2, total_timeout=0.5)
    with (
        client,
        forge.fault(trickle),
        pytest.raises(Unavailable, match="too long"),
        client.archive(remote_way.name(hosted), commit) as files,
    ):
        list(files)


def test_a_client_is_out_of_time_as_a_whole_whatever_each_request_may_take(
    remote_way: Way, github_repo: HostedRepository
) -> None:
    name = remote_way.name(github_repo)
    client = remote_way.open(remote_way.forge.token("acme"), deadline=1.0)
    began = time.monotonic()
    with client, remote_way.forge.fault(faults.slow(0.4)), pytest.raises(OutOfTime, match="in time"):
        [client.head(name, "main") for _ in range(10)]
    assert time.monotonic() - began < 2
    assert client.usage.requests <= 3
    with client:
        assert client.head(name, "main"), "entered anew, it has its time anew"


def test_a_trickle_ends_with_the_time_of_the_client(remote_way: Way, forge: Forge) -> None:
    hosted = forge.repository("acme/slow")
    commit = hosted.git.commit(samples.many(100))
    client = remote_way.open(forge.token("acme"), deadline=0.5)
    with (
        client,
        forge.fault(faults.slow_body(pause=0.05, piece=100)),
        pytest.raises(OutOfTime, match="in time"),
        client.archive(remote_way.name(hosted), commit) as files,
    ):
        list(files)


def test_a_redirect_to_another_host_does_not_get_the_token(remote_way: Way, github_repo: HostedRepository) -> None:
    elsewhere = remote_way.forge.listen_also()
    token = remote_way.forge.token("acme")
    client = remote_way.open(token)
    remote_way.forge.requests.clear()
    fault = faults.redirect(f"{elsewhere}/acme/docs/info/refs?service=git-upload-pack", 307)
    with client, remote_way.forge.fault(fault, times=1), suppress(ForgeError):
        client.head(remote_way.name(github_repo), "main")
    asked = [request for request in remote_way.forge.requests if request.origin == elsewhere]
    assert asked
    assert all("Authorization" not in request.headers for request in asked)
    assert client.usage.requests == remote_way.forge.requests.count()


def test_a_token_is_not_sent_over_http_to_a_host_that_nobody_vouched_for() -> None:
    for key, name in (("github", "acme/docs"), ("git", "http://git.example/docs")):
        with pytest.raises(InvalidName, match="https"):
            open_client(
                key, base_url="http://git.example/api/v3", credential=Credential("secret"), policy=POLICY, limits=LIMITS
            ).head(name, "main")


def test_inward_addresses_are_refused_before_anything_is_sent() -> None:
    for key, name in (("github", "acme/docs"), ("git", "http://10.1.2.3/docs")):
        client = open_client(
            key, base_url="http://10.1.2.3/api/v3", credential=Credential(), policy=POLICY, limits=LIMITS
        )
        with client, pytest.raises(ForgeError, match="only public addresses") as caught:
            client.head(name, "main")
        assert caught.value.code == "address_refused"
        assert not caught.value.retryable


def test_no_token_is_in_any_error_or_log_line(
    remote_way: Way, private_repo: HostedRepository, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = remote_way.forge.token("acme")
    name = remote_way.name(private_repo)
    commit = private_repo.git.tip("main") or ""

    def everything(client: Client) -> list[Callable[[], object]]:
        return [
            client.account,
            client.repositories,
            lambda: client.repository(name),
            lambda: client.branches(name),
            lambda: client.head(name, "main"),
            lambda: client.tree(name, commit),
            lambda: list(client.archive(name, commit).__enter__()),
            lambda: list(client.blobs(name, ["1" * 40])),
        ]

    causes: list[str] = [repr(Credential(token))]
    for fault in (
        None,
        faults.unauthorized(),
        faults.status(500, f"it was {token}"),
        faults.status(403, f"it was {token}"),
        faults.cut_before_reply(),
        faults.redirect(f"http://{token}@127.0.0.1:9/"),
        faults.redirect(f"http://10.0.0.1/{token}"),
        faults.web_page(),
        faults.cut_body(after=30),
    ):
        for step in range(8):
            with remote_way.open(token) as client:
                armed = remote_way.forge.arm(fault) if fault else None
                try:
                    everything(client)[step]()
                except ForgeError as error:
                    seen: BaseException | None = error
                    while seen is not None:
                        causes += [str(seen), repr(seen)]
                        seen = seen.__cause__
                finally:
                    if armed:
                        remote_way.forge.disarm(armed)
                causes += [repr(client), repr(client.usage)]
    assert len(causes) > 20
    assert all(token not in cause for cause in causes)
    assert token not in caplog.text


def test_pages_at_the_forge_are_known_without_a_request(
    way: Way, client: Client, github_repo: HostedRepository
) -> None:
    name, commit = way.name(github_repo), "1" * 40
    if way.key == "github":
        assert (
            client.file_url(name, commit, "a b/ü#1.md")
            == f"{way.forge.url}/acme/docs/blob/{commit}/a%20b/%C3%BC%231.md"
        )
        assert client.commit_url(name, commit) == f"{way.forge.url}/acme/docs/commit/{commit}"
    else:
        assert (client.file_url(name, commit, "a.md"), client.commit_url(name, commit)) == ("", "")
    assert client.usage.requests == 0


def test_a_file_path_of_another_encoding_is_listed_so_that_it_can_be_skipped(
    way: Way, client: Client, github_repo: HostedRepository
) -> None:
    commit = github_repo.git.commit({"latin-\udcfc.md": "x", "plain.md": "y"})
    paths = [entry.path for entry in client.tree(way.name(github_repo), commit).entries]
    assert "plain.md" in paths
    assert any(path.startswith("latin-") for path in paths)


def test_a_closed_client_leaves_nothing_on_disk(
    way: Way, github_repo: HostedRepository, tip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    with way.open("" if way.local else way.forge.token("acme")) as client:
        client.tree(way.name(github_repo), tip)
    assert list(scratch.iterdir()) == []


def test_every_client_is_one_to_the_type_checker_too(client: Client, git_repo: GitRepo) -> None:
    assert isinstance(client, Client)
