"""An answer read for an agent: as JSON, as text, or told about; without secrets, and no longer than it may be."""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any

import requests

from catalog.calls.results import CallResult, Secrets, Sent

_TOLD = frozenset(
    {
        "allow", "cache-control", "content-language", "content-length", "content-location", "content-type", "date",
        "etag", "expires", "last-modified", "link", "location", "retry-after", "server", "x-request-id",
    }
)  # fmt: skip
_TOLD_BEGINNINGS = ("ratelimit", "x-ratelimit", "x-total", "x-page", "x-next-page")
_LONGEST_HEADER = 500
LONGEST_DATA = 1 << 20
"""Bytes of a body that is no text: a longer one is told about."""
_TEXT_TYPES = frozenset(
    {
        "application/graphql", "application/javascript", "application/x-ndjson", "application/x-www-form-urlencoded",
        "application/xml", "application/yaml", "application/x-yaml", "application/jsonl",
    }
)  # fmt: skip
# Others decode slowly, or to something that is no text.
_CHARSETS = frozenset(
    {"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252", "utf-16", "shift_jis", "gb18030", "euc_jp"}
)

_HALVES = re.compile("[\ud800-\udfff]")
"""Of characters that JSON writes as two: alone they are none, and no answer could hold them."""


@dataclass(frozen=True)
class Limits:
    timeout: float
    """Seconds that one connect or one read may wait."""
    max_bytes: int
    """Of a body, unpacked."""
    max_characters: int
    """Of a body, as agents get it."""


def result(
    sent: Sent,
    response: requests.Response,
    body: bytes,
    *,
    limits: Limits,
    secrets: Secrets,
    seconds: float,
    tries: int,
) -> CallResult:
    content_type = secrets.masked(response.headers.get("Content-Type", ""))[:_LONGEST_HEADER]
    text, value, data = _read(body, response.headers.get("Content-Type", ""), secrets)
    cut = max(0, len(text) - limits.max_characters)
    if cut:
        text, value = (
            f"{text[: limits.max_characters]}\n… (the last {cut:,} characters of the answer are left out)",
            None,
        )
    return CallResult(
        sent=sent,
        status=response.status_code,
        headers=_headers(response.headers, secrets),
        content_type=content_type,
        text=text,
        value=value,
        data=data,
        size=len(body),
        cut=cut,
        seconds=seconds,
        tries=tries,
    )


def _read(body: bytes, content_type: str, secrets: Secrets) -> tuple[str, Any, bytes | None]:
    """The body as text, as JSON where it is some, and as it came where it is no text and may be given on."""
    if not body:
        return "", None, None
    kind, charset = _type_of(content_type)
    is_text = kind.startswith("text/") or kind in _TEXT_TYPES or kind.endswith(("json", "+xml"))
    if kind and not is_text:
        data = body if len(body) <= LONGEST_DATA and not secrets.may_be_in(body) else None
        return f"[binary, {len(body):,} bytes of {secrets.masked(kind)[:100]}]", None, data
    try:
        text = body.decode(charset, "replace" if is_text else "strict")
    except UnicodeDecodeError:
        return f"[binary, {len(body):,} bytes]", None, None
    if kind.endswith("json") or not kind:
        try:
            return *_json(text, secrets), None
        except (ValueError, RecursionError):
            pass  # it says that it is JSON, and is not
    return secrets.masked(text), None, None


def _json(text: str, secrets: Secrets) -> tuple[str, Any]:
    """In one line, each character as itself: so a secret that came with `\\u` in it is found as well."""
    value = json.loads(text.removeprefix("\ufeff"), parse_constant=_no_number, parse_float=_finite)
    line = _HALVES.sub("\N{REPLACEMENT CHARACTER}", json.dumps(value, ensure_ascii=False))
    masked = secrets.masked(line)
    try:
        return masked, json.loads(masked)
    except ValueError:  # a secret was a number
        return masked, None


def _no_number(name: str) -> float:
    raise ValueError(name)


def _finite(digits: str) -> float:
    """1e400 would become Infinity, which is no JSON: others could not read what is given on."""
    number = float(digits)
    return number if math.isfinite(number) else _no_number(digits)


def _type_of(content_type: str) -> tuple[str, str]:
    """The media type in small letters, and a character set that is known."""
    message = Message()
    message["Content-Type"] = content_type or "x"
    kind = message.get_content_type() if content_type.strip() else ""
    try:
        charset = codecs.lookup(str(message.get_content_charset() or "utf-8")).name
    except (LookupError, ValueError):
        charset = "utf-8"
    return kind, charset if charset in _CHARSETS else "utf-8"


def _headers(headers: Mapping[str, str], secrets: Secrets) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, secrets.masked(value)[:_LONGEST_HEADER])
        for name, value in headers.items()
        if name.lower() in _TOLD or name.lower().startswith(_TOLD_BEGINNINGS)
    )
