"""Paths of content: what is taken, and what is refused with a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.paths import MAX_BYTES, BadPath, check_path, normalise_path, parents


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "guides/start.md",
        ".github/workflows/ci.yml",
        "a b/c d.md",
        "日本語/ガイド.md",
        "..hidden",
        "a..b",
        "x" * 255,
    ],
)
def test_an_ordinary_path_is_taken_as_it_is(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "Give the file a path"),
        ("/etc/passwd", "not with a slash"),
        ("guides/", "ends with the file's name"),
        ("guides//start.md", "two slashes"),
        ("../secrets", "“.” or “..”"),
        ("a/../b", "“.” or “..”"),
        ("a/./b", "“.” or “..”"),
        ("a\\b", "backslash"),
        ("a\0b", "control characters"),
        ("a\nb", "control characters"),
        ("a\u2028b", "control characters"),
        ("a\u202egnp.md", "control characters"),
        ("a\ud800b", "control characters"),
        ("a/ b", "space"),
        ("a/b /c", "space"),
        ("cafe\u0301.md", "NFC"),
        ("x" * 256, "255 bytes"),
        ("/".join(["é" * 100] * 6), f"{MAX_BYTES:,} bytes"),
    ],
)
def test_a_path_that_content_cannot_have_is_refused_with_the_reason(path: str, words: str) -> None:
    with pytest.raises(BadPath, match=words.replace(".", r"\.").replace("(", r"\(")):
        check_path(path)


def test_what_a_person_typed_is_composed_and_trimmed() -> None:
    assert normalise_path("  cafe\u0301.md ") == "caf\u00e9.md"


def test_the_folders_above_a_path_come_outermost_first() -> None:
    assert parents("a/b/c.md") == ["a", "a/b"]
    assert parents("c.md") == []


@given(st.text(max_size=60))
def test_no_accepted_path_leaves_the_root_or_hides_what_it_is(text: str) -> None:
    try:
        path = check_path(normalise_path(text))
    except BadPath:
        return
    assert path == normalise_path(path)
    assert not path.startswith("/")
    assert not {"", ".", ".."} & set(path.split("/"))
    assert "\\" not in path
    assert 0 < len(path.encode()) <= MAX_BYTES
