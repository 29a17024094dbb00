"""By the clock: repositories in which something moved that nobody told of, and rows that no sync has looked at."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from catalog import porting
from catalog.portable.model import Code, Kind
from forges import hooks
from forges.clients.errors import ForgeError
from forges.models import HookStatus
from gitsync.credentials import open_client
from gitsync.mirror.hooks import hook_of, told_by_app
from gitsync.mirror.requesting import SYNC, request_sync
from gitsync.models import Mirror, MirroredEntity, Problem
from gitsync.requesting import live_runs
from jobs.models import FINISHED, Run, Status, Trigger
from jobs.outcomes import Failure, Waiting

BATCH = 200
"""Mirrors that one tick asks Runs for; the next tick is a minute later."""
SECONDS = 10.0
"""For one forge to say where its branch is, before the others have their turn."""
TICK_SECONDS = 40.0
"""For all of them; who is left over comes first the next time."""
AGAIN_AFTER = timedelta(minutes=15)


def tick() -> str:
    """What the schedule calls every minute. Returns how many Runs it asked for, in words."""
    asked = sum(_push_what_is_lacking(mirror) for mirror in _able()[:BATCH])
    ends = time.monotonic() + TICK_SECONDS
    for mirror in _due(timezone.now())[:BATCH]:
        if time.monotonic() >= ends:
            break
        asked += _look(mirror)
    return f"{asked} syncs asked for"


def _able() -> Any:
    return (
        Mirror.objects.filter(credential_lost="", problem=Problem.NONE)
        .select_related("organization", "connection")
        .order_by("updated_at")
    )


def _push_what_is_lacking(mirror: Mirror) -> bool:
    """Saves ask for their sync themselves; this finds what got lost between."""
    if live_runs(mirror).exists() or _given_up(mirror):
        return False
    if not _gets_on(mirror) and (_asked_lately(mirror) or not _differs(mirror)):
        return False
    request_sync(mirror, trigger=Trigger.SCHEDULE, by=None)
    return True


def _gets_on(mirror: Mirror) -> bool:
    """Whether the last sync left files unread that the next one may have: not where just as many were left before."""
    if not mirror.entities.filter(error__code=Code.FETCH_FAILED).exists():
        return False
    ended = Run.objects.about(mirror).filter(kind=SYNC, status__in=(Status.SUCCEEDED, Status.PARTIAL), joined_to=None)
    left = [result.get("unfetched", 0) for result in ended.order_by("-created_at").values_list("result", flat=True)[:2]]
    return bool(left) and left[0] > 0 and left[1:] != left[:1]


def _differs(mirror: Mirror) -> bool:
    """Whether there is a row that no sync has compared as it is."""
    compared = MirroredEntity.objects.filter(mirror=mirror, entity=OuterRef("pk"))
    for kind in Kind:
        counted = "config_revision" if kind is Kind.SERVER else "revision"
        same = compared.filter(kind=kind, entity_revision=OuterRef(counted))
        if porting.rows_of(mirror.organization, kind).filter(~Exists(same)).exists():
            return True
    return False


def _given_up(mirror: Mirror) -> bool:
    """Whether the last Run was cancelled or failed, and nobody saved since. See `gitsync.clock`."""
    last = Run.objects.about(mirror).filter(kind=SYNC, status__in=FINISHED).exclude(joined_to__isnull=False).first()
    if last is None or last.status not in (Status.FAILED, Status.CANCELLED) or last.error_code == "not_allowed":
        return False
    return not mirror.changes.filter(at__gt=last.created_at).exists()


def _asked_lately(mirror: Mirror) -> bool:
    """A row that a sync cannot compare is none for each minute."""
    lately: bool = (
        Run.objects.about(mirror)
        .filter(kind=SYNC, trigger=Trigger.SCHEDULE, created_at__gt=timezone.now() - AGAIN_AFTER)
        .exists()
    )
    return lately


def _due(now: datetime) -> Any:
    """Those whose time has come, the longest waiting first."""
    late = Q(looked_at=None)
    for minutes in Mirror.objects.exclude(poll_minutes=0).order_by().values_list("poll_minutes", flat=True).distinct():
        late |= Q(poll_minutes=minutes, looked_at__lte=now - timedelta(minutes=minutes))
    rows = Mirror.objects.filter(late, credential_lost="").exclude(poll_minutes=0)
    return rows.select_related("organization", "connection").order_by(F("looked_at").asc(nulls_first=True))


def _look(mirror: Mirror) -> bool:
    """One request for the head of its branch. A Run if that is another one than the last sync saw, or is not to be
    had, which the Run then says."""
    mine = Mirror.objects.filter(pk=mirror.pk, looked_at=mirror.looked_at)
    if not mine.update(looked_at=timezone.now()) or live_runs(mirror).exists():
        return False
    try:
        with open_client(mirror, seconds=SECONDS) as client:
            head = client.head(mirror.repository, mirror.branch, repository_id=mirror.repository_id)
    except (Waiting, Failure):
        return False  # its connection says why
    except ForgeError as error:
        if error.retryable or error.workers_can or mirror.problem:
            return False
        head = ""
    if head == mirror.last_commit:
        return False
    _note_silence(mirror)
    request_sync(mirror, trigger=Trigger.SCHEDULE, by=None)
    return True


def _note_silence(mirror: Mirror) -> None:
    """A webhook that should have told of it is asked after."""
    hook = None if told_by_app(mirror) or not mirror.synced_at else hook_of(mirror)
    if hook is not None and hook.status == HookStatus.ACTIVE:
        hooks.note_silent(hook)
