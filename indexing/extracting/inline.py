"""The inside of a paragraph as Markdown: emphasis, code, links, images, formulas. Pure."""

from __future__ import annotations

from lxml.etree import _Element as Element

from indexing.extracting import code
from indexing.extracting.addresses import Addresses
from indexing.extracting.elements import BLOCKS, one_line, words
from indexing.extracting.marks import in_brackets, part_of_line, wrapped

MOST_DEPTH = 60
"""Elements within each other; what is deeper is only text."""
_EMPHASIS = {
    "strong": "**",
    "b": "**",
    "em": "*",
    "i": "*",
    "cite": "*",
    "dfn": "*",
    "var": "*",
    "del": "~~",
    "s": "~~",
}


class Inline:
    """Writes into lists of pieces, which make a paragraph when they are joined."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._in_heading = self._in_link = False

    def heading(self, element: Element, depth: int) -> str:
        """On one line, with neither links nor emphasis."""
        self._in_heading = True
        text = one_line(self.line(element, depth))
        self._in_heading = False
        return text

    def words(self, text: str, run: list[str]) -> None:
        run.append(part_of_line(text, in_heading=self._in_heading, in_link=self._in_link))

    def line(self, element: Element, depth: int) -> str:
        """What is in an element as one line, but for its <br>."""
        run: list[str] = []
        self._inside(element, run, depth)
        return "".join(run)

    def _inside(self, element: Element, run: list[str], depth: int) -> None:
        if depth > MOST_DEPTH:
            self.words("".join(element.itertext()), run)
            return
        if element.text:
            self.words(element.text, run)
        for child in element:
            self.element(child, run, depth + 1)
            if child.tail:
                self.words(child.tail, run)

    def element(self, element: Element, run: list[str], depth: int) -> None:
        """Add an element to what a paragraph has by now; not the text after it."""
        tag = element.tag
        if tag == "br":
            run.append(" " if self._in_heading else "\n")
        elif tag in ("code", "samp", "tt"):
            text = "".join(element.itertext())
            run.append(code.in_line(one_line(text)) or (" " if text else ""))
        elif tag == "a":
            self._link(element, run, depth)
        elif tag == "img":
            self._image(element, run)
        elif tag in _EMPHASIS:
            self._marked(element, _EMPHASIS[tag], run, depth)
        elif tag == "input":
            if element.get("type") == "checkbox":
                run.append("[x] " if "checked" in element.attrib else "[ ] ")
        elif tag == "math":
            self._math(element, run)
        elif isinstance(tag, str):
            self._inside(element, run, depth)
            if tag in BLOCKS:
                run.append(" ")

    def _marked(self, element: Element, mark: str, run: list[str], depth: int) -> None:
        text = self.line(element, depth)
        if not text.strip() or self._in_heading:
            run.append(text)
            return
        run.append(wrapped(text, mark, mark))

    def _link(self, element: Element, run: list[str], depth: int) -> None:
        url = "" if self._in_heading or self._in_link else self._addresses.in_markdown(element.get("href"))
        outer, self._in_link = self._in_link, self._in_link or bool(url)
        text = self.line(element, depth).replace("\n", " ")
        self._in_link = outer
        if not url or not text.strip():
            run.append(text)
        elif text.strip() == url:
            run.append(wrapped(text, "<", ">"))
        else:
            run.append(wrapped(text, "[", f"]({url})"))

    def _image(self, element: Element, run: list[str]) -> None:
        alt = one_line(element.get("alt") or "")
        if not alt:
            return
        source = element.get("src") or ""
        if not source or source.startswith("data:"):
            source = element.get("data-src") or ""
        url = self._addresses.in_markdown(source) if source else ""
        if url and not self._in_heading and "emoji" not in (element.get("class") or ""):
            run.append(f"![{in_brackets(alt)}]({url})")
        else:
            self.words(alt, run)

    def _math(self, element: Element, run: list[str]) -> None:
        for note in element.iter("annotation"):
            if note.get("encoding") == "application/x-tex" and (text := words(note)):
                run.append(f"${text}$")
                return
        self.words("".join(element.itertext()), run)
