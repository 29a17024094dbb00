"""Asking for a sync: once for many saves, and not again while one waits."""

from __future__ import annotations

from typing import Any

from django.contrib.contenttypes.models import ContentType

from gitsync.models import Mirror, MirrorChange
from jobs import runs
from jobs.models import LIVE, Run, RunQuerySet, Status, Trigger
from orgs.models import User

SYNC = "gitsync.sync"
COMPARE: dict[str, Any] = {"compare": True}
"""Options of a Run that looks at everything, although nothing is known to differ."""


def request_sync(mirror: Mirror, *, trigger: str, by: User | None) -> Run:
    """Ask for a sync of what is there by then on either side; part of the caller's transaction.

    It joins the Run that is queued. One that waits for the forge looks at everything when it goes on, so that there is
    only ever one that waits; who asks by hand has it look again now.
    """
    MirrorChange.objects.filter(mirror=mirror, asked=False).update(asked=True)
    if trigger != Trigger.MANUAL:
        waiting: Run | None = _waiting(mirror).first()
        if waiting is not None:
            return waiting
    else:
        wake(mirror)
    return runs.request_run(
        kind=SYNC,
        subject=mirror,
        organization=mirror.organization,
        options=COMPARE if trigger == Trigger.MANUAL else {},
        trigger=trigger,
        requested_by=by,
    ).run


def live_runs(mirror: Mirror) -> RunQuerySet:
    rows: RunQuerySet = Run.objects.about(mirror).filter(kind=SYNC, status__in=LIVE)
    return rows


def wake(*mirrors: Mirror) -> int:
    """Let their Runs that wait look again; one that still has to wait asks its forge once. Returns how many."""
    waiting = Run.objects.filter(
        subject_type=ContentType.objects.get_for_model(Mirror),
        subject_id__in=[str(mirror.pk) for mirror in mirrors],
        kind=SYNC,
        status=Status.WAITING,
    )
    return len([runs.resume(run) for run in list(waiting)])


def _waiting(mirror: Mirror) -> RunQuerySet:
    rows: RunQuerySet = Run.objects.about(mirror).filter(kind=SYNC, status=Status.WAITING)
    return rows
