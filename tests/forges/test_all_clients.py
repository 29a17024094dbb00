"""One suite for every client: the same repositories read the same through each forge's API and through plain git."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from forges.clients.base import Branch, Client, EntryKind, blob_id
from forges.clients.errors import (
    Conflict,
    EmptyRepository,
    InvalidName,
    Moved,
    NotFound,
    TooLarge,
)
from tests.forges.conftest import Way
from tests.wire import samples
from tests.wire.forge import Forge
from tests.wire.repos import Executable, GitRepo
from tests.wire.world import HostedRepository


@pytest.fixture
def client(way: Way) -> Iterator[Client]:
    with way.open("acme") as opened:
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
    sizes = {"empty.txt": 0, "logo.png": len(samples.PNG), "docs/naïve ünïcode.md": len(samples.markdown("Unicode"))}
    assert {path: found[path].size for path in sizes} == (sizes if way.side.tells_sizes else dict.fromkeys(sizes))
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
    with way.open("acme", max_blob_bytes=4_000) as client:
        name = way.name(github_repo)
        assert "large.md" in {entry.path for entry in client.tree(name, commit).entries}
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
    with way.open("acme", max_entries=5) as client:
        listing = client.tree(way.name(github_repo), tip)
    assert not listing.complete
    assert len(listing.entries) == 5
    assert "more than 5 files" in listing.reason


def test_an_archive_over_the_limit_stops_on_the_way(way: Way, forge: Forge) -> None:
    hosted = forge.repository("acme/big")
    commit = hosted.git.commit(samples.many(200))
    with way.open("acme", max_archive_bytes=20_000) as client:
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


def test_pages_at_the_forge_are_known_without_a_request(
    way: Way, client: Client, github_repo: HostedRepository
) -> None:
    name, commit, side = way.name(github_repo), "1" * 40, way.side
    facts = {"name": name, "commit": commit, "path": "a%20b/%C3%BC%231.md"}
    web = way.forge.url if side.file_page else ""
    assert client.file_url(name, commit, "a b/ü#1.md") == web + side.file_page.format(**facts)
    assert client.commit_url(name, commit) == web + side.commit_page.format(**facts)
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
    with way.open("acme") as client:
        client.tree(way.name(github_repo), tip)
    assert list(scratch.iterdir()) == []


def test_every_client_is_one_to_the_type_checker_too(client: Client, git_repo: GitRepo) -> None:
    assert isinstance(client, Client)
