"""Where a page leads, and which repository it says that it comes from. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from lxml.etree import _Element as Element

from indexing.extracting.addresses import Addresses
from indexing.extracting.elements import classes, names, words
from indexing.extracting.model import Link

_MOST = 20_000
_MOST_REPOSITORIES = 5
_REFRESH = re.compile(r"^\s*[\d.]{0,10}\s*[;,]\s*url\s*=\s*['\"]?([^'\"]{1,2000})", re.I)
_EDIT = re.compile(
    r"\b(?:edit|improve|suggest (?:edits?|changes)|view source|page source|source code|view on git\w+)\b", re.I
)
_NAMES_IT = re.compile(r"repositor|github|gitlab|bitbucket|codeberg|gitea", re.I)
_ITS_PLACES = frozenset(
    {"md-source", "icon-github", "fa-github", "github-corner", "header-github-link", "vpsociallink"}
)
_DEEPER = re.compile(r"/(?:-/)?(?:edit|blob|tree|src|raw|blame|issues|commits?|_edit)(?:/|$)")
_FORGE = re.compile(r"(?:^|\.)(?:github|gitlab|bitbucket|codeberg|gitea)\.|^git\.", re.I)
_NOT_OWNERS = names(
    """features about login join orgs sponsors marketplace topics apps settings explore pricing search site users"""
)


def links_of(root: Element, addresses: Addresses) -> tuple[Link, ...]:
    """In the order of the page, each address once; one that is followed somewhere is followed."""
    found: dict[str, bool] = {}
    for element in root.iter("a", "area", "frame", "iframe", "meta"):
        if element.tag == "meta":
            refresh = (element.get("http-equiv") or "").lower() == "refresh"
            matched = _REFRESH.match(element.get("content") or "") if refresh else None
            href = matched[1] if matched else None
        elif element.tag in ("frame", "iframe"):
            href = element.get("src") if element.tag == "frame" else None
        else:
            href = element.get("href")
        if not href or href.startswith("#"):
            continue
        if url := addresses.web(href):
            nofollow = "nofollow" in (element.get("rel") or "").lower().split()
            found[url] = nofollow and found.get(url, True)
            if len(found) >= _MOST:
                break
    return tuple(Link(url, nofollow) for url, nofollow in found.items())


def repositories_of(root: Element, addresses: Addresses) -> tuple[str, ...]:
    """Addresses of repositories: of “Edit this page” first, then those that a header or its icon leads to."""
    edits: dict[str, None] = {}
    named: dict[str, None] = {}
    for element in root.iter("a", "link"):
        href = element.get("href") or ""
        if element.tag == "link" and "edit" not in (element.get("rel") or "").split():
            continue
        if "//" not in href or not (url := addresses.web(href)) or not (place := repository_in(url)):
            continue
        label = f"{element.get('title') or ''} {element.get('aria-label') or ''} {words(element)[:80]}"
        deeper = _DEEPER.search(url)
        if "edit" in (element.get("rel") or "").split() or (deeper and _EDIT.search(label)):
            edits[place] = None
        elif not deeper and (_NAMES_IT.search(label) or not _ITS_PLACES.isdisjoint(classes(element))):
            named[place] = None
    return tuple({**edits, **named})[:_MOST_REPOSITORIES]


def repository_in(url: str) -> str:
    """https://host/owner/name of a page of it at a forge; "" for what is none."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return ""
    path = _DEEPER.split(parts.path)[0].strip("/").removesuffix(".git")
    levels = path.split("/")
    if not _FORGE.search(host) or len(levels) < 2 or levels[0].lower() in _NOT_OWNERS or not all(levels):
        return ""
    if "gitlab" not in host:
        levels = levels[:2]
    return f"{parts.scheme}://{parts.netloc}/{'/'.join(levels)}"
