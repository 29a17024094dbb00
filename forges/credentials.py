"""With what a connection speaks to its forge: a stored token, a grant that is refreshed, or tokens made when needed."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from forges import renewing, standing
from forges.applications import github_app
from forges.clients import FORGES, oauth
from forges.clients import github_app as apps
from forges.clients.base import Credential, CredentialSource
from forges.clients.errors import AuthFailed, Forbidden, Misconfigured, RateLimited, Unavailable
from forges.minting import mint
from forges.models import Connection, Method
from forges.renewing import EXCHANGE_SECONDS
from lib.database import release_connections
from lib.policy import egress_policy

_AFTER_A_FAILURE = timedelta(seconds=30)
"""How long a token that is still good is used before its refresh is tried again."""
_LOOK_AGAIN = timedelta(seconds=30)
"""How long a row is taken for what it was: then somebody who disconnected it is heard, also in the middle of a Run."""


def credential_source(connection: Connection, *, trying: bool = False) -> CredentialSource:
    """What clients take. Its methods read the row anew when they have to, and raise ConnectionLost once it is not
    connected; with `trying` only if a person disconnected it: the forge's own reasons may have passed.

    Not for use within a transaction: they may ask the forge. A pooled database connection is given back.
    """
    if connection.method in (Method.GITHUB_APP, Method.CONSUMER):
        return _Minted(connection, trying)
    return _Stored(connection, trying)


@dataclass(frozen=True, slots=True)
class _Held:
    """A token as the row had it, so that not every request asks the database."""

    credential: Credential
    renew_at: datetime | None
    read_at: datetime = field(default_factory=timezone.now)

    @classmethod
    def of(cls, row: Connection) -> _Held:
        credential = Credential(row.token, username=row.username, oauth=row.method == Method.OAUTH)
        return cls(credential, row.renew_at if row.renews else None)

    @property
    def is_good(self) -> bool:
        now = timezone.now()
        return now < self.read_at + _LOOK_AGAIN and (self.renew_at is None or now < self.renew_at)


class _Stored:
    """A token in the row, with or without a refresh token."""

    def __init__(self, connection: Connection, trying: bool) -> None:
        self._id = connection.pk
        self._trying = trying
        self._held: _Held | None = None

    def __bool__(self) -> bool:
        return True

    def current(self) -> Credential:
        held = self._held
        if held is None or not held.is_good:
            held = self._held = self._fresh()
            release_connections()
        return held.credential

    def renewed(self, refused: Credential) -> Credential | None:
        row = renewing.read(self._id, trying=self._trying)
        if row.token == refused.token:
            if not row.renews:
                _ended(row)
                return None
            row = renewing.renew(row, trying=self._trying)
        self._held = _Held.of(row)
        release_connections()
        return self._held.credential

    def _fresh(self) -> _Held:
        row = renewing.read(self._id, trying=self._trying)
        held = _Held.of(row)
        if held.is_good:
            return held
        try:
            return _Held.of(renewing.renew(row, trying=self._trying))
        except (Unavailable, RateLimited):
            now = timezone.now()
            if row.expires_at is None or row.expires_at <= now:
                raise
            # The token at hand still has some time left.
            return _Held(held.credential, now + min(_AFTER_A_FAILURE, (row.expires_at - now) / 2))


def _ended(row: Connection) -> None:
    """The forge refused a token that nothing renews."""
    forge = standing.where(row)
    if row.expires_at is not None and row.expires_at <= timezone.now():
        standing.lose(
            row,
            code=standing.EXPIRED,
            reason=f"The token for {forge} has expired. Connect again with a new one.",
            generation=row.generation,
        )
    else:
        standing.lose(
            row,
            code=standing.REFUSED,
            reason=f"{forge} does not accept the token any more: it expired or was revoked. Connect again.",
            generation=row.generation,
        )
    release_connections()


class _Minted:
    """Installation tokens and those of consumers: the database has what they are made with, never themselves."""

    def __init__(self, connection: Connection, trying: bool) -> None:
        self._id = connection.pk
        self._trying = trying
        self._row: Connection | None = None
        self._read_at = timezone.now()

    def __bool__(self) -> bool:
        return True

    def current(self) -> Credential:
        return self._made()

    def renewed(self, refused: Credential) -> Credential | None:
        self._row = None  # it may have been connected with another key since
        return self._made(refused=refused.token)

    def _made(self, *, refused: str = "") -> Credential:
        now = timezone.now()
        if self._row is None or now >= self._read_at + _LOOK_AGAIN:
            self._row, self._read_at = renewing.read(self._id, trying=self._trying), now
            release_connections()
        row = self._row
        try:
            return mint.credential(_key(row), lambda: _make(row), refused=refused)
        except AuthFailed as error:
            code = standing.UNINSTALLED if row.method == Method.GITHUB_APP else standing.REFUSED
            raise self._failed(row, error, code) from error
        except Forbidden as error:
            raise self._failed(row, error, standing.SUSPENDED) from error
        except Misconfigured as error:
            self._failed(row, error, standing.MISCONFIGURED)
            raise

    def _failed(
        self, row: Connection, error: AuthFailed | Forbidden | Misconfigured, code: str
    ) -> standing.ConnectionLost:
        self._row = None
        standing.fail(row, error, code=code, generation=row.generation)
        release_connections()
        return standing.ConnectionLost(str(error))


def _key(row: Connection) -> Hashable:
    if row.method == Method.GITHUB_APP:
        return row.base_url, row.installation_id
    return row.pk, row.generation


def _make(row: Connection) -> oauth.Grant:
    policy = egress_policy()
    if row.method == Method.GITHUB_APP:
        app = configured_app()
        if app.base_url != row.base_url:
            raise Misconfigured(f"This installation's GitHub App is not one of {standing.where(row)} any more.")
        return apps.installation_token(app, row.installation_id, policy=policy, timeout=EXCHANGE_SECONDS)
    return oauth.client_credentials(
        web_url=FORGES[row.forge].web_url(row.base_url),
        key=row.consumer_key,
        secret=row.consumer_secret,
        policy=policy,
        timeout=EXCHANGE_SECONDS,
    )


def configured_app() -> apps.GitHubApp:
    """The operator's GitHub App; Misconfigured where there is none, or one in part."""
    try:
        app = github_app()
    except ImproperlyConfigured as error:
        raise Misconfigured(str(error)) from error
    if app is None:
        raise Misconfigured("This installation has no GitHub App.")
    return app
