"""How a refresh ended, as it is kept on its Run and told to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from forges.clients.base import Usage
from forges.clients.errors import ForgeError, Unavailable
from forges.patience import waits_for
from forges.reading import SkipReason
from forges.turns import AUTOMATIC
from integrations.apply import Applied
from integrations.planning import Plan
from jobs.context import RunContext
from jobs.models import Status
from jobs.outcomes import Ending, Failure, HandOver, Held, Outcome

Confirmed = Mapping[str, Sequence[str]]

TRIES_FOR = timedelta(hours=1)
"""How long a Run that nobody clicked asks again by itself where the forge was not to be reached."""


@dataclass(slots=True)
class TrackReport:
    """What happened to one Track, kept on the Run for the people who read it."""

    branch: str
    commit: str = ""
    commit_url: str = ""
    unchanged_head: bool = False
    complete: bool = True
    warnings: list[str] = field(default_factory=list)
    skips: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    held: dict[str, Any] | None = None


def ending_of(context: RunContext, error: ForgeError, *, result: dict[str, Any] | None = None) -> Ending:
    """How a Run ends that the forge stopped: it waits for the limit or the forge, goes to a worker, or failed."""
    if (waiting := waits_for(context, error, tries_for=TRIES_FOR, triggers=AUTOMATIC)) is not None:
        return waiting
    if _too_much_for_a_page(context, error):
        return HandOver("The forge took longer than a page may, so this goes on in the background.")
    return Failure(error.code, f"{error} {error.advice}".strip(), result=result)


def _too_much_for_a_page(context: RunContext, error: ForgeError) -> bool:
    """Whether a worker, who has more time and room, should try what did not work within a request."""
    budget, left = context.budget, context.time_left()
    if budget is None or left is None:
        return False
    return error.workers_can or (isinstance(error, Unavailable) and left <= budget.seconds * 0.2)


def outcome_of(context: RunContext, usage: Usage, reports: list[TrackReport], confirmed: Confirmed) -> Outcome:
    """The Run's outcome from those of its Tracks; raises Held when one of them has to be confirmed."""
    result = result_of(usage, reports)
    held = [report for report in reports if report.held]
    if held:
        count = sum(report.held["count"] for report in held if report.held)
        raise Held(
            result,
            f"This refresh would remove {count:,} files, more than half of what it brought. Look at the list, and "
            "confirm that they shall go.",
            confirm_options={"confirmed": _with_held(confirmed, held)},
        )
    counts: dict[str, int] = {}
    for report in reports:
        for name, number in report.counts.items():
            counts[name] = counts.get(name, 0) + number
        for warning in report.warnings:
            context.log(warning, level="warning")
    partial = any(not report.complete for report in reports)
    return Outcome(status=Status.PARTIAL if partial else Status.SUCCEEDED, counts=counts, result=result)


def _with_held(confirmed: Confirmed, held: list[TrackReport]) -> dict[str, list[str]]:
    """Confirmations add up: a list may grow when the bytes tell that more is gone than the listing did."""
    both = {track: list(digests) for track, digests in confirmed.items()}
    for report in held:
        if report.held:
            both.setdefault(report.held["track"], []).append(report.held["digest"])
    return both


def result_of(usage: Usage, reports: list[TrackReport]) -> dict[str, Any]:
    return {
        "tracks": [asdict(report) for report in reports],
        "requests": usage.requests,
        "rate_remaining": usage.rate_remaining,
        "rate_limit": usage.rate_limit,
        "rate_reset_at": usage.rate_reset_at.isoformat() if usage.rate_reset_at else None,
    }


def note_applied(report: TrackReport, plan: Plan, applied: Applied, *, prune: bool) -> None:
    """Put on the report what was done, and what could not be."""
    report.counts = {
        "added": applied.added,
        "changed": applied.changed,
        "moved": applied.moved,
        "removed": applied.removed,
        "stale": applied.stale,
        "revived": applied.revived,
        "unchanged": plan.unchanged,
        "skipped": len(plan.skips),
    }
    for skip in plan.skips:
        report.skips[skip.reason] = report.skips.get(skip.reason, 0) + 1
    if not plan.complete:
        report.complete = False
        kept = " Nothing was pruned." if prune else ""
        report.warnings.append(f"The listing of {report.branch} is incomplete: {plan.reason}{kept}")
    if unreadable := report.skips.get(SkipReason.UNREADABLE):
        report.complete = False
        report.warnings.append(f"{unreadable:,} files could not be read this time; they stay as they were here.")
