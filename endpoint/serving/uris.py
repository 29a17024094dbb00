"""How documents are called: URIs of content, and the ids that a search gives. Pure.

A file is its resource, `millrace://<server>/<path>`, whatever version it is read in. A page of an indexed source is
`page:<source>:<address>`, a repository's file `page:<source>:<path>`. What has no text here says so: `live:…` was
fetched as somebody searched, `elsewhere:…` another MCP server told of. Whoever reads one looks only at what the request
may see: an id opens nothing by itself.
"""

from __future__ import annotations

import re
import unicodedata
import uuid
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, unquote_to_bytes

from catalog.paths import BadPath, check_path

SCHEME = "millrace://"
MAX_LENGTH = 8_192
"""Characters of an id: a path of 1,024 bytes has three times as many when each is encoded."""
_SAFE = "/!$&'()*+,;=:@~"
"""What stands in a path as it is (RFC 3986, 3.3)."""
_URI = re.compile(r"millrace://(?P<server>[A-Za-z0-9_-]{1,80})/(?P<path>.+)\Z", re.DOTALL | re.IGNORECASE)
_OF_SOURCE = re.compile(r"(?P<kind>page|live|elsewhere):(?P<source>[0-9a-f-]{36}):(?P<address>.+)\Z", re.DOTALL)
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class FileId:
    server: str
    """Its slug."""
    path: str


@dataclass(frozen=True, slots=True)
class SourceId:
    """A page of a source, or what is known of one by name alone."""

    kind: Literal["page", "live", "elsewhere"]
    source: uuid.UUID
    address: str
    """URL of a page, path in a repository; of what another server told, its title where it has no URL."""

    def __str__(self) -> str:
        return f"{self.kind}:{self.source}:{self.address}"


def uri_of(server: str, path: str) -> str:
    return f"{SCHEME}{server}/{quote(path, safe=_SAFE)}"


def template_of(server: str) -> str:
    """RFC 6570: slashes of the path stay."""
    return f"{SCHEME}{server}/{{+path}}"


def is_content(uri: str) -> bool:
    """Whether it is written as a URI of content; there need be none."""
    return uri[: len(SCHEME)].lower() == SCHEME


def parse_uri(uri: str) -> FileId | None:
    """None for what can be no file's: also for `..`, for what is encoded twice, and for bytes that are no UTF-8."""
    match = _URI.match(uri) if len(uri) <= MAX_LENGTH else None
    if match is None:
        return None
    try:
        path = unquote_to_bytes(match["path"]).decode("utf-8")
    except (UnicodeDecodeError, UnicodeEncodeError):
        return None
    return FileId(match["server"].lower(), found) if (found := parse_path(path)) is not None else None


def parse_path(path: str) -> str | None:
    """The path as files have it; None for what none can have."""
    if len(path) > MAX_LENGTH:  # before it is taken apart: a request can bring megabytes
        return None
    try:
        return check_path(unicodedata.normalize("NFC", path))
    except BadPath:
        return None


def parse_id(text: str) -> FileId | SourceId | None:
    """What an id says; None for what is no id."""
    if is_content(text):
        return parse_uri(text)
    match = _OF_SOURCE.match(text) if len(text) <= MAX_LENGTH else None
    if match is None or not is_storable(match["address"]):
        return None
    try:
        source = uuid.UUID(match["source"])
    except ValueError:
        return None
    return SourceId(match["kind"], source, match["address"])  # type: ignore[arg-type]  # one of the three


def is_storable(text: str) -> bool:
    """Whether both databases take it, and UTF-8 has bytes for it."""
    return not re.search(r"[\x00\ud800-\udfff]", text)


def shown(text: str) -> str:
    """What a client sent, fit to be told back to it in a sentence."""
    text = _UNSHOWN.sub(" ", text[:400]).strip()
    return text if len(text) <= 200 else f"{text[:200]}…"
