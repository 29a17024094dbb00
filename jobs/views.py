"""The pages of Runs: the list, one Run with its live fragment, and what can be done with it."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.contrib.contenttypes.prefetch import GenericPrefetch
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from jobs import heartbeats, registry, runs
from jobs.filters import RunFilter
from jobs.models import LogLine, Run, Status
from jobs.tables import RunsTable
from lib import tables
from lib.htmx import is_fragment
from orgs import access
from orgs.models import Membership, User

LOG_LINES_SHOWN = 200


def _runs(membership: Membership) -> QuerySet[Run]:
    rows: QuerySet[Run] = Run.objects.visible_to(membership).select_related("organization", "requested_by")
    return rows


def _run(membership: Membership, pk: uuid.UUID) -> Run:
    run = _runs(membership).select_related("joined_to").filter(pk=pk).first()
    if run is None:
        raise Http404
    return run


@require_safe
@access.for_members()
def run_list(request: HttpRequest, membership: Membership) -> HttpResponse:
    """The Runs of this organisation, newest first, filtered by the query string."""
    everything = _runs(membership)
    found = RunFilter(request.GET, queryset=everything)
    filtered = any(request.GET.get(name) for name in found.filters)
    table = RunsTable(_with_subjects(found.qs.defer("result", "options")), order_by=request.GET.get("sort"))
    table.empty_title = "No run matches" if filtered else "No runs yet"
    table.empty_text = (
        "Change or clear the filter."
        if filtered
        else "A run appears here when a repository is connected, refreshed, or sends news of a push."
    )
    tables.configure(request, table, per_page=25)
    context = {"table": table, "form": found.form, "filtered": filtered, "nav_section": "runs"}
    return render(request, "jobs/runs.html", {**context, "stalled": _stalled_list(everything)})


def _with_subjects(rows: QuerySet[Run]) -> QuerySet[Run]:
    """Each Run with what it is about, in one query for each sort of thing."""
    wanted = {
        query.model: query for kind in registry.kinds() if kind.subjects and (query := kind.subjects()) is not None
    }
    if not wanted:
        return rows.prefetch_related("subject")
    return rows.prefetch_related(GenericPrefetch("subject", list(wanted.values())))


def _stalled_list(rows: QuerySet[Run]) -> bool:
    return not heartbeats.worker_is_alive() and rows.filter(status=Status.QUEUED).exists()


@require_safe
@access.for_members()
def run(request: HttpRequest, membership: Membership, pk: uuid.UUID) -> HttpResponse:
    """One Run: what it does now, how it ended, what can be done."""
    run = _run(membership, pk)
    kind = registry.find(run.kind)
    details = kind.details(request, membership, run) if kind is not None and kind.details is not None else ""
    return render(request, "jobs/run.html", {**_context(run, membership), "details": details})


@require_safe
@access.for_members()
def run_fragment(request: HttpRequest, membership: Membership, pk: uuid.UUID) -> HttpResponse:
    """The part of the Run's page that changes. It asks for itself while the Run is live, and tells when it ended.

    204 while nothing has changed since the state that `seen` names, so that a reader's place in the log is kept.
    Without JavaScript, the whole page.
    """
    run = _run(membership, pk)
    if not is_fragment(request):
        return _show(run, membership)
    context = _context(run, membership)
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    response = render(request, "jobs/_run.html", context)
    if not context["run"].is_live:
        response["HX-Trigger"] = "run-finished"
    return response


def _context(run: Run, membership: Membership) -> dict[str, Any]:
    lines = list(LogLine.objects.filter(run=run).order_by("-id")[: LOG_LINES_SHOWN + 1])
    kind = registry.find(run.kind)
    stalled = _is_stalled(run)
    return {
        "run": run,
        "can": _abilities(run, membership),
        "lines": lines[:LOG_LINES_SHOWN],
        "more_lines": len(lines) > LOG_LINES_SHOWN,
        "stalled": stalled,
        "has_details": kind is not None and kind.details is not None,
        "seen": _fingerprint(run, lines, stalled=stalled),
        "nav_section": "runs",
    }


def _fingerprint(run: Run, lines: list[LogLine], *, stalled: bool) -> str:
    newest = lines[0].pk if lines else 0
    seen = (run.status, run.stage, run.done, run.total, run.cancel_requested_at, run.attempts, newest, stalled)
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:16]


def _is_stalled(run: Run) -> bool:
    """Whether a worker ought to be at it and none is there."""
    now = timezone.now()
    due = (
        run.status == Status.QUEUED
        or (run.status == Status.RUNNING and run.lease_until is not None and run.lease_until < now)
        or (run.status == Status.WAITING and run.wait_until is not None and run.wait_until < now)
    )
    return due and not heartbeats.worker_is_alive()


@dataclass(frozen=True)
class Abilities:
    """What this person can do with this Run now; `why_not` is the sentence for what they would need."""

    cancel: bool = False
    retry: bool = False
    settle: bool = False
    confirm: bool = False
    why_not: str = ""


def _abilities(run: Run, membership: Membership) -> Abilities:
    needs, needs_to_confirm = _entitlements(run)
    if needs is not None and not access.may(membership, needs):
        return Abilities(why_not=access.why_not(needs))
    if run.status == Status.HELD:
        lacks = needs_to_confirm is not None and not access.may(membership, needs_to_confirm)
        return Abilities(
            settle=True,
            confirm=not lacks,
            why_not=access.why_not(needs_to_confirm) if lacks and needs_to_confirm else "",
        )
    return Abilities(
        cancel=run.is_live and run.cancel_requested_at is None,
        retry=run.is_finished and run.subject is not None and registry.find(run.kind) is not None,
    )


def _entitlements(run: Run) -> tuple[str | None, str | None]:
    """What it takes to act on a Run, and to confirm it. For a kind that is gone, what only owners have."""
    kind = registry.find(run.kind)
    return (kind.entitlement, kind.confirm_entitlement) if kind else ("organization.manage", None)


def _to_act(membership: Membership, pk: uuid.UUID, *, confirm: bool = False) -> Run:
    """The Run, for who may act on it; PermissionDenied for other members."""
    run = _run(membership, pk)
    needs, needs_to_confirm = _entitlements(run)
    for entitlement in (needs, needs_to_confirm if confirm else None):
        if entitlement is not None:
            access.require(membership, entitlement)
    return run


def _person(request: HttpRequest) -> User:
    return cast("User", request.user)


def _show(run: Run, membership: Membership) -> HttpResponse:
    return redirect("jobs:run", org=membership.organization.slug, pk=run.pk)


@require_POST
@access.for_members()
def cancel(request: HttpRequest, membership: Membership, pk: uuid.UUID) -> HttpResponse:
    run = runs.cancel_run(_to_act(membership, pk), by=_person(request), request=request)
    if run.status == Status.RUNNING:
        messages.info(request, "The run stops at its next step.")
    elif run.status == Status.CANCELLED:
        messages.success(request, "The run is cancelled.")
    else:
        messages.info(request, "The run had already ended.")
    return _show(run, membership)


@require_POST
@access.for_members()
def retry(request: HttpRequest, membership: Membership, pk: uuid.UUID) -> HttpResponse:
    run = _to_act(membership, pk)
    try:
        requested = runs.retry_run(run, by=_person(request), request=request)
    except runs.Refused as refusal:
        messages.error(request, str(refusal))
        return _show(run, membership)
    if requested.joined:
        messages.info(request, "The same was queued already: this is that run.")
    return _show(requested.run, membership)


@require_POST
@access.for_members()
def confirm(request: HttpRequest, membership: Membership, pk: uuid.UUID) -> HttpResponse:
    run = _to_act(membership, pk, confirm=True)
    try:
        run = runs.confirm_run(run, by=_person(request), request=request)
    except runs.Refused as refusal:
        messages.error(request, str(refusal))
    return _show(run, membership)


@require_POST
@access.for_members()
def decline(request: HttpRequest, membership: Membership, pk: uuid.UUID) -> HttpResponse:
    run = _to_act(membership, pk)
    try:
        runs.decline_run(run, by=_person(request), request=request)
        messages.success(request, "Declined: the run ended and changed nothing.")
    except runs.Refused as refusal:
        messages.error(request, str(refusal))
    return _show(run, membership)
