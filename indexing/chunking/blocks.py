"""What the readers make of a text: blocks, in order, that together are all of its lines."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field


class Kind(enum.Enum):
    HEADING = enum.auto()
    TEXT = enum.auto()
    """May be cut after a sentence."""
    CODE = enum.auto()
    """Is cut at a line end, and its indentation kept."""
    LIST = enum.auto()
    """Is cut between its items, which are its children."""


@dataclass(slots=True)
class Block:
    """Some lines that belong together: cut only when they are too long, and then first between its children."""

    kind: Kind
    start: int
    """Its first line, from 0. It goes on to the next block's, or to the end of what it is part of."""
    end: int = 0
    """Exclusive; `close` fills it in."""
    children: list[Block] = field(default_factory=list)
    level: int = 0
    """Of a heading: 1 is the outermost."""
    name: str = ""
    """Of a heading: its words."""
    anchor: str = ""
    head: str = ""
    """What each further part begins with when it is cut: the line that opens it, or the first rows of a table."""
    foot: str = ""
    """What each part but the last ends with."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A text as a reader sees it. `title` is what its front matter says, if it does."""

    blocks: Sequence[Block]
    title: str = ""


def close(blocks: Sequence[Block], end: int) -> None:
    """Let each block end where the next one begins, the last at `end`, and the children likewise."""
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        block.end = end if following is None else following.start
        if block.children:
            block.children[0].start = block.start
            close(block.children, block.end)
