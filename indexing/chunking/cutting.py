"""A text into pieces that are found and cited: pure, the same for the same text, in time that grows with its length."""

from __future__ import annotations

from indexing.chunking import asciidoc, markdown, plain, rst
from indexing.chunking.blocks import Block, Kind, Outline, close
from indexing.chunking.lines import Lines
from indexing.chunking.model import Cut
from indexing.chunking.packing import pack

READERS = {"markdown": markdown.read, "rst": rst.read, "asciidoc": asciidoc.read, "plain": plain.read}
"""By `indexing.models.Format`."""


def cut(text: str, format: str) -> Cut:  # noqa: A002  what the field is called
    """The pieces of a text: together all of it, in order, whatever is in it. KeyError for a format that is none."""
    read = READERS[format]
    if not text or text.isspace():
        return Cut("", ())
    lines = Lines(text)
    outline: Outline = read(lines)
    blocks = list(outline.blocks) or [Block(Kind.TEXT, 0)]
    if blocks[0].kind is Kind.HEADING or not blocks[0].start:
        blocks[0].start = 0
    else:
        blocks.insert(0, Block(Kind.TEXT, 0))
    close(blocks, len(lines))
    return pack(lines, blocks, title=outline.title)
