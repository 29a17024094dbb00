"""Bitbucket's OAuth: consent, exchange, renewal, consumers, and its own words for what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.wire.forge import Forge
from tests.wire.oauth import OAuthApp
from tests.wire.pressing import pressed
from tests.wire.world import HostedRepository

CALLBACK = "https://millrace.example/connections/bitbucket/callback/"
SCOPES = ("account", "repository")
Tokens = Callable[..., requests.Response]


@pytest.fixture
def app(forge: Forge) -> OAuthApp:
    return forge.world.oauth.app("bitbucket", redirect_uri=CALLBACK, scopes=SCOPES, owner="acme")


@pytest.fixture
def tokens(forge: Forge, session: requests.Session, app: OAuthApp) -> Tokens:
    """`tokens(grant_type=…)`: one request for tokens as the app, or as `auth`."""

    def send(*, auth: tuple[str, str] | None = None, **form: str) -> requests.Response:
        address = f"{forge.url}/site/oauth2/access_token"
        return session.post(address, data=form, auth=auth or (app.client_id, app.client_secret), timeout=10)

    return send


def consent_page(forge: Forge, session: requests.Session, app: OAuthApp, **more: str) -> requests.Response:
    query = {"client_id": app.client_id, "response_type": "code", "state": "st&te", **more}
    return session.get(f"{forge.url}/site/oauth2/authorize", params=query, timeout=10)


def press(forge: Forge, session: requests.Session, page: requests.Response, button: str) -> dict[str, str]:
    """Press a button of the page; the parameters with which the browser comes back."""
    action, fields = pressed(page.text, button)
    answer = session.post(f"{forge.url}{action}", data=fields, allow_redirects=False, timeout=10)
    address = urlsplit(answer.headers["Location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == CALLBACK
    return {name: values[0] for name, values in parse_qs(address.query).items()}


def test_a_person_lets_an_application_in(
    forge: Forge, session: requests.Session, app: OAuthApp, tokens: Tokens, private_repo: HostedRepository
) -> None:
    forge.world.oauth.person = "acme"
    page = consent_page(forge, session, app)
    for said in ("acme", "repository", "Grant access", "Cancel"):
        assert said in page.text
    back = press(forge, session, page, "authorise")
    assert back["state"] == "st&te"
    issued = tokens(grant_type="authorization_code", code=back["code"]).json()
    assert issued["expires_in"] == 7200
    assert (issued["token_type"], issued["scopes"]) == ("bearer", "account repository")
    headers = {"Authorization": f"Bearer {issued['access_token']}"}
    answer = session.get(f"{forge.bitbucket_url}/repositories/acme/secret", headers=headers, timeout=10)
    assert answer.headers["X-OAuth-Scopes"] == "account, repository"
    assert session.get(f"{forge.bitbucket_url}/user", headers=headers, timeout=10).json()["nickname"] == "acme"


def test_cancel_comes_back_without_a_code(forge: Forge, session: requests.Session, app: OAuthApp) -> None:
    back = press(forge, session, consent_page(forge, session, app), "cancel")
    assert (back["error"], back["state"]) == ("access_denied", "st&te")
    assert "code" not in back


def test_another_address_is_not_returned_to(forge: Forge, session: requests.Session, app: OAuthApp) -> None:
    page = consent_page(forge, session, app, redirect_uri="https://evil.example/")
    assert page.status_code == 400
    assert "decision" not in page.text


@pytest.mark.parametrize("rotate", [False, True])
def test_tokens_are_renewed(
    forge: Forge, session: requests.Session, app: OAuthApp, tokens: Tokens, rotate: bool
) -> None:
    app.rotate = rotate
    code = forge.world.oauth.authorise(app.client_id, CALLBACK)
    first = tokens(grant_type="authorization_code", code=code, redirect_uri=CALLBACK).json()
    forge.world.oauth.expire(first["access_token"])
    headers = {"Authorization": f"Bearer {first['access_token']}"}
    assert session.get(f"{forge.bitbucket_url}/user", headers=headers, timeout=10).status_code == 401
    second = tokens(grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    assert (second["refresh_token"] == first["refresh_token"]) is not rotate
    headers = {"Authorization": f"Bearer {second['access_token']}"}
    assert session.get(f"{forge.bitbucket_url}/user", headers=headers, timeout=10).status_code == 200
    again = tokens(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert again.status_code == (400 if rotate else 200)


def test_a_consumer_speaks_for_its_owner(
    forge: Forge, session: requests.Session, app: OAuthApp, tokens: Tokens, private_repo: HostedRepository
) -> None:
    issued = tokens(grant_type="client_credentials").json()
    assert "refresh_token" not in issued
    headers = {"Authorization": f"Bearer {issued['access_token']}"}
    assert session.get(f"{forge.bitbucket_url}/repositories/acme/secret", headers=headers, timeout=10).ok


def test_the_client_may_be_named_in_the_form(
    forge: Forge, session: requests.Session, app: OAuthApp, private_repo: HostedRepository
) -> None:
    form = {"grant_type": "client_credentials", "client_id": app.client_id, "client_secret": app.client_secret}
    assert session.post(f"{forge.url}/site/oauth2/access_token", data=form, timeout=10).ok


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": "refresh_token", "refresh_token": "unknown"}, 400, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "unknown"}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_in_json(tokens: Tokens, form: dict[str, str], status: int, error: str) -> None:
    answer = tokens(**form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_wrong_secret_is_told_apart_from_a_wrong_token(tokens: Tokens, app: OAuthApp) -> None:
    answer = tokens(grant_type="refresh_token", refresh_token="any", auth=(app.client_id, "wrong"))
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized_client")


def test_what_the_documentation_does_not_know_is_refused_and_kept(forge: Forge, tokens: Tokens) -> None:
    assert tokens(grant_type="refresh_token", refresh_token="x", audience="y").status_code == 400
    assert "unknown parameter 'audience'" in str(forge.violations.pop())
