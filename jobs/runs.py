"""What people and other apps do with Runs: request, cancel, retry, resume, confirm, decline."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, models, transaction
from django.http import HttpRequest
from django.utils import timezone

from jobs import execution, leases, queue
from jobs.context import Budget
from jobs.models import LIVE, Run, Status, Trigger
from orgs import access, audit
from orgs.models import Organization, User


class Refused(Exception):
    """What was asked cannot be done with this Run; the text is a sentence for a person."""


@dataclass(frozen=True)
class Requested:
    """The Run that will do it, and whether that is one that was queued already."""

    run: Run
    joined: bool


def digest_of(options: dict[str, Any]) -> str:
    """64 hex digits that are equal for equal options, in whatever order they were given."""
    canonical = json.dumps(options, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def request_run(
    *,
    kind: str,
    subject: models.Model,
    organization: Organization,
    scope: str = "",
    options: dict[str, Any] | None = None,
    trigger: str,
    requested_by: User | None = None,
    enqueue: bool = True,
) -> Requested:
    """Ask for a piece of work, or join the queued Run that will do just that (same subject, kind and options).

    Part of the caller's transaction, if there is one: the Run begins after its commit, so it sees what was saved in
    it, also when it joined. `requested_by` is None when no person asked (a webhook, a schedule). Without `enqueue` the
    caller goes on to `run_inline`; should it not get there, the sweeper enqueues the Run.
    """
    run = Run(
        organization=organization,
        kind=kind,
        subject_type=ContentType.objects.get_for_model(subject),
        subject_id=str(subject.pk),
        subject_label=str(subject)[:254],
        scope=scope,
        private_to=access.owner_of(subject),
        options=options or {},
        options_key=digest_of(options or {}),
        trigger=trigger,
        requested_by=requested_by,
        unattended=requested_by is None,
    )
    with transaction.atomic():
        while True:
            # First, as in a burst of webhooks nearly all join; one that is claimed before it is locked is none of ours.
            if queued := _join_queued(run):
                return Requested(queued, joined=True)
            try:
                with transaction.atomic():
                    run.save(force_insert=True)
            except IntegrityError:  # one_queued_run_per_options: it was queued between our two looks
                continue
            if enqueue:
                queue.enqueue(run)
            return Requested(run, joined=False)


def _join_queued(request: Run) -> Run | None:
    # The lock keeps workers from claiming it before our transaction has ended.
    queued: Run | None = (
        Run.objects.filter(
            subject_type=request.subject_type_id,
            subject_id=request.subject_id,
            kind=request.kind,
            options_key=request.options_key,
            status=Status.QUEUED,
        )
        .select_for_update()
        .first()
    )
    if queued is None:
        return None
    before = (queued.joined_by, queued.unattended)
    if request.requested_by_id:
        queued.joined_by = leases.merged_people(queued, [str(request.requested_by_id)])
    queued.unattended = queued.unattended or request.unattended
    if (queued.joined_by, queued.unattended) != before:
        queued.save(update_fields=["joined_by", "unattended"])
    return queued


def run_inline(run: Run, *, budget: Budget) -> Run:
    """Do a queued Run here and now, within a request; returns it as it is afterwards.

    When its subject is busy, or the work proves too big for the budget, a worker does it: the Run returned is queued
    (or another one that it was joined to). Not for use within a transaction: the work reaches out to the network.
    """
    lease = leases.claim(run.pk)
    if lease is not None:
        execution.carry_out(lease, budget=budget)
    run = _fresh(run)
    if run.joined_to is not None:
        return run.joined_to
    if run.status == Status.QUEUED and run.enqueued_at is None:
        queue.enqueue(run)
        run.refresh_from_db()
    return run


def _fresh(run: Run) -> Run:
    found: Run = Run.objects.select_related("organization", "requested_by", "joined_to").get(pk=run.pk)
    return found


def _locked(run: Run) -> Run:
    found: Run = Run.objects.select_for_update().get(pk=run.pk)
    return found


@transaction.atomic
def cancel_run(run: Run, *, by: User | None, request: HttpRequest | None = None) -> Run:
    """Cancel at once what is not running, and ask what runs to stop at its next step; a finished Run stays as it is."""
    run = _locked(run)
    if run.status == Status.RUNNING:
        if run.cancel_requested_at is None:
            run.cancel_requested_at = timezone.now()
            run.save(update_fields=["cancel_requested_at"])
            _record("run.cancelled", run, by, request)
    elif not run.is_finished:
        _end_cancelled(run)
        _record("run.cancelled", run, by, request)
    return run


def _end_cancelled(run: Run, code: str = "cancelled") -> None:
    run.status = Status.CANCELLED
    run.finished_at = timezone.now()
    run.wait_until, run.waiting_for = None, ""
    run.error_code, run.error_text = code, ""
    run.save(update_fields=["status", "finished_at", "wait_until", "waiting_for", "error_code", "error_text"])


@transaction.atomic
def cancel_queued(subject: models.Model, *, by: User | None = None) -> int:
    """Cancel what has not ended about a subject that goes away; what runs is asked to stop. Returns how many."""
    pending = Run.objects.about(subject).filter(status__in=[*LIVE, Status.HELD])
    runs = list(pending)
    for run in runs:
        cancel_run(run, by=by)
    return len(runs)


@transaction.atomic
def retry_run(run: Run, *, by: User, request: HttpRequest | None = None) -> Requested:
    """Ask for the same once more. Raises Refused while the Run has not ended, or when its subject is gone.

    Support staff who are no members retry on behalf of who asked first.
    """
    run = _fresh(run)
    if not run.is_finished:
        raise Refused("It has not ended yet: cancel it first, or wait.")
    if run.subject is None:
        raise Refused("What this run was about has been deleted, so it cannot be retried.")
    is_member = access.membership_of(by, run.organization_id) is not None
    if not is_member and run.requested_by is None and not run.unattended:
        raise Refused("Who asked for it is gone, so only a member of the organisation can retry it.")
    requested = request_run(
        kind=run.kind,
        subject=run.subject,
        organization=run.organization,
        scope=run.scope,
        options=run.options,
        trigger=Trigger.MANUAL if is_member else run.trigger,
        requested_by=by if is_member else run.requested_by,
    )
    _record("run.retried", run, by, request, after={"run": str(requested.run.pk)})
    return requested


@transaction.atomic
def resume(run: Run) -> Run:
    """Go on with a waiting Run, if it still waits; returns the Run that does it, which may be an equal newer one."""
    run = _locked(run)
    if run.status != Status.WAITING:
        return run
    return leases.to_queue(run, covered_by_running=True, stage="", started_at=None)


@transaction.atomic
def confirm_run(
    run: Run, *, by: User, options: dict[str, Any] | None = None, request: HttpRequest | None = None
) -> Run:
    """Let a held Run go on, in the name of who confirmed, with what it asked for merged into its options.

    Returns the Run that does it. Raises Refused when it is not held (any more).
    """
    run = _locked(run)
    if run.status != Status.HELD:
        raise Refused("This run does not wait for a confirmation any more.")
    before = run.options
    merged = {**before, **(run.result.get("confirm_options", {}) if options is None else options)}
    going_on = leases.to_queue(
        run,
        options=merged,
        options_key=digest_of(merged),
        requested_by=by,
        joined_by=[],
        unattended=False,
        stage="",
        started_at=None,
    )
    _record("run.confirmed", run, by, request, before={"options": before}, after={"options": merged})
    return going_on


@transaction.atomic
def decline_run(run: Run, *, by: User, request: HttpRequest | None = None) -> Run:
    """End a held Run without doing what it asked for. Raises Refused when it is not held (any more)."""
    run = _locked(run)
    if run.status != Status.HELD:
        raise Refused("This run does not wait for a confirmation any more.")
    _end_cancelled(run, "declined")
    _record("run.declined", run, by, request)
    return run


def _record(
    action: str,
    run: Run,
    by: User | None,
    request: HttpRequest | None,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    audit.record(
        action,
        organization=run.organization,
        actor=by,
        target=run,
        scope=run.scope,
        private_to=run.private_to,
        before=before,
        after=after,
        request=request,
    )
