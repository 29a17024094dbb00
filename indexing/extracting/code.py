"""Code blocks as they were written: out of what Pygments, Rouge, Chroma, Shiki, Prism and highlight.js make of them,
without line numbers, prompts to copy, and file names. Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from itertools import pairwise

from lxml.etree import _Element as Element

from indexing.extracting.elements import classes, names

_LANGUAGE = re.compile(r"(?:language|lang|highlight-source|highlight-text|highlight|brush:?)[-_:]([a-z0-9+#._-]{1,30})")
_HASHED = re.compile(r"_\w+\b")
_LONG = 200
_BRUSH = re.compile(r"brush:\s*([a-z0-9+#._-]{1,30})", re.I)
_NAME = re.compile(r"[a-z0-9+#._-]{1,30}")
_NO_LANGUAGE = names(
    "none default plain plaintext nohighlight no-highlight undefined unknown auto notranslate code raw null"
)
_AFTER_THESE = frozenset({"sourcecode", "hljs", "src", "sh_sourcecode", "prism-code"})
"""Classes that a language's bare name stands beside: Pandoc, highlight.js, Org."""
_NOT_LANGUAGES = frozenset(
    {"numbersource", "numberlines", "copy", "wrap", "theme-light", "theme-dark", "shiki", "rdmd-code"}
)
_LEFT_OUT_TAGS = frozenset({"button", "nav", "style", "script", "template", "clipboard-copy", "svg", "select", "input"})
_LEFT_OUT = names(
    """linenos linenumber line-number linenumbers line-numbers-rows line-numbers-wrapper lineno ln lnt gutter
    rouge-gutter hljs-ln-numbers hljs-ln-n code-line-number codelinenumber react-syntax-highlighter-line-number
    copy copybtn copy-button copy-btn btn-copy buttons toolbar code-toolbar-item clipboard
    zeroclipboard-container grid-gutter blob-num code__copy code-copy sr-only visually-hidden screen-reader-text
    ec-line-number"""
)
_LINES = frozenset(
    {"line", "ec-line", "token-line", "code-line", "view-line", "highlight-line", "hljs-ln-line", "cl-line"}
)
_BLOCK_LINES = frozenset({"div", "li", "tr", "p"})
CODE_TABLES = frozenset({"highlighttable", "rouge-table", "lntable", "hljs-ln", "codehilitetable", "linenodiv"})


def text_of(element: Element) -> str:
    """Its text, exactly: no line end at its beginning that HTML ignores, and not the one that ends its last line."""
    lines = [each for each in element.iter("span", "div", "li", "tr", "code") if _is_line(each)]
    if lines and (joined := _by_lines(element, lines)) is not None:
        text = joined
    else:
        text = _shown_text(element)
        if element.tag == "pre" and (element.text or "").startswith("\n"):
            text = text[1:]  # https://html.spec.whatwg.org/multipage/grouping-content.html#the-pre-element
    return text.removesuffix("\n")


def _by_lines(element: Element, lines: list[Element]) -> str | None:
    """Where each line is an element and nothing ends one (as a style sheet does it), with line ends between them."""
    outermost = [each for each in lines if not any(_is_line(up) for up in _up_to(each, element))]
    block = outermost[0].tag in _BLOCK_LINES
    texts = [_shown_text(each) for each in outermost]
    if not block:
        ended = any("\n" in (each.tail or "") for each in outermost) or any(
            text.endswith("\n") for text in texts[:-1] if text
        )
        if ended or len(outermost) == 1:
            return None
    return "\n".join(text.removesuffix("\n") for text in texts)


def _up_to(element: Element, top: Element) -> Iterator[Element]:
    up = element.getparent()
    while up is not None and up is not top:
        yield up
        up = up.getparent()


def _is_line(element: Element) -> bool:
    if element.get("data-line") is not None or (element.tag == "li" and element.getparent() is not None):
        return True
    return not _LINES.isdisjoint(classes(element)) and _is_shown(element)


def _is_shown(element: Element) -> bool:
    if element.tag in _LEFT_OUT_TAGS or "data-nosnippet" in element.attrib:
        return False
    of_it = element.get("class")
    return not of_it or (_names_code(of_it) if len(of_it) < _LONG else _names_code.__wrapped__(of_it))


@functools.lru_cache(2048)
def _names_code(of_it: str) -> bool:
    """Whether nothing among its classes is of what stands beside code; `lineNumber_x9zQ` is `lineNumber`."""
    return _LEFT_OUT.isdisjoint(_HASHED.sub("", of_it.lower()).split())


def _shown_text(element: Element) -> str:
    """Its text in order, <br> as a line end."""
    pieces: list[str] = []
    _gather(element, pieces)
    return "".join(pieces)


def _gather(element: Element, pieces: list[str]) -> None:
    if element.text:
        pieces.append(element.text)
    for child in element:
        if child.tag == "br":
            pieces.append("\n")
        elif isinstance(child.tag, str) and _is_shown(child):
            _gather(child, pieces)
        if child.tail:
            pieces.append(child.tail)


def language_of(element: Element) -> str:
    """As its classes or data attributes name it, on it, in it, or on what holds nothing else; "" if none does."""
    inner = [each for each in element.iter("code", "pre") if each is not element][:2]
    outer: list[Element] = []
    up = element.getparent()
    while (
        up is not None and len(outer) < 8 and up.tag in ("div", "figure", "td", "tr", "tbody", "table", "code", "pre")
    ):
        outer.append(up)
        up = up.getparent()
    for each in [*inner, element, *outer]:
        if found := _language_on(each):
            return "" if found in _NO_LANGUAGE else found
    return ""


def _language_on(element: Element) -> str:
    for name in ("data-lang", "data-language"):
        said = (element.get(name) or "").lower()
        if said and _NAME.fullmatch(said):
            return said
    if brush := _BRUSH.search(element.get("data-syntaxhighlighter-params") or element.get("class") or ""):
        return brush[1].lower()
    of_it = classes(element)
    for each in of_it:
        found = _LANGUAGE.match(each)
        if found and found[0] not in ("highlight-lines",):
            return "html" if found[1] == "html-basic" else found[1]
    if element.tag in ("pre", "code"):
        for first, second in pairwise(of_it):
            if first in _AFTER_THESE and second not in _NOT_LANGUAGES and _NAME.fullmatch(second):
                return second.removeprefix("src-")
        if "rust" in of_it:  # rustdoc
            return "rust"
    return ""


def fenced(text: str, language: str) -> str:
    """With a fence longer than any in it (https://spec.commonmark.org/0.31.2/#fenced-code-blocks)."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def in_line(text: str) -> str:
    """A code span (https://spec.commonmark.org/0.31.2/#code-spans)."""
    text = text.strip()
    if not text:
        return ""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    mark = "`" * (longest + 1)
    return f"{mark} {text} {mark}" if longest else f"{mark}{text}{mark}"


def is_code(element: Element, table: Element) -> bool:
    """Whether a <pre> in a table of code has the code, not the line numbers."""
    return _is_shown(element) and all(_is_shown(up) for up in _up_to(element, table))
