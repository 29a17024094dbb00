"""The blocks of a Markdown text: CommonMark with GitHub's tables, and the front matter of documentation tools.

Only blocks are read, not what is inside of them, so that nothing but headings is looked at closely. What markdown-it
would need too long for (a megabyte of nothing but list items, say) is read for its headings and fences alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from catalog.rendering import heading_anchor
from indexing.chunking.blocks import Block, Kind, Outline
from indexing.chunking.lines import Lines

MOST_EFFORT = 150_000
"""About a second: what a line costs is 1, and a line's list markers and quotes cost more."""
_MARKER = re.compile(r"^[ \t>]*(?:[-*+]|\d{1,9}[.)]|#{1,6}|>)(?=[ \t\r\n]|$)", re.MULTILINE)
_QUOTE = re.compile(r"^(?:[ \t]{0,3}>){2,}", re.MULTILINE)
_COST_OF_MARKER = 8

_BLOCKS = MarkdownIt("commonmark", {"maxNesting": 12}).enable("table").disable(["reference"])
_BLOCKS.core.ruler.enableOnly(["normalize", "block"])
_INLINE = MarkdownIt("commonmark")

_FRONT = re.compile(r"\A(---|\+\+\+)[ \t]*\r?\n(.{0,65536}?\n)??(?:\1|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_FRONT_KEY = re.compile(r"^[\w.\"-]+[ \t]*[:=]", re.MULTILINE)
_FRONT_TITLE = re.compile(r"^title[ \t]*[:=][ \t]*(.+?)[ \t]*\r?$", re.MULTILINE)
_OWN_ID = re.compile(r"[ \t]*\{:?[ \t]*#([\w.:-]{1,200})[^{}]{0,200}\}[ \t]*$")
_REFERENCE = re.compile(r"\[([^\[\]]*)\]\[[^\[\]]*\]")
_INLINE_MARKS = re.compile(r"[\\`*_\[\]<>&!]")
_HTML_HEADING = re.compile(r"<h([1-6])\b[^>]*>(.*?)</h\1>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})(.*)$")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
LONGEST_HEADING = 1_000
_CONTAINERS = {
    "blockquote_open": Kind.TEXT,
    "bullet_list_open": Kind.LIST,
    "ordered_list_open": Kind.LIST,
    "list_item_open": Kind.TEXT,
}


def read(lines: Lines) -> Outline:
    front, title = _front_matter(lines)
    blocks = [Block(Kind.CODE, 0)] if front else []
    rest = lines.text[lines.starts[front] :] if front < len(lines) else ""
    reader = _Reader(lines, front)
    if _effort(rest) <= MOST_EFFORT:
        blocks += reader.blocks(iter(_BLOCKS.parse(rest)))
    else:
        blocks += reader.outline()
    return Outline(blocks, title)


def _front_matter(lines: Lines) -> tuple[int, str]:
    """How many lines it has, and the title in it."""
    found = _FRONT.match(lines.text)
    if found is None or not _FRONT_KEY.search(found[2] or ""):
        return 0, ""
    title = _FRONT_TITLE.search(found[2])
    count = lines.number_at(found.end()) - 1 if found.end() < len(lines.text) else len(lines)
    return count, _unquoted(title[1]) if title else ""


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1].strip()
    return "" if text[0] in "|>&*[{" else text


def _effort(text: str) -> int:
    deepest = max((found[0].count(">") for found in _QUOTE.finditer(text)), default=1)
    markers = sum(1 for _ in _MARKER.finditer(text))
    tables = text.count("|")
    return (text.count("\n") + text.count("\r")) * min(deepest, 12) + _COST_OF_MARKER * markers + 2 * tables


class _Reader:
    def __init__(self, lines: Lines, first: int) -> None:
        self.lines, self.first = lines, first
        self.anchors: dict[str, int] = {}

    def blocks(self, tokens: Iterator[Token], closing: str = "") -> list[Block]:
        """Those up to the token that closes what they are in; all of the text without one."""
        found: list[Block] = []
        for token in tokens:
            if token.type == closing:
                break
            if token.map is None:
                continue
            start = token.map[0] + self.first
            if token.type in _CONTAINERS:
                kind, inner = _CONTAINERS[token.type], self.blocks(tokens, token.type.replace("_open", "_close"))
                found.append(Block(kind, start, children=inner))
            else:
                found.append(self._leaf(start, token, tokens))
        return found

    def _leaf(self, start: int, token: Token, rest: Iterator[Token]) -> Block:
        """A block with no others in it; what belongs to it is taken from the rest of the tokens."""
        match token.type:
            case "heading_open":
                return self._heading(start, token, next(rest))
            case "paragraph_open":
                next(rest)
                return Block(Kind.TEXT, start)
            case "table_open":
                next(inside for inside in rest if inside.type == "table_close")
                return Block(Kind.CODE, start, head=self.lines.span(start, min(start + 2, len(self.lines))))
            case "fence":
                return self._fence(start, token.markup, token.info)
            case "html_block":
                return self._html(start, token)
            case _:
                return Block(Kind.CODE, start)

    def _heading(self, start: int, opening: Token, content: Token) -> Block:
        name, anchor = self._named(content.content)
        if opening.level:  # in a list or a quotation: it counts, but begins no section
            return Block(Kind.TEXT, start)
        return Block(Kind.HEADING, start, level=int(opening.tag[1]), name=name, anchor=anchor)

    def _named(self, content: str) -> tuple[str, str]:
        """A heading's words and its anchor."""
        content = content[:LONGEST_HEADING]
        own = _OWN_ID.search(content)
        if own is not None:
            content = content[: own.start()]
        words = _plain(content)
        anchor = heading_anchor(words, self.anchors)
        return " ".join(words.removesuffix("¶").split()), own[1] if own else anchor

    def _html(self, start: int, token: Token) -> Block:
        heading = _HTML_HEADING.search(token.content[: 2 * LONGEST_HEADING])
        if heading is None or token.level:
            return Block(Kind.CODE, start)
        name = " ".join(_TAG.sub("", heading[2]).split())
        if not name:
            return Block(Kind.CODE, start)
        anchor = heading_anchor(name, self.anchors)
        return Block(Kind.HEADING, start, level=int(heading[1]), name=name, anchor=anchor)

    def _fence(self, start: int, markup: str, info: str) -> Block:
        opening = self.lines.rows[start]
        # In a list or a quotation the fence has what keeps it in there before it; the list's marker is not repeated.
        before = re.sub(r"[^>\s]", " ", opening[: max(0, opening.find(markup))])
        return Block(Kind.CODE, start, head=f"{before}{markup}{info.rstrip()}\n", foot=f"{before}{markup}\n")

    def outline(self) -> list[Block]:
        """Headings and fences alone, in one pass over the lines."""
        found: list[Block] = []
        rows, number = self.lines.rows, self.first
        while number < len(rows):
            row = rows[number]
            if heading := _ATX.match(row):
                name, anchor = self._named(heading[2] or "")
                found.append(Block(Kind.HEADING, number, level=len(heading[1]), name=name, anchor=anchor))
            elif fence := _FENCE.match(row):
                markup = fence[1]
                found.append(self._fence(number, markup, fence[2]))
                number += 1
                while number < len(rows) and not _closes(rows[number], markup):
                    number += 1
            elif not row.strip():
                pass
            elif not found or found[-1].kind is not Kind.TEXT or not rows[number - 1].strip():
                found.append(Block(Kind.TEXT, number))
            number += 1
        return found


def _closes(row: str, markup: str) -> bool:
    """Whether a line ends a fence: at most three spaces, then at least as many of the same sign and nothing else."""
    bare = row.strip()
    return len(bare) >= len(markup) and not bare.strip(markup[0]) and row.find(bare) < 4


def _plain(content: str) -> str:
    if not _INLINE_MARKS.search(content):
        return content.strip()
    # Where a reference leads is known only to the whole text; its words are what counts.
    tokens = _INLINE.parseInline(_REFERENCE.sub(r"\1", content))
    children = tokens[0].children or []
    return "".join(
        " " if child.type in ("softbreak", "hardbreak") else child.content
        for child in children
        if child.type in ("text", "code_inline", "softbreak", "hardbreak")
    ).strip()
