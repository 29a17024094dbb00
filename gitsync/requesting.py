"""Asking for a push: once for many saves, and not again while one waits."""

from __future__ import annotations

from typing import Any

from django.contrib.contenttypes.models import ContentType

from gitsync.models import Mirror, PendingChange, PushTarget
from jobs import runs
from jobs.models import LIVE, Run, RunQuerySet, Status, Trigger
from orgs.models import User

ASSIGN, EDIT = "gitsync.assign", "servers.edit"
"""What takes to choose the repository, and to have it pushed to."""
PUSH = "gitsync.push"
COMPARE: dict[str, Any] = {"compare": True}
"""Options of a Run that asks the forge although nothing is known to be missing there."""


def request_push(target: PushTarget, *, trigger: str, by: User | None) -> Run:
    """Ask for a push of what is saved by then; part of the caller's transaction.

    It joins the Run that is queued. One that waits for the forge pushes what there is when it goes on, so that there
    is only ever one that waits; who asks by hand has it look again now.
    """
    PendingChange.objects.filter(target=target, asked=False).update(asked=True)
    if trigger != Trigger.MANUAL and (waiting := waiting_run(target)) is not None:
        return waiting
    if trigger == Trigger.MANUAL:
        wake(target)
    return runs.request_run(
        kind=PUSH,
        subject=target,
        organization=target.organization,
        scope=scope_of(target),
        options=COMPARE if trigger == Trigger.MANUAL else {},
        trigger=trigger,
        requested_by=by,
    ).run


def scope_of(target: PushTarget) -> str:
    """The id of the server, on whose activity page the Run is; also of one that is gone."""
    return str(target.server_id or "")


def live_runs(destination: PushTarget | Mirror) -> RunQuerySet:
    rows: RunQuerySet = Run.objects.about(destination).filter(status__in=LIVE)
    return rows


def waiting_run(destination: PushTarget | Mirror) -> Run | None:
    found: Run | None = Run.objects.about(destination).filter(status=Status.WAITING).first()
    return found


def wake(*destinations: PushTarget | Mirror) -> int:
    """Let the Runs of these, of one model, that wait look again; one that still has to wait asks its forge once.
    Returns how many."""
    if not destinations:
        return 0
    waiting = Run.objects.filter(
        subject_type=ContentType.objects.get_for_model(destinations[0]),
        subject_id__in=[str(each.pk) for each in destinations],
        status=Status.WAITING,
    )
    return len([runs.resume(run) for run in list(waiting)])
