"""Where a block is cut that is too long for one piece. Each look goes over one piece's length: linear in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_BLANK_LINE = re.compile(r"(?:\r\n?|\n)[ \t]*(?:\r\n?|\n)")
_LINE_END = re.compile(r"\r\n?|\n")
_SENTENCE = re.compile(r"[.!?…][\"'”’)\]]*\s|[。！？][”’」』）]*")
_SPACE = re.compile(r"\s")

PROSE: Sequence[re.Pattern[str]] = (_BLANK_LINE, _SENTENCE, _LINE_END, _SPACE)
CODE: Sequence[re.Pattern[str]] = (_BLANK_LINE, _LINE_END, _SPACE)
"""Boundaries, the best first. Where there is none, the text is cut anywhere."""
_BLANKS = re.compile(r"(?:[ \t]*(?:\r\n?|\n))+")
_EVEN = 1.2
"""How much longer than their share parts may be, for a better boundary."""


def cut(text: str, start: int, end: int, *, first: int, room: int, at: Sequence[re.Pattern[str]]) -> Iterator[int]:
    """Where the parts of `text[start:end]` end: at most `room` characters each (the first `first`), the white space
    after them not counted, and of about the same length."""
    left = first
    while end - start > left:
        share = (end - start) / -(-(end - start) // room)
        start = _boundary(text, start, min(start + left, end, start + max(1, int(share * _EVEN))), at)
        # White space goes with what is before it; the indentation of a line of code stays.
        if at is CODE and text[start - 1] in "\r\n":
            blanks = _BLANKS.match(text, start, end)
            start = blanks.end() if blanks else start
        else:
            while start < end and text[start].isspace():
                start += 1
        if start >= end:
            return
        yield start
        left = room


def _boundary(text: str, start: int, limit: int, at: Sequence[re.Pattern[str]]) -> int:
    """The end of the last of the best boundaries in the second half of `text[start:limit]`."""
    middle = (start + limit) // 2
    for pattern in at:
        last = 0
        for found in pattern.finditer(text, middle, limit):
            last = found.end()
        if last > start:
            return last
    return limit


def begin_of(text: str, indent: int) -> int:
    """Where the first line with something on it begins; where that something begins if it is further in than
    `indent`."""
    inner = len(text) - len(text.lstrip())
    line = max(text.rfind("\n", 0, inner), text.rfind("\r", 0, inner)) + 1
    return inner if inner - line > indent else line
