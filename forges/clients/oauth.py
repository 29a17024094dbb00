"""The OAuth calls that are made from here: exchanging a code, renewing, revoking, a consumer's grant (RFC 6749, 7009).

What goes wrong is told apart: AuthFailed when the forge rejects the grant (a person connects again), Misconfigured when
it does not know our application (the operator looks), and what a later try can mend (Unavailable, RateLimited). A
refusal that is not understood is of the last kind, so that no grant is given up for a proxy's error page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn, TypeGuard
from urllib.parse import quote, urlsplit

import requests

from forges.clients.base import Credential
from forges.clients.errors import AuthFailed, InvalidName, Misconfigured, Unavailable
from forges.clients.names import github_api_url
from forges.clients.transport import USER_AGENT, check_transport, rate_limited, translated
from lib import egress

_PATHS = {
    # https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
    "github": ("/login/oauth/authorize", "/login/oauth/access_token"),
    # https://docs.gitlab.com/api/oauth2/
    "gitlab": ("/oauth/authorize", "/oauth/token"),
    # https://developer.atlassian.com/cloud/bitbucket/rest/intro/#oauth-2-0
    "bitbucket": ("/site/oauth2/authorize", "/site/oauth2/access_token"),
}
_MAX_ANSWER_BYTES = 64 << 10
_MAX_TOKEN = 4096
"""Characters; those of some servers are JSON Web Tokens."""
_MAX_SCOPES = 1000
_LONGEST_LIFE = timedelta(days=3660)
_TOKEN = re.compile(rf"[!-~]{{1,{_MAX_TOKEN}}}")
_SCOPE = re.compile(r"[!#-\[\]-~]+")

# https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens
# https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors
_REJECTED = {"invalid_grant", "bad_refresh_token", "bad_verification_code", "access_denied", "unverified_user_email"}
_MISCONFIGURED = {
    "application_suspended",
    "incorrect_client_credentials",
    "invalid_client",
    "invalid_redirect_uri",
    "invalid_scope",
    "redirect_uri_mismatch",
    "unauthorized_client",
    "unsupported_grant_type",
}


@dataclass(frozen=True, slots=True)
class App:
    """An OAuth application that the operator registered at a forge."""

    forge: str
    web_url: str
    """Without trailing slash."""
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a forge gave us. Its repr hides the tokens."""

    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    """Empty where there is none."""
    expires_at: datetime | None = None
    """Of the access token (aware, UTC); None where the forge does not say, or says nonsense."""
    scopes: frozenset[str] | None = None
    """None where the forge does not say."""


def authorize_url(app: App) -> str:
    """Where the person's browser is sent, without parameters."""
    return app.web_url + _PATHS[app.forge][0]


def token_url(app: App) -> str:
    return app.web_url + _PATHS[app.forge][1]


def revoke_url(app: App) -> str:
    """Empty where the forge has no such call (Bitbucket): a person revokes the grant in their settings there."""
    if app.forge == "github":
        # https://docs.github.com/en/rest/apps/oauth-applications#delete-an-app-authorization
        return f"{github_api_url(app.web_url)}/applications/{quote(app.client_id, safe='')}/grant"
    # https://docs.gitlab.com/api/oauth2/#revoke-a-token
    return f"{app.web_url}/oauth/revoke" if app.forge == "gitlab" else ""


def exchange(
    app: App, code: str, *, redirect_uri: str, verifier: str = "", policy: egress.Policy, timeout: float
) -> Grant:
    """The grant for a code that a person came back with (RFC 6749, 4.1.3), and its challenge's verifier (RFC 7636).

    AuthFailed when the code is not good (any more).
    """
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    if verifier:
        form["code_verifier"] = verifier
    try:
        return ask_for_token(app, form, policy=policy, timeout=timeout)
    except AuthFailed:
        host = urlsplit(app.web_url).hostname
        raise AuthFailed(
            f"{host} does not take this way back: it was used before, or took too long.", advice="Begin again."
        ) from None


def refresh(app: App, refresh_token: str, *, policy: egress.Policy, timeout: float) -> Grant:
    """A new grant for an old one; where refresh tokens rotate, the old one is worth nothing from now on.

    The answer's refresh token, or the one that was sent where the forge keeps it (RFC 6749, 6).
    """
    found = ask_for_token(
        app, {"grant_type": "refresh_token", "refresh_token": refresh_token}, policy=policy, timeout=timeout
    )
    return found if found.refresh_token else Grant(found.access_token, refresh_token, found.expires_at, found.scopes)


def client_credentials(*, web_url: str, key: str, secret: str, policy: egress.Policy, timeout: float) -> Grant:
    """The grant of Bitbucket's OAuth consumer, which a person entered: AuthFailed when its key or secret is wrong."""
    app = App("bitbucket", web_url, key, secret)
    try:
        return ask_for_token(app, {"grant_type": "client_credentials"}, policy=policy, timeout=timeout)
    except Misconfigured:
        host = urlsplit(web_url).hostname
        raise AuthFailed(
            f"{host} does not accept this key and secret. The consumer has to be private and to have a callback URL.",
            advice="Copy both again from the consumer at the forge.",
        ) from None


def ask_for_token(app: App, form: Mapping[str, str], *, policy: egress.Policy, timeout: float) -> Grant:
    """One request to the token endpoint, with the application's credentials."""
    url, now = token_url(app), datetime.now(UTC)
    auth = (app.client_id, app.client_secret) if app.forge == "bitbucket" else None
    if auth is None:
        form = {**form, "client_id": app.client_id, "client_secret": app.client_secret}
    check_secret(app, policy)
    with asking(url, policy, timeout) as session:
        response = session.post(url, data=form, auth=auth, allow_redirects=False)
        return _grant(app, response, now)


def revoke(app: App, grant: Grant | str, *, whole: bool = True, policy: egress.Policy, timeout: float) -> bool:
    """Take back the person's consent at the forge; False where it has no call for that. What is gone is no error.

    To GitHub all tokens of one person for one application are one consent: without `whole` this token alone goes.
    """
    url, token = revoke_url(app), grant.access_token if isinstance(grant, Grant) else grant
    if app.forge == "github" and not whole:
        # https://docs.github.com/en/rest/apps/oauth-applications#delete-an-app-token
        url = f"{url.removesuffix('/grant')}/token"
    if not url:
        return False
    check_secret(app, policy)
    with asking(url, policy, timeout) as session:
        if app.forge == "github":
            basic = (app.client_id, app.client_secret)
            response = session.delete(url, json={"access_token": token}, auth=basic, allow_redirects=False)
            _expect(response, 204, 404, 422)  # the latter two are said of a token that is not there any more
        else:
            form = {"client_id": app.client_id, "client_secret": app.client_secret, "token": token}
            _expect(session.post(url, data=form, allow_redirects=False), 200, 204)
    return True


def _expect(response: requests.Response, *statuses: int) -> None:
    if response.status_code not in statuses:
        _refuse(response)


@contextmanager
def asking(
    url: str, policy: egress.Policy, timeout: float, *, max_bytes: int = _MAX_ANSWER_BYTES
) -> Iterator[egress.GuardedSession]:
    """A session for one short exchange, its failures told as forge errors."""
    session = egress.GuardedSession(policy, timeout=timeout, total_timeout=timeout, max_bytes=max_bytes)
    with translated(urlsplit(url).hostname or ""), session:
        session.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json"})
        yield session


def check_secret(app: App, policy: egress.Policy) -> None:
    """Misconfigured where the application's secret cannot be one, or would go over plain http."""
    try:
        check_transport(app.web_url, Credential(app.client_secret), policy)
        if not is_token(app.client_id):
            raise InvalidName("no id is like this")
    except (AuthFailed, InvalidName):
        raise Misconfigured(
            f"The application for {urlsplit(app.web_url).hostname} has an id or a secret that cannot be one, or an "
            "address that does not begin with https://."
        ) from None


def json_of(response: requests.Response) -> dict[str, Any]:
    """The object that an answer holds; an empty one for anything else."""
    try:
        data = response.json()
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _grant(app: App, response: requests.Response, now: datetime) -> Grant:
    data = json_of(response)
    if response.status_code != 200 or "error" in data:  # GitHub refuses with 200
        _refuse(response)
    token, renewing = data.get("access_token"), data.get("refresh_token") or ""
    if not is_token(token) or not (renewing == "" or is_token(renewing)):
        raise Unavailable(f"{_host(response)} answered without a token.")
    return Grant(token, renewing, _expiry(data.get("expires_in"), now), _scopes(app, data))


def is_token(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None


def _refuse(response: requests.Response) -> NoReturn:
    host, status, data = _host(response), response.status_code, json_of(response)
    error, description = str(data.get("error", "")), str(data.get("error_description", ""))
    if limited := rate_limited(host, status, response.headers):
        raise limited
    # Bitbucket's word for a refresh token that it does not know is another than RFC 6749's.
    unknown = error == "invalid_request" and "refresh_token" in description.lower()
    if status < 500 and (error in _REJECTED or unknown):
        raise AuthFailed(
            f"{host} does not renew the authorisation: it expired, or somebody revoked it.", advice="Connect it again."
        )
    if status < 500 and (error in _MISCONFIGURED or (error and status in (401, 404))):
        raise Misconfigured(f"{host} does not accept the id and secret of the application that is set up for it.")
    raise Unavailable(f"{host} did not answer a request for a token as expected (status {status}).")


def _host(response: requests.Response) -> str:
    return urlsplit(response.url).hostname or ""


def _expiry(value: object, now: datetime) -> datetime | None:
    """`expires_in`, seconds; some servers send them as text."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 12:
        value = int(value)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= _LONGEST_LIFE.total_seconds():
        return None
    return now + timedelta(seconds=value)


def _scopes(app: App, data: Mapping[str, Any]) -> frozenset[str] | None:
    """GitHub parts them by commas, the others by spaces; Bitbucket calls them `scopes`."""
    told = data.get("scope", data.get("scopes"))
    if not isinstance(told, str) or len(told) > _MAX_SCOPES:
        return None
    parts = [part.strip() for part in told.split("," if app.forge == "github" else None)]
    return frozenset(part for part in parts if _SCOPE.fullmatch(part))
