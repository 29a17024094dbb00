"""What the other modules ask of an element. Pure."""

from __future__ import annotations

import re

from lxml.etree import _Element as Element

_SPACE = re.compile(r"[ \t\n\r\f]+")


def names(said: str) -> frozenset[str]:
    """Classes, ids or tags, written as words."""
    return frozenset(said.lower().split())


HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
BLOCKS = names(
    """address article aside blockquote body center dd details dialog dir div dl dt fieldset figcaption figure
    footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li listing main menu nav ol p pre search section
    summary table tbody td tfoot th thead tr ul xmp"""
)


def classes(element: Element) -> list[str]:
    return (element.get("class") or "").lower().split()


def words(element: Element) -> str:
    """Its text on one line."""
    return one_line("".join(element.itertext()))


def first_words(element: Element, most: int) -> str:
    """The beginning of its text on one line, without reading on: at least `most` characters if there are."""
    pieces: list[str] = []
    for piece in element.itertext():
        pieces.append(piece[: most * 4])
        most -= len(piece)
        if most < 0:
            break
    return one_line("".join(pieces))


def one_line(text: str) -> str:
    return _SPACE.sub(" ", text).strip()


def drop(element: Element) -> None:
    """Takes it out, leaving the text after it where it was."""
    parent = element.getparent()
    if parent is None:
        return
    if tail := element.tail:
        before = element.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + tail
        else:
            parent.text = (parent.text or "") + tail
        element.tail = None
    parent.remove(element)
