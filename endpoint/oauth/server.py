"""OAuth's rules: oauthlib's, with allauth's validator, and ours where they are stricter.

allauth's own views are not served. They would let a code be used twice in the same moment, keep codes in a cache that
processes may not share, let a token be refreshed for whatever begins with its resource, and read a client's document
without a guard (docs/adr/0019).
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from allauth.idp.oidc.internal.oauthlib.request_validator import OAuthLibRequestValidator
from allauth.idp.oidc.internal.oauthlib.utils import convert_response, extract_params
from allauth.idp.oidc.internal.resources import InvalidTargetError
from allauth.idp.oidc.models import Client, Token
from django.http import HttpRequest, HttpResponse
from oauthlib.common import Request
from oauthlib.oauth2 import WebApplicationServer
from oauthlib.oauth2.rfc6749 import errors

from endpoint.oauth import clients, redirects, tokens
from endpoint.oauth.metadata import READ, SCOPES

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
"""SHA-256 in base64url (RFC 7636, 4.2)."""


class Validator(OAuthLibRequestValidator):  # type: ignore[misc]  # publishes no types
    """For one request. `resources` is what it names in `resource`; `fetch` lets it read documents about clients."""

    def __init__(self, *, resources: list[str], fetch: bool = False) -> None:
        super().__init__()
        self.resources = resources
        self.fetch = fetch
        self.used: Token | None = None
        self._known: dict[str, Client | None] = {}

    def _lookup_client(self, _request: Request, client_id: Any) -> Client | None:
        if not isinstance(client_id, str):
            return None
        if client_id not in self._known:
            self._known[client_id] = clients.find(client_id, fetch=self.fetch)
        return self._known[client_id]

    def validate_redirect_uri(self, _client: Any, redirect_uri: str, request: Request, *_: Any, **__: Any) -> bool:
        return redirects.matches(redirect_uri, request.client.get_redirect_uris())

    def validate_response_type(self, _client: Any, response_type: str, *_: Any, **__: Any) -> bool:
        return response_type == "code"

    def get_default_scopes(self, *_: Any, **__: Any) -> list[str]:
        return list(SCOPES)

    def validate_scopes(
        self, _client: Any, scopes: list[str], _same: Any, request: Request, *_: Any, **__: Any
    ) -> bool:
        # What is no scope of ours (openid, offline_access) is left out, as RFC 6749 allows; the answer says what is in.
        request.scopes = known(scopes)
        return True

    def is_pkce_required(self, *_: Any, **__: Any) -> bool:
        return True

    def validate_code(self, _client: Any, code: str, client: Client, request: Request, *_: Any, **__: Any) -> bool:
        return self._take(code, tokens.CODE, client, request)

    def get_code_challenge(self, *_: Any, **__: Any) -> str | None:
        return str(self.used.data["challenge"]) if self.used else None

    def get_code_challenge_method(self, *_: Any, **__: Any) -> str:
        return "S256"

    def confirm_redirect_uri(self, _client: Any, _code: str, redirect_uri: str, *_: Any, **__: Any) -> bool:
        return self.used is not None and redirect_uri == self.used.data["redirect_uri"]

    def invalidate_authorization_code(self, *_: Any, **__: Any) -> None:
        """It is used up since it was found."""

    def validate_refresh_token(self, refresh_token: str, client: Client, request: Request, *_: Any, **__: Any) -> bool:
        return self._take(refresh_token, tokens.REFRESH, client, request)

    def get_original_scopes(self, *_: Any, **__: Any) -> list[str]:
        return list(self.used.get_scopes()) if self.used else []

    def is_within_original_scope(self, asked: list[str], _token: str, request: Request, *_: Any, **__: Any) -> bool:
        # The person may have allowed less than the client asks for each time.
        request.scopes = [each for each in self.get_original_scopes() if each in asked or each == READ]
        return True

    def rotate_refresh_token(self, *_: Any, **__: Any) -> bool:
        return True

    def save_bearer_token(self, token: dict[str, Any], request: Request, *_: Any, **__: Any) -> None:
        if self.used is None:
            raise errors.InvalidGrantError(request=request)
        try:
            tokens.save(
                self.used, access=token["access_token"], refresh=token["refresh_token"], scopes=list(request.scopes)
            )
        except tokens.Ended as error:
            raise errors.InvalidGrantError(request=request) from error

    def revoke_token(self, token: str, _hint: Any, request: Request, *_: Any, **__: Any) -> None:
        tokens.revoke(token, request.client)

    def _take(self, value: Any, kind: Token.Type, client: Client, request: Request) -> bool:
        """Use up a code or refresh token. Raises InvalidTargetError, and leaves it, where another resource is named."""
        row = tokens.found(value, kind, client) if isinstance(value, str) else None
        if row is None:
            return False
        # allauth takes whatever begins with what was allowed. Nothing named is what was allowed (RFC 8707, 2.2).
        if self.resources and self.resources != row.get_resources():
            raise InvalidTargetError(request=request)
        if not tokens.use(row, kind):
            return False
        self.used, request.user, request.scopes = row, row.user, row.get_scopes()
        return True


def known(scopes: list[str] | None) -> list[str]:
    """Those of them that there are; reading is always among them, and without any it is all."""
    asked = [each for each in SCOPES if each in (scopes or ())]
    return [READ, *(each for each in asked if each != READ)] if asked else list(SCOPES)


def server(validator: Validator) -> WebApplicationServer:
    """Codes and refresh tokens, and no other way to a token."""
    made = WebApplicationServer(
        validator,
        token_generator=_random,
        refresh_token_generator=_random,
        token_expires_in=int(tokens.ACCESS_LIFE.total_seconds()),
    )
    grant = made.auth_grant
    grant._code_challenge_methods = {"S256": grant._code_challenge_methods["S256"]}
    return made


def check_challenge(challenge: str, request: Request) -> None:
    """Raise InvalidRequestError for what SHA-256 never gives."""
    if not _CHALLENGE.fullmatch(challenge):
        raise errors.InvalidRequestError("code_challenge is not a SHA-256 in base64url.", request=request)


def answer(request: HttpRequest, *, to: str) -> HttpResponse:
    """The answer to a client's request for a token (`to` is create_token_response) or to end one."""
    validator = Validator(resources=request.POST.getlist("resource"))
    try:
        response = convert_response(*getattr(server(validator), to)(*extract_params(request)))
    except (errors.OAuth2Error, ValueError) as caught:  # a ValueError for what is no form
        error = caught if isinstance(caught, errors.OAuth2Error) else errors.InvalidRequestError("This is no form.")
        response = HttpResponse(error.json, status=error.status_code, content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response  # type: ignore[no-any-return]


def _random(_request: Request) -> str:
    return secrets.token_urlsafe(32)
