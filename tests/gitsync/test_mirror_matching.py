"""Which files are which row's: by what was agreed on, by the id in the file, by the path."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID, uuid4

from django.utils import timezone

from catalog.portable.model import BadFile, Code, Definition, Kind, Problem
from forges.clients.base import Entry, EntryKind
from gitsync.mirror.pairs import Here, Pair, match
from gitsync.mirror.there import Found, found_in
from gitsync.models import MirroredEntity

A, B = uuid4(), uuid4()


def row(slug: str, entity: UUID | None, *, file_id: str = "", agreed: bool = True, pk: int = 1) -> MirroredEntity:
    path = f"commands/{slug}.json"
    files = {path: f"old {slug}"} if agreed else {}
    return MirroredEntity(pk=pk, kind=Kind.COMMAND, path=path, entity=entity, file_id=file_id, files=files)


def here(pk: UUID, slug: str) -> Here:
    return Here(pk, slug.title(), slug, 1, f"digest of {slug}")


def said(slug: str, file_id: str = "") -> Definition:
    return Definition(Kind.COMMAND, file_id, slug, slug.title(), {"slug": slug}, {})


def bad(path: str) -> BadFile:
    return BadFile(Problem(Code.INVALID_JSON, "Broken.", path))


def matched(
    rows: list[MirroredEntity], local: list[Here], git: Mapping[str, Definition | BadFile | None]
) -> dict[str, Pair]:
    """`git`: slug -> what was read, None where it is as it was agreed on. By paths, which has to tell them all."""
    paths = {f"commands/{slug}.json": each for slug, each in git.items()}
    found = {
        path: Found(Kind.COMMAND, path[9:-5], path, {path: f"{'old' if each is None else 'new'} {path[9:-5]}"})
        for path, each in paths.items()
    }
    read = {path: each for path, each in paths.items() if each is not None}
    pairs = match(
        Kind.COMMAND,
        rows,
        {each.pk: each for each in local},
        found,
        read,
        lambda kind, path: MirroredEntity(kind=kind, path=path),
    )
    assert len({(pair.path, pair.found is None) for pair in pairs}) == len(pairs)
    return {pair.path: pair for pair in pairs if pair.found is not None} | {
        f"no {pair.path}": pair for pair in pairs if pair.found is None
    }


def test_a_file_that_moved_with_its_id_is_the_same_entity() -> None:
    pairs = matched([row("a", A, file_id="x")], [here(A, "a")], {"b": said("b", "x")})
    assert pairs.keys() == {"commands/b.json"}
    assert pairs["commands/b.json"].here == here(A, "a")


def test_two_that_swapped_their_files_are_still_the_same_two() -> None:
    rows = [row("a", A, file_id="x"), row("b", B, file_id="y", pk=2)]
    pairs = matched(rows, [here(A, "a"), here(B, "b")], {"a": said("a", "y"), "b": said("b", "x")})
    assert pairs["commands/a.json"].here == here(B, "b")
    assert pairs["commands/b.json"].here == here(A, "a")


def test_of_two_files_with_one_id_the_known_path_keeps_it() -> None:
    for unchanged in (None, said("b", "x")):
        pairs = matched([row("b", A, file_id="x")], [here(A, "b")], {"a": said("a", "x"), "b": unchanged})
        assert pairs["commands/b.json"].here == here(A, "b")
        copy = pairs["commands/a.json"]
        assert copy.here is None
        assert copy.bad is not None
        assert copy.bad.problems[0].code is Code.DUPLICATE_SLUG
        assert "commands/b.json" in copy.bad.problems[0].message


def test_of_two_new_files_with_one_id_the_first_is_read() -> None:
    pairs = matched([], [], {"a": said("a", "x"), "b": said("b", "x")})
    assert pairs["commands/a.json"].bad is None
    assert pairs["commands/b.json"].bad is not None


def test_a_broken_file_stays_its_rows_and_one_without_an_id_too() -> None:
    rows = [row("a", A, file_id="x"), row("b", B, pk=2)]
    pairs = matched(rows, [here(A, "a"), here(B, "b")], {"a": bad("commands/a.json"), "b": said("b")})
    assert pairs["commands/a.json"].here == here(A, "a")
    assert pairs["commands/b.json"].here == here(B, "b")


def test_another_id_at_a_known_path_is_another_entity() -> None:
    pairs = matched([row("a", A, file_id="x")], [here(A, "a")], {"a": said("a", "z")})
    assert pairs["no commands/a.json"].here == here(A, "a"), "its own file is gone"
    assert pairs["commands/a.json"].here is None


def test_an_id_given_to_a_file_that_had_none_changes_nothing() -> None:
    pairs = matched([row("a", A)], [here(A, "a")], {"a": said("a", "somebody-gave-it")})
    assert pairs.keys() == {"commands/a.json"}
    assert pairs["commands/a.json"].here == here(A, "a")


def test_what_was_never_agreed_on_is_matched_by_path_and_an_id_of_its_own_is_foreign() -> None:
    assert matched([], [here(A, "a")], {"a": said("a")})["commands/a.json"].here == here(A, "a")
    mine = matched([], [here(A, "a")], {"a": said("a", str(A))})["commands/a.json"]
    assert (mine.here, mine.foreign) == (here(A, "a"), False)
    foreign = matched([], [here(A, "a")], {"a": said("a", "x")})["commands/a.json"]
    assert (foreign.here, foreign.foreign) == (here(A, "a"), True)


def test_a_repository_that_is_connected_again_has_its_entities_back_by_their_ids() -> None:
    pairs = matched(
        [], [here(A, "new-name"), here(B, "b")], {"old-name": said("old-name", str(A)), "b": said("b", str(B))}
    )
    assert pairs["commands/old-name.json"].here == here(A, "new-name")
    assert pairs["commands/b.json"].here == here(B, "b")


def test_an_id_finds_no_row_that_was_agreed_on_under_another() -> None:
    """Ids are anybody's to write: that of a row here, which has another one in git, is nothing special."""
    pairs = matched([row("a", A, file_id="x")], [here(A, "a")], {"a": None, "b": said("b", str(A))})
    assert pairs["commands/b.json"].here is None


def test_what_was_told_of_a_path_is_remembered_for_the_same_two_alone() -> None:
    told = row("a", None, agreed=False, pk=7)
    assert matched([told], [], {"a": bad("commands/a.json")})["commands/a.json"].row.pk == 7
    assert matched([told], [here(A, "a")], {"a": bad("commands/a.json")})["commands/a.json"].row.pk == 7
    others = row("a", B, agreed=False, pk=8)
    assert matched([others], [here(A, "a")], {"a": bad("commands/a.json")})["commands/a.json"].row.pk is None


def test_links_strange_names_and_skills_with_holes_are_found_as_what_they_are() -> None:
    entries = {
        "commands/link.json": Entry("commands/link.json", "1" * 40, None, EntryKind.SYMLINK),
        "skills/pdf/SKILL.md": Entry("skills/pdf/SKILL.md", "2" * 40, 10),
        "skills/pdf/module": Entry("skills/pdf/module", "3" * 40, None, EntryKind.SUBMODULE),
        "skills/odd/SKILL.md": Entry("skills/odd/SKILL.md", "4" * 40, 10),
        "skills/odd/\ud800.md": Entry("skills/odd/\ud800.md", "5" * 40, 10),
        "skills/hole/scripts/run.py": Entry("skills/hole/scripts/run.py", "6" * 40, 10),
        "toolkits/fine.json": Entry("toolkits/fine.json", "7" * 40, 10),
    }
    found = found_in(entries)
    codes = {path: each.problems[0].code if each.problems else "" for path, each in found.items()}
    assert codes == {
        "commands/link.json": Code.VALIDATION_FAILED,
        "skills/pdf": Code.VALIDATION_FAILED,
        "skills/odd": Code.VALIDATION_FAILED,
        "skills/hole": Code.EMPTY_DIRECTORY,
        "toolkits/fine.json": "",
    }
    assert found["skills/hole"].files == {"skills/hole/scripts/run.py": "6" * 40}
    assert all(path.isprintable() and "\ud800" not in path for each in found.values() for path in each.files)
    assert set(found_in(entries, complete=False)) == {"commands/link.json", "toolkits/fine.json"}


def test_of_two_rows_that_were_last_at_a_path_the_one_that_was_there_later_has_it() -> None:
    """One went missing and has another name here; another one has taken its place."""
    now = timezone.now()
    first, second = row("a", A, file_id="x"), row("a", B, file_id="y", pk=2)
    first.files, first.agreed_at = {"commands/a.json": "older"}, now - timedelta(hours=1)
    second.agreed_at = now
    ours = [here(A, "z"), here(B, "a")]
    for git in (None, bad("commands/a.json"), said("a"), said("a", "y")):
        for rows in ([first, second], [second, first]):
            assert matched(rows, ours, {"a": git})["commands/a.json"].row is second
    assert matched([first, second], ours, {"a": said("a", "x")})["commands/a.json"].row is first
    first.files = {"commands/a.json": "old a"}  # its file came back, byte for byte, and is not read
    second.files = {"commands/a.json": "newer"}
    assert matched([first, second], ours, {"a": None})["commands/a.json"].row is first


def test_a_file_that_moved_and_then_broke_stays_with_the_row_that_was_told_of_it_there() -> None:
    moved = row("a", A, file_id="x")
    moved.seen_files = {"commands/b.json": "older"}
    pairs = matched([moved], [], {"b": bad("commands/b.json")})
    assert list(pairs) == ["commands/b.json"]
    assert pairs["commands/b.json"].row is moved
    other = matched([moved], [], {"b": said("b", "y")})
    assert other["commands/b.json"].row is not moved
    assert other["no commands/a.json"].row is moved
