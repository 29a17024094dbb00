"""The operator's GitHub App: installation tokens of an hour, and who may connect an installation.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/about-authentication-with-a-github-app
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import requests
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from forges.clients.answers import MAX_TEXT, MAX_URL
from forges.clients.base import Credential
from forges.clients.errors import AuthFailed, Forbidden, Misconfigured, NotFound, Unavailable
from forges.clients.github_api import API_VERSION
from forges.clients.names import UNSTORABLE, github_api_url
from forges.clients.oauth import App, Grant, asking, check_secret, is_token, json_of, revoke
from forges.clients.transport import check_transport, refused
from lib import egress

_JWT_BEFORE, _JWT_AFTER = 60, 540
"""Seconds: GitHub takes at most ten minutes, and clocks differ."""
_PAGE, _MAX_PAGES, _MAX_PAGE_BYTES = 100, 30, 4 << 20


@dataclass(frozen=True, slots=True)
class GitHubApp:
    """As the operator registered it. Its repr hides every secret."""

    web_url: str
    """Without trailing slash: https://github.com, or an Enterprise server's."""
    app_id: str
    slug: str
    client_id: str
    client_secret: str = field(repr=False)
    private_key: str = field(repr=False)
    """PEM."""
    webhook_secret: str = field(default="", repr=False)

    @property
    def base_url(self) -> str:
        return github_api_url(self.web_url)

    @property
    def host(self) -> str:
        return urlsplit(self.web_url).hostname or ""

    @property
    def oauth(self) -> App:
        return App("github", self.web_url, self.client_id, self.client_secret)


@dataclass(frozen=True, slots=True)
class Installation:
    """The App on one account."""

    id: str
    account: str
    account_id: str
    avatar_url: str
    permissions: frozenset[str]
    """As `contents:read`: what `permissions.findings` takes for scopes."""
    repository_selection: str
    """“all” or “selected”."""
    suspended: bool


def install_url(app: GitHubApp, state: str) -> str:
    """Where a person chooses the account and the repositories; GitHub sends them back with an installation's id."""
    return f"{app.web_url}/apps/{quote(app.slug, safe='')}/installations/new?{urlencode({'state': state})}"


# https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
def app_jwt(app: GitHubApp, now: datetime) -> str:
    """What the App itself signs in with, good for nine minutes. Misconfigured where its private key is none."""
    try:
        key = load_pem_private_key(app.private_key.strip().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise Misconfigured(
            "The private key of the GitHub App is not one as GitHub makes them: “-----BEGIN RSA PRIVATE KEY-----”."
        )
    seconds = int(now.timestamp())
    claims = {"iat": seconds - _JWT_BEFORE, "exp": seconds + _JWT_AFTER, "iss": app.app_id}
    content = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}"
    return f"{content}.{_base64(key.sign(content.encode(), PKCS1v15(), hashes.SHA256()))}"


def _part(value: dict[str, object]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app
def installation_token(app: GitHubApp, installation_id: str, *, policy: egress.Policy, timeout: float) -> Grant:
    """A token of an hour for all that the installation may. AuthFailed: it was uninstalled; Forbidden: suspended."""
    data = _as_app(app, "POST", f"{_path(app, installation_id)}/access_tokens", policy, timeout)
    token, expires_at = data.get("token"), _moment(data.get("expires_at"))
    if not is_token(token) or expires_at is None:
        raise Unavailable(f"{app.host} answered without a token for the GitHub App.")
    return Grant(token, "", expires_at, _permissions(data))


# https://docs.github.com/en/rest/apps/apps#get-an-installation-for-the-authenticated-app
def installation(app: GitHubApp, installation_id: str, *, policy: egress.Policy, timeout: float) -> Installation:
    """Where the App is installed; AuthFailed if it is not."""
    data = _as_app(app, "GET", _path(app, installation_id), policy, timeout)
    account, number = data.get("account"), data.get("id")
    if str(number) != installation_id or not isinstance(account, dict):
        raise Unavailable(f"{app.host} did not answer for the installation of the GitHub App as expected.")
    return Installation(
        id=installation_id,
        account=_name(account),
        account_id=str(account["id"]) if type(account.get("id")) is int else "",
        avatar_url=_text(account.get("avatar_url"), MAX_URL),
        permissions=_permissions(data),
        repository_selection="selected" if data.get("repository_selection") == "selected" else "all",
        suspended=data.get("suspended_at") is not None,
    )


# https://docs.github.com/en/rest/apps/installations#list-app-installations-accessible-to-the-user-access-token
def installations_seen(
    app: GitHubApp, user_token: str, *, policy: egress.Policy, timeout: float
) -> Iterator[tuple[str, str]]:
    """Id and account's name of each installation of the App that the person has access to, page by page."""
    url = f"{app.base_url}/user/installations"
    check_transport(url, Credential(user_token), policy)
    with asking(url, policy, timeout, max_bytes=_MAX_PAGE_BYTES) as session:
        session.headers.update(_headers(user_token))
        for page in range(1, _MAX_PAGES + 1):
            response = session.get(url, params={"per_page": _PAGE, "page": page}, allow_redirects=False)
            if response.status_code != 200:
                raise refused(app.host, response.status_code, response.headers, "the installations of this account")
            found = json_of(response).get("installations")
            if not isinstance(found, list):
                raise Unavailable(f"{app.host} did not list the installations of the GitHub App as expected.")
            yield from ((str(each.get("id")), _name(each.get("account"))) for each in found if isinstance(each, dict))
            if len(found) < _PAGE:
                return


def user_can_see(
    app: GitHubApp, user_token: str, installation_id: str, *, policy: egress.Policy, timeout: float
) -> bool:
    """Whether the person has access to that installation: its id in a callback proves nothing, anybody can write it."""
    seen = installations_seen(app, user_token, policy=policy, timeout=timeout)
    return any(number == installation_id for number, _account in seen)


# https://docs.github.com/en/rest/apps/installations#list-repositories-accessible-to-the-app-installation
# https://docs.github.com/en/rest/apps/installations#list-repositories-accessible-to-the-user-access-token
def hidden_from_user(
    app: GitHubApp, user_token: str, installation_id: str, *, policy: egress.Policy, timeout: float
) -> int:
    """How many of an installation's repositories the person cannot see.

    Someone who may read a single one of them has access to the installation, whose own token reads them all.
    """
    grant = installation_token(app, installation_id, policy=policy, timeout=timeout)
    covered = _total(app, "/installation/repositories", grant.access_token, policy, timeout)
    path = f"{_path(app, installation_id).replace('/app/', '/user/')}/repositories"
    return max(0, covered - _total(app, path, user_token, policy, timeout))


def _total(app: GitHubApp, path: str, token: str, policy: egress.Policy, timeout: float) -> int:
    url = app.base_url + path
    check_transport(url, Credential(token), policy)
    with asking(url, policy, timeout, max_bytes=_MAX_PAGE_BYTES) as session:
        session.headers.update(_headers(token))
        response = session.get(url, params={"per_page": 1}, allow_redirects=False)
        if response.status_code != 200:
            raise refused(app.host, response.status_code, response.headers, "the installation's repositories")
        total = json_of(response).get("total_count")
    if type(total) is not int:
        raise Unavailable(f"{app.host} did not count the repositories of the GitHub App's installation.")
    return total


def forget_user_token(app: GitHubApp, user_token: str, *, policy: egress.Policy, timeout: float) -> None:
    """Make the person's token worthless; one that is so already is no error."""
    revoke(app.oauth, user_token, whole=False, policy=policy, timeout=timeout)


def _path(app: GitHubApp, installation_id: str) -> str:
    if not (installation_id.isascii() and installation_id.isdecimal() and len(installation_id) < 20):
        raise NotFound(f"{app.host} has no installation of the GitHub App with this id.")
    return f"/app/installations/{installation_id}"


def _as_app(app: GitHubApp, method: str, path: str, policy: egress.Policy, timeout: float) -> dict[str, Any]:
    token = app_jwt(app, datetime.now(UTC))
    check_secret(app.oauth, policy)
    with asking(app.base_url, policy, timeout) as session:
        session.headers.update(_headers(token))
        response = session.request(method, app.base_url + path, allow_redirects=False)
        if response.status_code not in (200, 201):
            raise _refusal(app, response)
        return json_of(response)


def _refusal(app: GitHubApp, response: requests.Response) -> Exception:
    status = response.status_code
    if status == 401:
        return Misconfigured(
            f"{app.host} does not accept the GitHub App's private key: the key or the App's id is wrong, or this "
            "server's clock is."
        )
    if status in (404, 410):
        return AuthFailed(
            f"The GitHub App is no longer installed at this account on {app.host}.", advice="Install it again."
        )
    found = refused(app.host, status, response.headers, "this installation of the GitHub App")
    if isinstance(found, Forbidden):
        return Forbidden(
            f"The installation of the GitHub App is suspended on {app.host}.", advice="Unsuspend it there."
        )
    return found


def _headers(token: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": API_VERSION,
    }


def _permissions(data: dict[str, Any]) -> frozenset[str]:
    told = data.get("permissions")
    items = told.items() if isinstance(told, dict) else ()
    return frozenset(f"{name}:{level}" for name, level in items if isinstance(level, str) and len(name + level) < 80)


def _name(account: object) -> str:
    """Of an account as GitHub describes it; an enterprise has no login."""
    told = account if isinstance(account, dict) else {}
    return _text(told.get("login") or told.get("slug"), MAX_TEXT)


def _text(value: object, most: int) -> str:
    return value if isinstance(value, str) and len(value) <= most and not UNSTORABLE.search(value) else ""


def _moment(value: object) -> datetime | None:
    """`2026-07-11T22:14:10Z`."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo and 2000 <= moment.year < 9000 else None
