"""How a mirror is, for people: derived from its Runs, its connection and what the last sync found."""

from __future__ import annotations

from gitsync.mirror.requesting import SYNC
from gitsync.models import WELL, Mirror, Problem
from gitsync.requesting import live_runs
from gitsync.states import State
from jobs.models import Run, Status

SAVED = "What was saved last is synced in a moment."
CANCELLED = "The last sync was cancelled before its end: what changed since on either side waits for the next."


def state_of(mirror: Mirror) -> State:
    """With `connection` at hand it takes four queries at most."""
    runs = {run.status: run for run in live_runs(mirror)}
    if run := runs.get(Status.RUNNING):
        return State("syncing", "Syncing", "busy", run.stage, run)
    if mirror.credential_lost:
        return State("disconnected", "Disconnected", "error", f"{mirror.credential_lost} Choose another connection.")
    if run := runs.get(Status.WAITING):
        return State("waiting", "Waiting", "wait", f"Waiting for {run.waiting_for}." if run.waiting_for else "", run)
    queued = runs.get(Status.QUEUED)
    if mirror.problem and queued is None:
        blocked = mirror.problem in (Problem.SECRET, Problem.PROTECTED, Problem.CONFLICT)
        code, word = ("blocked", "Blocked") if blocked else ("failed", "Failed")
        return State(code, word, "error", mirror.problem_text)
    connection = mirror.connection
    if connection is not None and not connection.is_connected:
        reason = connection.reason or "Its connection is not connected."
        return State("disconnected", "Disconnected", "error", f"{reason} Syncs wait for it.", queued)
    if queued is not None:
        return State("pending", "Pending", "wait", "", queued)
    if mirror.changes.filter(asked=False).exists():
        return State("pending", "Pending", "wait", SAVED)
    if mirror.synced_at is None:
        return State("pending", "Not synced yet", "idle", "")
    last = Run.objects.about(mirror).filter(kind=SYNC, joined_to=None).order_by("-created_at").first()
    if last is not None and last.status == Status.CANCELLED:
        return State("cancelled", "Cancelled", "warn", CANCELLED)
    return _compared(mirror, last)


def _compared(mirror: Mirror, last: Run | None) -> State:
    """After a sync that came to its end."""
    if last is not None and last.result.get("complete") is False:
        return State("incomplete", "Not compared whole", "warn", "")
    if mirror.entities.exclude(state__in=WELL).exists():
        return State("partial", "In step, with exceptions", "warn", "")
    if mirror.pull_request:
        return State("up_to_date", "In step", "ok", f"In pull request {mirror.pull_request}, until it is merged.")
    return State("up_to_date", "In step", "ok", "")
