"""Every night each connection is tried at its forge, and who made it is warned before its token expires.

One Run an organisation and night, at a moment of its own, so that neither the forges nor the workers see all of them at
once, and the list of Runs stays one of what people did. In it each connection is by itself: one that cannot be reached
stops no other.
"""

from __future__ import annotations

import enum
import zlib
import zoneinfo
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Min, Q, QuerySet
from django.utils import timezone

from forges import leaving, standing, telling
from forges.clients import github_app
from forges.clients.base import Account
from forges.clients.errors import AuthFailed, ForgeError, Misconfigured
from forges.connecting import notes_on
from forges.credentials import configured_app, credential_source
from forges.models import Connection, ConnectionStatus, Method
from forges.opening import client_for, note_rate
from forges.renewing import EXCHANGE_SECONDS, scope_text
from jobs.context import RunContext
from jobs.models import LogLine, Run, Status, Trigger
from jobs.outcomes import Outcome
from jobs.registry import Kind
from jobs.runs import request_run
from lib.crypto import CryptoError
from lib.policy import egress_policy
from orgs.models import Organization

CHECK = "forges.check"
EVERY_MINUTES = 10
"""How often `tick` looks which organisations are due."""
WARN_DAYS = (1, 7, 14)
_NIGHT = time(1)
_NIGHT_SECONDS = 4 * 3600
_SILENT = 3
"""Connections in vain, after which a forge is not waited for once more in the same Run."""
_SECONDS = 30.0
"""For one request of the night's: a server that trickles holds no worker."""
_MISCONFIGURED_AGAIN = timedelta(hours=1)
"""The operator may have corrected the settings."""


class Verdict(enum.StrEnum):
    WORKS = "working"
    LOST = "lost"
    UNREACHABLE = "unreachable"
    """The forge did not answer as it should, or the secret does not open: nothing was learnt about the connection."""


@dataclass(frozen=True, slots=True)
class Checked:
    verdict: Verdict
    detail: str = ""
    """Why it does not work or could not be tried, for a person."""


def check(connection: Connection, *, seconds: float | None = None) -> Checked:
    """Try it at its forge, and keep what that says of its account, permissions and expiry.

    One that only the forge stood against is connected again when it works. `seconds` as for `client_for`: a person
    waits. Not for use within a transaction.
    """
    try:
        facts = _ask_as_app(connection) if connection.method == Method.GITHUB_APP else _ask(connection, seconds)
    except (AuthFailed, Misconfigured) as error:
        return Checked(Verdict.LOST, _note_refusal(connection, error))
    except (ForgeError, CryptoError) as error:
        return Checked(Verdict.UNREACHABLE, str(error))
    # Unless it was connected anew meanwhile.
    rows = Connection.objects.filter(pk=connection.pk, connected_at=connection.connected_at)
    rows.update(**facts, checked_at=timezone.now())
    standing.mend(connection)
    connection.refresh_from_db()
    if not connection.is_connected:
        return Checked(Verdict.LOST, connection.reason)
    return Checked(Verdict.WORKS)


def _note_refusal(connection: Connection, error: AuthFailed | Misconfigured) -> str:
    """Where a token was asked for, it has been written down already, and better. Returns what was."""
    current: Connection | None = Connection.objects.filter(pk=connection.pk).first()
    if current is None or current.connected_at != connection.connected_at:
        return str(error)
    standing.fail(current, error, code=standing.REFUSED, generation=current.generation)
    return current.reason or str(error)


def _ask(connection: Connection, seconds: float | None) -> dict[str, Any]:
    with client_for(
        forge=connection.forge,
        base_url=connection.base_url,
        credential=credential_source(connection, trying=True),
        seconds=seconds,
    ) as client:
        try:
            account = client.account()
        finally:
            note_rate(connection, client.usage)
    facts = _account_facts(account)
    if account.scopes is not None:
        facts |= _permission_facts(connection, account.scopes)
    if connection.method == Method.TOKEN and account.expires_at is not None:
        facts["expires_at"] = account.expires_at
    return facts


def _ask_as_app(connection: Connection) -> dict[str, Any]:
    """An installation's token speaks for no account: the App itself asks about the installation."""
    policy, timeout = egress_policy(), EXCHANGE_SECONDS
    credential_source(connection, trying=True).current()  # fails where it is suspended or gone, and notes that
    found = github_app.installation(configured_app(), connection.installation_id, policy=policy, timeout=timeout)
    account = Account(login=found.account, id=found.account_id, avatar_url=found.avatar_url)
    return _account_facts(account) | _permission_facts(connection, found.permissions)


def _account_facts(account: Account) -> dict[str, Any]:
    """Accounts are renamed; their ids stay."""
    facts = {"account": (account.login or "")[:255]} if account.login else {}
    if account.avatar_url and len(account.avatar_url) <= 1024:
        facts["avatar_url"] = account.avatar_url
    return facts


def _permission_facts(connection: Connection, scopes: frozenset[str]) -> dict[str, Any]:
    return {"scopes": scope_text(scopes), "notes": notes_on(connection.forge, connection.method, scopes)}


# -- the Run -----------------------------------------------------------------------------------------------------------


def check_connections(context: RunContext) -> Outcome:
    """The job: check each connection of the organisation, and warn of what expires."""
    organization: Organization = context.subject
    leaving.disconnect_all_left(organization)
    found = list(_to_check().filter(organization=organization).select_related("organization", "user"))
    counts: Counter[str] = Counter()
    silent: Counter[str] = Counter()
    for number, connection in enumerate(found):
        context.check()
        name = f"{standing.named(connection)} at {standing.where(connection)}"
        context.progress(f"Trying {name}"[:80], number, len(found))
        if silent[connection.base_url] < _SILENT:
            checked = check(connection, seconds=_SECONDS)
        else:
            checked = Checked(Verdict.UNREACHABLE, "It was not tried, as the forge did not answer for others.")
        counts[checked.verdict] += 1
        silent[connection.base_url] += checked.verdict == Verdict.UNREACHABLE
        if checked.detail:
            context.log(f"{name[:1].upper()}{name[1:]}: {checked.detail}", LogLine.Level.WARNING)
        counts["warned"] += warn(connection)
    status = Status.PARTIAL if counts[Verdict.UNREACHABLE] else Status.SUCCEEDED
    return Outcome(status=status, counts={name: number for name, number in counts.items() if number})


def warn(connection: Connection) -> bool:
    """Send the warning that is due, if one is; each is sent once."""
    days = warning_due(connection.expires_at, connection.warned_at, timezone.now())
    if days is None or connection.renews or not connection.is_connected:
        return False
    with transaction.atomic():
        rows = Connection.objects.filter(pk=connection.pk, warned_at=connection.warned_at)
        sent = bool(rows.update(warned_at=timezone.now()))
        if sent:
            transaction.on_commit(partial(telling.tell_expiring, connection.pk, days), robust=True)
    return sent


def warning_due(expires_at: datetime | None, warned_at: datetime | None, now: datetime) -> int | None:
    """The days of the warning that is to be sent now: of those that are due the latest, unless it was sent."""
    if expires_at is None or expires_at <= now:
        return None
    for days in WARN_DAYS:
        due_at = expires_at - timedelta(days=days)
        if due_at <= now:
            return days if warned_at is None or warned_at < due_at else None
    return None


def _to_check() -> QuerySet[Connection]:
    """Those that are connected, and those that the forge or the operator may have put right."""
    hopeful = Q(reason_code__in=[standing.MISCONFIGURED, standing.SUSPENDED])
    found: QuerySet[Connection] = Connection.objects.filter(Q(status=ConnectionStatus.CONNECTED) | hopeful)
    return found.order_by("created_at")


# -- when --------------------------------------------------------------------------------------------------------------


def tick() -> str:
    """What the schedule calls: ask for the Runs that are due. Returns how many, in words."""
    now = timezone.now()
    checkable = {
        row["organization"]: row
        for row in _to_check()
        .order_by()
        .values("organization")
        .annotate(
            first=Min("connected_at"),
            misconfigured=Count("pk", filter=Q(reason_code=standing.MISCONFIGURED)),
        )
    }
    last = dict(
        Run.objects.filter(kind=CHECK, organization__in=checkable)
        .order_by()
        .values_list("organization")
        .annotate(Max("created_at"))
    )
    asked = 0
    for organization in Organization.objects.filter(pk__in=checkable):
        row, before = checkable[organization.pk], last.get(organization.pk)
        since = last_moment(organization, now)
        if row["misconfigured"]:
            since = max(since, now - _MISCONFIGURED_AGAIN)
        if row["first"] < since and (before is None or before < since):
            request_run(
                kind=CHECK, subject=organization, organization=organization, options={}, trigger=Trigger.SCHEDULE
            )
            asked += 1
    return f"connections of {asked} organisations to be checked"


def last_moment(organization: Organization, now: datetime) -> datetime:
    """When its latest check was due: each night at the same moment of its own, between one and five in its zone."""
    try:
        zone: Any = zoneinfo.ZoneInfo(organization.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        zone = UTC
    offset = timedelta(seconds=zlib.crc32(organization.pk.bytes) % _NIGHT_SECONDS)
    today = now.astimezone(zone).date()
    moments = (
        datetime.combine(day, _NIGHT, tzinfo=zone).astimezone(UTC) + offset
        for day in (today, today - timedelta(days=1))
    )
    return next(moment for moment in moments if moment <= now)


def _subject_url(run: Run) -> str:
    return telling.page_path(run.organization)


KIND = Kind(
    name=CHECK,
    label="Check connections",
    function=check_connections,
    entitlement="connections.manage",
    subject_url=_subject_url,
)
