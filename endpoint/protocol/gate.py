"""What is checked before anybody is asked who they are: method, host, origin and headers; and what browsers are told.

A page of a stranger must not reach an installation through the browser of somebody inside (DNS rebinding): its Host
or its Origin gives it away. https://modelcontextprotocol.io/specification/2026-07-28/basic/transports
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host
from mcp_types import INVALID_REQUEST
from starlette.types import Scope

from endpoint.admitted import Refused

_SINGLE = frozenset(
    {
        "host",
        "origin",
        "authorization",
        "content-type",
        "content-length",
        "mcp-protocol-version",
        "mcp-session-id",
        "mcp-method",
        "mcp-name",
    }
)
"""Sent twice, one of them could be read by a proxy and the other one by us."""

_ASKABLE = re.compile(r"(accept|authorization|content-type|last-event-id|mcp-[a-z0-9-]{1,80})\Z")
"""Headers that a page of an allowed origin may send."""
_EXPOSED = b"WWW-Authenticate, Retry-After, Mcp-Session-Id, MCP-Protocol-Version"
"""And those of the answer that it may read."""
_METHODS = b"POST, OPTIONS"
_PREFLIGHT_SECONDS = b"600"

Pairs = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Asker:
    """Whoever may go on to ask."""

    base: str
    """`https://host:port`, as they addressed us."""
    origin: str
    """Of the page that asks, if one does."""

    @property
    def headers(self) -> Pairs:
        """Those that each answer has."""
        general = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"), (b"vary", b"Origin")]
        if not self.origin:
            return general
        return [
            *general,
            (b"access-control-allow-origin", self.origin.encode("latin-1")),
            (b"access-control-expose-headers", _EXPOSED),
        ]


def read(scope: Scope) -> dict[str, str]:
    """The headers by their names, in small letters. Raises Refused for one that is there twice, and says two things."""
    headers: dict[str, str] = {}
    for given, value in scope["headers"]:
        name = given.decode("latin-1").lower()
        if name not in headers:
            headers[name] = value.decode("latin-1")
        elif name in _SINGLE:
            raise Refused(f"The header {name} is there more than once.", status=400, code=INVALID_REQUEST)
    return headers


def check(scope: Scope, headers: Mapping[str, str]) -> Asker:
    """Who asks, as far as host and origin tell. Raises Refused."""
    if "content-length" in headers and "transfer-encoding" in headers:
        raise Refused(
            "The headers say in two ways how long the body is.",
            status=400,
            code=INVALID_REQUEST,
            headers={"Connection": "close"},  # what follows may be meant for a request of its own
        )
    host, origin = headers.get("host", ""), headers.get("origin", "")
    domain, _ = split_domain_port(host)
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        raise Refused(
            "Nothing answers by the name in the Host header. Who runs this installation can add it to ALLOWED_HOSTS.",
            status=421,
            code=INVALID_REQUEST,
        )
    if origin and not _is_allowed(origin, domain):
        raise Refused(
            "Pages of this origin may not ask here. Who runs this installation can add it to MCP_ALLOWED_ORIGINS.",
            status=403,
            code=INVALID_REQUEST,
        )
    scheme = _scheme(scope, headers)
    if settings.SECURE_SSL_REDIRECT and scheme != "https":
        raise Refused("This is answered over https only.", status=403, code=INVALID_REQUEST)
    return Asker(f"{scheme}://{host}", origin)


def check_post(scope: Scope, headers: Mapping[str, str]) -> Refused | None:
    """Why no message can be in it, with `Allow` for other methods; None if one can."""
    if scope["method"] != "POST":
        return Refused(
            "Send messages with POST: this server has none to send by itself, and keeps no sessions.",
            status=405,
            code=INVALID_REQUEST,
            headers={"Allow": _METHODS.decode()},
        )
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return Refused("The Content-Type of a message is application/json.", status=415, code=INVALID_REQUEST)
    accepted = {each.partition(";")[0].strip().lower() for each in headers.get("accept", "").split(",")}
    if not accepted & {"application/json", "application/*", "*/*"}:
        return Refused(
            'Answers are JSON: send the header "Accept: application/json, text/event-stream".',
            status=406,
            code=INVALID_REQUEST,
        )
    return None


def preflight(headers: Mapping[str, str]) -> Pairs:
    """What a browser is told that asks before it sends: the headers of a 204."""
    asked = headers.get("access-control-request-headers", "")
    names = [name for each in asked.split(",") if _ASKABLE.match(name := each.strip().lower())]
    return [
        (b"allow", _METHODS),
        (b"access-control-allow-methods", _METHODS),
        (b"access-control-allow-headers", ", ".join(names).encode("latin-1")),
        (b"access-control-max-age", _PREFLIGHT_SECONDS),
    ]


def _is_allowed(origin: str, domain: str) -> bool:
    allowed: Iterable[str] = settings.MCP_ALLOWED_ORIGINS
    if "*" in allowed or origin in allowed:
        return True
    try:
        parts = urlsplit(origin)
        name = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not name:
        return False
    name = f"[{name}]" if ":" in name else name
    # “Any host” is for a proxy to judge, and says nothing about pages elsewhere: only our own are let in.
    return name == domain if "*" in settings.ALLOWED_HOSTS else validate_host(name, settings.ALLOWED_HOSTS)


def _scheme(scope: Scope, headers: Mapping[str, str]) -> str:
    if settings.TRUSTED_PROXY and "x-forwarded-proto" in headers:
        return "https" if headers["x-forwarded-proto"].partition(",")[0].strip() == "https" else "http"
    return str(scope.get("scheme", "http"))
