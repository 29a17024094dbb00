"""GitHub's web flow: a consent page, a code, tokens that are renewed, and their end."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests

from tests.wire import faults
from tests.wire.conftest import Get
from tests.wire.forge import Forge
from tests.wire.oauth import OAuthApp, OAuthRefused
from tests.wire.pressing import pressed

CALLBACK = "http://127.0.0.1:8000/connections/done"
VERIFIER = secrets.token_urlsafe(48)
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()

Exchange = Callable[..., requests.Response]


@pytest.fixture
def app(forge: Forge) -> OAuthApp:
    forge.world.oauth.person = "alice"
    return forge.world.oauth.app("github", redirect_uri=CALLBACK, ttl=28_800.0)


@pytest.fixture
def exchange(forge: Forge, session: requests.Session, app: OAuthApp) -> Exchange:
    """`exchange(code=…)`: one request to the token address, with the app's own id and secret unless told otherwise."""

    def ask(*, accept: str = "application/json", **fields: str) -> requests.Response:
        sent = {"client_id": app.client_id, "client_secret": app.client_secret, **fields}
        address = f"{forge.url}/login/oauth/access_token"
        return session.post(address, data=sent, headers={"Accept": accept}, timeout=10)

    return ask


def code_for(forge: Forge, app: OAuthApp) -> str:
    return forge.world.oauth.authorise(app.client_id, CALLBACK, "repo read:user", CHALLENGE, "S256")


def press(session: requests.Session, forge: Forge, page: str, button: str) -> dict[str, str]:
    """Post the page's form by one of its buttons; what the application is told in the address it is sent to."""
    action, fields = pressed(page, button)
    answer = session.post(forge.url + action, data=fields, allow_redirects=False, timeout=10)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(CALLBACK)
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def asked(app: OAuthApp, **more: str) -> dict[str, str]:
    fields = {"client_id": app.client_id, "redirect_uri": CALLBACK, "scope": "repo read:user", "state": "s&1"}
    return {**fields, "code_challenge": CHALLENGE, "code_challenge_method": "S256", **more}


def test_a_person_lets_an_application_in_and_it_acts_for_them(
    forge: Forge, session: requests.Session, app: OAuthApp, exchange: Exchange, get: Get
) -> None:
    page = session.get(f"{forge.url}/login/oauth/authorize", params=asked(app), timeout=10)
    assert page.headers["Content-Type"].startswith("text/html")
    assert all(said in page.text for said in ("Millrace", "alice", "repo", "read:user", "Authorise", "Cancel"))
    back = press(session, forge, page.text, "authorise")
    assert back["state"] == "s&1"
    tokens = exchange(code=back["code"], redirect_uri=CALLBACK, code_verifier=VERIFIER).json()
    assert (tokens["scope"], tokens["token_type"], tokens["expires_in"]) == ("read:user,repo", "bearer", 28_800)
    me = get("/user", token=tokens["access_token"])
    assert me.json()["login"] == "alice"
    assert me.headers["X-OAuth-Scopes"] == "read:user, repo"


def test_a_person_who_cancels_sends_the_application_an_error(
    forge: Forge, session: requests.Session, app: OAuthApp
) -> None:
    page = session.get(f"{forge.url}/login/oauth/authorize", params=asked(app), timeout=10)
    back = press(session, forge, page.text, "cancel")
    assert (back["error"], back["state"]) == ("access_denied", "s&1")
    assert "code" not in back


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "nobody"},
        {"redirect_uri": "https://evil.example.org/connections/done"},
        {"redirect_uri": f"{CALLBACK}/../../stolen"},
        {"response_type": "token"},
        {"nonsense": "1"},
    ],
)
def test_a_wrong_request_stays_at_the_forge(
    forge: Forge, session: requests.Session, app: OAuthApp, wrong: dict[str, str]
) -> None:
    address = f"{forge.url}/login/oauth/authorize"
    answer = session.get(address, params=asked(app, **wrong), allow_redirects=False, timeout=10)
    assert answer.status_code == 400


def test_a_plain_challenge_is_refused(forge: Forge, session: requests.Session, app: OAuthApp) -> None:
    sent = asked(app, code_challenge_method="plain")
    answer = session.get(f"{forge.url}/login/oauth/authorize", params=sent, allow_redirects=False, timeout=10)
    assert parse_qs(urlsplit(answer.headers["Location"]).query)["error"] == ["invalid_request"]


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"client_secret": "guessed"}, "incorrect_client_credentials"),
        ({"client_id": "nobody"}, "incorrect_client_credentials"),
        ({"code": "guessed"}, "bad_verification_code"),
        ({"code_verifier": "x" * 64}, "bad_verification_code"),
        ({"redirect_uri": f"{CALLBACK}/elsewhere"}, "redirect_uri_mismatch"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_refused_exchange_is_answered_with_200_and_an_error(
    forge: Forge, app: OAuthApp, exchange: Exchange, wrong: dict[str, str], error: str
) -> None:
    good = {"code": code_for(forge, app), "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    answer = exchange(**{**good, **wrong})
    assert (answer.status_code, answer.json()["error"]) == (200, error)
    assert "access_token" not in answer.json()


def test_a_code_is_good_once(forge: Forge, app: OAuthApp, exchange: Exchange) -> None:
    good = {"code": code_for(forge, app), "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    assert "access_token" in exchange(**good).json()
    assert exchange(**good).json()["error"] == "bad_verification_code"


def test_another_applications_code_is_refused(forge: Forge, app: OAuthApp, exchange: Exchange) -> None:
    other = forge.world.oauth.app("github", redirect_uri=CALLBACK)
    answer = exchange(code=code_for(forge, other), redirect_uri=CALLBACK, code_verifier=VERIFIER)
    assert answer.json()["error"] == "bad_verification_code"


def test_the_answer_is_form_encoded_unless_json_is_asked_for(forge: Forge, app: OAuthApp, exchange: Exchange) -> None:
    good = {"code": code_for(forge, app), "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    answer = exchange(accept="*/*", **good)
    assert answer.headers["Content-Type"].startswith("application/x-www-form-urlencoded")
    assert dict(parse_qsl(answer.text))["access_token"].startswith("gho_")


def test_secrets_in_an_address_are_a_violation(forge: Forge, session: requests.Session, app: OAuthApp) -> None:
    sent = {"client_id": app.client_id, "client_secret": app.client_secret}
    answer = session.post(f"{forge.url}/login/oauth/access_token", params=sent, timeout=10)
    assert answer.status_code == 422
    assert "belong in the body" in str(forge.violations.pop())


def tokens_of(forge: Forge, app: OAuthApp, exchange: Exchange) -> dict[str, Any]:
    found: dict[str, Any] = exchange(code=code_for(forge, app), redirect_uri=CALLBACK, code_verifier=VERIFIER).json()
    return found


def test_a_refresh_ends_the_former_tokens(forge: Forge, app: OAuthApp, exchange: Exchange, get: Get) -> None:
    old = tokens_of(forge, app, exchange)
    new = exchange(grant_type="refresh_token", refresh_token=old["refresh_token"]).json()
    assert new["refresh_token"] != old["refresh_token"]
    assert get("/user", token=old["access_token"]).status_code == 401
    assert get("/user", token=new["access_token"]).json()["login"] == "alice"
    again = exchange(grant_type="refresh_token", refresh_token=old["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (200, "bad_refresh_token")
    assert get("/user", token=new["access_token"]).status_code == 200


def test_an_access_token_expires_and_its_refresh_token_does_not(
    forge: Forge, app: OAuthApp, exchange: Exchange, get: Get
) -> None:
    tokens = tokens_of(forge, app, exchange)
    forge.world.oauth.expire(tokens["access_token"])
    assert get("/user", token=tokens["access_token"]).status_code == 401
    new = exchange(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).json()
    assert get("/user", token=new["access_token"]).status_code == 200


def test_a_lifetime_of_nothing_is_over_at_once(forge: Forge, app: OAuthApp, exchange: Exchange, get: Get) -> None:
    app.ttl = 0.0
    tokens = tokens_of(forge, app, exchange)
    assert tokens["expires_in"] == 0
    assert get("/user", token=tokens["access_token"]).status_code == 401


def test_an_application_whose_tokens_live_for_ever_gets_no_refresh_token(
    forge: Forge, app: OAuthApp, exchange: Exchange
) -> None:
    app.ttl = None
    assert tokens_of(forge, app, exchange).keys() == {"access_token", "scope", "token_type"}


def test_of_two_who_refresh_at_once_one_wins(forge: Forge, app: OAuthApp, exchange: Exchange, get: Get) -> None:
    tokens = tokens_of(forge, app, exchange)
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda _: requests.post(
                    f"{forge.url}/login/oauth/access_token",
                    data={
                        "client_id": app.client_id,
                        "client_secret": app.client_secret,
                        "grant_type": "refresh_token",
                        "refresh_token": tokens["refresh_token"],
                    },
                    headers={"Accept": "application/json"},
                    timeout=10,
                ).json(),
                range(8),
            )
        )
    won = [answer for answer in answers if "access_token" in answer]
    assert len(won) == 1
    assert [answer["error"] for answer in answers if answer not in won] == ["bad_refresh_token"] * 7
    assert get("/user", token=won[0]["access_token"]).status_code == 200


def test_faults_reach_the_token_address(forge: Forge, app: OAuthApp, exchange: Exchange) -> None:
    tokens = tokens_of(forge, app, exchange)
    with forge.fault(faults.status(500), on="POST /login/oauth/access_token", times=1):
        assert exchange(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).status_code == 500
    assert "access_token" in exchange(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).json()


@pytest.mark.parametrize(("what", "left"), [("token", 200), ("grant", 401)])
def test_an_application_ends_one_token_or_all_that_a_person_gave_it(
    forge: Forge, session: requests.Session, app: OAuthApp, exchange: Exchange, get: Get, what: str, left: int
) -> None:
    one, other = tokens_of(forge, app, exchange), tokens_of(forge, app, exchange)
    address = f"{forge.url}/applications/{app.client_id}/{what}"
    own, sent = (app.client_id, app.client_secret), {"access_token": one["access_token"]}
    assert session.delete(address, json=sent, auth=(app.client_id, "guessed"), timeout=10).status_code == 404
    assert session.delete(address, json=sent, auth=own, timeout=10).status_code == 204
    assert session.delete(address, json=sent, auth=own, timeout=10).status_code == 404
    assert get("/user", token=one["access_token"]).status_code == 401
    assert get("/user", token=other["access_token"]).status_code == left


def test_an_applications_own_call_takes_only_what_is_documented(
    forge: Forge, session: requests.Session, app: OAuthApp
) -> None:
    address = f"{forge.url}/applications/{app.client_id}/token"
    answer = session.delete(address, json={"token": "x"}, auth=(app.client_id, app.client_secret), timeout=10)
    assert answer.status_code == 422
    assert forge.violations
    forge.violations.clear()


def test_addresses_of_email_need_their_scope(forge: Forge, get: Get) -> None:
    assert get("/user/emails", token=forge.token("alice", scopes=["repo"])).status_code == 404
    shown = get("/user/emails", token=forge.token("alice", scopes=["user:email"])).json()
    assert shown[0]["email"] == "alice@example.org"


def test_a_token_of_another_forge_is_unknown_here(forge: Forge, get: Get) -> None:
    app = forge.world.oauth.app("gitlab", redirect_uri=CALLBACK)
    issued = forge.world.oauth.exchange(
        app.client_id, app.client_secret, forge.world.oauth.authorise(app.client_id, CALLBACK, "api"), CALLBACK, ""
    )
    assert get("/user", token=issued.access_token).status_code == 401


def test_gitlab_ends_the_grant_when_a_rotated_token_comes_again(forge: Forge) -> None:
    server = forge.world.oauth
    app = server.app("gitlab", redirect_uri=CALLBACK, pkce=True)
    code = server.authorise(app.client_id, CALLBACK, "api", CHALLENGE, "S256")
    first = server.exchange(app.client_id, app.client_secret, code, CALLBACK, VERIFIER)
    second = server.refresh(app.client_id, app.client_secret, first.refresh_token)
    with pytest.raises(OAuthRefused, match="invalid_grant"):
        server.refresh(app.client_id, app.client_secret, first.refresh_token)
    with pytest.raises(OAuthRefused, match="invalid_grant"):
        server.refresh(app.client_id, app.client_secret, second.refresh_token)
    assert forge.world.find_token(second.access_token) is None


def test_bitbucket_keeps_its_refresh_token_and_speaks_for_a_consumers_owner(forge: Forge) -> None:
    server = forge.world.oauth
    app = server.app("bitbucket", redirect_uri=CALLBACK, scopes=["account", "repository"], owner="acme")
    code = server.authorise(app.client_id, CALLBACK)
    first = server.exchange(app.client_id, app.client_secret, code, CALLBACK, "")
    second = server.refresh(app.client_id, app.client_secret, first.refresh_token)
    assert second.refresh_token == first.refresh_token
    assert second.scopes == {"account", "repository"}
    consumer = forge.world.find_token(server.client_credentials(app.client_id, app.client_secret).access_token)
    assert consumer
    assert (consumer.account.login, consumer.kind, consumer.forge) == ("acme", "consumer", "bitbucket")
