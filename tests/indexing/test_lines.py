"""Texts by their lines."""

from __future__ import annotations

from itertools import product

from indexing.chunking.lines import Lines, count_lines


def test_lines_end_with_any_of_three_ends_and_are_counted_alike_everywhere() -> None:
    texts = ["".join(each) for length in range(7) for each in product("a\r\n", repeat=length)]
    for text in [*texts, "a\u2028b\x0bc\x85d", "\f\n"]:
        lines = Lines(text)
        ended = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        assert lines.rows == (ended if ended[-1] else ended[:-1])
        assert count_lines(text) == len(lines) == len(lines.rows)
        assert "".join(lines.span(number, number + 1) for number in range(len(lines))) == text
