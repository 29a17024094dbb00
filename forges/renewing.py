"""Refreshing a stored OAuth grant: once, whoever asks at the same moment (docs/adr/0009).

A lease on the row stands for a lock on it, because the forge is asked outside of any transaction. It only saves
requests: what keeps grants whole is that a new grant is saved, and a refusal believed, on the condition that the row
still has the refresh token that was sent (`generation`).
"""

from __future__ import annotations

import random
import time
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from forges import standing
from forges.applications import oauth_application
from forges.clients import oauth
from forges.clients.errors import AuthFailed, Misconfigured, Unavailable
from forges.models import Connection
from lib.database import release_connections
from lib.policy import egress_policy

EXCHANGE_SECONDS = 10.0
"""For the forge to answer."""
LEASE_SECONDS = 20.0
"""How long others wait for who is refreshing, and so the longest that one who was killed at it is waited for."""
_MARGIN = timedelta(seconds=60)
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5


def renew_at(expires_at: datetime | None, now: datetime) -> datetime | None:
    """When a token that was got just now is to be refreshed: a minute before its end, or a tenth of its life where
    that is more, and never before half of it is over. None for one without an end."""
    if expires_at is None:
        return None
    life = max(expires_at - now, timedelta())
    return expires_at - min(max(_MARGIN, life / 10), life / 2)


def grant_fields(connection: Connection, grant: oauth.Grant) -> dict[str, Any]:
    """The columns that hold a new grant, for `update`; the connection itself gets them, too."""
    connection.token, connection.refresh_token = grant.access_token, grant.refresh_token
    connection.expires_at = grant.expires_at
    connection.renew_at = renew_at(grant.expires_at, timezone.now()) if grant.refresh_token else None
    names = (*Connection.token.columns, *Connection.refresh_token.columns, "expires_at", "renew_at")
    return {name: getattr(connection, name) for name in names}


def renew(connection: Connection, *, trying: bool = False) -> Connection:
    """The connection with a token that is newer than the one at hand: refreshed here, or by somebody else meanwhile.

    ConnectionLost when the forge rejects the grant, Misconfigured when it rejects our application (both are written
    down and told), and what trying again can mend: Unavailable, RateLimited. `trying` as for `read`.
    """
    seen, waited, pause = connection.generation, False, _SHORTEST_PAUSE
    until = time.monotonic() + LEASE_SECONDS + EXCHANGE_SECONDS
    while time.monotonic() < until:
        current = read(connection.pk, trying=trying)
        if current.generation != seen:
            return current
        if waited and current.renewer is None:
            break  # who was refreshing it did not get through, and neither would we
        renewer = _claim(current)
        if renewer is not None:
            try:
                return _exchange(current)
            finally:
                _release(current.pk, renewer)
        waited = True
        release_connections()
        time.sleep(pause * random.uniform(0.5, 1))  # noqa: S311  # jitter, no secret
        pause = min(pause * 2, _LONGEST_PAUSE)
    raise Unavailable(f"{standing.where(connection)} could not renew the authorisation just now.")


def read(connection_id: uuid.UUID, *, trying: bool = False) -> Connection:
    """The row as it is now; ConnectionLost unless it is connected, or (`trying`) a forge was what stood against it."""
    found: Connection | None = Connection.objects.select_related("organization").filter(pk=connection_id).first()
    if found is None:
        raise standing.ConnectionLost("The connection was deleted.")
    if not found.is_connected and not (trying and found.reason_code in standing.MENDS):
        raise standing.lost(found)
    return found


def _claim(connection: Connection) -> uuid.UUID | None:
    """The lease, if it is free: nobody has it, or whoever has it had time enough."""
    renewer, now = uuid.uuid4(), timezone.now()
    if connection.renewer is not None and connection.renewing_until is not None and connection.renewing_until >= now:
        return None
    rows = Connection.objects.filter(
        Q(renewer=None) | Q(renewing_until__lt=now), pk=connection.pk, generation=connection.generation
    )
    claimed = rows.update(renewer=renewer, renewing_until=now + timedelta(seconds=LEASE_SECONDS))
    return renewer if claimed else None


def _release(connection_id: uuid.UUID, renewer: uuid.UUID) -> None:
    Connection.objects.filter(pk=connection_id, renewer=renewer).update(renewer=None, renewing_until=None)
    release_connections()


def _exchange(connection: Connection) -> Connection:
    """Ask the forge, and save at once what it says: from its answer on the old refresh token is worth nothing."""
    sent = connection.generation
    release_connections()
    try:
        app = configured_app(connection)
        grant = oauth.refresh(app, connection.refresh_token, policy=egress_policy(), timeout=EXCHANGE_SECONDS)
    except (AuthFailed, Misconfigured) as error:
        if standing.fail(connection, error, code=standing.REFUSED, generation=sent):
            raise _told(connection, error) from error
        return _newer(connection, sent, error)
    return _save(connection, grant, sent)


def configured_app(connection: Connection) -> oauth.App:
    """The operator's OAuth application at the connection's forge; Misconfigured where there is none (any more)."""
    try:
        application = oauth_application(connection.forge, connection.base_url)
    except ImproperlyConfigured as error:
        raise Misconfigured(str(error)) from error
    if application is None:
        raise Misconfigured(f"There is no OAuth application for {standing.where(connection)} here any more.")
    return application.app


def _newer(connection: Connection, sent: int, error: AuthFailed | Misconfigured) -> Connection:
    """What the row holds after a refusal that was not believed: the token of who was first, or what that one learnt."""
    current = read(connection.pk, trying=True)
    if current.generation == sent:
        raise _told(current, error) from error
    if not current.is_connected:
        raise standing.lost(current) from error
    return current


def _told(connection: Connection, error: AuthFailed | Misconfigured) -> AuthFailed | Misconfigured:
    return error if isinstance(error, Misconfigured) else standing.lost(connection)


def _save(connection: Connection, grant: oauth.Grant, sent: int) -> Connection:
    """Keep a new grant, whatever became of the lease meanwhile, unless the row has another one by now.

    Who was refused in between with the token that this one was got for was mistaken: `mend` says so.
    """
    fields = grant_fields(connection, grant)
    if grant.scopes is not None:
        fields["scopes"] = scope_text(grant.scopes)
    rows = Connection.objects.filter(pk=connection.pk, generation=sent)
    with transaction.atomic():
        kept = rows.update(**fields, generation=sent + 1, updated_at=timezone.now())
        if kept:
            standing.mend(connection)
    return read(connection.pk)


def scope_text(scopes: frozenset[str] | None) -> str:
    """As they are stored: by spaces, as many as there is room for."""
    kept = ""
    for scope in sorted(scopes or ()):
        longer = f"{kept} {scope}".strip()
        if len(longer) > 1024:
            break
        kept = longer
    return kept
