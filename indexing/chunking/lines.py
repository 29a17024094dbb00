"""A text by its lines, as CommonMark tells them apart: \\n, \\r\\n and \\r end one, and nothing else does."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

_END = re.compile(r"\r\n?|\n")


def count_lines(text: str) -> int:
    """As `len(Lines(text))`, without looking for where they are."""
    ends = text.count("\n")
    if "\r" in text:
        ends += text.count("\r") - text.count("\r\n")
    return ends + (text[-1:] not in ("\n", "\r", ""))


class Lines:
    """`rows[n]` is line n (from 0) without its end; `starts[n]` where it begins, in characters. `starts` has one entry
    more than there are lines: the length of the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *[found.end() for found in _END.finditer(text)]]
        if self.starts[-1] < len(text):  # what follows the last line end is no line
            self.starts.append(len(text))

    @cached_property
    def rows(self) -> list[str]:
        return _END.split(self.text)[: len(self)]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def number_at(self, position: int) -> int:
        """The line, from 1, that holds the character at `position`."""
        return bisect_right(self.starts, position, hi=max(1, len(self)))

    def span(self, start: int, end: int) -> str:
        """Lines from `start` to `end`, exclusive, as they are."""
        return self.text[self.starts[start] : self.starts[end]]
