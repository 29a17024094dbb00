"""A part of a text that fits a budget, and where the next one begins. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from indexing.chunking.lines import Lines, count_lines

CHARACTERS_A_TOKEN = 4
"""As much as a budget of tokens can know of what a model makes of a text."""


class NoSuchPart(ValueError):
    """The text ends before. The text of the error is a sentence."""


@dataclass(frozen=True, slots=True)
class Part:
    text: str
    start: int
    """Characters from the beginning of the whole text."""
    end: int
    """Exclusive."""
    until: int
    """Where what was asked for ends: the next part begins at `end` if that is before."""
    first_line: int
    """From 1; 0 of an empty text."""
    last_line: int
    lines: int
    """Of the whole text."""
    length: int
    """Characters of the whole text."""

    @property
    def next(self) -> int | None:
        return self.end if self.end < self.until else None


def part_of(
    text: str, *, offset: int = 0, start_line: int | None = None, end_line: int | None = None, characters: int
) -> Part:
    """At most so many characters of the text, from `offset` or from a line on, up to and with `end_line`.

    It ends with a line where one ends within the budget. The parts that begin where the one before ended are the whole,
    each character once. Raises NoSuchPart.
    """
    if not offset and start_line is None and end_line is None and 0 < len(text) <= characters:  # as most are
        number = count_lines(text)
        return Part(text, 0, len(text), len(text), first_line=1, last_line=number, lines=number, length=len(text))
    lines = Lines(text)
    if start_line is not None:
        if start_line > max(1, len(lines)):
            raise NoSuchPart(f"It has {len(lines):,} lines: there is no line {start_line:,}.")
        offset = lines.starts[start_line - 1] if len(lines) else 0
    elif offset and offset >= len(text):
        raise NoSuchPart(f"It has {len(text):,} characters: nothing begins at offset {offset:,}.")
    until = len(text) if end_line is None or end_line >= len(lines) else lines.starts[end_line]
    if until <= offset and text:
        raise NoSuchPart("The last line that was asked for is before the first.")
    end = _end(text, lines, offset, until, max(1, characters))
    return Part(
        text=text[offset:end],
        start=offset,
        end=end,
        until=until,
        first_line=lines.number_at(offset) if text else 0,
        last_line=lines.number_at(end - 1) if text else 0,
        lines=len(lines),
        length=len(text),
    )


def _end(text: str, lines: Lines, offset: int, until: int, characters: int) -> int:
    most = offset + characters
    if until <= most:
        return until
    line = lines.starts[lines.number_at(most) - 1]
    if line > offset:
        return line
    # One line is longer than the budget. What is one line end stays together.
    return most - 1 if text[most - 1 : most + 1] == "\r\n" and most - 1 > offset else most
