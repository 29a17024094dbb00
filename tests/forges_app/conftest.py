"""Applications at the local forge, and grants that its OAuth server really issued."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection as database
from django.utils import timezone
from pytest_django import Settings

from forges.applications import OAuthApplication, oauth_applications
from forges.clients.oauth import Grant
from forges.connecting import connect_oauth
from forges.minting import mint
from forges.models import Connection
from forges.opening import client_through
from forges.signals import connection_changed
from orgs.models import Membership, Organization, User
from tests.forges_app.followed import follow, live
from tests.wire.forge import Forge
from tests.wire.installations import HostedApp
from tests.wire.oauth import OAuthApp

__all__ = ["follow", "live"]

CALLBACK = "https://millrace.example/callback/"


def of(person: User, organization: Organization | None = None) -> Membership:
    mine = Membership.objects.select_related("organization", "user").filter(user=person)
    return mine.get(organization=organization) if organization else mine.get()


@dataclass(frozen=True)
class Registered:
    """An OAuth application of the operator's at the local forge."""

    forge: Forge
    hosted: OAuthApp
    application: OAuthApplication

    def grant(self, login: str = "octo", scope: str = "") -> Grant:
        """What a flow brings in which `login` pressed Authorise."""
        oauth, app = self.forge.world.oauth, self.hosted
        code = oauth.authorise(app.client_id, CALLBACK, scope or _SCOPES[app.forge], account=login)
        issued = oauth.exchange(app.client_id, app.client_secret, code, CALLBACK, "")
        expires_in = issued.expires_in
        return Grant(
            issued.access_token,
            issued.refresh_token,
            # To the second, as forges tell it; what a test sets to less than one comes as it is.
            None if app.ttl is None else datetime.now(UTC) + timedelta(seconds=expires_in or 0),
            issued.scopes,
        )

    def connect(self, person: User, login: str = "octo", **options: Any) -> Connection:
        return connect_oauth(of(person), self.application, self.grant(login), **options).connection

    @property
    def refreshes(self) -> int:
        """How often its grants were refreshed, or tried to be."""
        return sum("grant_type=refresh_token" in request.body.decode() for request in self._token_requests())

    def _token_requests(self) -> list[Any]:
        paths = ("/oauth/token", "/login/oauth/access_token", "/site/oauth2/access_token")
        return [request for request in self.forge.requests if request.path in paths]


_SCOPES = {
    "github": "read:user user:email repo",
    "gitlab": "read_user read_repository api",
    "bitbucket": "account repository repository:write pullrequest:write webhook",
}

Register = Callable[..., Registered]
UserToken = Callable[[str], str]


@pytest.fixture
def register(forge: Forge, settings: Settings) -> Register:
    """Register an application: `register("gitlab", ttl=5.0)`."""

    def registered(kind: str, **options: Any) -> Registered:
        hosted = forge.world.oauth.app(kind, redirect_uri=CALLBACK, **options)
        settings.FORGE_OAUTH_APPS = [
            *settings.FORGE_OAUTH_APPS,
            f"{kind}|{forge.url}|{hosted.client_id}|{hosted.client_secret}",
        ]
        application = next(each for each in oauth_applications() if each.app.client_id == hosted.client_id)
        return Registered(forge, hosted, application)

    return registered


@pytest.fixture
def gitlab(register: Register) -> Registered:
    """GitLab's OAuth: tokens of two hours, refresh tokens that rotate."""
    return register("gitlab")


@pytest.fixture
def github(register: Register) -> Registered:
    """GitHub's OAuth as most have it: tokens that live for ever."""
    return register("github", ttl=None)


@pytest.fixture
def app(forge: Forge, settings: Settings) -> HostedApp:
    """The operator's GitHub App."""
    hosted = forge.world.apps.register(callback_url=CALLBACK)
    settings.GITHUB_APP_URL = forge.url
    settings.GITHUB_APP_ID = str(hosted.app_id)
    settings.GITHUB_APP_SLUG = hosted.slug
    settings.GITHUB_APP_CLIENT_ID = hosted.client_id
    settings.GITHUB_APP_CLIENT_SECRET = hosted.client_secret
    settings.GITHUB_APP_PRIVATE_KEY = hosted.private_key_pem
    settings.GITHUB_APP_WEBHOOK_SECRET = "a webhook's secret"
    mint.forget()
    return hosted


@pytest.fixture
def user_token(forge: Forge, app: HostedApp) -> Callable[[str], str]:
    """The token of a person who came back from installing the App."""

    def token(login: str) -> str:
        oauth = forge.world.oauth
        code = oauth.authorise(app.client_id, CALLBACK, account=login)
        return oauth.exchange(app.client_id, app.client_secret, code, CALLBACK, "").access_token

    return token


@dataclass(frozen=True)
class News:
    connection: uuid.UUID
    kind: str


@pytest.fixture
def news() -> Any:
    """What `connection_changed` told, in order."""
    told: list[News] = []

    def hear(sender: object, connection: Connection, kind: str, **_: object) -> None:
        told.append(News(connection.pk, kind))

    connection_changed.connect(hear)
    yield told
    connection_changed.disconnect(hear)


def make_due(row: Connection, *, expired: bool = False) -> Connection:
    """Let the time come in which its token is refreshed; `expired`: the token itself has ended, too."""
    now = timezone.now()
    ends = now - timedelta(seconds=1) if expired else now + timedelta(seconds=60)
    Connection.objects.filter(pk=row.pk).update(renew_at=now - timedelta(seconds=1), expires_at=ends)
    row.refresh_from_db()
    return row


def account_through(row: Connection) -> str | None:
    with client_through(row) as client:
        return client.account().login


def at_once(calls: int, call: Callable[[], Any]) -> list[Any]:
    """What each of so many threads returned or raised, all of them having begun together."""
    barrier = Barrier(calls)

    def run(_: int) -> Any:
        database.ensure_connection()
        barrier.wait(timeout=10)
        try:
            return call()
        except Exception as error:
            return error
        finally:
            database.close()

    with ThreadPoolExecutor(calls) as pool:
        return list(pool.map(run, range(calls)))
