"""HTML as a tree, in bounded time and memory. Pure.

libxml2 stops by itself at 256 levels, at texts of 10 MB, and expands no entity of a document's own. What it does not
bound is a tag with very many attributes: building it takes the square of their number (100,000 of them: minutes). So a
larger page is first read without building anything.
"""

from __future__ import annotations

from typing import Any, cast

from lxml import etree
from lxml.etree import _Element as Element

MOST_ATTRIBUTES = 512
MOST_ELEMENTS = 300_000
_SMALL = 16_000
"""Characters: fewer cannot cost more than a tenth of a second."""


class Hostile(Exception):  # named for what happened
    """A page that no author writes, and that would take too long."""


class _Counting:
    """What lxml tells of each tag, instead of building a tree."""

    def __init__(self) -> None:
        self.elements = 0

    def start(self, _tag: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        if len(attributes) > MOST_ATTRIBUTES or self.elements > MOST_ELEMENTS:
            raise Hostile

    def close(self) -> None:
        return None


def parse(text: str) -> Element | None:
    """The root element, without comments; None where there is no element at all. Raises Hostile."""
    data = text.encode("utf-8", "replace")
    if not data.strip():
        return None
    try:
        if len(text) > _SMALL:
            etree.fromstring(data, parser=etree.HTMLParser(encoding="utf-8", target=cast("Any", _Counting())))
        parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
        root: Element | None = etree.fromstring(data, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        return None
    return root
