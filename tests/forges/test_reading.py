"""The bytes that are missing, and the number of requests that they cost: a promise."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable

import pytest

from forges.clients.base import Client, Entry, blob_id
from forges.clients.errors import Moved, RateLimited, Unavailable
from forges.reading import Skip, SkipReason, check_entries, diff, fetch, read_texts
from tests.forges.conftest import OpenGitHub
from tests.wire import faults, samples
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

NAME = "acme/docs"
MAX = 1_000_000


@pytest.fixture
def hosted(forge: Forge) -> HostedRepository:
    return forge.repository(NAME)


@pytest.fixture
def client(forge: Forge, open_github: OpenGitHub, hosted: HostedRepository) -> Client:
    return open_github(forge.token("acme"))


def refresh(client: Client, rows: dict[str, str], last: str = "") -> tuple[str, dict[str, str]]:
    """A whole reading, as those who import do it; returns the commit, and the texts that were missing."""
    commit = client.head(NAME, "main")
    if commit == last:
        return commit, {}
    listing = client.tree(NAME, commit)
    assert listing.complete
    entries, _ = check_entries(listing.entries, max_bytes=MAX)
    changes = diff(rows, entries)
    texts = {}
    for entry, text in read_texts(client, NAME, commit, changes.to_fetch, max_bytes=MAX, total=len(listing.entries)):
        assert isinstance(text, str), text
        texts[entry.path] = text
        rows[entry.path] = entry.oid
    for path in changes.removed:
        del rows[path]
    for move in changes.moved:
        rows[move.entry.path] = rows.pop(move.old)
    return commit, texts


def wanted(hosted: HostedRepository, paths: Iterable[str] = ()) -> list[Entry]:
    files = hosted.git.files()
    return [Entry(path, files[path], None) for path in paths or files]


@pytest.mark.parametrize("count", [101, 400, 1500])
def test_a_first_import_costs_the_same_whatever_the_number_of_files(
    client: Client, hosted: HostedRepository, count: int
) -> None:
    hosted.git.commit(samples.many(count))
    rows: dict[str, str] = {}
    _, texts = refresh(client, rows)
    assert len(texts) == count
    assert rows == hosted.git.files()
    assert client.usage.requests == 4  # head, tree, archive and its redirect


def test_a_first_import_of_few_files_needs_no_archive(client: Client, hosted: HostedRepository) -> None:
    hosted.git.commit(samples.many(100))
    _, texts = refresh(client, {})
    assert len(texts) == 100
    assert client.usage.requests == 3


def test_an_unchanged_repository_costs_one_request(client: Client, hosted: HostedRepository) -> None:
    hosted.git.commit(samples.many(20))
    rows: dict[str, str] = {}
    commit, _ = refresh(client, rows)
    before = client.usage.requests
    assert refresh(client, rows, last=commit) == (commit, {})
    assert client.usage.requests - before == 1


@pytest.mark.parametrize(("changed", "batches"), [(1, 1), (100, 1), (101, 2), (250, 3)])
def test_changed_files_cost_one_request_for_each_hundred(
    client: Client, hosted: HostedRepository, changed: int, batches: int
) -> None:
    hosted.git.commit(samples.many(2600))
    rows = hosted.git.files()
    hosted.git.commit({path: f"changed {n}" for n, path in enumerate(sorted(rows)[:changed])})
    _, texts = refresh(client, rows)
    assert len(texts) == changed
    assert rows == hosted.git.files()
    assert client.usage.requests == 2 + batches


def test_moved_and_removed_files_cost_nothing_to_fetch(client: Client, hosted: HostedRepository) -> None:
    hosted.git.commit(samples.many(20))
    rows = hosted.git.files()
    hosted.git.move("docs/0000", "guide")
    hosted.git.commit({"guide/page-000003.md": None})
    _, texts = refresh(client, rows)
    assert texts == {}
    assert rows == hosted.git.files()
    assert client.usage.requests == 2


def test_many_changed_files_come_as_one_archive(client: Client, hosted: HostedRepository) -> None:
    hosted.git.commit(samples.many(600))
    rows = hosted.git.files()
    hosted.git.commit({path: f"changed {n}" for n, path in enumerate(sorted(rows)[:300])})
    _, texts = refresh(client, rows)
    assert len(texts) == 300
    assert client.usage.requests == 4


def test_what_an_archive_leaves_out_or_alters_is_fetched_by_itself(
    forge: Forge, client: Client, hosted: HostedRepository
) -> None:
    hosted.git.commit({**samples.archive_altered(), **samples.many(150)})
    rows: dict[str, str] = {}
    commit, texts = refresh(client, rows)
    assert texts["version.txt"] == "commit $Format:%H$\n"
    assert texts["private/notes.md"] == samples.markdown("Notes").decode()
    assert commit not in texts["version.txt"]
    assert rows == hosted.git.files()
    assert forge.requests.count("GET */tarball/*") == 1
    assert client.usage.requests == 5  # and one batch for the two


def test_files_with_the_same_content_are_fetched_once(client: Client, hosted: HostedRepository) -> None:
    hosted.git.commit({f"{n}/LICENSE": "same\n" for n in range(300)})
    _, texts = refresh(client, {})
    assert len(texts) == 300
    assert client.usage.requests == 3


def test_many_pictures_do_not_cost_a_request_each(client: Client, hosted: HostedRepository) -> None:
    commit = hosted.git.commit({f"{n}.png": samples.PNG + bytes([n]) for n in range(90)})
    found = dict(read_texts(client, NAME, commit, wanted(hosted), max_bytes=MAX))
    assert {text.reason for text in found.values() if isinstance(text, Skip)} == {SkipReason.BINARY}
    assert client.usage.requests == 3  # one batch, then the archive and its redirect


def test_each_kind_of_file_is_read_or_skipped_with_its_reason(client: Client, hosted: HostedRepository) -> None:
    commit = hosted.git.commit(samples.everything())
    entries, skips = check_entries(client.tree(NAME, commit).entries, max_bytes=MAX)
    texts: dict[str, str] = {}
    for entry, text in read_texts(client, NAME, commit, entries, max_bytes=MAX):
        if isinstance(text, Skip):
            skips.append(text)
        else:
            texts[entry.path] = text
    assert {skip.path: skip.reason for skip in skips} == {
        "link.md": SkipReason.SYMLINK,
        "vendor/library": SkipReason.SUBMODULE,
        "logo.png": SkipReason.BINARY,
        "latin1.txt": SkipReason.NOT_UTF8,
        "video.mp4": SkipReason.LFS_POINTER,
    }
    assert texts["crlf.txt"] == "one\r\ntwo\r\n"
    assert texts["bom.txt"] == "\ufeffwith a mark\n"
    assert texts["empty.txt"] == ""
    assert set(texts) == set(hosted.git.files()) - {skip.path for skip in skips}


def test_hostile_paths_in_a_listing_are_skipped_and_the_rest_is_read(
    forge: Forge, client: Client, hosted: HostedRepository
) -> None:
    commit = hosted.git.commit({"good.md": "good", **samples.clashing()})
    with forge.fault(faults.inject_entries(*map(faults.entry, faults.HOSTILE_PATHS)), on="GET */git/trees/*"):
        listing = client.tree(NAME, commit)
    entries, skips = check_entries(listing.entries, max_bytes=MAX)
    assert {"good.md", "Docs/README.md", f"names/{samples.NFD}"} <= {entry.path for entry in entries}
    assert "docs/readme.md" not in {entry.path for entry in entries}
    reasons = [skip.reason for skip in skips]
    assert reasons.count(SkipReason.PATH_CLASH) == 2
    assert reasons.count(SkipReason.BAD_PATH) >= len(faults.HOSTILE_PATHS) - 1


def test_a_tree_that_git_itself_refuses_to_make_does_no_harm(client: Client, hosted: HostedRepository) -> None:
    commit = hosted.git.commit_raw_tree({b"..": b"up", b".git": b"inside", b"a.md": b"fine", b"b\\c": b"back"})
    entries, skips = check_entries(client.tree(NAME, commit).entries, max_bytes=MAX)
    assert [entry.path for entry in entries] == ["a.md"]
    assert {skip.reason for skip in skips} == {SkipReason.BAD_PATH}


def test_a_force_push_between_listing_and_fetching_gives_what_was_listed(
    forge: Forge, client: Client, hosted: HostedRepository
) -> None:
    hosted.git.commit(samples.many(150))
    before = hosted.git.files()
    push = faults.first(lambda: hosted.git.force_push({"only.md": "this"}))
    with forge.fault(push, on="GET */tarball/*", times=1):
        rows: dict[str, str] = {}
        refresh(client, rows)
    assert rows == before


def test_a_force_push_that_leaves_nothing_to_fetch_has_moved(
    forge: Forge, client: Client, hosted: HostedRepository
) -> None:
    for count in (150, 3):
        hosted.git.commit(samples.many(count))

        def rewrite() -> None:
            hosted.git.force_push({"only.md": "this"})
            hosted.git.forget_unreachable()

        where = "GET */tarball/*" if count > 100 else "POST /graphql"
        with forge.fault(faults.first(rewrite), on=where, times=1), pytest.raises(Moved) as caught:
            refresh(client, {})
        assert caught.value.retryable
        rows: dict[str, str] = {}
        refresh(client, rows)
        assert rows == hosted.git.files()


def test_an_archive_that_is_cut_gives_what_came_and_then_an_error(
    forge: Forge, client: Client, hosted: HostedRepository
) -> None:
    commit = hosted.git.commit(samples.many(400, words=400))
    came: list[tuple[Entry, bytes | None]] = []
    with forge.fault(faults.cut_body(after=20_000), on="GET /_codeload/*"), pytest.raises(Unavailable):
        came.extend(fetch(client, NAME, commit, wanted(hosted)))
    assert len(came) < 400
    assert all(data is not None and blob_id(data) == entry.oid for entry, data in came)


def test_a_blob_that_comes_with_other_bytes_is_never_taken(
    forge: Forge, client: Client, hosted: HostedRepository
) -> None:
    commit = hosted.git.commit({"a.md": "a", "b.md": "b"})
    hostile = faults.hostile_archive("a.md", "b.md")
    lie = faults.wrong_blob()
    with (
        forge.fault(lie, on="POST /graphql"),
        forge.fault(lie, on="GET */git/blobs/*"),
        forge.fault(hostile, on="GET /_codeload/*"),
    ):
        found = dict(read_texts(client, NAME, commit, wanted(hosted), max_bytes=MAX))
    assert len(found) == 2
    for text in found.values():
        assert isinstance(text, Skip)
        assert text.reason is SkipReason.UNREADABLE
        assert text.oid == ""  # so that the next refresh asks again


def test_a_limit_in_the_middle_of_the_batches_is_told(forge: Forge, client: Client, hosted: HostedRepository) -> None:
    commit = hosted.git.commit(samples.many(250))
    came: list[tuple[Entry, bytes | None]] = []
    with forge.fault(faults.rate_limited(), on="POST /graphql", skip=2), pytest.raises(RateLimited):
        came.extend(fetch(client, NAME, commit, wanted(hosted), archive_above=1000))
    assert len(came) == 200


def test_nothing_to_fetch_asks_nothing(client: Client, hosted: HostedRepository) -> None:
    assert list(fetch(client, NAME, "1" * 40, [])) == []
    assert client.usage.requests == 0


def test_large_texts_are_asked_for_in_smaller_batches(client: Client, hosted: HostedRepository) -> None:
    commit = hosted.git.commit({f"{n}.md": f"{n} " * 100 for n in range(10)})
    entries = [Entry(entry.path, entry.oid, 5 << 20) for entry in wanted(hosted)]
    assert all(data is not None for _, data in fetch(client, NAME, commit, entries))
    assert client.usage.requests == 4  # three of 5 MiB fit in 16


def test_memory_stays_flat_whatever_the_number_of_files(client: Client, hosted: HostedRepository) -> None:
    commit = hosted.git.commit({f"{n}.md": f"{n} lorem " * 3000 for n in range(400)})
    entries = wanted(hosted)
    total = 0
    tracemalloc.start()
    try:
        for _, data in fetch(client, NAME, commit, entries):
            total += len(data or b"")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total > 10 << 20
    assert peak < 4 << 20
