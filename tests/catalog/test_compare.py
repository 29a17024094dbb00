"""What differs between two versions, or a version and the live content."""

from __future__ import annotations

import pytest

from catalog import compare, versions
from catalog.compare import Side
from catalog.models import Content, Server
from tests import factories


@pytest.fixture
def sides(docs: Server) -> tuple[Side, Side]:
    """v1, and the live content in which one file was added, one changed, one removed and one kept."""
    for path in ("changed.md", "kept.md", "removed.md"):
        factories.content(docs, path, "one\ntwo\n")
    version = versions.cut_version(server=docs)
    Content.objects.filter(path="removed.md").delete()
    Content.objects.filter(path="changed.md").update(blob=factories.blob("one\nTWO\n"))
    factories.content(docs, "added.md", "new\n")
    return Side(docs, version), Side(docs, None)


def test_added_changed_and_removed_files_are_found(sides: tuple[Side, Side]) -> None:
    before, after = sides
    found = {row["path"]: row["kind"] for row in compare.changes(before, after)}
    assert found == {"added.md": "added", "changed.md": "changed", "removed.md": "removed"}
    assert compare.counts(before, after) == {"added": 1, "changed": 1, "removed": 1}


def test_the_other_way_round_what_was_added_is_removed(sides: tuple[Side, Side]) -> None:
    before, after = sides
    found = {row["path"]: row["kind"] for row in compare.changes(after, before)}
    assert found == {"added.md": "removed", "changed.md": "changed", "removed.md": "added"}


def test_a_side_does_not_differ_from_itself(sides: tuple[Side, Side]) -> None:
    assert list(compare.changes(sides[0], sides[0])) == []


def test_changes_come_by_path_and_can_be_sliced(sides: tuple[Side, Side]) -> None:
    assert [row["path"] for row in compare.changes(*sides)[1:3]] == ["changed.md", "removed.md"]


def test_a_files_difference_is_a_unified_diff(sides: tuple[Side, Side]) -> None:
    difference = compare.text_diff(*sides, "changed.md")
    assert difference is not None
    assert difference.lines[2:] == ["@@ -1,2 +1,2 @@", " one", "-two", "+TWO"]
    added = compare.text_diff(*sides, "added.md")
    assert added is not None
    assert added.lines[-1] == "+new"


def test_a_file_that_neither_side_has_has_no_difference(sides: tuple[Side, Side]) -> None:
    assert compare.text_diff(*sides, "nowhere.md") is None


def test_texts_that_are_too_long_are_not_compared() -> None:
    assert compare.diff("x\n" * compare.MAX_LINES, "y\n").too_large


def test_a_long_difference_is_cut_and_says_so() -> None:
    difference = compare.diff("", "x\n" * (compare.MAX_DIFF_LINES + 10))
    assert len(difference.lines) == compare.MAX_DIFF_LINES
    assert difference.cut


def test_texts_that_differ_in_line_ends_alone_say_so() -> None:
    assert compare.diff("a\r\nb\r\n", "a\nb\n").lines == ["@@ Only line ends differ @@"]
