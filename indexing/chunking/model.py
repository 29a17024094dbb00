"""A text, cut into pieces. Pure."""

from __future__ import annotations

from dataclasses import dataclass

CHUNKER = 1
"""The version of the rules: texts that were cut by an older one are cut anew when their source is next refreshed."""

SHORT, LONG, CAP = 1_000, 2_000, 2_400
"""Characters of a body: as many are wanted at least and at most, and no body has more than CAP. Above LONG are those
with a fence or head of their own, and a long block together with the heading or sentence that leads up to it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """`text[start:end]` is its part of the text; `body` is what is shown and searched.

    They are the same, without the blank lines around, but where a long code block or table is split: then `body` has
    its fence, or its head, again.
    """

    start: int
    end: int
    """In characters; the pieces of a text follow each other without a gap."""
    start_line: int
    """From 1; of what is in `body`."""
    end_line: int
    """Inclusive."""
    heading: tuple[str, ...]
    """The headings it stands under, outermost first, as plain text; without the one that is the text's title.
    Small sections under one parent are one piece: then the last is the names of all, “Install · Upgrade”."""
    anchor: str
    """Of the innermost heading, as GitHub and most generators make it; "" before the first. Of several
    sections, the first one's."""
    body: str


@dataclass(frozen=True, slots=True)
class Cut:
    """A whole text: its own title ("" if it has none) and its pieces in order; none if it is blank."""

    title: str
    pieces: tuple[Piece, ...]
