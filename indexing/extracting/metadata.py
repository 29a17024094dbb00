"""What a page says of itself: title, description, breadcrumbs, dates, addresses. Pure."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from lxml.etree import _Element as Element

from indexing.extracting.addresses import Addresses
from indexing.extracting.elements import one_line, words

_LONGEST = 500
_MOST_CRUMBS = 10
_MOST_PARTS = 40
_MOST_TRIED = 5
_MOST_JSON = 200_000
_SEPARATORS = re.compile(r"\s+[|·•—–:»«/-]+\s+|\s*[|»«—]\s*|: ")
_MODIFIED = (
    "article:modified_time", "og:updated_time", "datemodified", "last-modified", "dcterms.modified", "dc.date.modified",
    "revised", "docsearch:modified", "build:date",
)  # fmt: skip
_LAST = re.compile(r"last\s+(?:updated?|modified|changed|edited|reviewed)(?:\s+on)?\s*:?\s*(.{6,40})", re.I)
_LAST_WORDS = re.compile(r"last\s+(?:updated?|modified|changed|edited|reviewed)", re.I)
_DATES = ("%b %d, %Y", "%B %d, %Y", "%Y-%m-%d", "%d %B %Y", "%d %b %Y", "%Y/%m/%d", "%m/%d/%Y")
_DATE_WORDS = re.compile(
    r"[A-Za-z]{3,9}\.? \d{1,2}, \d{4}|\d{1,2} [A-Za-z]{3,9} \d{4}|\d{4}[-/]\d{2}[-/]\d{2}|\d{2}/\d{2}/\d{4}"
)
_NOT_ITS_HEADING = frozenset({"header", "nav", "aside", "footer", "dialog"})
_CRUMBS = re.compile(r"(?:^|[-_ ])(?:wy-|bd-|theme-doc-)?breadcrumbs?(?:$|[-_ ])", re.I)


class Metadata:
    """Reads a page's own words; each method by itself, as none is worth more than the others' absence."""

    def __init__(self, root: Element, addresses: Addresses) -> None:
        self._root = root
        self._addresses = addresses
        self._meta: dict[str, str] = {}
        for element in root.iter("meta"):
            name = element.get("name") or element.get("property") or element.get("itemprop") or ""
            content = element.get("content")
            if name and content:
                self._meta.setdefault(name.strip().lower(), content[:10_000])
        self._objects = list(_objects(root))

    def said(self, *names: str) -> str:
        return next((found for name in names if (found := one_line(self._meta.get(name, "")))), "")

    def title(self, headings: tuple[str, ...]) -> str:
        """Without the site's name where it is plain which part that is; `headings` are the page's own."""
        element = next(self._root.iter("title"), None)
        whole = one_line((element.text or "") if element is not None else "")[:_LONGEST]
        social = self.said("og:title", "twitter:title")[:_LONGEST]
        if not whole:
            return next(iter(headings), social)
        parts = _SEPARATORS.split(whole)
        for heading in headings:
            if _same(heading, whole) or any(_same(heading, part) for part in parts):
                return heading
        site = self.said("og:site_name", "application-name", "apple-mobile-web-app-title")
        if site and len(parts) > 1:
            if _same(parts[-1], site):
                return _between(whole[: whole.rfind(parts[-1])])
            if _same(parts[0], site):
                return _between(whole[len(parts[0]) :])
        for heading in [*headings, social]:
            if heading and whole.casefold().startswith(heading.casefold()):
                return heading
        return whole

    def description(self) -> str:
        return self.said("description", "og:description", "twitter:description")[:_LONGEST]

    def modified(self) -> str:
        """ISO 8601, or ""."""
        for said in (self.said(name) for name in _MODIFIED):
            if found := _iso(said):
                return found
        for each in self._objects:
            if isinstance(each.get("dateModified"), str) and (found := _iso(each["dateModified"])):
                return found
        return self._modified_in_text()

    def _modified_in_text(self) -> str:
        for element in self._root.iter("time", "relative-time"):
            near = " ".join(f"{up.get('class') or ''}" for up in (element, *_ups(element, 3))).lower()
            up = element.getparent()
            before = words(up)[:80] if up is not None else ""
            is_it = element.get("itemprop") == "dateModified" or "updated" in near or "modified" in near
            if is_it or _LAST.search(before):
                return _iso(element.get("datetime") or words(element))
        for element in self._root.iter("p", "div", "span", "footer", "small", "li"):
            if element.text and "ast " in element.text and _LAST_WORDS.search(element.text[:500]):
                last = _LAST.search(words(element)[:500])
                date = _DATE_WORDS.search(last[1]) if last else None
                return _iso(date[0]) if date else ""
        return ""

    def breadcrumbs(self) -> tuple[str, ...]:
        for each in self._objects:
            if _is_a(each, "BreadcrumbList") and (found := _listed(each)):
                return found
        tried = 0
        for element in self._root.iter("nav", "ol", "ul", "div", "p"):
            label = f"{element.get('class') or ''} {element.get('id') or ''} {element.get('aria-label') or ''}"
            if "readcrumb" not in label and "BreadcrumbList" not in (element.get("itemtype") or ""):
                continue
            if "readcrumb" in label and not _CRUMBS.search(label):
                continue
            crumbs = itertools.islice(element.iter("li"), _MOST_PARTS)
            items = list(crumbs) or [
                each for each in itertools.islice(element.iter("a", "span"), _MOST_PARTS) if not len(each)
            ]
            texts = [words(each).strip(" /›»>·\u200b|") for each in items]
            if found := tuple(dict.fromkeys(text[:100] for text in texts if text and len(text) < 200)):
                return found[:_MOST_CRUMBS]
            tried += 1
            if tried == _MOST_TRIED:
                break
        return ()

    def linked(self, rel: str) -> str:
        """The address of <link rel=…>, absolute; "" without one."""
        for element in self._root.iter("link"):
            if rel in (element.get("rel") or "").lower().split():
                return self._addresses.web(element.get("href"))
        return ""

    def robots(self, headers: Mapping[str, str]) -> frozenset[str]:
        """What robots are asked, in <meta name=robots> and in the header
        (https://developers.google.com/search/docs/crawling-indexing/robots-meta-tag)."""
        return directives(self._meta.get("robots", "")) | header_directives(headers)


def headings_of(part: Element, root: Element) -> tuple[str, ...]:
    """What may be the page's title: its text's first heading, then one of the first level that stands before it."""
    found = [words(each) for each in itertools.islice(part.iter("h1"), 1)]
    found += [words(each) for each in itertools.islice(part.iter("h1", "h2"), 1)]
    for element in itertools.islice(root.iter("h1"), 5):
        if not any(up.tag in _NOT_ITS_HEADING for up in element.iterancestors()):
            found.append(words(element))
    clean = (each.rstrip("¶#§🔗\u200b ").strip()[:_LONGEST] for each in found)
    return tuple(dict.fromkeys(each for each in clean if each))


def directives(said: str) -> frozenset[str]:
    found = frozenset(each.strip().lower() for each in said[:1_000].split(","))
    return found | {"noindex", "nofollow"} if "none" in found else found


def header_directives(headers: Mapping[str, str]) -> frozenset[str]:
    """Of X-Robots-Tag; what it asks of another robot by name is not for us."""
    said = next((value for name, value in headers.items() if name.lower() == "x-robots-tag"), "")
    found: set[str] = set()
    for_all = True
    for part in said[:1_000].split(","):
        name, colon, rest = part.partition(":")
        if colon and name.strip().lower() not in (
            "unavailable_after",
            "max-snippet",
            "max-image-preview",
            "max-video-preview",
        ):
            for_all = name.strip().lower() in ("*", "millrace")
            part = rest
        if for_all:
            found |= directives(part)
    return frozenset(found)


def _objects(root: Element) -> Iterator[dict[str, Any]]:
    """Of JSON-LD, those at the top or in a graph."""
    left = _MOST_JSON
    for element in root.iter("script"):
        if (element.get("type") or "").lower() != "application/ld+json":
            continue
        text = element.text or ""
        left -= len(text)
        if left < 0:
            return
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            continue
        for each in found if isinstance(found, list) else [found]:
            if isinstance(each, dict):
                yield each
                graph = each.get("@graph")
                yield from (node for node in graph if isinstance(node, dict)) if isinstance(graph, list) else ()


def _is_a(each: dict[str, Any], name: str) -> bool:
    kind = each.get("@type")
    return kind == name or (isinstance(kind, list) and name in kind)


def _listed(each: dict[str, Any]) -> tuple[str, ...]:
    items = each.get("itemListElement")
    found: list[tuple[float, str]] = []
    for at, item in enumerate(items[:50] if isinstance(items, list) else []):
        if not isinstance(item, dict):
            continue
        inner = item.get("item")
        name = item.get("name") or (inner.get("name") if isinstance(inner, dict) else "")
        position = item.get("position")
        if isinstance(name, str) and one_line(name):
            place = (
                int(position)
                if isinstance(position, int | str) and str(position).isdecimal() and len(str(position)) < 6
                else at
            )
            found.append((place, one_line(name)[:100]))
    return tuple(name for _place, name in sorted(found, key=lambda pair: pair[0]))[:_MOST_CRUMBS]


def _ups(element: Element, count: int) -> Iterator[Element]:
    for at, up in enumerate(element.iterancestors()):
        if at >= count:
            return
        yield up


def _between(text: str) -> str:
    return text.strip(" \t|·•—–:»«/-")


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _iso(said: str) -> str:
    said = said.strip()[:60]
    if not said:
        return ""
    try:
        return datetime.fromisoformat(said).isoformat()
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(said).astimezone(UTC).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        pass
    for pattern in _DATES:
        try:
            return datetime.strptime(said.replace(".", ""), pattern).date().isoformat()
        except ValueError:
            continue
    return ""
