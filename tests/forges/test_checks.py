"""What can be taken as it is, and why the rest is not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forges.clients.base import Entry, EntryKind
from forges.reading import (
    MAX_PATH_BYTES,
    PathFilter,
    Skip,
    SkipReason,
    blob_id,
    check_bytes,
    check_entries,
    check_path,
    presentable,
)
from tests.wire import faults, samples

MAX = 1000


def file(path: str, size: int | None = 5, kind: EntryKind = EntryKind.FILE) -> Entry:
    return Entry(path, "1" * 40, size, kind)


def outcome(*entries: Entry, only: str = "") -> tuple[list[str], dict[str, SkipReason]]:
    kept, skips = check_entries(entries, max_bytes=MAX, only=PathFilter.parse(only))
    return [entry.path for entry in kept], {skip.path: skip.reason for skip in skips}


@pytest.mark.parametrize("path", [path for path in faults.HOSTILE_PATHS if path != "C:/windows.md"])
def test_a_hostile_path_is_skipped_and_its_skip_can_be_stored(path: str) -> None:
    skip = check_path(path)
    assert skip is not None
    assert skip.reason is SkipReason.BAD_PATH
    assert skip.detail.endswith(".")
    assert "\0" not in skip.path
    assert len(skip.path.encode("utf-8")) <= MAX_PATH_BYTES


@pytest.mark.parametrize(
    "path", [".GIT/config", "a/.Git/hooks/x", "a/..", "./a", "a//b", "a\x85b", "a\u2066b", "é" * 513]
)
def test_more_paths_that_lead_astray_are_skipped(path: str) -> None:
    assert check_path(path) is not None


@pytest.mark.parametrize(
    "path",
    [
        "a.md",
        ".github/x.yml",
        ".gitignore",
        "a..b/c...d",
        "naïve ünïcode.md",
        "日本/語.md",
        "👩‍💻.md",
        "é" * 512,
        " a ",
    ],
)
def test_an_unusual_path_that_is_sound_is_taken(path: str) -> None:
    assert check_path(path) is None


@given(st.text())
def test_a_path_that_is_taken_stays_where_it_is(path: str) -> None:
    if check_path(path) is None:
        assert path.encode("utf-8")
        assert path.isprintable() or not any(unicodedata.category(char) == "Cc" for char in path)
        segments = path.split("/")
        assert not {"", ".", "..", ".git"} & set(segments)
    assert "\0" not in presentable(path)
    assert len(presentable(path).encode("utf-8")) <= MAX_PATH_BYTES


def test_links_submodules_and_large_files_are_skipped_by_the_listing_alone() -> None:
    kept, skips = outcome(
        file("a.md"),
        file("run.sh", kind=EntryKind.EXECUTABLE),
        file("limit.md", size=MAX),
        file("unknown.md", size=None),
        file("link.md", kind=EntryKind.SYMLINK),
        file("library", size=None, kind=EntryKind.SUBMODULE),
        file("large.md", size=MAX + 1),
    )
    assert kept == ["a.md", "limit.md", "run.sh", "unknown.md"]
    assert skips == {
        "link.md": SkipReason.SYMLINK,
        "library": SkipReason.SUBMODULE,
        "large.md": SkipReason.TOO_LARGE,
    }


def test_what_the_filter_does_not_mean_is_neither_taken_nor_reported() -> None:
    kept, skips = outcome(file("docs/a.md"), file("src/b.md"), file("src/link", kind=EntryKind.SYMLINK), only="docs/")
    assert (kept, skips) == (["docs/a.md"], {})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("README.md", "readme.md"),
        ("Docs/a.md", "docs/A.md"),
        (f"names/{samples.NFD}", f"names/{samples.NFC}"),
        ("STRASSE.md", "straße.md"),
        ("ΑΣ.md", "ας.md"),
    ],
)
def test_of_two_paths_that_differ_in_case_or_unicode_form_the_first_stays(first: str, second: str) -> None:
    expected = ([first], {second: SkipReason.PATH_CLASH})
    assert outcome(file(first), file(second)) == expected
    assert outcome(file(second), file(first)) == expected


def test_three_clashing_paths_leave_one() -> None:
    kept, skips = outcome(file("a.md"), file("A.md"), file("A.MD"))
    assert kept == ["A.MD"]
    assert set(skips) == {"A.md", "a.md"}


def test_a_clash_is_only_with_what_is_taken() -> None:
    kept, skips = outcome(file("A.md", kind=EntryKind.SYMLINK), file("a.md"))
    assert kept == ["a.md"]
    assert skips == {"A.md": SkipReason.SYMLINK}


def test_the_same_path_twice_is_taken_once() -> None:
    kept, skips = outcome(file("a.md"), file("".join(["a", ".md"])))
    assert kept == ["a.md"]
    assert skips == {"a.md": SkipReason.PATH_CLASH}


def read(data: bytes, max_bytes: int = MAX) -> str | SkipReason:
    found = check_bytes(file("a"), data, max_bytes=max_bytes)
    return found.reason if isinstance(found, Skip) else found


@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_text_is_its_bytes_and_nothing_else(data: bytes) -> None:
    found = read(data)
    if not isinstance(found, SkipReason):
        assert found.encode() == data
        assert "\0" not in found


def test_a_mark_and_line_ends_stay_so_that_the_blob_id_does() -> None:
    data = "\ufeffone\r\ntwo\rthree\n".encode()
    text = read(data)
    assert isinstance(text, str)
    assert blob_id(text.encode()) == blob_id(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (samples.PNG, SkipReason.BINARY),
        (b"text" * 3000 + b"\0", SkipReason.BINARY),
        (samples.LATIN_1, SkipReason.NOT_UTF8),
        ("Grüße".encode("utf-16"), SkipReason.BINARY),
        (b"\xed\xa0\x80", SkipReason.NOT_UTF8),
        (samples.lfs_pointer(), SkipReason.LFS_POINTER),
        (samples.lfs_pointer().replace(b"oid", b"ext-0-x sha256:1\noid"), SkipReason.LFS_POINTER),
        (b"x" * 20_001, SkipReason.TOO_LARGE),
    ],
)
def test_bytes_that_are_no_text_are_skipped_with_their_reason(data: bytes, reason: SkipReason) -> None:
    assert read(data, max_bytes=20_000) is reason


def test_a_page_about_lfs_is_no_pointer() -> None:
    assert isinstance(read(b"Write `version https://git-lfs.github.com/spec/v1` first.\n"), str)
    assert isinstance(read(samples.lfs_pointer() + b"\nand more\n"), str)


def test_a_skip_says_what_to_do_and_remembers_the_blob() -> None:
    skip = check_bytes(file("a.txt"), samples.LATIN_1, max_bytes=MAX)
    assert isinstance(skip, Skip)
    assert skip.detail == "Byte 3 is not UTF-8. Save the file as UTF-8 to import it."
    assert skip.oid == "1" * 40


def test_a_blob_id_is_gits() -> None:
    assert blob_id(b"") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    assert blob_id(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"
