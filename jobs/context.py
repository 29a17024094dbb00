"""What a kind's function is given: the Run, and the means to report, to be stopped, and to apply safely."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction

from jobs.leases import Heart, Lease
from jobs.models import LogLine, Run
from jobs.outcomes import Cancelled, Interrupted, LeaseLost
from lib.database import release_connections

if TYPE_CHECKING:
    from orgs.models import User

WRITE_EVERY = 0.5
"""Seconds between two writes of progress within a stage."""
ASK_EVERY = 0.2
"""Seconds between two questions whether the Run was cancelled."""
MAX_LOG_LINES = 2000
STOP_VARIABLE = "MILLRACE_STOP_FILE"
"""The environment variable that names a file which exists once this worker is to stop."""


@dataclass(frozen=True)
class Budget:
    """What a Run may cost within a request: seconds, and things to fetch. Past it, raise HandOver."""

    seconds: float
    items: int


class RunContext:
    """Handed to a kind's function.

    `budget` is set when it runs within a request. `requested_by` is the person on whose behalf it runs, None for
    Millrace itself; their entitlement for the kind was checked when it started.
    """

    def __init__(
        self, run: Run, *, lease: Lease, heart: Heart, requested_by: User | None, budget: Budget | None = None
    ) -> None:
        self.run = run
        self.requested_by = requested_by
        self.budget = budget
        self._lease = lease
        self._heart = heart
        self._began = time.monotonic()
        self._written_at = self._began
        self._asked_at = float("-inf")
        self._dirty = False
        self._lines: list[LogLine] = []
        self._lines_left = MAX_LOG_LINES

    @property
    def subject(self) -> Any:
        """What the Run is about, as it was when the Run started."""
        return self.run.subject

    @property
    def options(self) -> dict[str, Any]:
        options: dict[str, Any] = self.run.options
        return options

    def time_left(self) -> float | None:
        """Seconds left of the budget, below zero when it is used up; None without one."""
        return None if self.budget is None else self.budget.seconds - (time.monotonic() - self._began)

    def progress(self, stage: str, done: int | None = None, total: int | None = None) -> None:
        """Say what is being done, and how far it is. `done` never goes back within a stage.

        A new stage is written at once, the rest every half second. Raises LeaseLost when writing finds the lease gone.
        A pooled database connection is given back, as by `check`: call one of them before waiting for the network.
        """
        run = self.run
        fresh = stage != run.stage
        if fresh:
            run.stage, run.done, run.total = stage[:80], done or 0, total
        else:
            run.done = max(run.done, done or 0)
            run.total = total if total is not None else run.total
        self._dirty = True
        if fresh or time.monotonic() - self._written_at >= WRITE_EVERY:
            self.flush()
        release_connections()  # what comes next is work, and often a wait

    def log(self, text: str, level: str = LogLine.Level.INFO) -> None:
        """Add a line to the Run's log; `level` is info, warning or error. It is written with the next progress."""
        self._lines_left -= 1
        if self._lines_left < 0:
            return
        if self._lines_left == 0:
            level, text = LogLine.Level.WARNING, f"The log ends here: {MAX_LOG_LINES} lines are kept."
        self._lines.append(LogLine(run=self.run, level=level, text=text))
        if time.monotonic() - self._written_at >= WRITE_EVERY:
            self.flush()

    def flush(self) -> None:
        """Write what progress and log have gathered. Raises LeaseLost, and writes nothing, when the lease is gone."""
        self._written_at = time.monotonic()
        if not self._dirty and not self._lines:
            return
        run = self.run
        with transaction.atomic():
            if not self._lease.update(stage=run.stage, done=run.done, total=run.total):
                raise LeaseLost
            LogLine.objects.bulk_create(self._lines)
        self._dirty, self._lines = False, []

    def check(self) -> None:
        """Call between steps: raises Cancelled, LeaseLost, or Interrupted when the worker is shutting down.

        Cheap enough for every file: the database is asked a few times a second at most.
        """
        if self._heart.lost.is_set():
            raise LeaseLost
        now = time.monotonic()
        if now - self._asked_at < ASK_EVERY:
            release_connections()
            return
        self._asked_at = now
        asked = self._lease.rows().values_list("cancel_requested_at").first()
        release_connections()
        if asked is None:
            raise LeaseLost
        if asked[0] is not None:
            raise Cancelled
        if self.budget is None and worker_is_stopping():
            raise Interrupted

    def fence(self) -> None:
        """Call inside the transaction that applies: raises LeaseLost unless the Run is still ours.

        It locks the Run's row, so nobody can take the lease before that transaction ends.
        """
        if not self._lease.renew():
            raise LeaseLost


def worker_is_stopping() -> bool:
    """Whether the supervisor of this worker has been asked to stop."""
    path = os.environ.get(STOP_VARIABLE, "")
    return bool(path) and os.path.exists(path)
