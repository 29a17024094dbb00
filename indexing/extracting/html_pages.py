"""An HTML page as Markdown with its metadata. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from lxml.etree import _Element as Element

from indexing.extracting.addresses import Addresses
from indexing.extracting.charset import decode
from indexing.extracting.elements import words
from indexing.extracting.links import links_of, repositories_of
from indexing.extracting.markdown import Writer
from indexing.extracting.metadata import Metadata, header_directives, headings_of
from indexing.extracting.model import Extracted, Trouble
from indexing.extracting.parsing import Hostile, parse
from indexing.extracting.scripted import signs_of
from indexing.extracting.subject import judged, subject_of
from indexing.extracting.trimming import name_tabs, trim

_HOSTILE = "The page is built in a way that would take too long to read."
_EMPTY = "There is no text on the page."
_SCRIPTED = "A script makes this page in the browser; what the server sends has no text."


def extract_html(body: bytes, *, url: str, content_type: str, headers: Mapping[str, str]) -> Extracted:
    asked = header_directives(headers)
    noindex, nofollow = "noindex" in asked, "nofollow" in asked
    try:
        root = parse(decode(body, content_type=content_type))
    except Hostile:
        return Extracted(noindex=noindex, nofollow=nofollow, trouble=Trouble.UNREADABLE, detail=_HOSTILE)
    if root is None:
        return Extracted(noindex=noindex, nofollow=nofollow, trouble=Trouble.EMPTY, detail=_EMPTY)
    base = next((each.get("href") for each in root.iter("base") if each.get("href")), "")
    addresses = Addresses(url, base or "")
    about = Metadata(root, addresses)
    asked = about.robots(headers)
    links, repositories = links_of(root, addresses), repositories_of(root, addresses)
    breadcrumbs, modified = about.breadcrumbs(), about.modified()
    signs = signs_of(root)
    markdown, headings = _text(root, addresses)
    trouble, detail = None, ""
    if signs.mean_it(markdown):
        trouble, detail = Trouble.NEEDS_JAVASCRIPT, _SCRIPTED
    elif not markdown.strip():
        trouble, detail = Trouble.EMPTY, _EMPTY
    return Extracted(
        markdown="" if trouble else markdown,
        title=about.title(headings),
        description=about.description(),
        breadcrumbs=breadcrumbs,
        modified=modified,
        canonical=about.linked("canonical"),
        repositories=repositories,
        noindex="noindex" in asked,
        nofollow="nofollow" in asked,
        links=links,
        trouble=trouble,
        detail=detail,
    )


def _text(root: Element, addresses: Addresses) -> tuple[str, tuple[str, ...]]:
    """The Markdown of the page's subject, and its heading. Changes the tree."""
    body = root if root.tag == "body" else next(root.iter("body"), root)
    part, known = subject_of(body)
    name_tabs(part)
    trim(part, known=known)
    if known and not words(part):
        part, known = body, False
        trim(part, known=False)
    if not known:
        part = judged(part)
    headings = headings_of(part, root)
    return Writer(addresses).write(part), headings
