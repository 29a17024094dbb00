"""Every minute: take up what was left lying. Nothing stays stuck for longer than until the next sweep.

`sweep` can be called from anywhere; `tick` is the same through the queue, which proves that the workers work.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django_q.models import Task

from jobs import heartbeats, leases, queue, runs
from jobs.models import Run, RunQuerySet, Status

logger = logging.getLogger(__name__)

NEVER_ENQUEUED = timedelta(seconds=15)
"""A queued Run that was not enqueued by then never will be: the process died between commit and enqueueing."""
LOST_WHEN_EMPTY = timedelta(minutes=2)
"""A Run that was enqueued this long ago, while the queue is empty, was lost with a worker that had fetched it."""
LOST = timedelta(minutes=15)
"""After this time one is enqueued again in any case: at worst its turn comes twice, and the second does nothing."""
BATCH = 500
FORGET = 100
"""Runs forgotten in one sweep: each may take thousands of rows with it, and nobody should wait for that."""


@dataclass(frozen=True)
class Swept:
    """How many Runs were taken up from dead workers, resumed, enqueued again, and forgotten."""

    recovered: int
    resumed: int
    enqueued: int
    forgotten: int


def tick() -> str:
    """What the schedule calls through the queue."""
    heartbeats.beat_worker(at_once=True)
    last = heartbeats.last_beat(heartbeats.SWEEPER)
    if last is not None and not needed() and timezone.now() - last < timedelta(seconds=30):
        return "swept a moment ago"
    return str(sweep())


def needed() -> bool:
    """Whether a sweep would find a lease that ran out, or a Run whose waiting is over."""
    return bool(_overdue().exists())


def _overdue() -> RunQuerySet:
    now = timezone.now()
    rows: RunQuerySet = Run.objects.filter(
        Q(status=Status.RUNNING, lease_until__lt=now) | Q(status=Status.WAITING, wait_until__lte=now)
    )
    return rows


def sweep(*, after_restart: bool = False) -> Swept:
    """Do all of it once. `after_restart`: the cluster has just been started, so what it had fetched before is lost."""
    swept = Swept(
        recovered=leases.recover(Run.objects.all()),
        resumed=_resume_due(),
        enqueued=_enqueue_lost(after_restart=after_restart),
        forgotten=_forget_old(),
    )
    heartbeats.beat(heartbeats.SWEEPER, str(swept))
    if swept.recovered or swept.enqueued:
        logger.info("Swept: %s", swept)
    return swept


def _resume_due() -> int:
    due = list(Run.objects.filter(status=Status.WAITING, wait_until__lte=timezone.now())[:BATCH])
    for run in due:
        runs.resume(run)
    return len(due)


def _enqueue_lost(*, after_restart: bool) -> int:
    now = timezone.now()
    lost = Q(enqueued_at=None, created_at__lt=now - NEVER_ENQUEUED) | Q(enqueued_at__lt=now - LOST)
    if after_restart:
        lost |= Q(enqueued_at__lt=now)
    elif queue.is_empty():
        lost |= Q(enqueued_at__lt=now - LOST_WHEN_EMPTY)
    same_subject_running = Run.objects.filter(
        status=Status.RUNNING, subject_type=OuterRef("subject_type"), subject_id=OuterRef("subject_id")
    )
    found = list(
        Run.objects.filter(lost, ~Exists(same_subject_running), status=Status.QUEUED).order_by("created_at")[:BATCH]
    )
    for run in found:
        queue.enqueue(run)
    return len(found)


def _forget_old() -> int:
    before = timezone.now() - timedelta(days=settings.JOB_RETENTION_DAYS)
    old: list[Any] = list(Run.objects.filter(finished_at__lt=before).values_list("pk", flat=True)[:FORGET])
    if old:
        Run.objects.filter(pk__in=old).delete()
    Task.objects.filter(stopped__lt=before).delete()
    heartbeats.forget_old(before=timezone.now() - timedelta(days=1))
    return len(old)
