"""A visit, read: what the page says, and where it leads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from indexing.crawling.model import Visit
from indexing.crawling.urls import Cover, canonical
from indexing.extracting import Extracted, extract
from indexing.models import Format
from indexing.reasons import SkipReason
from indexing.sites.deciding import Fate, believes, fate_of

_UNKEPT = re.compile("[\\0\ud800-\udfff]")
"""PostgreSQL keeps no NUL, and half of a character has no UTF-8."""
_LONGEST = {"title": 300, "etag": 254, "last_modified": 64}
"""Characters that `indexing.models.Page` has room for."""
_LONGEST_DESCRIPTION = 1000
_CRUMBS = 12


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of one page, ready to be written."""

    url: str
    fate: Fate
    skip: SkipReason | None = None
    detail: str = ""
    status: int | None = None
    etag: str = ""
    last_modified: str = ""
    title: str = ""
    text: str = field(default="", repr=False)
    format: str = Format.MARKDOWN
    meta: Mapping[str, Any] = field(default_factory=dict)
    stands_for: str = ""
    """The page that it names as its own address, or redirects to; "" for itself."""
    redirects: bool = False
    links: tuple[str, ...] | None = field(default=None, repr=False)
    """Where it leads, absolute; None where nobody can tell, and what it said the last time holds."""


def read(visit: Visit, *, cover: Cover) -> Reading:
    """What a visit came to."""
    if visit.leads_to and visit.leads_to != visit.url and cover.covers(visit.leads_to):
        return redirected(visit.url, visit.leads_to, status=visit.status)
    if visit.skip is not None or visit.not_modified:
        fate = fate_of(not_modified=visit.not_modified, skip=visit.skip)
        gone = visit.skip == SkipReason.NOT_FOUND
        links: tuple[str, ...] | None = () if gone else None
        return Reading(visit.url, fate, visit.skip, clean(visit.detail), visit.status, links=links)
    found = extract(
        visit.body, url=visit.final_url or visit.url, content_type=visit.content_type, headers=visit.headers
    )
    return _of_page(visit, found, cover)


def redirected(url: str, to: str, *, status: int | None = None) -> Reading:
    """Of a page that leads to another one of the site."""
    return Reading(url, Fate.TAKE, status=status, stands_for=to, redirects=True, links=(to,))


def _of_page(visit: Visit, found: Extracted, cover: Cover) -> Reading:
    named = canonical(found.canonical) if found.canonical else ""
    believed = believes(named, url=visit.url, start=cover.start, covered=bool(named) and cover.covers(named))
    links = () if found.nofollow else tuple(link.url for link in found.links if not link.nofollow)
    skip = _why_not(found)
    return Reading(
        visit.url,
        fate_of(not_modified=False, skip=skip),
        skip,
        clean(found.detail),
        visit.status,
        etag=_header(visit.etag, "etag"),
        last_modified=_header(visit.last_modified, "last_modified"),
        title=clean(found.title, _LONGEST["title"]),
        text="" if skip else clean(found.markdown),
        format=found.format,
        meta=_meta(visit, found),
        stands_for=named if believed else "",
        links=(named, *links) if believed else links,
    )


def _why_not(found: Extracted) -> SkipReason | None:
    if found.noindex:
        return SkipReason.NOINDEX
    if found.trouble:
        return SkipReason(found.trouble)
    return None if found.markdown.strip() else SkipReason.EMPTY


def _meta(visit: Visit, found: Extracted) -> dict[str, Any]:
    said = {
        "description": clean(found.description, _LONGEST_DESCRIPTION),
        "breadcrumbs": [clean(each, _LONGEST["title"]) for each in found.breadcrumbs[:_CRUMBS]],
        "modified": clean(found.modified or visit.modified, 40),
    }
    return {name: value for name, value in said.items() if value}


def clean(text: str, longest: int | None = None) -> str:
    """Without what a database does not keep."""
    return _UNKEPT.sub("", text)[:longest]


def _header(value: str, name: str) -> str:
    """A part of one would be sent back as something that the site never said."""
    return value if len(value) <= _LONGEST[name] and not _UNKEPT.search(value) else ""
