"""Where a client may have people sent back to. Pure.

https, http to the computer itself (RFC 8252, 7.3: any port), and the schemes of applications (7.1): a reverse domain
name, or one of those that are known. Everything else runs something or leads nobody knows where.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, urlencode, urlsplit

LONGEST = 500
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
KNOWN_SCHEMES = frozenset(
    {"claude", "cursor", "goose", "jetbrains", "kiro", "raycast", "trae", "vscode", "vscode-insiders", "vscodium"}
    | {"warp", "windsurf", "windsurf-next", "zed"}
)
"""Of editors and agents whose scheme is no reverse domain name."""
_PLAIN = re.compile(r"[!-~]+")
_REVERSE_DOMAIN = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9-]+)+")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]+")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a redirect leads, for a person to read."""

    kind: Literal["web", "computer", "application"]
    name: str
    """A host, with its port where it has one, or a scheme."""


def trouble(uri: str, *, schemes: Collection[str] = KNOWN_SCHEMES) -> str:
    """What speaks against registering a redirect URI, as a sentence for a developer; "" for nothing."""
    if len(uri) > LONGEST:
        return f"A redirect URI is no longer than {LONGEST} characters."
    if not _PLAIN.fullmatch(uri) or "\\" in uri:
        return "A redirect URI is plain ASCII, without spaces and backslashes."
    try:
        parts = urlsplit(uri)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return "This redirect URI cannot be read."
    if "#" in uri:
        return "A redirect URI has no fragment."
    if parts.scheme in ("http", "https"):
        return _web_trouble(parts) if port_is_fine else "A redirect URI has a port of 1 and above."
    if parts.scheme in schemes or _REVERSE_DOMAIN.fullmatch(parts.scheme):
        return ""
    return (
        "A redirect URI begins with https, with http on 127.0.0.1, [::1] or localhost, or with the scheme of an "
        "application that is a reverse domain name such as com.example.app."
    )


def _web_trouble(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if "@" in parts.netloc:
        return "A redirect URI has no user name or password in it."
    if not _HOST.fullmatch(host):
        return "The host of this redirect URI is none."
    if parts.scheme == "http" and host not in LOOPBACK:
        return "http is only for redirects to the computer itself: 127.0.0.1, [::1] or localhost. Use https."
    return ""


def matches(uri: str, registered: Collection[str]) -> bool:
    """Whether a redirect URI is a registered one, letter by letter; on the computer itself the port may be another."""
    if uri in registered:
        return True
    portless = _without_port(uri)
    return bool(portless) and any(portless == _without_port(each) for each in registered)


def _without_port(uri: str) -> str:
    """A redirect to the computer itself without its port, "" for all others."""
    if trouble(uri):
        return ""
    parts = urlsplit(uri)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return parts._replace(netloc=host).geturl()


def place_of(uri: str) -> Place:
    """Where a redirect URI without trouble leads."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https"):
        return Place("application", parts.scheme)
    return Place("computer" if parts.scheme == "http" else "web", parts.netloc.lower())


def form_targets(uri: str) -> list[str]:
    """What a Content-Security-Policy must let a form lead to, besides this site, so that its answer may redirect there.

    Browsers judge every further redirect, too, and where a client's address leads on is the client's affair: from the
    computer itself often to a page on the web that says that all is done.
    """
    scheme = urlsplit(uri).scheme
    return ["https:"] if scheme == "https" else ["https:", "http:"] if scheme == "http" else ["https:", f"{scheme}:"]


def with_parameters(uri: str, parameters: Mapping[str, str]) -> str:
    """The URI with these after what is in its query; empty ones are left out."""
    added = urlencode({name: value for name, value in parameters.items() if value})
    return uri + ("&" if "?" in uri and not uri.endswith(("?", "&")) else "" if "?" in uri else "?") + added
