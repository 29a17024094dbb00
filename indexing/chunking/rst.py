"""The blocks of a reStructuredText, by its own marks: https://docutils.sourceforge.io/docs/ref/rst/restructuredtext.html

Read here and not by docutils: that knows neither the directives nor the roles of Sphinx and makes errors of them, tells
lines of what it does know only roughly, and takes 80 times as long (decision 17). Nothing is included, fetched or run.
"""

from __future__ import annotations

import re

from catalog.rendering import heading_anchor
from indexing.chunking.blocks import Block, Kind, Outline
from indexing.chunking.lines import Lines

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1*[ \t]*$")
_GRID = re.compile(r"\+[-=+]+\+[ \t]*$|={2,}(?: +={2,})+[ \t]*$")
"""What a table begins with: of the grid kind, or of the simple one."""
_DIRECTIVE = re.compile(r"\.\. +(?:\|[^|]+\| +)?[\w.:+-]+::")
_CODE = re.compile(r"\.\. +(?:code|code-block|sourcecode|literalinclude|parsed-literal|highlight)::")
_OPTION = re.compile(r"[ \t]+:[\w-]+:")
_ITEM = re.compile(r"(?:[-*+•‣⁃]|\(?(?:\d{1,9}|#|[A-Za-z]|[ivxlcdmIVXLCDM]{1,9})[.)])(?:[ \t]+|$)")
_ROLE = re.compile(r":[\w.:+-]{1,50}:`([^`<>]*)(?:<[^<>`]*>)?`|`([^`<>]*)(?:<[^<>`]*>)?`_{0,2}")
_MARKS = re.compile(r"\*\*|``|[*|](?=\w)|(?<=\w)[*|]|\\(?=\S)")
_LONGEST = 1_000


def read(lines: Lines) -> Outline:
    return Outline(_Reader(lines).blocks())


class _Reader:
    def __init__(self, lines: Lines) -> None:
        self.lines, self.rows = lines, lines.rows
        self.anchors: dict[str, int] = {}
        self.styles: list[tuple[str, bool]] = []
        """How headings are adorned, the outermost first."""

    def blocks(self) -> list[Block]:
        found: list[Block] = []
        number = 0
        while number < len(self.rows):
            row = self.rows[number]
            if not row.strip():
                number += 1
                continue
            if heading := self._heading(number):
                block, number = heading
            elif _GRID.match(row):
                block, number = self._table(number)
            elif row.startswith(".. ") or row.rstrip() == "..":
                block, number = self._explicit(number)
            elif _ITEM.match(row):
                block, number = self._list(number)
            else:
                block, number = self._paragraph(number)
            found.append(block)
        return found

    def _heading(self, number: int) -> tuple[Block, int] | None:
        """A line of text with an adornment below it as long as itself, or with the same one above it, too."""
        rows = self.rows
        over = _ADORNMENT.match(rows[number])
        if over is not None and number + 2 < len(rows) and rows[number + 2].rstrip() == rows[number].rstrip():
            name = rows[number + 1].strip()
            long_enough = len(rows[number].rstrip()) >= len(rows[number + 1].rstrip())
            if name and long_enough and not _ADORNMENT.match(name):
                return self._named(number, name, (over[1], True)), number + 3
        if over is not None or number + 1 >= len(rows) or rows[number][0] in " \t":
            return None
        under = _ADORNMENT.match(rows[number + 1])
        title, line = rows[number].rstrip(), rows[number + 1].rstrip()
        # docutils takes a shorter one with a warning if it has four signs, which is how much of it is written by hand.
        if under is None or (len(line) < len(title) and len(line) < 4) or line in ("::", ".."):
            return None
        return self._named(number, title, (under[1], False)), number + 2

    def _named(self, number: int, title: str, style: tuple[str, bool]) -> Block:
        if style not in self.styles:
            self.styles.append(style)
        name = _plain(title[:_LONGEST])
        anchor = heading_anchor(name, self.anchors)
        return Block(Kind.HEADING, number, level=self.styles.index(style) + 1, name=name, anchor=anchor)

    def _table(self, number: int) -> tuple[Block, int]:
        """Up to its last border. Those of the simple kind may have blank lines between rows: they have three borders,
        or two without a head."""
        rows, start = self.rows, number
        simple = rows[number][0] == "="
        borders = [number]
        number += 1
        while number < len(rows) and (rows[number].strip() or (simple and len(borders) < 2)):
            if _GRID.match(rows[number]):
                borders.append(number)
            number += 1
        if simple and len(borders) == 2 and number < len(rows):
            # The second may end the head: then there is a third before the next paragraph that is no row.
            number = self._third_border(number, borders[0])
        heads = [each for each in borders[1:2] if simple or "=" in rows[each]]
        head = self.lines.span(start, heads[0] + 1) if heads and len(borders) > 2 else ""
        return Block(Kind.CODE, start, head=head), number

    def _third_border(self, number: int, first: int) -> int:
        border = self.rows[first].rstrip()
        for ahead in range(number, min(number + 200, len(self.rows))):
            if self.rows[ahead].rstrip() == border:
                return ahead + 1
            if _DIRECTIVE.match(self.rows[ahead]):
                break
        return number

    def _explicit(self, number: int) -> tuple[Block, int]:
        """A directive, comment, footnote, target or substitution with what is indented below it."""
        start = number
        number = self._indented(number + 1)
        if not _CODE.match(self.rows[start]):
            return Block(Kind.CODE, start), number
        options = start + 1
        while options < number and _OPTION.match(self.rows[options]):
            options += 1
        return Block(Kind.CODE, start, head=f"{self.lines.span(start, options).rstrip()}\n\n"), number

    def _list(self, number: int) -> tuple[Block, int]:
        block = Block(Kind.LIST, number)
        while number < len(self.rows) and _ITEM.match(self.rows[number]):
            block.children.append(Block(Kind.TEXT, number))
            number = self._indented(number + 1, lazy=True)
        return block, number

    def _paragraph(self, number: int) -> tuple[Block, int]:
        """Up to a blank line; with the literal block that it announces, or what is indented below it."""
        start = number
        first = self.rows[number]
        while number < len(self.rows) and self.rows[number].strip():
            number += 1
        kind = Kind.CODE if first[0] in " \t|>" else Kind.TEXT
        if kind is Kind.TEXT and self.rows[number - 1].rstrip().endswith("::"):
            literal = self._indented(number)
            if literal > number:
                block = Block(kind, start, children=[Block(kind, start), Block(Kind.CODE, number)])
                return block, literal
        return Block(kind, start), number

    def _indented(self, number: int, *, lazy: bool = False) -> int:
        """The line after what is indented from here on, blank lines between included; `lazy` takes the lines right
        below, too, as a list's item that goes on without indentation does for most."""
        rows, end = self.rows, number
        while number < len(rows):
            row = rows[number]
            if not row.strip():
                number, lazy = number + 1, False
                continue
            if row[0] not in " \t" and (not lazy or _ITEM.match(row)):
                break
            number += 1
            end = number
        return end


def _plain(title: str) -> str:
    words = _ROLE.sub(lambda found: found[1] or found[2] or "", title)
    return " ".join(_MARKS.sub("", words).split())
