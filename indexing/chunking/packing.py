"""From blocks to pieces.

- A section is a heading and what follows it up to the next one. Its blocks are put together while they are at most LONG
  characters, in parts of about the same length.
- A block is not cut unless it is longer than that by itself; then between its children, else as `splitting` says. A
  code block or a table begins anew in each part: with its fence, or its head.
- A heading with nothing below it but another goes with that one.
- Neighbouring sections under one parent (or a parent and its first sections) are joined while they are together at most
  SHORT characters. Then the piece stands under that parent, its last heading names them all, and its anchor is the
  first one's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from indexing.chunking import splitting
from indexing.chunking.blocks import Block, Kind
from indexing.chunking.lines import Lines
from indexing.chunking.model import CAP, LONG, SHORT, Cut, Piece

_LEAD = 300
"""What stands before a long block, a heading or a sentence that leads up to it, stays with it up to this length."""
_HEAD = 300
"""A longer head is not repeated."""
_SHARE = 1_600
_WHOLE_LIST = 500
_INDENT = 100
"""Wider indentation is empty space."""
_NAME = 200
BETWEEN_NAMES = " · "


@dataclass(frozen=True, slots=True, eq=False)
class _Section:
    path: tuple[str, ...]
    anchor: str
    level: int
    parent: _Section | None

    def within(self, other: _Section) -> bool:
        section: _Section | None = self
        while section is not None and section is not other:
            section = section.parent
        return section is other


@dataclass(slots=True)
class _Span:
    """What becomes a piece."""

    start: int
    end: int
    section: _Section
    names: list[str] = field(default_factory=list)
    """Of the sections joined below `section`."""
    anchor: str = ""
    head: str = ""
    foot: str = ""
    alone: bool = False
    """A part of a block that was cut."""
    bare: bool = False
    """A heading with nothing below it but other headings."""


def pack(lines: Lines, blocks: Sequence[Block], *, title: str) -> Cut:
    """`title` is what the front matter says; without one, the text's first heading is its title if it is outermost."""
    title, spans = _Packer(lines, title).spans(blocks)
    joined = _join(lines.text, _without_bare(lines.text, _without_empty(lines.text, spans)))
    return Cut(title, tuple(_piece(lines, span) for span in joined))


class _Packer:
    def __init__(self, lines: Lines, title: str) -> None:
        self.lines, self.text = lines, lines.text
        self.title = title
        self.section = _Section((), "", 0, None)
        self.seen_heading = False

    def spans(self, blocks: Sequence[Block]) -> tuple[str, list[_Span]]:
        spans: list[_Span] = []
        held: list[Block] = []
        for block in blocks:
            if block.kind is Kind.HEADING:
                spans += self._section(held)
                held = []
                self._enter(block)
            held.append(block)
        spans += self._section(held)
        return self.title, spans

    def _enter(self, heading: Block) -> None:
        name, first = heading.name[:_NAME].strip(), not self.seen_heading
        self.seen_heading = True
        is_title = first and heading.level == 1 and (not self.title or self.title.casefold() == name.casefold())
        parent: _Section | None = self.section
        while parent is not None and parent.level >= heading.level:
            parent = parent.parent
        path = parent.path if parent else ()
        if is_title:  # all others stand under it
            self.title = self.title or name
            self.section = _Section((), heading.anchor, 0, parent)
        else:
            self.section = _Section((*path, name) if name else path, heading.anchor, heading.level, parent)

    def _section(self, blocks: Sequence[Block]) -> Iterator[_Span]:
        """The spans of one section, whose heading is the first of the blocks."""
        units = [unit for block in blocks for unit in self._units(block)]
        left = sum(self._weight(unit) for unit in units)
        share = 0.0
        open_: _Span | None = None
        last_start = 0
        for unit in units:
            start, end = self._place(unit)
            ahead, left = left, left - self._weight(unit)
            if open_ is not None:
                if self._goes_with(open_, end, share):
                    open_.end, last_start = end, start
                    continue
                if last_start - open_.start > _LEAD >= start - last_start and self._leads(last_start, start):
                    yield self._span(open_.start, last_start)
                    open_ = self._span(last_start, start)
                if start - open_.start > _LEAD:
                    yield open_
                    open_ = None
            begin = start if open_ is None else open_.start
            share = ahead + start - begin
            share = share if share <= LONG else share / -(-share // _SHARE)
            if len(self._bare(begin, end)) <= (CAP if open_ else LONG):
                open_ = self._span(begin, end)
                continue
            *parts, last = self._parts(unit, begin, start, end)
            yield from parts
            # What follows a long paragraph may stand with its last part; a part with a head of its own stands alone.
            if last.alone:
                yield last
            open_ = None if last.alone else last
        if open_ is not None:
            open_.bare = len(blocks) == 1 and blocks[0].kind is Kind.HEADING
            yield open_

    def _goes_with(self, open_: _Span, end: int, share: float) -> bool:
        whole = len(self._bare(open_.start, end))
        if whole > LONG:
            return False
        held = len(self._bare(open_.start, open_.end))
        if held < _LEAD or self._leads(open_.start, open_.end):
            return True
        return whole <= share or whole - share < share - held

    def _leads(self, start: int, end: int) -> bool:
        """Whether it ends by announcing what follows."""
        return self._bare(start, end).endswith(":")

    def _units(self, block: Block) -> Iterator[Block]:
        size = self._size(block)
        if block.children and (size > LONG or (block.kind is Kind.LIST and size > _WHOLE_LIST)):
            for child in block.children:
                yield from self._units(child)
        else:
            yield block

    def _parts(self, unit: Block, begin: int, start: int, end: int) -> list[_Span]:
        """A block that is too long, cut. What is before it, from `begin`, is in the first part."""
        repeated = len(unit.head) + len(unit.foot) <= _HEAD
        head, foot = (unit.head, unit.foot) if repeated else ("", "")
        at = splitting.CODE if unit.kind is Kind.CODE else splitting.PROSE
        room = LONG - len(foot)
        places = [begin, *splitting.cut(self.text, start, end, first=room - (start - begin), room=room, at=at), end]
        spans = [self._span(one, other) for one, other in pairwise(places)]
        for number, span in enumerate(spans):
            span.alone = bool(head)
            span.head = head if number else ""
            span.foot = foot if number < len(spans) - 1 else ""
        return spans

    def _span(self, start: int, end: int) -> _Span:
        return _Span(start, end, self.section, anchor=self.section.anchor)

    def _place(self, block: Block) -> tuple[int, int]:
        return self.lines.starts[block.start], self.lines.starts[block.end]

    def _size(self, block: Block) -> int:
        return len(self._bare(*self._place(block)))

    def _weight(self, block: Block) -> int:
        start, end = self._place(block)
        return min(end - start, LONG)

    def _bare(self, start: int, end: int) -> str:
        return self.text[start:end].rstrip()


def _without_empty(text: str, spans: Sequence[_Span]) -> list[_Span]:
    """Those with something in them; white space goes with what is before it, or after it at the very beginning."""
    found: list[_Span] = []
    for span in spans:
        if found and text[span.start : span.end].isspace():
            found[-1].end = span.end
        elif text[span.start : span.end].strip():
            found.append(span if found else replace(span, start=0))
    return found


def _without_bare(text: str, spans: Sequence[_Span]) -> list[_Span]:
    found: list[_Span] = []
    for span in spans:
        last = found[-1] if found else None
        if last is not None and last.bare and _fits_below(text, last, span):
            span.start = found.pop().start
        found.append(span)
    return found


def _fits_below(text: str, last: _Span, span: _Span) -> bool:
    size = len(text[last.start : span.end].strip()) + len(span.foot)
    return size < CAP and span.section.within(last.section)


def _join(text: str, spans: Sequence[_Span]) -> list[_Span]:
    joined: list[_Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        common = None if last is None else _common(last, span)
        if last is None or common is None or len(text[last.start : span.end].strip()) > SHORT:
            joined.append(span)
            continue
        if common is not last.section:
            last.names = [*last.section.path[-1:], *last.names]
        if span.section is not common and span.section is not last.section:
            last.names += span.section.path[-1:]
        last.section, last.end = common, span.end
    return joined


def _common(last: _Span, span: _Span) -> _Section | None:
    """The section that both stand under, if they may be one piece."""
    if last.alone or span.alone:
        return None
    if span.section.within(last.section):
        return last.section
    parent = last.section.parent
    return parent if parent is not None and span.section.within(parent) else None


def _piece(lines: Lines, span: _Span) -> Piece:
    start, raw = span.start, lines.text[span.start : span.end]
    bare = raw.rstrip()
    begin = splitting.begin_of(bare, _INDENT)
    heading = span.section.path
    if span.names:
        heading = (*heading, BETWEEN_NAMES.join(dict.fromkeys(span.names)))
    return Piece(
        start=start,
        end=span.end,
        start_line=lines.number_at(start + begin),
        end_line=lines.number_at(start + len(bare) - 1),
        heading=heading,
        anchor=span.anchor,
        body=f"{span.head}{bare[begin:]}{f'{chr(10)}{span.foot.rstrip()}' if span.foot else ''}",
    )
