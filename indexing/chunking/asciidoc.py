"""The blocks of an AsciiDoc text: https://docs.asciidoctor.org/asciidoc/latest/blocks/

Sections, delimited blocks, tables and lists; nothing is included and no macro is run.
"""

from __future__ import annotations

import re

from catalog.rendering import heading_anchor
from indexing.chunking.blocks import Block, Kind, Outline
from indexing.chunking.lines import Lines

_SECTION = re.compile(r"(={1,6}|#{1,6})[ \t]+(\S.*?)[ \t]*(?:\1)?[ \t]*$")
_DELIMITER = re.compile(r"(?:([-.=*_+/])\1{3,}|--|`{3,}[^`]*|[|,:!]={3,})[ \t]*$")
_TABLE = re.compile(r"[|,:!]={3,}")
_ATTRIBUTES = re.compile(r"\[\[?[^\]]*\]?\][ \t]*$|\.[^\s.].*$")
"""What stands above a block: its attributes, its anchor, its title."""
_ANCHOR = re.compile(r"\[\[([\w.:-]{1,200})(?:,[^\]]*)?\]\]|\[#([\w.:-]{1,200})[^\]]*\]")
_ENTRY = re.compile(r":!?[\w-]+!?:")
_ITEM = re.compile(r"[ \t]*(?:[*.-]{1,5}|\d{1,9}\.|<(?:\d+|\.)>)[ \t]+\S")
_UNDERLINES = {"=": 1, "-": 2, "~": 3, "^": 4, "+": 5}
_MARKS = re.compile(r"(?<!\w)[*_`#]{1,2}(?=\S)|(?<=\S)[*_`#]{1,2}(?!\w)|\+\+?(?=\S)")
_LINK = re.compile(r"(?:https?://|link:|xref:)[^\s\[\]]{1,500}\[([^\]]*)\]|<<[^<>,]{1,200}(?:,([^<>]*))?>>")
_LONGEST = 1_000


def read(lines: Lines) -> Outline:
    return Outline(_Reader(lines).blocks())


class _Reader:
    def __init__(self, lines: Lines) -> None:
        self.lines, self.rows = lines, lines.rows
        self.anchors: dict[str, int] = {}

    def blocks(self) -> list[Block]:
        found: list[Block] = []
        number = 0
        while number < len(self.rows):
            if not self.rows[number].strip():
                number += 1
                continue
            start = number
            while number < len(self.rows) and _ATTRIBUTES.match(self.rows[number]) and not self._opens(number):
                number += 1
            if number >= len(self.rows) or not self.rows[number].strip():
                found.append(Block(Kind.TEXT, start))
            elif heading := self._heading(start, number):
                block, number = heading
                found.append(block)
            elif self._opens(number):
                block, number = self._delimited(start, number)
                found.append(block)
            elif _ITEM.match(self.rows[number]):
                block, number = self._list(start, number)
                found.append(block)
            else:
                kind = Kind.CODE if self.rows[number][0] in " \t" or start < number else Kind.TEXT
                found.append(Block(kind, start))
                number = self._paragraph(number)
        return found

    def _opens(self, number: int) -> bool:
        return _DELIMITER.match(self.rows[number]) is not None

    def _heading(self, start: int, number: int) -> tuple[Block, int] | None:
        """A section's title; `start` is where its anchor stands."""
        row = self.rows[number]
        if found := _SECTION.match(row):
            return self._named(start, number, len(found[1]), found[2]), number + 1
        # The older form, underlined: https://docs.asciidoctor.org/asciidoctor/latest/migrate/asciidoc-py/#migrate-titles
        below = self.rows[number + 1].rstrip() if number + 1 < len(self.rows) else ""
        title = row.rstrip()
        level = _UNDERLINES.get(below[:1], 0)
        if not level or below.strip(below[0]) or abs(len(below) - len(title)) > 1 or len(title) < 2:
            return None
        if not re.search(r"\w", title) or row[0] in " \t" or _ENTRY.match(row):
            return None
        return self._named(start, number, level, title), number + 2

    def _named(self, start: int, number: int, level: int, title: str) -> Block:
        words = _LINK.sub(lambda found: found[1] or found[2] or "", _ANCHOR.sub("", title[:_LONGEST]))
        name = " ".join(_MARKS.sub("", words).split())
        anchor = heading_anchor(name, self.anchors)
        own = _ANCHOR.search(self.lines.span(start, number + 1)[-2 * _LONGEST :])
        if own is not None:
            anchor = own[1] or own[2]
        return Block(Kind.HEADING, start, level=level, name=name, anchor=anchor)

    def _delimited(self, start: int, number: int) -> tuple[Block, int]:
        """Up to the same line again; one that is never closed ends with the text, as Asciidoctor has it."""
        opening = self.rows[number].rstrip()
        closing = re.match("`*", opening)[0] or opening  # type: ignore[index]
        end = number + 1
        while end < len(self.rows) and self.rows[end].rstrip() != closing:
            end += 1
        head = number + 1
        if _TABLE.match(opening):
            # A table's head is its first row, if a blank line follows it.
            first = next((row for row in range(head, min(end, head + 20)) if not self.rows[row].strip()), head)
            head = first if first > head else head
        block = Block(Kind.CODE, start, head=self.lines.span(start, head), foot=f"{closing}\n")
        return block, min(end + 1, len(self.rows))

    def _list(self, start: int, number: int) -> tuple[Block, int]:
        """Items with what is attached to them by a line that is + alone."""
        block = Block(Kind.LIST, start)
        while number < len(self.rows) and _ITEM.match(self.rows[number]):
            block.children.append(Block(Kind.TEXT, number))
            number = self._item(number + 1)
            following = number
            while following < len(self.rows) and not self.rows[following].strip():
                following += 1
            if following < len(self.rows) and _ITEM.match(self.rows[following]) and not self._opens(following):
                number = following
        return block, number

    def _item(self, number: int) -> int:
        while number < len(self.rows) and self.rows[number].strip():
            if _ITEM.match(self.rows[number]) or _SECTION.match(self.rows[number]):
                break
            if self._opens(number):
                _, number = self._delimited(number, number)
            else:
                number += 1
        return number

    def _paragraph(self, number: int) -> int:
        number += 1
        while number < len(self.rows) and self.rows[number].strip():
            if self._opens(number) or _ATTRIBUTES.match(self.rows[number]) or _SECTION.match(self.rows[number]):
                break
            number += 1
        return number
