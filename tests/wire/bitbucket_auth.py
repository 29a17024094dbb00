"""Who calls Bitbucket, and which privilege scopes they bring.

https://developer.atlassian.com/cloud/bitbucket/rest/intro/#authentication: an API token is Basic with the Atlassian
account's e-mail address; access tokens of a repository, project or workspace and OAuth's are Bearer. App passwords are
gone since July 2026.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from tests.wire.bitbucket_routes import Refused, Route
from tests.wire.messages import Request
from tests.wire.world import Token, World

NOT_SUPPORTED = "Token is invalid, expired, or not supported for this endpoint."
LACKING = "Your credentials lack one or more required privilege scopes."
IMPLIED = {
    # https://developer.atlassian.com/cloud/bitbucket/rest/intro/#bitbucket-oauth-2-0-scopes
    "project": {"repository"},
    "repository:write": {"repository"},
    "pullrequest": {"repository"},
    "pullrequest:write": {"pullrequest", "repository:write", "repository"},
    "account": {"email"},
    "account:write": {"account", "email"},
}

READING = {
    "api": ("read:user:bitbucket", "read:workspace:bitbucket", "read:repository:bitbucket"),
    "workspace": ("account", "repository"),
    "repository": ("repository",),
}
"""The scopes that reading takes, by kind of token."""


def make_token(
    world: World,
    login: str,
    kind: str,
    scopes: Iterable[str] | None,
    email: str,
    repository: str,
    expires_at: datetime | None,
) -> str:
    """A person's API token, or an access token of the workspace `login` or of its one `repository` (a full name)."""
    value = f"{'ATATT3xFfGF0' if kind == 'api' else 'ATCTT3xFfGN0'}{secrets.token_urlsafe(120)}"
    hosted = world.find(repository) if repository else None
    assert kind != "repository" or hosted, "an access token of a repository names it"
    return world.issue(
        value,
        login,
        scopes=frozenset(READING[kind] if scopes is None else scopes),
        forge="bitbucket",
        kind="personal" if kind == "api" else "access",
        email=(email or f"{login.lower()}@example.org") if kind == "api" else "",
        repositories=frozenset({hosted.id}) if hosted else None,
        expires_at=expires_at,
    )


def authenticate(world: World, request: Request) -> Token | None:
    """The caller's token, None for nobody; Refused (401) for a credential that is not good."""
    header = request.headers.get("Authorization", "")
    if not header:
        return None
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        found = world.find_token(value.strip(), "bitbucket")
        if found is None or found.kind == "personal":
            raise Refused(401, NOT_SUPPORTED)
        return found
    user, password = _basic(value) if scheme.lower() == "basic" else ("", "")
    found = world.find_token(password, "bitbucket")
    if found is None or found.kind != "personal" or found.email.lower() != user.lower():
        raise Refused(401, NOT_SUPPORTED)
    return found


def _basic(value: str) -> tuple[str, str]:
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password


def granted(token: Token) -> frozenset[str]:
    """A token's scopes with what they imply; those of API tokens imply nothing."""
    own = token.scopes or frozenset()
    if token.kind == "personal":
        return own
    return own.union(*(IMPLIED.get(scope, ()) for scope in own))


def check_scopes(route: Route, token: Token | None) -> None:
    """Refused (403) where the token lacks what the endpoint asks for."""
    if token is not None:
        require(token, route.api_scopes if token.kind == "personal" else route.scopes)


def require(token: Token, required: frozenset[str]) -> None:
    if not required <= granted(token):
        detail: dict[str, Any] = {"required": sorted(required), "granted": sorted(token.scopes or ())}
        raise Refused(403, LACKING, detail=detail)


def scope_headers(route: Route | None, token: Token | None) -> dict[str, str]:
    """What the token has, and what was wanted: in OAuth's words, whatever kind of token it is."""
    if token is None:
        return {}
    accepted = ", ".join(sorted(route.scopes)) if route else ""
    return {"X-OAuth-Scopes": ", ".join(sorted(token.scopes or ())), "X-Accepted-OAuth-Scopes": accepted}
