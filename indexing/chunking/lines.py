"""A text by its lines, as CommonMark tells them apart: \\n, \\r\\n and \\r end one, and nothing else does."""

from __future__ import annotations

import re
from bisect import bisect_right

_END = re.compile(r"\r\n?|\n")


class Lines:
    """`rows[n]` is line n (from 0) without its end; `starts[n]` where it begins, in characters. `starts` has one entry
    more than there are lines: the length of the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.rows = _END.split(text)
        self.starts = [0, *(found.end() for found in _END.finditer(text)), len(text)]
        if not self.rows[-1]:  # what follows the last line end is no line
            del self.rows[-1], self.starts[-1]

    def __len__(self) -> int:
        return len(self.rows)

    def number_at(self, position: int) -> int:
        """The line, from 1, that holds the character at `position`."""
        return bisect_right(self.starts, position, hi=max(1, len(self.rows)))

    def span(self, start: int, end: int) -> str:
        """Lines from `start` to `end`, exclusive, as they are."""
        return self.text[self.starts[start] : self.starts[end]]
