"""What a body is: by its type, then by its address's ending, then by its first bytes. Pure."""

from __future__ import annotations

import enum
import re
from urllib.parse import unquote, urlsplit

from indexing.formats import ENDINGS


class Kind(enum.Enum):
    HTML = "html"
    PDF = "pdf"
    TEXT = "text"
    OTHER = "other"


FORMATS = {
    **{ending: name for name, endings in ENDINGS.items() for ending in endings},
    ".txt": "plain",
    ".text": "plain",
}
"""How a text is written, by the ending of its address."""
_OF_TYPES = {
    "text/markdown": "markdown",
    "text/x-markdown": "markdown",
    "text/mdx": "markdown",
    "text/x-rst": "rst",
    "text/prs.fallenstein.rst": "rst",
    "text/asciidoc": "asciidoc",
    "text/x-asciidoc": "asciidoc",
}
_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_UNSAID = frozenset({"", "application/octet-stream", "binary/octet-stream", "text/plain", "unknown/unknown"})
_LOOKS_LIKE_HTML = re.compile(
    rb"\A(?:\xef\xbb\xbf)?(?:\s|<!--.{0,2000}?-->|<\?xml[^>]{0,200}>)*<(?:!doctype html|html|head|body)\b", re.I | re.S
)
_LLMS = re.compile(r"/llms(?:-full|-ctx|-small)?\.txt$", re.I)


def media_type(content_type: str) -> str:
    """`text/html` of `text/HTML; charset=…`."""
    return content_type.partition(";")[0].strip().lower()


def kind_of(body: bytes, *, url: str, content_type: str) -> Kind:
    """What is to be read. A type that says nothing (or only that it is text) is not believed against the bytes."""
    said = media_type(content_type)
    if body.startswith(b"%PDF-") or said == "application/pdf" or b"%PDF-" in body[:1024]:
        return Kind.PDF
    if said in _HTML_TYPES:
        return Kind.HTML
    if said in _UNSAID and _ending(url) not in FORMATS and _LOOKS_LIKE_HTML.match(body[:4096]):
        return Kind.HTML
    if said.startswith("text/") and said not in (
        "text/css",
        "text/javascript",
        "text/xml",
        "text/csv",
        "text/calendar",
    ):
        return Kind.TEXT
    if said in _UNSAID and _ending(url) in FORMATS:
        return Kind.TEXT
    return Kind.OTHER


def format_of(url: str, content_type: str) -> str:
    """`indexing.models.Format` of a text, by the type where it names one, else by the ending of its address."""
    if said := _OF_TYPES.get(media_type(content_type)):
        return said
    if _LLMS.search(urlsplit(url).path):
        return "markdown"  # https://llmstxt.org: a Markdown file, whatever its ending
    return FORMATS.get(_ending(url), "plain")


def _ending(url: str) -> str:
    try:
        name = unquote(urlsplit(url).path).rpartition("/")[2].lower()
    except ValueError:
        return ""
    return "." + name.rpartition(".")[2] if "." in name else ""
