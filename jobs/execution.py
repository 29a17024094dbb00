"""Doing a Run: `execute` is what the queue calls in a worker, `carry_out` is the same work wherever it happens."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connections, transaction
from django_q.exceptions import TimeoutException

from jobs import heartbeats, leases, registry
from jobs.context import Budget, RunContext, worker_is_stopping
from jobs.leases import Heart, Lease
from jobs.models import Run, Status
from jobs.outcomes import (
    Cancelled,
    Failure,
    HandOver,
    Held,
    Interrupted,
    LeaseLost,
    Outcome,
    Waiting,
)
from orgs import access
from orgs.models import User

logger = logging.getLogger(__name__)


def execute(run_id: str) -> str:
    """Carry out a Run in a worker, if it is queued and its subject is free; says what came of it.

    Called with the same Run twice, or with one that ended, it does nothing.
    """
    if worker_is_stopping():
        Run.objects.filter(pk=run_id, status=Status.QUEUED).update(enqueued_at=None)
        return "left for the next worker"
    heartbeats.beat_worker()
    lease = leases.claim(uuid.UUID(run_id))
    if lease is None:
        return "not to be run now"
    carry_out(lease, in_worker=True)
    return Run.objects.filter(pk=lease.run_id).values_list("status", flat=True).first() or "gone"


def carry_out(lease: Lease, *, budget: Budget | None = None, in_worker: bool = False) -> None:
    """Do a claimed Run and write how it ended, unless the lease was lost meanwhile: then nothing is written."""
    run = Run.objects.select_related("organization", "requested_by").get(pk=lease.run_id)
    with Heart(lease, in_worker=in_worker) as heart:
        try:
            _write(lease, run, _attempt(run, lease=lease, heart=heart, budget=budget))
        except LeaseLost:
            logger.warning("Run %s (%s) was taken over while this process worked on it", run.pk, run.kind)
        except TimeoutException:
            # It may have struck in the middle of talking to the database.
            if not transaction.get_connection().in_atomic_block:
                connections.close_all()
            _write(lease, run, _timed_out())
            raise  # django-q2 then replaces this process


@dataclass(frozen=True)
class _End:
    """What is to be written: a status with fields, or None to go back to the queue."""

    status: str | None
    fields: dict[str, Any] = field(default_factory=dict)


def _attempt(run: Run, *, lease: Lease, heart: Heart, budget: Budget | None) -> _End:
    context: RunContext | None = None
    try:
        kind = _kind_of(run)
        context = RunContext(run, lease=lease, heart=heart, requested_by=_on_behalf_of(run, kind, lease), budget=budget)
        if run.subject is None:
            return _End(Status.CANCELLED, _error("subject_deleted", "What it was about has been deleted."))
        end = _of_outcome(kind.function(context))
    except Cancelled:
        end = _End(Status.CANCELLED, _error("cancelled", ""))
    except Interrupted:
        # Not to be fetched at once by the very cluster that is stopping.
        end = _End(None, {"note": "Waiting for the next worker", "enqueue": False})
    except (Waiting, Held, HandOver, Failure) as ending:
        end = _of_ending(ending, within_request=budget is not None)
    except Exception:
        reference = uuid.uuid4().hex[:8].upper()
        logger.exception("Run %s (%s) failed unexpectedly, reference %s", run.pk, run.kind, reference)
        end = _unexpected(reference)
    if context is not None:
        context.flush()
    return end


def _kind_of(run: Run) -> registry.Kind:
    known = registry.find(run.kind)
    if known is None:
        raise Failure("unknown_kind", f"This installation does not know how to do “{run.kind}” (any more).")
    return known


def _on_behalf_of(run: Run, kind: registry.Kind, lease: Lease) -> User | None:
    """The first of those who asked for it who may still have it done, None for Millrace itself.

    Raises Failure when nobody may (any more): a person who was removed, or lost the entitlement, is not served.
    """
    people = [run.requested_by, *User.objects.filter(pk__in=run.joined_by)]
    for person in people:
        if person is None:
            continue
        membership = access.membership_of(person, run.organization_id)
        if membership is not None and (kind.entitlement is None or access.may(membership, kind.entitlement)):
            if person != run.requested_by:
                run.requested_by = person
                lease.update(requested_by=person)
            return person
    if run.unattended:
        return None
    who = str(run.requested_by) if run.requested_by else "Who asked for it"
    what = f" to {access.ENTITLEMENTS[kind.entitlement]}" if kind.entitlement else ""
    raise Failure("not_allowed", f"{who} is no longer allowed{what} here. Somebody who is can retry it.")


def _error(code: str, text: str) -> dict[str, Any]:
    return {"error_code": code[:40], "error_text": text}


def _of_outcome(outcome: Outcome) -> _End:
    return _End(outcome.status, {"counts": outcome.counts, "result": outcome.result})


def _of_ending(ending: Waiting | Held | HandOver | Failure, *, within_request: bool) -> _End:
    match ending:
        case Waiting():
            return _End(Status.WAITING, {"wait_until": ending.until, "waiting_for": ending.for_what[:254]})
        case Held():
            result = {**ending.result, "confirm_options": ending.confirm_options}
            return _End(Status.HELD, {"result": result, **_error("held", ending.text)})
        case HandOver() if within_request:
            return _End(None, {"note": ending.reason})
        case HandOver():
            return _End(Status.FAILED, _error("handed_over", f"A worker cannot hand it over: {ending.reason}"))
        case Failure():
            fields = {"result": ending.result, "counts": ending.counts, **_error(ending.code, ending.text)}
            return _End(Status.FAILED, fields)


def _unexpected(reference: str) -> _End:
    return _End(
        Status.FAILED,
        _error(
            "unexpected",
            f"Something went wrong that Millrace did not expect. Retry it; if it fails again, give support the "
            f"reference {reference}, by which they find it in the worker's log.",
        ),
    )


def _timed_out() -> _End:
    minutes = max(1, settings.JOB_TIMEOUT // 60)
    unit = "minute" if minutes == 1 else "minutes"
    text = (
        f"It took longer than {minutes} {unit}, the limit for one run (JOB_TIMEOUT). What was done so far is kept; "
        "retry it, or narrow down what it has to do."
    )
    return _End(Status.FAILED, _error("timeout", text))


def _write(lease: Lease, run: Run, end: _End) -> None:
    if end.status is None:
        kept = lease.give_back(**end.fields)
    else:
        status, fields = end.status, end.fields
        cancelled = lease.rows().filter(cancel_requested_at__isnull=False)
        if status in (Status.WAITING, Status.HELD) and cancelled.exists():
            status, fields = Status.CANCELLED, _error("cancelled", "")
        kept = lease.finish(status, **fields)
    if not kept:
        logger.warning("Run %s (%s) ended here, but belongs to another worker: nothing is written", run.pk, run.kind)
