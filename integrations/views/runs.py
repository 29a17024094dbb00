"""What the page of a Run shows of a refresh or preview: the report, and each file that was changed."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from catalog.views.page import page_of
from forges.reading import SKIP_WORDS
from integrations.models import FileChange, Integration
from integrations.preview import unified
from integrations.refreshing import PREVIEW, REFRESH
from integrations.views.page import choice, page_context
from jobs.models import Run, Status
from lib.htmx import is_fragment
from orgs import access
from orgs.models import Membership

CHANGES = 50
HELD_SHOWN = 500

TONES = {
    FileChange.Action.ADDED: "ok",
    FileChange.Action.CHANGED: "busy",
    FileChange.Action.MOVED: "wait",
    FileChange.Action.REMOVED: "error",
    FileChange.Action.STALE: "warn",
    FileChange.Action.REVIVED: "ok",
}


def details(request: HttpRequest, membership: Membership, run: Run) -> SafeString:
    """What the page of a refresh or preview shows beside its status (`jobs.registry.Kind.details`)."""
    integration: Integration | None = run.subject
    if integration is not None:
        integration.server.organization = membership.organization
    changes = FileChange.objects.filter(run=run).defer("at").order_by("path", "pk")
    page = page_of(request, changes, CHANGES)
    for change in page.object_list:
        change.tone = TONES.get(FileChange.Action(change.action), "idle")
    tracks = [_report(report) for report in run.result.get("tracks", [])]
    context = {
        "membership": membership,
        "run": run,
        "integration": integration,
        "is_preview": run.kind == PREVIEW,
        "page": page,
        "tracks": tracks,
        "held": run.status == Status.HELD,
        "held_count": sum(track["held"]["count"] for track in tracks if track.get("held")),
        "may_import": access.may(membership, "integrations.import"),
        "may_prune": choice(membership).may_prune,
        "rate_reset_at": parse_datetime(run.result.get("rate_reset_at") or ""),
    }
    return render_to_string("integrations/_run_details.html", context, request)


def _report(report: dict[str, Any]) -> dict[str, Any]:
    skips = sorted(report.get("skips", {}).items(), key=lambda item: -item[1])
    shown = {**report, "skips": [(SKIP_WORDS.get(reason, reason), number) for reason, number in skips]}
    if held := report.get("held"):
        paths = held["paths"]
        shown["held"] = {**held, "paths": paths[:HELD_SHOWN], "more": len(paths) - len(paths[:HELD_SHOWN])}
    return shown


@require_safe
@access.for_members()
def change(request: HttpRequest, membership: Membership, run: uuid.UUID, change: int) -> HttpResponse:
    """What a Run did to the text of one file."""
    found = _run_of(membership, run)
    if access.owner_of(found.subject) not in (None, membership.user_id):
        raise Http404
    it = FileChange.objects.select_related("before", "after").filter(run=found, pk=change).first()
    if it is None:
        raise Http404
    context = {"change": it, "path": it.path, **_difference(it)}
    if is_fragment(request):
        return render(request, "integrations/_diff.html", context)
    integration: Integration | None = found.subject
    context |= {"run": found, "tone": TONES.get(FileChange.Action(it.action), "idle")}
    if integration is None:
        context |= {"membership": membership, "nav_section": "runs"}
        return render(request, "integrations/change_alone.html", context)
    integration.server.organization = membership.organization
    return render(request, "integrations/change.html", page_context(membership, integration.server, **context))


def _difference(change: FileChange) -> dict[str, Any]:
    action = change.action
    if action in (FileChange.Action.STALE, FileChange.Action.REVIVED):
        return {"note": "Its text is as it was."}
    lost = (change.before is None and action != FileChange.Action.ADDED) or (
        change.after is None and action != FileChange.Action.REMOVED
    )
    if lost:
        return {"note": "The texts of this run are no longer kept, because nothing uses them any more."}
    before = change.before.text if change.before else ""
    after = change.after.text if change.after else ""
    difference = unified(before, after)
    if not difference.lines and not difference.too_large:
        return {"note": f"It was moved from {change.old_path}." if change.old_path else "The text is empty."}
    return {"difference": difference}


def _run_of(membership: Membership, pk: uuid.UUID) -> Run:
    runs = Run.objects.visible_to(membership).filter(pk=pk, kind__in=[REFRESH, PREVIEW])
    found: Run | None = runs.select_related("requested_by").first()
    if found is None:
        raise Http404
    found.organization = membership.organization
    return found
