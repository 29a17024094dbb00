"""Asking for a sync: once for many saves, and not again while one waits."""

from __future__ import annotations

from gitsync.models import Mirror, MirrorChange
from gitsync.requesting import COMPARE, waiting_run, wake
from jobs import runs
from jobs.models import Run, Trigger
from orgs.models import User

SYNC = "gitsync.sync"


def request_sync(mirror: Mirror, *, trigger: str, by: User | None) -> Run:
    """Ask for a sync of what is there by then on either side; part of the caller's transaction.

    It joins the Run that is queued. One that waits for the forge looks at everything when it goes on, so that there is
    only ever one that waits; who asks by hand has it look again now.
    """
    MirrorChange.objects.filter(mirror=mirror, asked=False).update(asked=True)
    if trigger != Trigger.MANUAL and (waiting := waiting_run(mirror)) is not None:
        return waiting
    if trigger == Trigger.MANUAL:
        wake(mirror)
    return runs.request_run(
        kind=SYNC,
        subject=mirror,
        organization=mirror.organization,
        options=COMPARE if trigger == Trigger.MANUAL else {},
        trigger=trigger,
        requested_by=by,
    ).run
