"""GitLab's OAuth: a person's browser, the application behind it, and what becomes of tokens."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests

from tests.wire.conftest import Ask
from tests.wire.forge import Forge
from tests.wire.oauth import OAuthApp

BACK = "https://millrace.example/back"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def app(forge: Forge) -> OAuthApp:
    forge.world.oauth.person = "alice"
    return forge.world.oauth.app("gitlab", redirect_uri=BACK, pkce=True, scopes=["read_user", "read_api", "api"])


def press(forge: Forge, ask: Ask, app: OAuthApp, button: str, **changed: str) -> dict[str, str]:
    """What a person does: open the page, press a button. The parameters that the application gets back."""
    asked = {
        "client_id": app.client_id,
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "read_user api",
        "state": "kept",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changed,
    }
    opened = ask(f"{forge.url}/oauth/authorize?{urlencode(asked)}")
    if opened.status_code == 302:
        return dict(parse_qsl(urlsplit(opened.headers["Location"]).query))
    assert opened.status_code == 200, opened.text
    assert "alice" in opened.text
    fields = re.findall(r'name="([^"]+)" value="([^"]*)"', opened.text)
    sent = {name: html.unescape(value) for name, value in fields if name != "decision"}
    done = ask(f"{forge.url}/oauth/authorize", method="POST", data={**sent, "decision": button})
    assert done.headers["Location"].startswith(BACK)
    return dict(parse_qsl(urlsplit(done.headers["Location"]).query))


def exchange(forge: Forge, ask: Ask, app: OAuthApp, **sent: str) -> requests.Response:
    fields = {"client_id": app.client_id, "client_secret": app.client_secret, **sent}
    return ask(f"{forge.url}/oauth/token", method="POST", data=fields)


def connect(forge: Forge, ask: Ask, app: OAuthApp) -> dict[str, Any]:
    back = press(forge, ask, app, "authorise")
    assert back["state"] == "kept"
    sent = {"code": back["code"], "redirect_uri": BACK, "code_verifier": VERIFIER}
    done = exchange(forge, ask, app, grant_type="authorization_code", **sent)
    assert done.status_code == 200, done.text
    return done.json()  # type: ignore[no-any-return]


def test_a_person_lets_an_application_in(forge: Forge, ask: Ask, app: OAuthApp) -> None:
    tokens = connect(forge, ask, app)
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 7200)
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert ask("/user", headers=bearer).json()["username"] == "alice"
    assert ask("/user", token=tokens["access_token"]).status_code == 401
    about = ask(f"{forge.url}/oauth/token/info", headers=bearer).json()
    assert (about["scope"], about["application"]) == (["api", "read_user"], {"uid": app.client_id})
    assert 7190 <= about["expires_in"] <= 7200
    assert ask("/personal_access_tokens/self", headers=bearer).status_code == 400


def test_a_person_says_no(forge: Forge, ask: Ask, app: OAuthApp) -> None:
    back = press(forge, ask, app, "cancel")
    assert (back["error"], back["state"]) == ("access_denied", "kept")


def test_what_was_not_registered_stays_at_gitlab(forge: Forge, ask: Ask, app: OAuthApp) -> None:
    query = {"client_id": app.client_id, "response_type": "code", "redirect_uri": f"{BACK}/below"}
    assert ask(f"{forge.url}/oauth/authorize?{urlencode(query)}").status_code == 400
    assert ask(f"{forge.url}/oauth/authorize?{urlencode({**query, 'client_id': 'unknown'})}").status_code == 400
    assert press(forge, ask, app, "authorise", code_challenge="")["error"] == "invalid_request"


def test_a_code_is_good_once_and_with_its_verifier(forge: Forge, ask: Ask, app: OAuthApp) -> None:
    code = press(forge, ask, app, "authorise")["code"]
    asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    wrong = exchange(forge, ask, app, **asked, code_verifier="w" * 43)
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")
    assert exchange(forge, ask, app, **asked, code_verifier=VERIFIER).status_code == 200
    assert exchange(forge, ask, app, **asked, code_verifier=VERIFIER).json()["error"] == "invalid_grant"


def test_a_refresh_ends_both_tokens_before_it(forge: Forge, ask: Ask, app: OAuthApp) -> None:
    first = connect(forge, ask, app)
    asked = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = exchange(forge, ask, app, **asked).json()
    assert second["refresh_token"] != first["refresh_token"]
    old, new = ({"Authorization": f"Bearer {tokens['access_token']}"} for tokens in (first, second))
    assert ask("/user", headers=old).status_code == 401
    assert ask("/user", headers=new).status_code == 200
    again = exchange(forge, ask, app, **asked)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_an_expired_access_token_is_renewed(forge: Forge, ask: Ask, app: OAuthApp) -> None:
    tokens = connect(forge, ask, app)
    forge.world.oauth.expire(tokens["access_token"])
    assert ask("/user", headers={"Authorization": f"Bearer {tokens['access_token']}"}).status_code == 401
    asked = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert exchange(forge, ask, app, **asked).status_code == 200


def test_a_wrong_secret_is_the_clients_fault(forge: Forge, ask: Ask, app: OAuthApp) -> None:
    asked = {"grant_type": "refresh_token", "refresh_token": "any", "client_secret": "wrong"}
    refused = exchange(forge, ask, app, **asked)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


def test_a_revoked_token_is_over(forge: Forge, ask: Ask, app: OAuthApp) -> None:
    tokens = connect(forge, ask, app)
    other = forge.world.oauth.app("gitlab", redirect_uri=BACK)
    for client, status in ((other, 403), (app, 200), (app, 200)):
        fields = {
            "client_id": client.client_id,
            "client_secret": client.client_secret,
            "token": tokens["access_token"],
        }
        assert ask(f"{forge.url}/oauth/revoke", method="POST", data=fields).status_code == status
    assert ask("/user", headers={"Authorization": f"Bearer {tokens['access_token']}"}).status_code == 401
    asked = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert exchange(forge, ask, app, **asked).json()["error"] == "invalid_grant"


def test_secrets_in_an_address_are_kept_as_violations(forge: Forge, ask: Ask, app: OAuthApp) -> None:
    refused = ask(f"{forge.url}/oauth/token?client_secret={app.client_secret}", method="POST")
    assert refused.status_code == 400
    assert "in the address" in str(forge.violations.pop())
