"""What a search tool answered, as things found: whatever shape it has, nothing of it is trusted. Pure.

Servers answer with structured content in one of some common shapes, with the same as JSON in a text, with Markdown, or
with plain text.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from indexing.chunking.cutting import cut
from indexing.federation.model import Answer, Block, Found
from lib.egress import EgressError, check_url

MOST = 50
"""Things of one answer."""
LONGEST = 20_000
"""Characters of one of them that are looked at."""
LONGEST_TEXT = 200_000
"""Characters of a text that holds several."""
_LONGEST_TITLE, _LONGEST_URL = 300, 2048
_DEEPEST = 3
"""Levels at which a list of results is looked for."""
_WIDEST = 100

_LISTS = ("results", "items", "hits", "documents", "matches", "result", "data", "sources", "chunks", "pages", "content")
_TITLES = ("title", "name", "heading", "page_title", "pageTitle", "label", "id", "path")
_URLS = ("url", "link", "href", "web_url", "html_url", "source_url", "sourceUrl", "permalink", "uri", "source")
_TEXTS = (
    *("snippet", "text", "content", "body", "excerpt", "description", "summary"),
    *("markdown", "page_content", "pageContent", "chunk", "passage", "highlight"),
)
_HTML = re.compile(
    r"<!--|-->|</?(?:a|abbr|article|aside|audio|b|base|body|br|button|center|cite|code|dd|del|details|div|dl|dt|em|embed"
    r"|figure|font|footer|form|frame|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|kbd|label|li|link|main|mark|math"
    r"|meta|nav|object|ol|option|p|pre|s|script|section|select|small|span|strike|strong|style|sub|summary|sup|svg|table"
    r"|tbody|td|template|textarea|tfoot|th|thead|title|tr|tt|u|ul|video)\b[^<>]{0,2000}>",
    re.IGNORECASE,
)
"""Tags as they are in pages; not what only looks alike, as `Vec<String>` does."""
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]")
_NAMED_URL = re.compile(
    r"^\W{0,8}(?:url|link|source|page|href|permalink)\W{0,8}[:=]\W{0,8}(https?://[^\s<>\"'`|)\]]{1,2048})",
    re.IGNORECASE | re.MULTILINE,
)
_LINKED = re.compile(r"^[\s#*\d.>-]{0,12}\[([^\[\]\n]{1,300})\]\((https?://[^\s()<>]{1,2048})\)")
_NAMED_TITLE = re.compile(r"^\W{0,8}title\W{0,8}[:=][ \t*]{0,8}(\S[^\n]{0,300})", re.IGNORECASE | re.MULTILINE)
_BETWEEN = re.compile(r"^[ \t]*(?:-{3,}|={3,}|\*{3,})[ \t]*$", re.MULTILINE)
_MARKS = re.compile(r"^[\s#>*+-]+|[*_`]{1,3}")


def found_in(answer: Answer, *, limit: int) -> tuple[Found, ...]:
    """At most `limit` things in the server's own order; none of what has no text. Structured content comes first."""
    for things in (_in_values(answer.structured), _in_blocks(answer.blocks)):
        kept: dict[tuple[str, str], Found] = {}
        for thing in things:
            kept.setdefault((thing.url, thing.text), thing)
            if len(kept) >= min(limit, MOST):
                break
        if kept:
            return tuple(kept.values())
    return ()


# -- structured --------------------------------------------------------------------------------------------------------


def _in_values(value: Any) -> Iterator[Found]:
    for item in _listed(value)[:_WIDEST]:
        if isinstance(item, str):
            yield from _in_text(item)
        elif isinstance(item, Mapping) and (thing := _of_mapping(item)) is not None:
            yield thing


def _listed(value: Any) -> list[Any]:
    """The nearest list of things in a value; a thing by itself is a list of one."""
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        following: list[Any] = []
        for each in level:
            if isinstance(each, list):
                return each
            if not isinstance(each, Mapping):
                continue
            ordered = [each[name] for name in _LISTS if name in each]
            if any(isinstance(inner, list) for inner in ordered):
                return next(inner for inner in ordered if isinstance(inner, list))
            following += ordered or list(each.values())[:_WIDEST]
        if (
            len(level) == 1
            and isinstance(level[0], Mapping)
            and _text_of(level[0])
            and _first(level[0], _TITLES + _URLS)
        ):
            return level
        level = following[:_WIDEST]
    return [value] if isinstance(value, Mapping) else []


def _of_mapping(item: Mapping[str, Any]) -> Found | None:
    inner = item.get("document") or item.get("metadata")
    if isinstance(inner, Mapping):
        item = {**inner, **item}
    text = _text_of(item)
    url = next((url for name in _URLS if (url := web_address(item.get(name)))), "")
    return _thing(_first(item, _TITLES), text, url)


def _text_of(item: Mapping[str, Any]) -> str:
    return next((text for name in _TEXTS if (text := _as_text(item.get(name)))), "")


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value[:LONGEST].strip()
    if isinstance(value, list):
        return "\n".join(filter(None, (_as_text(each) for each in value[:20] if not isinstance(each, list))))[:LONGEST]
    if isinstance(value, Mapping):
        return next((each[:LONGEST] for name in _TEXTS if isinstance(each := value.get(name), str)), "")
    return ""


def _first(item: Mapping[str, Any], names: Iterable[str]) -> str:
    return next((each for name in names if isinstance(each := item.get(name), str) and each.strip()), "")


# -- texts -------------------------------------------------------------------------------------------------------------


def _in_blocks(blocks: Iterable[Block]) -> Iterator[Found]:
    for block in list(blocks)[:_WIDEST]:
        if block.title or block.url:
            if (thing := _thing(block.title, block.text, web_address(block.url))) is not None:
                yield thing
        else:
            yield from _in_text(block.text)


def _in_text(text: str) -> Iterator[Found]:
    text = text[:LONGEST_TEXT].strip()
    if text[:1] in ("{", "["):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict | list):
            yield from _in_values(value)
            return
    parts = [part for part in _BETWEEN.split(text) if part.strip()] if text.count("\n") else [text]
    for part in parts:
        yield from _in_markdown(part)


def _in_markdown(text: str) -> Iterator[Found]:
    found = cut(text, "markdown")
    for piece in found.pieces:
        link, named = _LINKED.search(piece.body), _NAMED_TITLE.search(piece.body)
        address = _NAMED_URL.search(piece.body)
        title = link[1] if link else named[1] if named else piece.heading[-1] if piece.heading else found.title
        url = link[2] if link else address[1] if address else ""
        if (thing := _thing(title, piece.body, web_address(url))) is not None:
            yield thing


# -- fit to be shown ---------------------------------------------------------------------------------------------------


def _thing(title: str, text: str, url: str) -> Found | None:
    text = plain(text[:LONGEST])
    if not text:
        return None
    first = next((line for line in text.split("\n") if line.strip()), "")
    shown = one_line(title) or one_line(_MARKS.sub("", first)[:120])
    return Found(shown or url, text, url)


def plain(text: str) -> str:
    """Without tags, and without characters that are not seen or that turn what follows around."""
    return _UNSEEN.sub("", unicodedata.normalize("NFC", _HTML.sub(" ", text).replace("\r\n", "\n"))).strip()


def one_line(text: str) -> str:
    return " ".join(plain(text[: 4 * _LONGEST_TITLE]).split())[:_LONGEST_TITLE]


def web_address(value: object) -> str:
    """The value if it is the address of a page, else ""."""
    if not isinstance(value, str) or len(value) > _LONGEST_URL:
        return ""
    url = value.strip()
    if not url.isprintable() or any(each in url for each in " <>\"'`\\"):
        return ""
    try:
        check_url(url)
    except (EgressError, ValueError):
        return ""
    return url
