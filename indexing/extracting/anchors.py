"""The fragment that leads to a heading, and the marks beside headings that copy it. Pure."""

from __future__ import annotations

import re
from urllib.parse import unquote

from lxml.etree import _Element as Element

from indexing.extracting.elements import classes, names, words

_ID = re.compile(r"[\w.:-]{1,200}")
"""What stands in `{#…}` behind a heading; `indexing.chunking` reads it there."""
MARKS = names(
    """headerlink header-anchor hash-link anchor-link anchorjs-link heading-anchor heading-link permalink
    anchor-heading td-heading-self-link sl-anchor-link doc-anchor headline-link subheading-anchor viewcode-link
    viewcode-back heading-anchor-icon anchor-icon heading-self-link direct-link"""
)
_WORDLESS = re.compile(r"\W*", re.UNICODE)
_SAYS_SO = re.compile(r"(?:permalink|direct link|link) to|navigate to header|section titled|anchor", re.I)


def is_mark(link: Element) -> bool:
    """Whether a link only leads to the heading (or signature) that it stands beside."""
    of_it = classes(link)
    if not MARKS.isdisjoint(of_it):
        return True
    if not (link.get("href") or "").startswith("#"):
        return False
    text = words(link)
    if _WORDLESS.fullmatch(text):
        return next(link.iter("img"), None) is None or "anchor" in of_it
    return "anchor" in of_it and bool(_SAYS_SO.search(text))


def note_anchor(link: Element) -> None:
    """Before a mark is taken out: its heading is told where it led."""
    href = link.get("href") or ""
    if not href.startswith("#") or len(href) < 2:
        return
    up = link.getparent()
    for _ in range(3):
        if up is None:
            return
        if up.tag in ("h1", "h2", "h3", "h4", "h5", "h6", "dt"):
            up.set("data-anchor", unquote(href[1:]))
            return
        up = up.getparent()


def anchor_of(heading: Element) -> str:
    """By its mark, its id, an empty anchor in or before it, or the section that it begins; "" without any."""
    for found in _candidates(heading):
        if found and _ID.fullmatch(found):
            return found
    return ""


def _candidates(heading: Element) -> list[str | None]:
    found = [heading.get("data-anchor"), heading.get("id")]
    for link in heading.iter("a", "span"):
        href = link.get("href") or ""
        found += [link.get("id"), link.get("name") if link.tag == "a" else None]
        if href.startswith("#") and len(href) > 1:
            found.append(unquote(href[1:]))
        break
    before = heading.getprevious()
    if before is not None and before.tag in ("a", "span") and not words(before) and not (before.tail or "").strip():
        found += [before.get("id"), before.get("name")]
    parent = heading.getparent()
    if parent is not None and parent.tag in ("section", "div", "header") and before is None:
        found.append(parent.get("id"))
    return found
