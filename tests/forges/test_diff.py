"""What changed is derived by comparing paths and blob ids; doing what a diff says makes the two sides equal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from forges.clients.base import Entry
from forges.reading import Diff, diff


def entry(path: str, oid: str) -> Entry:
    return Entry(path, oid, 1)


def tree(files: dict[str, str]) -> list[Entry]:
    return [entry(path, oid) for path, oid in files.items()]


def moves(found: Diff) -> list[tuple[str, str]]:
    return [(move.old, move.entry.path) for move in found.moved]


def paths(entries: tuple[Entry, ...]) -> list[str]:
    return [found.path for found in entries]


# Few paths and few contents, so that everything that can meet does meet.
files = st.dictionaries(
    st.builds("{}/{}".format, st.sampled_from("abc"), st.sampled_from(["x.md", "y.md", "z.md"])),
    st.sampled_from("1234"),
)


@given(known=files, there=files)
def test_applying_a_diff_to_the_rows_gives_the_tree(known: dict[str, str], there: dict[str, str]) -> None:
    found = diff(known, tree(there))
    rows = dict(known)
    for path in found.removed:
        del rows[path]
    carried = {move.entry.path: rows.pop(move.old) for move in found.moved}
    for path, oid in carried.items():
        assert path not in rows
        rows[path] = oid
    for changed in found.changed:
        assert rows[changed.path] != changed.oid
        rows[changed.path] = changed.oid
    for added in found.added:
        assert added.path not in rows
        rows[added.path] = added.oid
    for same in found.unchanged:
        assert rows[same.path] == same.oid
    assert rows == there


@given(known=files, there=files)
def test_every_path_is_in_exactly_one_place(known: dict[str, str], there: dict[str, str]) -> None:
    found = diff(known, tree(there))
    new = [*paths(found.added), *paths(found.changed), *paths(found.unchanged), *(new for _, new in moves(found))]
    assert sorted(new) == sorted(there)
    assert len(found.removed) + len(found.moved) == len(known.keys() - there.keys())


@given(known=files, there=files, seed=st.randoms())
def test_the_order_of_the_listing_changes_nothing(known: dict[str, str], there: dict[str, str], seed: object) -> None:
    shuffled = tree(there)
    seed.shuffle(shuffled)  # type: ignore[attr-defined]
    backwards = dict(reversed(known.items()))
    assert diff(known, tree(there)) == diff(backwards, shuffled)


@given(known=files, there=files)
def test_no_move_is_missed_and_none_is_made_up(known: dict[str, str], there: dict[str, str]) -> None:
    found = diff(known, tree(there))
    assert all(known[move.old] == move.entry.oid for move in found.moved)
    assert not {known[path] for path in found.removed} & {added.oid for added in found.added}


def test_the_same_rows_and_tree_are_no_difference() -> None:
    found = diff({"a.md": "1"}, tree({"a.md": "1"}))
    assert not found
    assert found.to_fetch == ()
    assert paths(found.unchanged) == ["a.md"]


def test_a_renamed_file_is_a_move_and_need_not_be_fetched() -> None:
    found = diff({"docs/a.md": "1", "b.md": "2"}, tree({"guide/a.md": "1", "b.md": "3", "c.md": "4"}))
    assert moves(found) == [("docs/a.md", "guide/a.md")]
    assert paths(found.to_fetch) == ["c.md", "b.md"]
    assert found.removed == ()


def test_a_copy_is_not_a_move() -> None:
    found = diff({"a.md": "1"}, tree({"a.md": "1", "b.md": "1"}))
    assert moves(found) == []
    assert paths(found.added) == ["b.md"]


def test_among_several_candidates_the_same_file_name_goes_first() -> None:
    known = {"old/a.md": "1", "old/readme.md": "1"}
    found = diff(known, tree({"new/readme.md": "1", "new/z.md": "1"}))
    assert moves(found) == [("old/readme.md", "new/readme.md"), ("old/a.md", "new/z.md")]


def test_what_is_left_over_of_several_candidates_is_added_or_removed() -> None:
    assert diff({"a": "1", "b": "1"}, tree({"c": "1"})).removed == ("b",)
    assert paths(diff({"a": "1"}, tree({"b": "1", "c": "1"})).added) == ["c"]


def test_many_equal_files_that_move_are_all_paired() -> None:
    known = {f"a/{n}/__init__.py": "1" for n in range(1_000)}
    found = diff(known, tree({f"b/{n}/__init__.py": "1" for n in range(1_000)}))
    assert len(found.moved) == 1_000
