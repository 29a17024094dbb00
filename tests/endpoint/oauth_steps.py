"""The steps of OAuth as a client and a person take them, with Django's test client in place of a browser."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.http import HttpResponse
from django.test import Client as Browser

BASE = "http://testserver"
REDIRECT = "http://127.0.0.1:4321/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


def register(**metadata: Any) -> HttpResponse:
    """What registering answers, for a public client unless told."""
    values = {"client_name": "Editor", "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none", **metadata}
    return Browser().post("/oauth/register", json.dumps(values), content_type="application/json")  # type: ignore[return-value]


def registered(**metadata: Any) -> str:
    """The id of a new client."""
    response = register(**metadata)
    assert response.status_code == 201, response.content
    return str(json.loads(response.content)["client_id"])


def query(client: str, resource: str = f"{BASE}/mcp/acme/docs", **changes: Any) -> dict[str, Any]:
    """What a client asks a person with; None leaves a parameter out."""
    values = {
        "response_type": "code",
        "client_id": client,
        "redirect_uri": REDIRECT,
        "state": "st",
        "scope": "mcp:read mcp:call",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "resource": resource,
        **changes,
    }
    return {name: value for name, value in values.items() if value is not None}


def address(values: dict[str, Any]) -> str:
    return f"/oauth/authorize?{urlencode(values, doseq=True)}"


def answered(browser: Browser, values: dict[str, Any], **form: str) -> dict[str, str]:
    """What the client is told: the parameters that the person is sent back with."""
    response = browser.post(address(values), {"answer": "allow", "call": "1", **form})
    assert response.status_code == 302, response.content
    assert response["Location"].startswith(values["redirect_uri"]), response["Location"]
    return dict(parse_qsl(urlsplit(response["Location"]).query))


def exchange(client_id: str, code: str, **changes: Any) -> HttpResponse:
    """What the token endpoint answers to a code; None leaves a parameter out."""
    values = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
        **changes,
    }
    return _post("/oauth/token", values)


def refresh(client_id: str, token: str, **changes: Any) -> HttpResponse:
    values = {"grant_type": "refresh_token", "client_id": client_id, "refresh_token": token, **changes}
    return _post("/oauth/token", values)


def revoke(client_id: str, token: str) -> HttpResponse:
    return _post("/oauth/revoke", {"client_id": client_id, "token": token})


def _post(path: str, values: dict[str, Any]) -> HttpResponse:
    sent = {name: value for name, value in values.items() if value is not None}
    return Browser().post(path, sent)  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Tokens:
    client_id: str
    access: str
    refresh: str
    scope: str


def tokens(client_id: str, response: HttpResponse) -> Tokens:
    assert response.status_code == 200, response.content
    values = json.loads(response.content)
    assert values["token_type"] == "Bearer"
    return Tokens(client_id, values["access_token"], values["refresh_token"], values["scope"])


def connected(browser: Browser, resource: str = f"{BASE}/mcp/acme/docs", **form: str) -> Tokens:
    """A client that this person let in."""
    client_id = registered()
    code = answered(browser, query(client_id, resource), **form)["code"]
    return tokens(client_id, exchange(client_id, code))


def error_of(response: HttpResponse) -> str:
    assert response.status_code == 400, response.content
    return str(json.loads(response.content)["error"])
