"""GitLab's OAuth at `/oauth`: its consent page, its tokens, and Doorkeeper's words for what is wrong.

https://docs.gitlab.com/api/oauth2/. Where GitLab has a sub-path (`/gitlab`) its pages are below it too.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from urllib.parse import unquote

from tests.wire.consent import consent
from tests.wire.contract import Violation
from tests.wire.messages import Headers, Reply, Request, json_reply
from tests.wire.oauth import Issued, OAuthRefused
from tests.wire.world import World

PATH = re.compile(r"(?P<prefix>(/gitlab)?)(?P<path>/oauth/(authorize|token|revoke|token/info))")
METHODS = {
    "/oauth/authorize": {"GET", "POST"},
    "/oauth/token": {"POST"},
    "/oauth/revoke": {"POST"},
    "/oauth/token/info": {"GET"},
}
CREDENTIALS = {"client_id", "client_secret"}
FIELDS = {
    "authorization_code": {"code", "redirect_uri", "code_verifier"},
    "refresh_token": {"refresh_token", "redirect_uri", "code_verifier", "scope"},
}
SAID = {
    "invalid_grant": "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI"
    " used in the authorization request, or was issued to another client.",
    "invalid_client": "Client authentication failed due to unknown client, no client authentication included, or"
    " unsupported authentication method.",
    "invalid_request": "The request is missing a required parameter, includes an unsupported parameter value, or is"
    " otherwise malformed.",
    "unauthorized_client": "You are not authorized to revoke this token",
    "unsupported_grant_type": "The authorization grant type is not supported by the authorization server.",
}


class GitLabOAuth:
    def __init__(self, world: World, violations: list[Violation]) -> None:
        self.world = world
        self.violations = violations

    def knows(self, request: Request) -> bool:
        if not (found := PATH.fullmatch(request.path)):
            return False
        request.prefix, request.path = found["prefix"], found["path"]
        return True

    def check(self, request: Request) -> Reply | None:
        complaints = []
        if request.method not in METHODS[request.path]:
            complaints.append(f"{request.method} is not offered")
        if request.method == "POST" and request.query:
            complaints.append("parameters in the address of a POST: secrets end in logs")
        if request.query.keys() & {"client_secret", "access_token"}:
            complaints.append("a secret in the address")
        if request.path == "/oauth/token" and not complaints:
            sent = request.form()
            known = FIELDS.get(sent.get("grant_type", ""), set()) | CREDENTIALS | {"grant_type"}
            complaints += [f"unknown parameter {name!r}" for name in sorted(sent.keys() - known)]
        if not complaints:
            return None
        self.violations.append(Violation("client", request.line, "; ".join(complaints)))
        return _refused("invalid_request")

    def answer(self, request: Request) -> Reply:
        match request.path:
            case "/oauth/authorize":
                also = frozenset({"root_namespace_id", "nonce", "access_type", "prompt"})
                return consent(self.world, request, forge="gitlab", name="GitLab", also=also)
            case "/oauth/token":
                return self._token(request)
            case "/oauth/revoke":
                return self._revoke(request)
            case _:
                return self._info(request)

    def _token(self, request: Request) -> Reply:
        sent, oauth = request.form(), self.world.oauth
        client, secret = _client(request)
        try:
            match sent.get("grant_type"):
                case "authorization_code":
                    asked = (sent.get("code", ""), sent.get("redirect_uri", ""), sent.get("code_verifier", ""))
                    return _issued(oauth.exchange(client, secret, *asked))
                case "refresh_token":
                    return _issued(oauth.refresh(client, secret, sent.get("refresh_token", "")))
                case kind:
                    return _refused("unsupported_grant_type" if kind else "invalid_request")
        except OAuthRefused as refused:
            return _refused(refused.error)

    def _revoke(self, request: Request) -> Reply:
        """Doorkeeper answers 200 to a token that nobody knows, and 403 to one of another client."""
        client, secret = _client(request)
        try:
            app = self.world.oauth.client(client, secret)
        except OAuthRefused:
            return _refused("unauthorized_client", 403)
        token = request.form().get("token", "")
        owner = self.world.oauth.owner_of(token)
        if owner is not None and owner is not app:
            return _refused("unauthorized_client", 403)
        self.world.oauth.revoke(token)
        return json_reply({})

    def _info(self, request: Request) -> Reply:
        value = request.headers.get("Authorization", "").removeprefix("Bearer ")
        found, app = self.world.find_token(value, "gitlab"), self.world.oauth.owner_of(value)
        if found is None or app is None:
            said = {"error": "invalid_token", "error_description": "The access token is invalid"}
            reply = json_reply({**said, "state": "unauthorized"}, 401)
            reply.headers["WWW-Authenticate"] = 'Bearer realm="Doorkeeper", error="invalid_token"'
            return reply
        left = None if found.expires_at is None else int(found.expires_at.timestamp() - time.time())
        return json_reply(
            {
                "resource_owner_id": found.account.id,
                "scope": sorted(found.scopes or ()),
                "expires_in": left,
                "application": {"uid": app.client_id},
                "created_at": int(time.time()) - (int(app.ttl or 0) - (left or 0)),
                "scopes": sorted(found.scopes or ()),
                "expires_in_seconds": left,
            }
        )


def _client(request: Request) -> tuple[str, str]:
    """Its id and secret: in the body, or as Basic (RFC 6749 section 2.3.1)."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return unquote(client), unquote(secret)
    sent = request.form()
    return sent.get("client_id", ""), sent.get("client_secret", "")


def _issued(issued: Issued) -> Reply:
    """https://docs.gitlab.com/api/oauth2/#authorization-code-flow"""
    body = {
        "access_token": issued.access_token,
        "token_type": "Bearer",
        **({} if issued.expires_in is None else {"expires_in": issued.expires_in}),
        **({"refresh_token": issued.refresh_token} if issued.refresh_token else {}),
        "scope": " ".join(sorted(issued.scopes)),
        "created_at": issued.created_at,
    }
    return json_reply(body, Cache_Control="no-store", Pragma="no-cache")


def _refused(error: str, status: int = 0) -> Reply:
    code = status or (401 if error == "invalid_client" else 400)
    reply = json_reply({"error": error, "error_description": SAID.get(error, error)}, code)
    if code == 401:
        reply.headers = Headers(
            [*reply.headers.items(), ("WWW-Authenticate", f'Bearer realm="Doorkeeper", error="{error}"')]
        )
    return reply
