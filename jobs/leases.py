"""Who may work on a Run: claiming, renewing and giving back its lease, and taking it from a worker that vanished.

Every change of a running Run is conditional on the lease's token, so a worker that was believed dead and comes back
changes nothing.
"""

from __future__ import annotations

import logging
import threading
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from django.conf import settings
from django.db import DatabaseError, IntegrityError, connections, transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from jobs import heartbeats, queue
from jobs.models import Run, RunQuerySet, Status

logger = logging.getLogger(__name__)


def _expiry() -> datetime:
    return timezone.now() + timedelta(seconds=settings.JOB_LEASE)


@dataclass(frozen=True)
class Lease:
    """The right to work on a Run. Each of its methods says False once the right is lost."""

    run_id: uuid.UUID
    token: uuid.UUID

    def rows(self) -> RunQuerySet:
        """The Run, or nothing when the lease is lost."""
        rows: RunQuerySet = Run.objects.filter(pk=self.run_id, status=Status.RUNNING, lease=self.token)
        return rows

    def renew(self) -> bool:
        return self.rows().update(lease_until=_expiry()) == 1

    def update(self, **fields: Any) -> bool:
        return self.rows().update(**fields) == 1

    def finish(self, status: str, **fields: Any) -> bool:
        """End the Run, and let the next one of its subject begin."""
        ended = {} if status in (Status.WAITING, Status.HELD) else {"finished_at": timezone.now()}
        with transaction.atomic():
            if not self.rows().update(status=status, lease=None, lease_until=None, **ended, **fields):
                return False
            wake_next(Run.objects.get(pk=self.run_id))
        return True

    def give_back(self, *, note: str = "", enqueue: bool = True) -> bool:
        """Put the Run back into the queue, not counted as a loss. Without `enqueue` the next sweep sees to it."""
        with transaction.atomic():
            run = self.rows().select_for_update().first()
            if run is None:
                return False
            to_queue(run, enqueue=enqueue, stage=note[:80])
        return True


def claim(run_id: uuid.UUID) -> Lease | None:
    """Make a queued Run ours, or None: it is not queued (any more), or another one of its subject is running.

    In the latter case it stays queued, and is enqueued again by whoever finishes the other one.
    """
    lease = _try_to_claim(run_id)
    if lease is None:
        # The other one's worker may be long dead: no need to wait for the sweeper to notice.
        run = Run.objects.filter(pk=run_id, status=Status.QUEUED).first()
        if run is not None and recover(_same_subject(run)):
            lease = _try_to_claim(run_id)
    return lease


def _try_to_claim(run_id: uuid.UUID) -> Lease | None:
    lease = Lease(run_id=run_id, token=uuid.uuid4())
    now = timezone.now()
    try:
        with transaction.atomic():
            claimed = Run.objects.filter(pk=run_id, status=Status.QUEUED).update(
                status=Status.RUNNING,
                lease=lease.token,
                lease_until=_expiry(),
                attempts=F("attempts") + 1,
                started_at=Coalesce(F("started_at"), now),
                stage="",
                done=0,
                total=None,
                error_code="",
                error_text="",
            )
    except IntegrityError:  # one_running_run
        return None
    return lease if claimed else None


def _same_subject(run: Run) -> RunQuerySet:
    rows: RunQuerySet = Run.objects.filter(subject_type=run.subject_type_id, subject_id=run.subject_id)
    return rows


def wake_next(run: Run) -> None:
    """Enqueue the oldest queued Run of the same subject: it may have found the subject busy before."""
    following = _same_subject(run).filter(status=Status.QUEUED).order_by("created_at").first()
    if following is not None:
        queue.enqueue(following)


def to_queue(run: Run, *, covered_by_running: bool = False, enqueue: bool = True, **changes: Any) -> Run:
    """Put a Run that is not queued into the queue; returns the Run that will do the work.

    That is another one if an equal one is queued already (or, with `covered_by_running`, began after this one was
    asked for): this one then ends as joined to it. The caller holds the row's lock in a transaction.
    """
    for name, value in changes.items():
        setattr(run, name, value)
    if covered_by_running:
        running = _equals(run).filter(status=Status.RUNNING).first()
        if running is not None:
            return _join(run, running)
    while True:
        try:
            with transaction.atomic():
                Run.objects.filter(pk=run.pk).update(
                    status=Status.QUEUED,
                    lease=None,
                    lease_until=None,
                    wait_until=None,
                    waiting_for="",
                    error_code="",
                    error_text="",
                    enqueued_at=None,
                    **changes,
                )
        except IntegrityError:  # one_queued_run_per_options
            queued = _equals(run).filter(status=Status.QUEUED).select_for_update().first()
            if queued is None:
                continue  # it was claimed meanwhile
            queue.enqueue(queued)  # it may have found the subject busy with this one
            return _join(run, queued)
        run.refresh_from_db()
        if enqueue:
            queue.enqueue(run)
        return run


def _equals(run: Run) -> RunQuerySet:
    return _same_subject(run).filter(kind=run.kind, options_key=run.options_key).exclude(pk=run.pk)


def _join(run: Run, other: Run) -> Run:
    """End a Run in favour of an equal one, which inherits who asked for it, and how many workers it has cost."""
    people = [str(run.requested_by_id)] if run.requested_by_id else []
    Run.objects.filter(pk=other.pk).update(
        joined_by=merged_people(other, [*people, *run.joined_by]),
        unattended=other.unattended or run.unattended,
        lost_leases=Greatest(F("lost_leases"), run.lost_leases),
    )
    Run.objects.filter(pk=run.pk).update(
        status=Status.CANCELLED,
        joined_to=other,
        lease=None,
        lease_until=None,
        wait_until=None,
        waiting_for="",
        error_code="joined",
        error_text="Another run does the same: it goes on there.",
        finished_at=timezone.now(),
        lost_leases=run.lost_leases,
    )
    run.refresh_from_db()
    other.refresh_from_db()
    return other


def merged_people(run: Run, people: list[str]) -> list[str]:
    """`joined_by` of a Run with more people, each named once."""
    known = dict.fromkeys([*run.joined_by, *people])
    known.pop(str(run.requested_by_id), None)
    return list(known)


def recover(among: RunQuerySet) -> int:
    """Take up the Runs whose lease ran out: queued again, cancelled if that was asked for, or failed if they have
    cost too many workers. Returns how many."""
    expired = among.filter(status=Status.RUNNING, lease_until__lt=timezone.now())
    recovered = 0
    for run_id in list(expired.values_list("pk", flat=True)):
        with transaction.atomic():
            # Locked: its worker is just applying what it did, and is alive.
            run = expired.filter(pk=run_id).select_for_update(skip_locked=_can_skip()).first()
            if run is not None:
                _take_up(run)
                recovered += 1
    return recovered


def _can_skip() -> bool:
    return connections[Run.objects.db].features.has_select_for_update_skip_locked


def _take_up(run: Run) -> None:
    lost = run.lost_leases + 1
    logger.warning("Run %s (%s) lost its worker during “%s”, %s. time", run.pk, run.kind, run.stage, lost)
    lease = Lease(run_id=run.pk, token=run.lease or uuid.uuid4())
    if run.cancel_requested_at is not None:
        lease.finish(Status.CANCELLED, lost_leases=lost, error_code="cancelled", error_text="")
    elif lost >= settings.JOB_MAX_ATTEMPTS:
        lease.finish(Status.FAILED, lost_leases=lost, error_code="worker_killed", error_text=killed_text(run, lost))
    else:
        to_queue(run, lost_leases=lost)


def killed_text(run: Run, times: int) -> str:
    often = "once" if times == 1 else "twice" if times == 2 else f"{times} times"
    during = f" during “{run.stage}”" if run.stage else " at this run"
    return (
        f"The worker was killed {often}{during}, so it is not tried again by itself. Often there is "
        "too little memory: look into the worker's log and the system's, then retry."
    )


class Heart:
    """Renews a lease from a thread of its own for as long as the block lasts; `lost` is set once it is gone.

    The thread has its own database connection, and each renewal is one short statement: it never holds a lock.
    """

    def __init__(self, lease: Lease, *, in_worker: bool) -> None:
        self.lost = threading.Event()
        self._lease = lease
        self._in_worker = in_worker
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"lease of {lease.run_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=settings.JOB_LEASE)

    def _work(self) -> None:
        try:
            while not self._stop.wait(settings.JOB_LEASE / 4):
                try:
                    if not self._lease.renew():
                        self.lost.set()
                        return
                    if self._in_worker:
                        heartbeats.beat_worker()
                except DatabaseError:
                    # The next beat may come through; if none does, the lease runs out, as it should.
                    logger.warning("Could not renew the lease of run %s", self._lease.run_id, exc_info=True)
                    connections.close_all()
        finally:
            connections.close_all()
