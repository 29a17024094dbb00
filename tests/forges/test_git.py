"""Plain git: old servers and new ones, and packs that mean harm."""

from __future__ import annotations

import os
import subprocess
import zlib
from pathlib import Path

import pytest

from forges.clients import normalise_repository
from forges.clients.base import Client, EntryKind, blob_id
from forges.clients.errors import AuthFailed, Moved, NotFound, TooLarge, Unavailable
from forges.clients.packs import scan_pack
from forges.reading import SkipReason, check_entries, fetch
from tests.forges.conftest import OpenGitHub
from tests.wire import faults, samples, smart_http
from tests.wire.forge import Forge
from tests.wire.messages import Proceed, Reply, Request
from tests.wire.objects import git
from tests.wire.repos import GitRepo
from tests.wire.world import HostedRepository


def old_server(request: Request, proceed: Proceed) -> Reply:
    """A server that knows only the first version of the protocol."""
    if "Git-Protocol" in request.headers:
        del request.headers["Git-Protocol"]
    return proceed(request)


@pytest.fixture
def client(open_git: OpenGitHub) -> Client:
    return open_git()


@pytest.fixture
def url(forge: Forge, github_repo: HostedRepository) -> str:
    return normalise_repository("git", "", forge.clone_url(github_repo.full_name))


def test_reading_costs_four_requests_whatever_the_number_of_files(
    client: Client, url: str, github_repo: HostedRepository
) -> None:
    github_repo.git.commit(samples.many(300))
    commit = client.head(url, "main")
    listing = client.tree(url, commit)
    found = {entry.path: data for entry, data in fetch(client, url, commit, listing.entries) if data is not None}
    assert len(found) == 300 + 11
    assert client.usage.requests == 4  # the refs, then the capabilities, the refs again and the pack


def test_an_old_server_gives_the_tip_of_a_branch(
    forge: Forge, client: Client, url: str, github_repo: HostedRepository
) -> None:
    with forge.fault(old_server):
        commit = client.head(url, "main")
        assert {e.path for e in client.tree(url, commit).entries if e.kind is not EntryKind.SUBMODULE} == set(
            github_repo.git.files()
        )


def test_an_old_server_whose_branch_moved_on_has_moved(
    forge: Forge, client: Client, url: str, github_repo: HostedRepository
) -> None:
    with forge.fault(old_server):
        commit = client.head(url, "main")
        github_repo.git.force_push({"only.md": "this"})
        with pytest.raises(Moved) as caught:
            client.tree(url, commit)
        assert caught.value.retryable


def test_a_newer_server_still_gives_a_commit_that_no_branch_has(
    client: Client, url: str, github_repo: HostedRepository
) -> None:
    commit, files = client.head(url, "main"), github_repo.git.files()
    github_repo.git.force_push({"only.md": "this"})
    with client.archive(url, commit) as archived:
        assert {path: blob_id(data) for path, data in archived}.items() <= files.items()


def test_a_server_that_wants_the_suffix_gets_it(forge: Forge, client: Client, url: str) -> None:
    with forge.fault(faults.not_found(), on="GET /acme/docs/info/refs"):
        assert client.head(url, "main")
        assert client.head(url, "main")
    assert client.usage.requests == 3  # the second time it is known


def test_a_server_that_is_known_not_to_want_the_suffix_is_not_asked_twice(
    forge: Forge, client: Client, url: str
) -> None:
    client.head(url, "main")
    with forge.fault(faults.not_found()), pytest.raises(NotFound):
        client.head(url, "main")
    assert client.usage.requests == 2


def test_a_repository_that_is_not_there_is_not_found_or_asks_for_a_token(
    forge: Forge, client: Client, open_git: OpenGitHub
) -> None:
    with pytest.raises(AuthFailed, match="private, or it does not exist"):
        client.head(f"{forge.url}/acme/nothing", "main")
    with pytest.raises(NotFound):
        open_git(forge.token("acme")).head(f"{forge.url}/acme/nothing", "main")


def test_an_export_rule_does_not_matter_to_a_fetch(forge: Forge, client: Client) -> None:
    hosted = forge.repository("acme/altered")
    commit = hosted.git.commit(samples.archive_altered())
    with client.archive(forge.clone_url("acme/altered"), commit) as files:
        assert {path: blob_id(data) for path, data in files} == hosted.git.files()


def test_a_pack_that_is_cut_in_the_middle_is_an_error(forge: Forge, client: Client) -> None:
    hosted = forge.repository("acme/many")
    commit = hosted.git.commit(samples.many(200))
    for after in (0, 100, 5_000):
        with (
            forge.fault(faults.cut_body(after=after), on="POST */git-upload-pack", skip=1),
            pytest.raises(Unavailable) as caught,
        ):
            client.tree(forge.clone_url("acme/many"), commit)
        assert caught.value.retryable


def test_a_branch_list_ends_with_the_branches(client: Client, url: str, github_repo: HostedRepository) -> None:
    commit = github_repo.git.tip("main") or ""
    for n in range(50):
        git(github_repo.git.path, "update-ref", f"refs/pull/{n}/head", commit)
        github_repo.git.tag(f"v{n}")
    assert [branch.name for branch in client.branches(url)] == ["main"]


def test_a_branch_whose_name_is_no_text_is_neither_offered_nor_the_default(
    client: Client, url: str, github_repo: HostedRepository
) -> None:
    folder = github_repo.git.path
    git(folder, "update-ref", os.fsdecode(b"refs/heads/\xff"), github_repo.git.tip("main") or "")
    git(folder, "symbolic-ref", "HEAD", os.fsdecode(b"refs/heads/\xff"))
    assert [branch.name for branch in client.branches(url)] == ["main"]
    assert client.repository(url).default_branch == "main"


# -- what is too large -------------------------------------------------------------------------------------------------


@pytest.fixture
def heavy(forge: Forge) -> HostedRepository:
    """A file of 40 MB that is 40 KB on the wire, beside a small one."""
    hosted = forge.repository("acme/heavy")
    hosted.git.commit({"bomb.md": b"a" * (40 << 20), "small.md": "small"})
    return hosted


def test_a_server_that_can_leave_large_files_out_is_asked_to(
    forge: Forge, open_git: OpenGitHub, heavy: HostedRepository
) -> None:
    client = open_git(max_blob_bytes=1 << 20, max_archive_bytes=5 << 20)
    url, commit = forge.clone_url("acme/heavy"), heavy.git.tip("main") or ""
    entries, skips = check_entries(client.tree(url, commit).entries, max_bytes=1 << 20)
    assert [entry.path for entry in entries] == ["small.md"]
    assert [(skip.path, skip.reason) for skip in skips] == [("bomb.md", SkipReason.TOO_LARGE)]


def test_a_bomb_from_a_server_that_cannot_is_found_before_it_is_unpacked(
    forge: Forge, open_git: OpenGitHub, heavy: HostedRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(smart_http.SETTINGS, "uploadpack.allowFilter", "false")
    client = open_git(max_blob_bytes=1 << 20, max_archive_bytes=5 << 20)
    with pytest.raises(TooLarge, match="unpacks to more"):
        client.tree(forge.clone_url("acme/heavy"), heavy.git.tip("main") or "")


def commit_tree_bomb(hosted: HostedRepository, oid: str) -> str:
    """A commit with ten to the twentieth of a tree, in folders of ten; returns its id."""
    for _ in range(20):
        oid = hosted.git.write_object("tree", b"".join(b"40000 d%d\0" % n + bytes.fromhex(oid) for n in range(10)))
    who = "A <a@example.org> 1767225600 +0000"
    commit = hosted.git.write_object("commit", f"tree {oid}\nauthor {who}\ncommitter {who}\n\nBomb\n".encode())
    hosted.git.reset("main", commit)
    return commit


def test_a_tree_that_holds_itself_many_times_over_is_listed_to_the_limit(forge: Forge, open_git: OpenGitHub) -> None:
    hosted = forge.repository("acme/bomb")
    file = bytes.fromhex(hosted.git.write_object("blob", b"x"))
    commit = commit_tree_bomb(hosted, hosted.git.write_object("tree", b"100644 f\0" + file))
    client = open_git(max_entries=500)
    listing = client.tree(forge.clone_url("acme/bomb"), commit)
    assert not listing.complete
    assert len(listing.entries) == 500


def test_folders_that_hold_each_other_and_no_file_are_not_all_gone_through(forge: Forge, open_git: OpenGitHub) -> None:
    hosted = forge.repository("acme/hollow")
    commit = commit_tree_bomb(hosted, hosted.git.write_object("tree", b""))
    with pytest.raises(TooLarge, match="more than 1,000 folders"):
        open_git(max_entries=500).tree(forge.clone_url("acme/hollow"), commit)


def pack_of(tmp_path: Path, *objects: bytes, count: int | None = None) -> Path:
    path = tmp_path / "a.pack"
    head = b"PACK" + (2).to_bytes(4, "big") + (len(objects) if count is None else count).to_bytes(4, "big")
    path.write_bytes(head + b"".join(objects) + b"\0" * 20)
    return path


def packed(kind: int, claimed: int, data: bytes, extra: bytes = b"") -> bytes:
    size, head = claimed >> 4, [kind << 4 | claimed & 15]
    while size:
        head[-1] |= 0x80
        head.append(size & 0x7F)
        size >>= 7
    return bytes(head) + extra + zlib.compress(data)


def scan(path: Path) -> list[int]:
    with path.open("rb") as file:
        sizes = scan_pack(file, max_object_bytes=10_000, max_bytes=20_000)
        return [len(sizes)]


@pytest.mark.parametrize(
    ("objects", "error"),
    [
        ([packed(3, 20_000, b"x")], TooLarge),
        ([packed(3, 9_000, b"x" * 9_000)] * 3, TooLarge),
        ([packed(3, 5, b"x" * 5_000_000)], Unavailable),
        ([packed(3, 50, b"x" * 5)], Unavailable),
        ([packed(7, 4, b"\x05\x80\x80\x01", extra=bytes(20))], TooLarge),  # makes 16,384 bytes
        ([packed(6, 4, b"\x05\x80\x80\x01", extra=b"\x81\x01")], TooLarge),
        ([packed(7, 1, b"\xff", extra=bytes(20))], Unavailable),
        ([packed(3, 5, b"hello")[:-3]], Unavailable),
        ([b"\xff" * 40], (TooLarge, Unavailable)),
        ([], Unavailable),
    ],
)
def test_a_pack_that_lies_about_its_objects_is_refused(
    tmp_path: Path, objects: list[bytes], error: type[Exception]
) -> None:
    with pytest.raises(error):
        scan(pack_of(tmp_path, *objects, count=max(1, len(objects))))


def test_a_pack_that_does_not_lie_is_measured(tmp_path: Path, git_repo: GitRepo) -> None:
    text = os.urandom(2_000).hex().encode()
    git_repo.commit({"a.md": text, "b.md": text + b"changed", "c.md": "c"})
    git(git_repo.path, "repack", "-adfq")
    (pack,) = git_repo.path.glob("objects/pack/*.pack")
    with pack.open("rb") as file:
        sizes = scan_pack(file, max_object_bytes=10_000, max_bytes=20_000)
    listed = subprocess.run(
        ["git", "verify-pack", "-v", str(pack)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    plain = [line.split() for line in listed if len(line.split()) == 5 and len(line.split()[0]) == 40]
    deltas = [line.split() for line in listed if len(line.split()) == 7]
    assert deltas, "the two texts are alike, so one is packed as a delta"
    for _, _, size, _, offset in plain:
        assert sizes.at(int(offset)) == int(size)
    for oid, _, _, _, offset, _, _ in deltas:
        blob = git_repo.blob(oid)
        assert blob is not None
        assert sizes.at(int(offset)) == len(blob)
