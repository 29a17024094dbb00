"""Markdown to HTML that is safe to show. Plain Python, no database.

Whoever can write to a connected repository writes this text, so it is hostile until cleaned: nothing that runs, nothing
that is fetched from elsewhere, no ids or classes but ours. Raw HTML is read as such, then cleaned with everything else.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from html import escape
from itertools import pairwise
from typing import Any
from urllib.parse import unquote, urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

MAX_CHARACTERS = 200_000
"""Longer texts are shown as they are: this much, written to be slow, takes three seconds, and else half a second."""

ID_PREFIX = "section-"
"""Before the id of each heading, so that none meets an id of the page around it."""

Link = Callable[[str], str]
"""From a path of the same server to the address of its page."""

_TAGS = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "blockquote", "pre", "code", "kbd", "samp", "var"),
    *("em", "strong", "del", "s", "sub", "sup", "b", "i", "u", "small", "mark", "abbr", "q", "cite", "ins"),
    *("ul", "ol", "li", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"),
    *("a", "div", "span", "details", "summary"),
}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "ol": {"start"},
    "th": {"align", "colspan", "rowspan"},
    "td": {"align", "colspan", "rowspan"},
    "abbr": {"title"},
    "details": {"open"},
    **{f"h{level}": {"id"} for level in range(1, 7)},
}
_SCROLLED = {tag: {"tabindex": "0"} for tag in ("pre", "table")}
"""What scrolls sideways by itself, so that it can be reached without a mouse."""
_SCHEMES = {"http", "https", "mailto"}
_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?\r?\n)(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_NOT_IN_SLUG = re.compile(r"[^\w\- ]")
# https://html.spec.whatwg.org/multipage/parsing.html#formatting; `a` is left out, of which one alone can be open.
_FORMATTING = re.compile(
    r"<(/?)(b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)(?=[\s/>])[^>]*(?:>|\Z)", re.IGNORECASE
)


def is_markdown(path: str) -> bool:
    """Whether a file is shown rendered."""
    return path.lower().endswith((".md", ".markdown", ".mdx", ".mdown"))


def render_markdown(text: str, *, path: str, link: Link) -> str:
    """Clean HTML of a Markdown text. `path` is the file's own; relative links start there and go through `link`.

    CommonMark with GitHub's tables and strikethrough. Images become links to where they are: nothing is loaded from
    elsewhere. Links that leave the server's root, and schemes but http, https and mailto, lose their address.
    """
    front, body = _split_front_matter(text)
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    tokens = parser.parse(body)
    _name_headings(tokens)
    _images_to_links(tokens)
    html = _plain_formatting(front + str(parser.renderer.render(tokens, parser.options, {})))

    def resolve(_tag: str, attribute: str, value: str) -> str | None:
        if attribute == "href":
            return _address(value, path, link)
        if attribute == "id":
            return value if value.startswith(ID_PREFIX) else f"{ID_PREFIX}{value}"
        return value

    return nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags={"script", "style", "template", "title", "textarea", "iframe", "noscript", "svg", "math"},
        attributes=_ATTRIBUTES,
        attribute_filter=resolve,
        url_schemes=_SCHEMES,
        set_tag_attribute_values=_SCROLLED,
        link_rel="noopener noreferrer nofollow",
    )


def _plain_formatting(html: str) -> str:
    """The same without what cleaning takes off formatting tags anyway: their attributes, and the tags not in `_TAGS`.

    A parser opens those that nobody closed anew in every paragraph, up to three of a kind, but any number that differ
    in an attribute: 40 KB of `<b id=1><b id=2>…` would take a gigabyte.
    """
    return _FORMATTING.sub(lambda tag: f"<{tag[1]}{tag[2]}>" if tag[2].lower() in _TAGS else "", html)


def _split_front_matter(text: str) -> tuple[str, str]:
    """The metadata that documentation tools keep at the top, as a block of code, and the rest."""
    found = _FRONT_MATTER.match(text)
    if not found:
        return "", text
    return f"<pre><code>{escape(found[1])}</code></pre>\n", text[found.end() :]


def _name_headings(tokens: Sequence[Token]) -> None:
    """Give each heading the id that GitHub gives it, behind our prefix, so that links to sections lead somewhere."""
    taken: dict[str, int] = {}
    for opening, content in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        words = "".join(child.content for child in content.children or () if child.type in ("text", "code_inline"))
        opening.attrSet("id", ID_PREFIX + heading_anchor(words, taken))


def heading_anchor(words: str, taken: dict[str, int]) -> str:
    """The id that GitHub gives a heading. `taken` begins empty and is handed on through a text, in whose order headings
    come: of those that would have the same id, the second gets -1."""
    slug = anchor = _NOT_IN_SLUG.sub("", words.strip().lower()).replace(" ", "-")
    while anchor in taken:
        taken[slug] += 1
        anchor = f"{slug}-{taken[slug]}"
    taken[anchor] = 0
    return anchor


def _images_to_links(tokens: Sequence[Token]) -> None:
    for token in tokens:
        if token.children:
            token.children = _without_images(token.children)


def _without_images(children: list[Token]) -> list[Token]:
    replaced: list[Token] = []
    inside_link = False
    for child in children:
        inside_link = child.type == "link_open" or (inside_link and child.type != "link_close")
        if child.type != "image":
            replaced.append(child)
            continue
        words = Token("text", "", 0, content=f"Image: {child.content or child.attrGet('src') or ''}")
        if inside_link:  # a badge: the link around it stays
            replaced.append(words)
        else:
            source: dict[str, Any] = {"href": child.attrGet("src") or ""}
            replaced += [Token("link_open", "a", 1, attrs=source), words, Token("link_close", "a", -1)]
    return replaced


def _address(value: str, path: str, link: Link) -> str | None:
    """Where a link leads: elsewhere, a section of this page, a file of the server; None takes the address away."""
    try:
        parts = urlsplit(value.strip())
    except ValueError:
        return None
    if parts.scheme or parts.netloc:
        return value if parts.scheme.lower() in _SCHEMES else None
    fragment = f"#{ID_PREFIX}{parts.fragment}" if parts.fragment else ""
    if not parts.path:
        return fragment or None
    target = unquote(parts.path)
    joined = target.lstrip("/") if target.startswith("/") else posixpath.join(posixpath.dirname(path), target)
    resolved = posixpath.normpath(joined)
    if resolved.startswith(("..", "/")) or resolved == "." or "\\" in resolved or not resolved.isprintable():
        return None
    return link(resolved) + fragment
