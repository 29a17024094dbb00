"""Which part of a page is its subject. Pure but for trafilatura, which judges pages that do not say."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from lxml import etree
from lxml.etree import _Element as Element

from indexing.extracting.elements import classes, one_line, words

logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

# By documentation generator, what it writes around a page's text; the more exact one first.
_MARKS: tuple[tuple[str, str], ...] = (
    ("itemprop", "articleBody"),  # Sphinx with the theme of Read the Docs, MkDocs' readthedocs
    ("class", "md-content__inner"),  # Material for MkDocs
    ("class", "theme-doc-markdown"),  # Docusaurus
    ("class", "vp-doc"),  # VitePress
    ("class", "theme-default-content"),  # VuePress
    ("class", "sl-markdown-content"),  # Starlight
    ("class", "bd-article"),  # Sphinx, PyData's theme
    ("class", "rst-content"),
    ("id", "furo-main-content"),
    ("class", "td-content"),  # Docsy
    ("class", "book-article"),  # Hugo Book
    ("class", "markdown-section"),  # GitBook's own files, Docsify
    ("class", "main-content-wrap"),  # Just the Docs
    ("class", "mw-parser-output"),  # MediaWiki
    ("class", "wiki-content"),  # Confluence
    ("id", "main-content"),  # Just the Docs, rustdoc, Confluence Cloud
    ("class", "rm-markdown"),  # ReadMe
    ("class", "mdx-content"),  # Mintlify
    ("id", "content-area"),  # Mintlify
    ("class", "contentcontainer"),  # Javadoc before 11
    ("class", "markdown-body"),  # GitHub, ReadMe before 2023
    ("class", "doc-content"),
    ("class", "post-content"),  # Jekyll's Minima
    ("class", "entry-content"),  # WordPress
)
_BY_ID = {value: rank for rank, (name, value) in enumerate(_MARKS) if name == "id"}
_BY_CLASS = {value: rank for rank, (name, value) in enumerate(_MARKS) if name == "class"}
_FEW = 25
"""Characters: less is not what a page is about."""
_FEW_FOR_JUDGING = 500
_MOST_FOR_JUDGING = 400_000


def subject_of(body: Element) -> tuple[Element, bool]:
    """The part, and whether the page says that it is the subject (or else somebody had to judge)."""
    marked: dict[int, list[Element]] = {}
    mains: list[Element] = []
    articles: list[Element] = []
    for element in body.iter("div", "main", "article", "section", "td"):
        rank = _rank(element)
        if rank is not None:
            marked.setdefault(rank, []).append(element)
        if element.tag == "main" or element.get("role") == "main":
            mains.append(element)
        elif element.tag == "article":
            articles.append(element)
    for rank in sorted(marked):
        found = _one_of(marked[rank])
        if found is not None and _is_enough(found):
            return found, True
    main = _one_of(mains)
    if main is not None and _is_enough(main):
        return _article_in(main, articles), True
    article = _one_of(articles)
    if article is not None and article is not body and _is_enough(article):
        return article, True
    return body, False


def _rank(element: Element) -> int | None:
    attributes = element.attrib
    if attributes.get("itemprop") == "articleBody":
        return 0
    found = _BY_ID.get(attributes.get("id", ""))
    if "class" in attributes:
        for each in classes(element):
            rank = _BY_CLASS.get(each)
            if rank is not None and (found is None or rank < found):
                found = rank
    return found


def _article_in(main: Element, articles: list[Element]) -> Element:
    """The one article of <main>, if it has nearly all that is written there."""
    inside = [each for each in articles if main in each.iterancestors()]
    if len(inside) == 1 and len(words(inside[0])) > 0.6 * len(words(main)):
        return inside[0]
    return main


def _is_enough(element: Element) -> bool:
    return len(words(element)) >= _FEW


def _one_of(elements: list[Element]) -> Element | None:
    """The one that holds them all; where they are parts of one whole, what holds the parts."""
    if not elements:
        return None
    outermost = [elements[0]]
    for each in elements[1:]:
        if outermost[-1] not in each.iterancestors():
            outermost.append(each)
    if len(outermost) == 1:
        return outermost[0]
    return _common(outermost[:200])


def _common(elements: Iterable[Element]) -> Element | None:
    shared: list[Element] | None = None
    for element in elements:
        line = [*reversed(list(element.iterancestors())), element]
        if shared is None:
            shared = line
        else:
            count = next((at for at, (a, b) in enumerate(zip(shared, line, strict=False)) if a is not b), None)
            shared = shared[: min(len(shared), len(line)) if count is None else count]
    return shared[-1] if shared else None


def judged(body: Element) -> Element:
    """Of a page that does not say: the smallest element that has what trafilatura takes for its text.

    Only where it is comes from trafilatura; as text it would lose code and headings.
    """
    source = etree.tostring(body, encoding="unicode", with_tail=False)
    if len(source) > _MOST_FOR_JUDGING or len(words(body)) < _FEW_FOR_JUDGING:
        return body
    import trafilatura  # half a second, and needed by few pages

    try:
        text = trafilatura.extract(source, favor_recall=True, include_comments=False, deduplicate=False) or ""
    except Exception:  # it reads what anybody wrote, and the whole page will do
        logging.getLogger(__name__).warning("trafilatura could not read a page")
        return body
    lines = {one_line(each).lstrip("-# ") for each in text.split("\n")}
    lines = {each for each in lines if len(each) > _FEW}
    holders = [
        each for each in body.iter("p", "li", "dd", "td", "pre", "blockquote", "div") if _own_words(each) in lines
    ]
    if not holders:
        return body
    found = _common(holders[:500])
    if found is None:
        return body
    if found.tag not in ("div", "section", "td", "body"):
        found = found.getparent()
    return _with_title(found if found is not None else body, body)


def _with_title(part: Element, body: Element) -> Element:
    """With the heading that stands before it, where that brings little else."""
    if next(part.iter("h1"), None) is not None or (title := next(body.iter("h1"), None)) is None:
        return part
    both = _common([title, part])
    return both if both is not None and len(words(both)) < 1.3 * len(words(part)) + len(words(title)) else part


def _own_words(element: Element) -> str:
    if element.tag in ("div", "td", "li", "dd") and len(element) > 20:
        return ""
    return words(element)
