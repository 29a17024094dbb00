"""Applications that were registered at a forge, what is refused to them, and how their tokens look."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit


class OAuthRefused(Exception):
    """`error` is RFC 6749's word; `about` is what was wrong.

    That is one of client, redirect_uri, code, verifier, refresh_token, scope and parameters.
    """

    def __init__(self, error: str, about: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.about = about
        self.description = description


@dataclass(slots=True)
class OAuthApp:
    """An application that somebody registered at a forge. A test may change it at any time."""

    forge: str
    client_id: str
    client_secret: str
    name: str
    redirect_uris: set[str]
    scopes: frozenset[str]
    """What may be asked for."""
    ttl: float | None
    """Seconds that access tokens live; None: for ever, and without a refresh token."""
    pkce: bool
    """Whether a code challenge is required."""
    rotate: bool
    """Whether each refresh brings a new refresh token and ends the old one, and the old access token."""
    owner: str = ""
    """The account that client credentials speak for; without one the app has none."""
    app_id: int | None = None
    """The GitHub App whose users' tokens these are: they have its permissions instead of scopes."""
    permissions: frozenset[str] = frozenset()
    refresh_ttl: float | None = None
    """Seconds that refresh tokens live; None: for ever."""

    def takes(self, redirect_uri: str) -> bool:
        """GitLab takes the very addresses that were registered, the others also what is below them."""
        if redirect_uri in self.redirect_uris:
            return True
        return self.forge != "gitlab" and any(_is_below(redirect_uri, known) for known in self.redirect_uris)


def mint(app: OAuthApp, what: str, kind: str) -> str:
    """A token that looks like the forge's own."""
    match app.forge, what:
        case "github", "access":
            return f"{'ghu' if app.app_id else 'gho'}_{secrets.token_hex(18)}"
        case "github", "refresh":
            return f"ghr_{secrets.token_hex(38)}"
        case "bitbucket", "access":
            return f"{secrets.token_urlsafe(60)}{'==' if kind == 'consumer' else '='}"
        case "bitbucket", _:
            return secrets.token_urlsafe(12)
        case _:
            return secrets.token_hex(32)


def _is_below(address: str, known: str) -> bool:
    asked, registered = urlsplit(address), urlsplit(known)
    same = (asked.scheme, asked.netloc) == (registered.scheme, registered.netloc)
    return same and asked.path.startswith(registered.path.rstrip("/") + "/") and ".." not in asked.path
