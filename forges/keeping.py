"""Writing a connection that its forge has accepted: as a new row, or into the one that is the same thing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from forges import connections, standing
from forges.clients.base import Account
from forges.models import Connection, ConnectionStatus
from forges.signals import connection_changed
from forges.usage import uses_of
from orgs import audit
from orgs.models import Membership, Organization


class ConnectionRefused(Exception):
    """What was entered or brought does not make a connection. `field` is the form's field, "" where it is none's
    alone; `str(error)` is a sentence for a person."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class Connected:
    connection: Connection
    created: bool
    """False when a connection that was there got a new credential."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is to be written, once the forge has accepted it."""

    forge: str
    base_url: str
    method: str
    account: Account
    shared: bool
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    facts: dict[str, Any] = field(default_factory=dict)
    expires_at: datetime | None = None
    renew_at: datetime | None = None

    @property
    def account_id(self) -> str:
        return self.account.id or self.account.login or ""


def keep(
    membership: Membership,
    found: Found,
    *,
    same: dict[str, Any] | None,
    into: Connection | None,
    request: HttpRequest | None,
) -> Connected:
    """Write it into `into`, into the row that is the `same` thing, or into a new one."""
    try:
        with transaction.atomic():
            # One at a time in an organisation, so that the second of two equal ones finds the first one's row.
            Organization.objects.select_for_update().get(pk=membership.organization_id)
            membership = _still_member(membership)
            connections.require_add(membership, found.method, shared=found.shared and into is None)
            row = connections.locked(membership, into) if into is not None else _same(membership, found, same)
            created = row is None
            if row is None:
                row = Connection(
                    organization=membership.organization,
                    user=membership.user,
                    forge=found.forge,
                    base_url=found.base_url,
                    method=found.method,
                    shared=found.shared,
                )
            else:
                _check_same(row, found)
            before = {} if created else connections.facts(row)
            _fill(row, found, membership)
            row.save(force_insert=created)
            audit.record(
                "connection.connected" if created else "connection.reconnected",
                organization=row.organization,
                actor=membership.user,
                target=row,
                before=before,
                after=connections.facts(row),
                request=request,
            )
            connection_changed.send(sender=Connection, connection=row, kind="connected")
    except IntegrityError as error:
        raise ConnectionRefused(
            "", f"{found.account.login or 'This account'} is connected here already. Connect that one again instead."
        ) from error
    return Connected(row, created)


def _still_member(membership: Membership) -> Membership:
    """As they are now: they may have been removed, or lost a right, while the forge was asked."""
    current = Membership.objects.select_related("organization", "user").filter(pk=membership.pk).first()
    if current is None or not current.user.is_active:
        raise PermissionDenied("You are no longer a member of this organisation.")
    return current


def _same(membership: Membership, found: Found, same: dict[str, Any] | None) -> Connection | None:
    if same is None:
        return None
    row: Connection | None = (
        Connection.objects.select_for_update(of=("self",))
        .select_related("organization", "user")
        .filter(
            organization=membership.organization_id,
            forge=found.forge,
            base_url=found.base_url,
            method=found.method,
            **same,
        )
        .first()
    )
    return row


def takes_any_account(row: Connection) -> bool:
    """Whether another account may take its place: where nothing uses it, or its maker has left."""
    return not connections.maker_is_here(row) or not uses_of([row])[row.pk]


def _check_same(row: Connection, found: Found) -> None:
    """Connecting again is for the same account, as what uses the connection was chosen for that one."""
    if (row.forge, row.base_url, row.method) != (found.forge, found.base_url, found.method):
        raise ConnectionRefused(
            "", f"This connection is to {standing.where(row)} by {row.get_method_display()}. Add another one instead."
        )
    if row.account_id not in ("", found.account_id) and not takes_any_account(row):
        raise ConnectionRefused(
            "",
            f"This connection is for the account {row.account}, and you came back as {found.account.login}. Sign in at "
            f"the forge as {row.account} and try again, or add {found.account.login} as another connection.",
        )


def _fill(row: Connection, found: Found, membership: Membership) -> None:
    now = timezone.now()
    # Whoever puts another account in its place is whose it is: it is theirs to share or not.
    if not connections.maker_is_here(row) or row.account_id not in ("", found.account_id[:255]):
        row.user = membership.user
    row.account_id, row.account = found.account_id[:255], (found.account.login or "")[:255]
    row.avatar_url = found.account.avatar_url if len(found.account.avatar_url) <= 1024 else ""
    row.token = row.refresh_token = row.consumer_secret = ""
    for name, value in (found.facts | found.secrets).items():
        setattr(row, name, value)
    row.expires_at, row.renew_at = found.expires_at, found.renew_at
    row.generation += 1
    row.renewer = row.renewing_until = None
    row.status, row.reason_code, row.reason = ConnectionStatus.CONNECTED, "", ""
    row.connected_at = row.checked_at = now
    row.warned_at = None
