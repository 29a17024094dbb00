"""By the clock: servers whose repository lacks what was saved, and that no Run is going to push."""

from __future__ import annotations

from django.db.models import F, Q

from gitsync.models import Problem, PushTarget
from gitsync.requesting import PUSH, live_runs, request_push
from jobs.models import FINISHED, Run, Status, Trigger

BATCH = 200
"""Targets that one tick asks Runs for; the next tick is a minute later."""


def tick() -> str:
    """What the schedule calls every minute. Returns how many Runs it asked for, in words."""
    lacking = (
        PushTarget.objects.filter(
            Q(server=None) | Q(pushed_revision=None) | ~Q(pushed_revision=F("server__config_revision"))
        )
        .filter(problem=Problem.NONE, credential_lost="")
        .filter(Q(server=None) | Q(server__owner=None))
        .select_related("organization", "server")
        .order_by("updated_at")
    )
    asked = 0
    for target in lacking[:BATCH]:
        if not live_runs(target).exists() and not _given_up(target):
            request_push(target, trigger=Trigger.SCHEDULE, by=None)
            asked += 1
    return f"{asked} pushes asked for"


def _given_up(target: PushTarget) -> bool:
    """Whether the last Run was cancelled, or failed in a way that is not the target's, and nobody saved since.

    That who saved may not any more is none of Millrace's own.
    """
    last = Run.objects.about(target).filter(kind=PUSH, status__in=FINISHED).exclude(joined_to__isnull=False).first()
    if last is None or last.status not in (Status.FAILED, Status.CANCELLED) or last.error_code == "not_allowed":
        return False
    return not target.changes.filter(at__gt=last.created_at).exists()
