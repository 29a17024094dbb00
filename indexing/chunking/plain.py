"""The blocks of a text without marks: its paragraphs."""

from __future__ import annotations

from indexing.chunking.blocks import Block, Kind, Outline
from indexing.chunking.lines import Lines


def read(lines: Lines) -> Outline:
    blocks = []
    blank = True
    for number, row in enumerate(lines.rows):
        was_blank, blank = blank, not row.strip()
        if was_blank and not blank:
            # Indented lines may be code or a table.
            blocks.append(Block(Kind.CODE if row[0] in " \t" else Kind.TEXT, number))
    return Outline(blocks)
