"""Folders of skills: SKILL.md with its front matter, and the files beside it."""

from __future__ import annotations

import pytest

from catalog.portable import reading
from catalog.portable.front_matter import LONGEST, MOST_VALUES, BadFrontMatter, parse
from catalog.portable.model import BadFile, Code, Kind, Unit
from catalog.portable.reading import Limits
from tests.catalog.portable_samples import SKILL, problems, read, unit, write

PAGE = "---\nname: pdf-forms\ndescription: Fill in PDF forms.\nmetadata:\n  millrace-id: abc\n---\n\nRun it.\n"


def test_a_page_is_its_front_matter_and_its_body() -> None:
    found = read(Kind.SKILL, PAGE)
    assert found.document == {
        "name": "pdf-forms",
        "slug": "pdf-forms",
        "description": "Fill in PDF forms.",
        "instructions": "Run it.",
    }
    assert (found.id, found.name, found.slug) == ("abc", "pdf-forms", "pdf-forms")
    assert found.raw["metadata"] == {"millrace-id": "abc"}


def test_the_folder_is_the_slug_whatever_the_name_says() -> None:
    text = PAGE.replace("name: pdf-forms", "name: 'PDF: forms'\nslug: of-somebody-else")
    found = read(Kind.SKILL, text, "pdf")
    assert (found.slug, found.name, found.document["slug"]) == ("pdf", "PDF: forms", "pdf")
    assert found.document["frontMatter"] == {"slug": "of-somebody-else"}


def test_files_are_nested_and_binary() -> None:
    files = {
        "scripts/fill.py": b"print()",
        "assets/deep/er/stamp.png": b"\x89PNG\0\xff",
        ".hidden": b"",
        "Ünï.txt": b"x",
    }
    found = read(Kind.SKILL, PAGE, files=files)
    assert found.data == files
    assert list(found.document["files"]) == sorted(files)
    assert set(found.document["files"].values()) == {"0" * 40}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_a_byte_order_mark_make_no_difference(end: str, mark: bytes) -> None:
    found = read(Kind.SKILL, mark + PAGE.replace("\n", end).encode())
    assert found.document == read(Kind.SKILL, PAGE).document


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("# Forms\n", 1, 0, "begins with its front matter"),
        ("", 1, 0, "begins with its front matter"),
        ("---\nname: a\n", 1, 0, "no end"),
        ("---\n- a\n---\n", 2, 0, "names and values"),
        ("---\nname: a: b\n---\n", 2, 8, "not valid YAML"),
        ("---\nname: a\n\tb: c\n---\n", 3, 1, "not valid YAML"),
        ("---\nname: a\nname: b\n---\n", 3, 1, "twice"),
        ("---\na: &x 1\n---\n", 2, 4, "anchor"),
        ("---\na: *x\n---\n", 2, 4, "alias"),
        ("---\na: !!python/object/apply:os.system [id]\n---\n", 2, 4, "tag"),
        ("---\na: !!str 3\n---\n", 2, 4, "tag"),
        ("---\na: {<<: {b: 1}}\n---\n", 2, 5, "merge"),
        ("---\n[a]: 1\n---\n", 2, 1, "a name has to be a text"),
        ("---\n? {a: b}\n: 1\n---\n", 2, 3, "a name has to be a text"),
        ("---\na: " + "[" * 21 + "]" * 21 + "\n---\n", 2, 23, "deeper than 20"),
        ("---\na: \x01\n---\n", 0, 0, "character"),
        ("---\nname: x\na: b\n--- c\n---\n", 4, 1, "more than one document"),
        ('---\na: "\\0"\n---\n', 2, 4, "cannot be kept"),
    ],
)
def test_front_matter_that_cannot_be_read_is_told_at_its_place(text: str, line: int, column: int, words: str) -> None:
    (found,) = problems(Kind.SKILL, text)
    assert found.code is Code.VALIDATION_FAILED
    assert found.path == "skills/pdf-forms/SKILL.md"
    assert (found.line, found.column) == (line, column)
    assert words.lower() in found.message.lower()


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        ("---\ndescription: b\n---\n", 1, "/name"),
        ("---\nname: a\n---\n", 1, "/description"),
        ("---\ndescription: b\nname: 3\n---\n", 3, "/name"),
        ("---\ndescription: b\nname:\n---\n", 3, "/name"),
        ("---\nname: a\ndescription: ' '\n---\n", 3, "/description"),
        ("---\nname: a\ndescription: b\nmetadata: text\n---\n", 4, "/metadata"),
        ("---\nname: a\ndescription: b\nmetadata:\n  x: 1\n  millrace-id: a b\n---\n", 6, "/metadata/millrace-id"),
        ("---\nname: a\ndescription: b\nmetadata:\n  millrace-id: 12\n---\n", 5, "/metadata/millrace-id"),
    ],
)
def test_front_matter_that_is_not_as_the_schema_says_is_told_at_its_line(text: str, line: int, field: str) -> None:
    (found,) = problems(Kind.SKILL, text)
    assert (found.code, found.line, found.fields) == (Code.VALIDATION_FAILED, line, (field,))


def test_types_are_those_of_json_and_numbers_keep_their_spelling() -> None:
    page = (
        "---\na: yes\nb: true\nc: 010\nd: 1.50\ne: 1.5\nf: 12\ng: ~\nh: 'null'\ni: 1e3\nj: .inf\nk: 2024-01-01\n---\n"
    )
    assert parse(page).front == {
        "a": "yes", "b": True, "c": "010", "d": "1.50", "e": 1.5, "f": 12, "g": None, "h": "null", "i": "1e3",
        "j": ".inf", "k": "2024-01-01",
    }  # fmt: skip


def test_front_matter_is_bounded_before_anything_is_built() -> None:
    with pytest.raises(BadFrontMatter, match="longer than"):
        parse(f"---\na: {'x' * LONGEST}\n---\n")
    with pytest.raises(BadFrontMatter, match="more than 5,000 values"):
        parse(f"---\na: [{'1,' * MOST_VALUES}]\n---\n")


def test_a_line_of_hyphens_in_the_body_is_body() -> None:
    assert read(Kind.SKILL, PAGE + "\n---\n\nmore\n").document["instructions"] == "Run it.\n\n---\n\nmore"


def test_a_page_that_is_not_utf_8_says_so() -> None:
    (found,) = problems(Kind.SKILL, PAGE.encode() + b"\xff")
    assert (found.code, found.line, found.column) == (Code.INVALID_JSON, 9, 1)
    assert "UTF-8" in found.message


@pytest.mark.parametrize(
    "path",
    ["../a", "a/../../b", "a//b", "/etc/passwd", "a\\b", ".git/config", "x/.GIT/hooks", "a\nb", "a\u202eb", "e\u0301",
     "x/./y", "a" * 513, " a", "\ud800", ".g\u200cit/x", "GIT~1/x", ".git. /x", ".git::$INDEX_ALLOCATION/x"],
)  # fmt: skip
def test_no_file_leads_out_of_its_folder_or_cannot_be_stored(path: str) -> None:
    (found,) = problems(Kind.SKILL, PAGE, files={path: b"", "fine.md": b""})
    assert found.code is Code.VALIDATION_FAILED
    assert found.path.isprintable()


@pytest.mark.parametrize("pair", [("a.md", "A.md"), ("straße", "STRASSE"), ("x/a", "X/a"), ("skill.md", "b")])
def test_two_files_that_a_disk_takes_for_one_are_told(pair: tuple[str, str]) -> None:
    (found,) = problems(Kind.SKILL, PAGE, files=dict.fromkeys(pair, b""))
    assert found.code is Code.VALIDATION_FAILED
    assert "differs in upper and lower case" in found.message


def refused(files: dict[str, bytes], limits: Limits) -> list[tuple[Code, str]]:
    it = unit(Kind.SKILL, "a", *files)
    data = {"skills/a/SKILL.md": PAGE.encode(), **{f"skills/a/{name}": each for name, each in files.items()}}
    try:
        reading.read(it, data, limits=limits)
    except BadFile as error:
        return [(each.code, each.path) for each in error.problems]
    return []


def test_a_skill_is_bounded_by_file_in_all_and_in_number() -> None:
    fine = Limits(max_file_bytes=200, max_skill_bytes=500, max_skill_files=4)
    assert refused({"a": b"x" * 200, "b": b"x" * 190}, fine) == []
    assert refused({"a": b"x" * 201}, fine) == [(Code.TOO_LARGE, "skills/a/a")]
    assert refused({"a": b"x" * 150, "b": b"x" * 150, "c": b"x" * 150}, fine) == [(Code.TOO_LARGE, "skills/a")]
    assert refused(dict.fromkeys("abcd", b""), fine) == [(Code.TOO_LARGE, "skills/a")]


def test_a_skill_without_its_page_is_an_empty_directory() -> None:
    it = Unit(Kind.SKILL, "a", "skills/a", {"skills/a/x": "0" * 40})
    with pytest.raises(BadFile) as error:
        reading.read(it, {"skills/a/x": b""})
    assert [each.code for each in error.value.problems] == [Code.EMPTY_DIRECTORY]


def test_instructions_have_an_end() -> None:
    assert [each.code for each in problems(Kind.SKILL, PAGE + "x" * 1_000_001)] == [Code.VALIDATION_FAILED]
    assert (
        read(Kind.SKILL, write(Kind.SKILL, {**SKILL, "instructions": "\n\n  a\n\n", "files": {}})).document[
            "instructions"
        ]
        == "  a"
    )
