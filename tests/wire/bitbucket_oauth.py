"""Bitbucket's OAuth at `/site/oauth2`: its consent page, its tokens, and its own words for what is wrong.

https://developer.atlassian.com/cloud/bitbucket/rest/intro/#oauth-2-0
"""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote

from tests.wire.consent import consent
from tests.wire.contract import Violation
from tests.wire.messages import Reply, Request, json_reply
from tests.wire.oauth import Issued, OAuthRefused
from tests.wire.world import World

PREFIX = "/site/oauth2"
METHODS = {"/site/oauth2/authorize": {"GET", "POST"}, "/site/oauth2/access_token": {"POST"}}
CREDENTIALS = {"client_id", "client_secret"}
FIELDS = {
    "authorization_code": {"code", "redirect_uri", "code_verifier"},
    "refresh_token": {"refresh_token"},
    "client_credentials": {"scope"},
}
SAID = {
    # What was wrong -> status, error, description: not always RFC 6749's word, a bad refresh token above all.
    "client": (401, "unauthorized_client", "Requests must be authenticated using OAuth client credentials"),
    "refresh_token": (400, "invalid_request", "Invalid refresh_token"),
    "code": (400, "invalid_grant", "The specified code is not valid."),
}


class BitbucketOAuth:
    def __init__(self, world: World, violations: list[Violation]) -> None:
        self.world = world
        self.violations = violations

    def knows(self, request: Request) -> bool:
        return request.path.startswith(PREFIX + "/")

    def check(self, request: Request) -> Reply | None:
        complaints = []
        if request.method not in METHODS.get(request.path, ()):
            complaints.append(f"no such page, or not for {request.method}")
        elif request.path.endswith("/access_token"):
            sent = request.form()
            known = FIELDS.get(sent.get("grant_type", ""), set()) | CREDENTIALS | {"grant_type"}
            complaints += [f"unknown parameter {name!r}" for name in sorted(sent.keys() - known)]
            if request.query:
                complaints.append("parameters in the address of a POST: secrets end in logs")
        if not complaints:
            return None
        self.violations.append(Violation("client", request.line, "; ".join(complaints)))
        return json_reply({"error": "invalid_request", "error_description": complaints[0]}, 400)

    def answer(self, request: Request) -> Reply:
        if request.path.endswith("/authorize"):
            return consent(self.world, request, forge="bitbucket", name="Bitbucket", button="Grant access")
        sent = request.form()
        try:
            return json_reply(_tokens(self._issue(request, sent), sent["grant_type"]))
        except OAuthRefused as refused:
            status, error, description = SAID.get(refused.about, (400, refused.error, refused.description))
            return json_reply({"error": error, "error_description": description}, status)

    def _issue(self, request: Request, sent: dict[str, str]) -> Issued:
        client, secret = _client(request, sent)
        server = self.world.oauth
        if server.client(client, secret).forge != "bitbucket":
            raise OAuthRefused("invalid_client", "client", "the client is another forge's")
        match sent.get("grant_type"):
            case "authorization_code":
                code, verifier = sent.get("code", ""), sent.get("code_verifier", "")
                return server.exchange(client, secret, code, sent.get("redirect_uri", ""), verifier)
            case "refresh_token":
                return server.refresh(client, secret, sent.get("refresh_token", ""))
            case "client_credentials":
                return server.client_credentials(client, secret)
        raise OAuthRefused("unsupported_grant_type", "parameters", "Unsupported grant type")


def _client(request: Request, sent: dict[str, str]) -> tuple[str, str]:
    """Key and secret: Basic as documented, or in the form, as many libraries send them."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return sent.get("client_id", ""), sent.get("client_secret", "")
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote(user), unquote(password)


def _tokens(issued: Issued, grant_type: str) -> dict[str, object]:
    body: dict[str, object] = {
        "access_token": issued.access_token,
        "scopes": " ".join(sorted(issued.scopes)),
        "token_type": "bearer",
        "state": grant_type,
    }
    if issued.expires_in is not None:
        body["expires_in"] = issued.expires_in
    if issued.refresh_token:
        body["refresh_token"] = issued.refresh_token
    return body
