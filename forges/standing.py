"""Whether a connection can be used: the one place where that changes, with everybody who has to hear of it.

Each change is one conditional statement, so of two workers that find the same thing out one tells of it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from forges import telling
from forges.clients import FORGES
from forges.clients.errors import AuthFailed, ForgeError, Misconfigured
from forges.models import Connection, ConnectionStatus
from forges.signals import connection_changed
from orgs import audit
from orgs.models import User

BY_HAND = "by_hand"
MAKER_LEFT = "maker_left"
EXPIRED = "expired"
REFUSED = "refused"
UNINSTALLED = "uninstalled"
SUSPENDED = "suspended"
MISCONFIGURED = "misconfigured"

DECIDED = (BY_HAND, MAKER_LEFT)
"""Reasons that people gave: only connecting it again undoes them."""
MENDS = (EXPIRED, REFUSED, UNINSTALLED, SUSPENDED, MISCONFIGURED)
"""Reasons that the forge gave, and takes back by accepting the credential after all."""


class ConnectionLost(AuthFailed):
    """The connection is not connected (any more): the sentence is its own reason."""

    code = "connection_lost"
    advice = "Connect it again on the Connections page, or choose another credential."


def lost(connection: Connection) -> ConnectionLost:
    return ConnectionLost(connection.reason or f"The connection of {connection} is not connected.")


def where(connection: Connection) -> str:
    """The forge's name, with its host where it is not the public server."""
    return FORGES[connection.forge].label_at(connection.base_url)


def named(connection: Connection) -> str:
    """For Runs and what else every member sees: somebody's own account is nobody else's business."""
    if connection.shared:
        return f"the connection of {connection}"
    return f"a connection of {connection.user or 'somebody who left'}"


def lose(
    connection: Connection,
    *,
    code: str,
    reason: str,
    status: str = ConnectionStatus.DISCONNECTED,
    generation: int | None = None,
    by: User | None = None,
    request: HttpRequest | None = None,
) -> bool:
    """Say that it cannot be used any more, unless that is known; False then, and nobody is told twice.

    With `generation` only if it still has that token: who was refused with an older one has learnt nothing about it.
    A person's own doing (`by`) is told to its maker only when they are somebody else.
    """
    rows = Connection.objects.filter(pk=connection.pk)
    rows = rows.exclude(reason_code__in=DECIDED) if code in DECIDED else rows.filter(status=ConnectionStatus.CONNECTED)
    if generation is not None:
        rows = rows.filter(generation=generation)
    fields = {"status": status, "reason_code": code, "reason": reason}
    with transaction.atomic():
        if not rows.update(**fields, updated_at=timezone.now()):
            return False
        _take(connection, fields)
        _record("connection.disconnected", connection, by, request, after={"status": status, "reason": reason})
        connection_changed.send(sender=Connection, connection=connection, kind="disconnected")
        if by is None or by.pk != connection.user_id:
            transaction.on_commit(partial(telling.tell_lost, connection.pk), robust=True)
    return True


def fail(connection: Connection, error: ForgeError, *, code: str, generation: int | None = None) -> bool:
    """`lose` for what a forge, or our own settings, said when a token was asked for."""
    if isinstance(error, Misconfigured):
        return lose(
            connection,
            code=MISCONFIGURED,
            reason=f"{error} {error.advice}",
            status=ConnectionStatus.ERROR,
            generation=generation,
        )
    return lose(connection, code=code, reason=str(error), generation=generation)


def mend(connection: Connection) -> bool:
    """Say that the forge accepts it (again), where the forge was what stood against it; False where nothing changed."""
    fields = {"status": ConnectionStatus.CONNECTED, "reason_code": "", "reason": ""}
    rows = Connection.objects.filter(pk=connection.pk, reason_code__in=MENDS)
    with transaction.atomic():
        if not rows.update(**fields, updated_at=timezone.now()):
            return False
        _take(connection, fields)
        _record("connection.works_again", connection, None, None)
        connection_changed.send(sender=Connection, connection=connection, kind="connected")
    return True


def _take(connection: Connection, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        setattr(connection, name, value)


def _record(
    action: str,
    connection: Connection,
    by: User | None,
    request: HttpRequest | None,
    *,
    after: dict[str, Any] | None = None,
) -> None:
    audit.record(
        action, organization=connection.organization, actor=by, target=connection, after=after, request=request
    )
