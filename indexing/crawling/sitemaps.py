"""Sitemaps (https://www.sitemaps.org/protocol.html): lists of pages, lists of lists, gzipped or not, or plain text."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

MAX_BYTES = 20 << 20
"""Of one file, unpacked. The protocol allows 50 MB; 50,000 entries, which it allows, too, take 5 to 10."""
MAX_FILES = 50
MAX_ENTRIES = 50_000
_GZIP = b"\x1f\x8b"
_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")


@dataclass(frozen=True, slots=True)
class Entry:
    url: str
    """As it stands there."""
    modified: str = ""
    """ISO 8601; "" where it does not say, or says something else."""


@dataclass(frozen=True, slots=True)
class Sitemap:
    """One file. What is broken in it is left out, and what comes before that is kept."""

    entries: tuple[Entry, ...] = ()
    sitemaps: tuple[str, ...] = ()
    """Other files, where it is an index."""


def read(body: bytes) -> Sitemap:
    """A file as it was sent. An empty Sitemap for what is none."""
    text = _unpacked(body)
    start = text[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        return _read_xml(text)
    return Sitemap(tuple(_lines(text)))


def _unpacked(body: bytes) -> bytes:
    """Without more than MAX_BYTES of it, and without an error where it breaks off."""
    if not body.startswith(_GZIP):
        return body[:MAX_BYTES]
    try:
        return zlib.decompressobj(wbits=31).decompress(body, MAX_BYTES)
    except zlib.error:
        return b""


def _lines(text: bytes) -> Iterator[Entry]:
    for line in text.decode("utf-8", "replace").splitlines()[:MAX_ENTRIES]:
        if line.startswith(("http://", "https://")):
            yield Entry(line.strip())


def _read_xml(text: bytes) -> Sitemap:
    entries: list[Entry] = []
    files: list[str] = []
    # No entities, no files, no network: what a document type would bring in stays outside.
    parser = etree.iterparse(
        io.BytesIO(text),
        events=("end",),
        tag=("{*}url", "{*}sitemap"),
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
    )
    try:
        for _, element in parser:
            url = _child(element, "loc")
            if not url:
                pass
            elif etree.QName(element).localname == "sitemap":
                files.append(url)
            else:
                said = _child(element, "lastmod")
                entries.append(Entry(url, said if _DATE.fullmatch(said) else ""))
            element.clear()
            if len(entries) >= MAX_ENTRIES or len(files) >= MAX_ENTRIES:
                break
    except (etree.LxmlError, ValueError):
        pass  # what was read so far counts
    return Sitemap(tuple(entries), tuple(files))


def _child(element: etree._Element, name: str) -> str:
    """Its text; "" where there is none, or where an entity stands in it."""
    child = element.find(f"{{*}}{name}")
    return "" if child is None or len(child) else (child.text or "").strip()
