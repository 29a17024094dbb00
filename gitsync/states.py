"""How a server's pushes are, for the people who look at it: derived from its target, its Runs and its connection."""

from __future__ import annotations

from dataclasses import dataclass

from gitsync import places
from gitsync.models import Problem, PushTarget
from gitsync.requesting import live_runs
from jobs.models import Run, Status

BLOCKING = (Problem.SECRET, Problem.PROTECTED, Problem.CONFLICT)
"""Problems that a person has to settle: by an act of theirs, or by a save that changes what is pushed."""
SAVED = "What was saved last is pushed in a moment."


@dataclass(frozen=True, slots=True)
class State:
    code: str
    """up_to_date, pending, pushing, waiting, blocked, failed, disconnected"""
    word: str
    tone: str
    text: str
    """A sentence for a person, "" where the word says it all."""
    run: Run | None = None
    """The one that is at work or waits."""


def state_of(target: PushTarget) -> State:
    """With `server` and `connection` at hand it takes one query, and one more where there is a problem."""
    runs = {run.status: run for run in live_runs(target)}
    if run := runs.get(Status.RUNNING):
        return State("pushing", "Pushing", "busy", run.stage, run)
    if target.credential_lost:
        return State("disconnected", "Disconnected", "error", f"{target.credential_lost} Choose another connection.")
    if run := runs.get(Status.WAITING):
        return State("waiting", "Waiting", "wait", f"Waiting for {run.waiting_for}." if run.waiting_for else "", run)
    queued = runs.get(Status.QUEUED)
    if target.problem and queued is None and target.changes.filter(asked=False).exists():
        # What was saved since may have settled it: nothing is said of it before that was tried.
        return State("pending", "Pending", "wait", SAVED)
    if target.problem in BLOCKING and queued is None:
        return State("blocked", "Blocked", "error", target.problem_text)
    if target.problem and queued is None:
        return State("failed", "Failed", "error", target.problem_text)
    connection = target.connection
    if connection is not None and not connection.is_connected:
        reason = connection.reason or "Its connection is not connected."
        return State("disconnected", "Disconnected", "error", f"{reason} Pushes wait for it.", queued)
    if queued is not None or target.server is None:
        return State("pending", "Pending", "wait", "", queued)
    if target.pushed_revision != target.server.config_revision:
        return State("pending", "Pending", "wait", SAVED)
    if target.pull_request:
        return State("up_to_date", "Up to date", "ok", f"In pull request {target.pull_request}, until it is merged.")
    return State("up_to_date", "Up to date", "ok", "")


def notice_of(target: PushTarget) -> str:
    """Something to know that stops nothing, "" for nothing: a directory that could not follow the server's name."""
    if target.server is None or not target.directory_follows:
        return ""
    wanted = places.directory_of(target.server.slug)
    if target.directory == wanted:
        return ""
    here = target.directory or places.ROOT
    return (
        f"The files stay in {here}: another server's are in {wanted}, or above or below it. Choose another directory, "
        "or rename the server."
    )
