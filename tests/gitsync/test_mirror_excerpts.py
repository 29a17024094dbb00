"""The lines around what is wrong in a file: few, short, and without what could trip a page."""

from __future__ import annotations

import pytest

from gitsync.mirror.excerpts import LONGEST, excerpt, shown

FILE = b'{\n  "name": "Hello"\n  "slug": "hello",\n  "prompt": "Hi"\n}\n'


def test_two_lines_before_and_after_with_their_numbers_and_the_place() -> None:
    assert shown(excerpt(FILE, 3, 3)).split("\n") == [
        "  1 | {",
        '  2 |   "name": "Hello"',
        '> 3 |   "slug": "hello",',
        "    |   ^",
        '  4 |   "prompt": "Hi"',
        "  5 | }",
    ]


@pytest.mark.parametrize(("line", "column"), [(0, 0), (-1, 3), (8, 1), (10**9, 10**9)])
def test_a_line_that_is_not_there_is_not_shown(line: int, column: int) -> None:
    assert excerpt(FILE, line, column) == {}
    assert shown({}) == ""


def test_a_line_without_a_column_is_not_marked_and_one_past_its_end_is_marked_there() -> None:
    assert "^" not in shown(excerpt(FILE, 3, 0))
    assert f"\n    | {' ' * 18}^" in shown(excerpt(FILE, 3, 10**9))


def test_numbers_are_as_wide_as_the_longest() -> None:
    text = shown(excerpt(b"x\n" * 20, 9, 1))
    assert text.startswith("   7 | x\n   8 | x\n>  9 | x\n     | ^\n  10 | x\n")


@pytest.mark.parametrize("column", [1, 150, 200, 201, 5_000, 999_999])
def test_of_a_long_line_what_is_around_the_place_is_shown(column: int) -> None:
    line = "".join(f"{number:06}," for number in range(150_000))
    found = excerpt(f"{line}\n{line}\n".encode(), 1, column)
    assert all(len(each) <= LONGEST + 2 for each in found["lines"])
    assert found["lines"][0][found["mark"]] == line[column - 1]


def test_what_trips_a_page_or_a_database_is_replaced_and_tabs_and_wide_letters_keep_the_mark_in_its_place() -> None:
    found = excerpt("\t宽\x00\u202e\x1b[31mx\r\n".encode() + b"\xff", 1, 10)
    assert found["lines"] == ["\t宽\ufffd\ufffd\ufffd[31mx", "\ufffd"]
    assert shown(found).split("\n")[1] == f"    | \t\u3000{' ' * 7}^"
