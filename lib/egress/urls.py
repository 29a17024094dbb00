"""Which URLs may be asked, and what goes along when a server redirects."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit

from lib.egress.errors import SchemeRefused, TooManyRedirects, UrlRefused

MAX_REDIRECTS = 5

# What follows a redirect to another origin. An allow-list: any other header may be somebody's credential.
_HARMLESS = frozenset({"accept", "accept-encoding", "accept-language", "connection", "range", "user-agent"})


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port, the port filled in: what a credential belongs to."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").rstrip("."), parts.port or {"http": 80, "https": 443}.get(scheme)


def check_url(url: str, *, came_from: str = "") -> None:
    """Refuse what we never ask for, before any name is resolved. `came_from` is the URL that redirected here."""
    try:
        parts = urlsplit(url)
        scheme, host, _ = origin(url)
    except ValueError:
        raise UrlRefused("The address is not a valid URL. Check its spelling.") from None
    if scheme not in ("http", "https"):
        raise SchemeRefused("Only http:// and https:// addresses are asked.")
    if came_from and urlsplit(came_from).scheme.lower() == "https" and scheme == "http":
        raise SchemeRefused("The server redirects from https to http, which would be readable on the way.")
    if "@" in parts.netloc:
        raise UrlRefused("The address holds a user name or password. Enter it without, and the token in its own field.")
    if not host or "\\" in parts.netloc:  # some read a backslash as a slash, and so another host
        raise UrlRefused("The address has no valid host name.")


def redirect_target(url: str, location: str) -> str:
    """Where a `Location` header leads from `url`, checked."""
    try:
        target = urljoin(url, location)
    except ValueError:
        raise UrlRefused("The server redirects to something that is not a URL.") from None
    check_url(target, came_from=url)
    return target


def count_hop(hops: int, limit: int) -> None:
    if hops > limit:
        raise TooManyRedirects(f"The server redirected more than {limit} times.")


def harmless(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that may go along to another origin."""
    return {name: value for name, value in headers.items() if name.lower() in _HARMLESS}
