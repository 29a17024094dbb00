"""A part of a page as Markdown, block by block. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from lxml.etree import _Element as Element

from catalog.rendering import heading_anchor
from indexing.extracting import code, tables
from indexing.extracting.addresses import Addresses
from indexing.extracting.anchors import anchor_of
from indexing.extracting.elements import BLOCKS, HEADINGS, classes, drop, names, one_line, words
from indexing.extracting.inline import MOST_DEPTH, Inline
from indexing.extracting.marks import at_line_starts, bold, escaped, item, lines_of, unfenced

_RUNS = re.compile(r"[ \t\r\f]+")
_AROUND_BREAK = re.compile(r" *\n[ \n]*")
_ADMONITIONS = names(
    """admonition theme-admonition custom-block alert callout hint starlight-aside markdown-alert admonitionblock
    confluence-information-macro infobox notice"""
)
_ADMONITION_TITLE = re.compile(
    r"(?:admonition-?title|custom-block-title|admonition-?heading|alert-heading|alert-title|aside__title|callout-title"
    r"|callout-heading|hint-title|macro-title)"
)
_KINDS = re.compile(
    r"(?:^|[-_ ])(note|tip|hint|info|important|warning|caution|danger|error|attention|seealso|success|deprecated|todo|"
    r"example|question|bug|abstract|quote|failure)(?:$|[-_ ])"
)
_MOST_NESTED = 10


class _List(str):
    """A block that may follow its item's text without an empty line."""

    __slots__ = ()


class Writer:
    """Writes one page; headings of one page know of each other, for their anchors."""

    def __init__(self, addresses: Addresses) -> None:
        self._inline = Inline(addresses)
        self._taken: dict[str, int] = {}
        self._level = 1
        self._nested = 0
        self._holders: set[Element] = set()
        self._handlers: dict[str, Callable[[Element, list[str], int], None]] = {
            **dict.fromkeys(HEADINGS, self._heading),
            **dict.fromkeys(("ul", "ol", "menu", "dir"), self._list),
            **dict.fromkeys(("pre", "xmp", "listing"), self._code),
            "dl": self._definitions,
            "table": self._table,
            "blockquote": self._quote,
            "details": self._details,
            "hr": lambda _element, _out, _depth: None,
        }

    def write(self, part: Element) -> str:
        for block in part.iter(*BLOCKS):
            up = block.getparent()
            while up is not None and up.tag not in BLOCKS and up not in self._holders:
                self._holders.add(up)
                up = up.getparent()
        out: list[str] = []
        self._block(part, out, 0)
        text = "\n\n".join(each for each in out if each)
        return f"{text}\n" if text else ""

    def _blocks(self, element: Element, out: list[str], depth: int) -> None:
        if depth > MOST_DEPTH:
            self._flush([escaped(words(element))], out)
            return
        run: list[str] = []
        if element.text:
            self._inline.words(element.text, run)
        for child in element:
            if child.tag in BLOCKS or child in self._holders:
                self._flush(run, out)
                run = []
                self._block(child, out, depth)
            else:
                self._inline.element(child, run, depth)
            if child.tail:
                self._inline.words(child.tail, run)
        self._flush(run, out)

    def _block(self, element: Element, out: list[str], depth: int) -> None:
        handler = self._handlers.get(str(element.tag))
        if handler is not None:
            handler(element, out, depth + 1)
            return
        if element.get("class") and not _ADMONITIONS.isdisjoint(classes(element)):
            self._admonition(element, out)
        self._blocks(element, out, depth + 1)

    def _flush(self, run: list[str], out: list[str]) -> None:
        if not run:
            return
        text = _RUNS.sub(" ", "".join(run))
        if "\n" in text:
            text = _AROUND_BREAK.sub("\n", text)
        if text := text.strip():
            out.append(at_line_starts(text))

    def _heading(self, element: Element, out: list[str], depth: int) -> None:
        anchor = anchor_of(element)
        text = self._inline.heading(element, depth)
        if text:
            self._titled(int(str(element.tag)[1]), text, words(element), anchor, out)

    def _titled(self, level: int, text: str, plain: str, anchor: str, out: list[str]) -> None:
        """A heading; with its id only where the page gives it another than GitHub would."""
        self._level = level
        own = ""
        if anchor and anchor != heading_anchor(plain, self._taken):
            own = f" {{#{anchor}}}"
        elif text.endswith("#"):
            text = f"{text[:-1]}\\#"
        out.append(f"{'#' * level} {text}{own}")

    def _list(self, element: Element, out: list[str], depth: int) -> None:
        if self._nested >= _MOST_NESTED:
            self._blocks(element, out, depth)
            return
        self._nested += 1
        number = _number(element.get("start")) if element.tag == "ol" else None
        items: list[str] = []
        for child in element:
            blocks: list[str] = []
            if child.tag == "li":
                self._blocks(child, blocks, depth)
            elif isinstance(child.tag, str):  # a list right in a list, as many write it
                self._block(child, blocks, depth)
            if not blocks:
                continue
            tight = all(isinstance(each, _List) for each in blocks[1:])
            content = ("\n" if tight else "\n\n").join(blocks)
            items.append(item(content, "-" if number is None else f"{number}."))
            number = None if number is None else number + 1
        self._nested -= 1
        if items:
            loose = any("\n\n" in each for each in items)
            out.append(_List(("\n\n" if loose else "\n").join(items)))

    def _code(self, element: Element, out: list[str], _depth: int) -> None:
        text = code.text_of(element)
        if text.strip():
            out.append(code.fenced(text, code.language_of(element)))

    def _quote(self, element: Element, out: list[str], depth: int) -> None:
        if self._nested >= _MOST_NESTED:
            self._blocks(element, out, depth)
            return
        self._nested += 1
        blocks: list[str] = []
        if not _ADMONITIONS.isdisjoint(classes(element)):
            self._admonition(element, blocks)
        self._blocks(element, blocks, depth)
        self._nested -= 1
        if blocks:
            out.append("\n".join(f"> {line}".rstrip(" ") if not line else f"> {line}" for line in lines_of(blocks)))

    def _details(self, element: Element, out: list[str], depth: int) -> None:
        summary = element.find("summary")
        if summary is not None:
            if text := one_line(self._inline.line(summary, depth)):
                out.append(bold(text))
            drop(summary)
        self._blocks(element, out, depth)

    def _admonition(self, element: Element, out: list[str]) -> None:
        """Its title, or its kind, as a line of its own; what it says follows."""
        for at, each in enumerate(element.iter()):
            if at > 8:
                break
            if at and _ADMONITION_TITLE.search((each.get("class") or "").lower()):
                if text := words(each):
                    out.append(bold(escaped(text)))
                drop(each)
                return
        if found := _KINDS.search((element.get("class") or "").lower()):
            out.append(bold(found[1].capitalize()))

    def _definitions(self, element: Element, out: list[str], depth: int) -> None:
        """Signatures of an API become headings, so that each is found by itself; other terms stand bold."""
        level = self._level
        for child in _terms(element):
            if child.tag == "dt":
                self._term(child, out, min(level + 1, 6), depth)
            else:
                self._blocks(child, out, depth)
        self._level = level

    def _term(self, element: Element, out: list[str], level: int, depth: int) -> None:
        if "sig" in classes(element) or (element.get("id") and next(element.iter("code"), None) is not None):
            anchor = anchor_of(element)
            plain = words(element)
            if plain:
                self._titled(level, code.in_line(plain), plain, anchor, out)
            return
        text = one_line(self._inline.line(element, depth))
        if text:
            out.append(bold(text))

    def _table(self, element: Element, out: list[str], depth: int) -> None:
        if not code.CODE_TABLES.isdisjoint(classes(element)):
            self._code_table(element, out)
            return
        if (caption := element.find("caption")) is not None:
            self._blocks(caption, out, depth)
        if self._nested >= _MOST_NESTED or not tables.is_plain(element):
            for row in tables.rows_of(element):
                for cell in tables.cells_of(row):
                    self._blocks(cell, out, depth)
            return
        self._nested += 1
        if text := tables.as_table(element, lambda cell: self._cell(cell, depth)):
            out.append(text)
        self._nested -= 1

    def _cell(self, element: Element, depth: int) -> str:
        blocks: list[str] = []
        self._blocks(element, blocks, depth)
        lines = [line.strip() for block in blocks for line in unfenced(block)]
        return "<br>".join(line for line in lines if line).replace("|", "\\|")

    def _code_table(self, element: Element, out: list[str]) -> None:
        parts = [each for each in element.iter("pre") if code.is_code(each, element)] or [element]
        texts = [(each, text) for each in parts if (text := code.text_of(each)).strip()]
        if texts:
            out.append(code.fenced("\n".join(text for _each, text in texts), code.language_of(texts[0][0])))


def _number(said: str | None) -> int:
    said = (said or "1").strip()
    return int(said) if said.isascii() and said.isdigit() and len(said) < 8 else 1


def _terms(element: Element) -> list[Element]:
    """<dt> and <dd>, also where they are grouped in <div>."""
    found: list[Element] = []
    for child in element:
        if child.tag == "div":
            found += [each for each in child if each.tag in ("dt", "dd")] or [child]
        elif isinstance(child.tag, str):
            found.append(child)
    return found
