"""Preview: what a refresh would do, shown without doing it."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from forges.clients.errors import ForgeError
from forges.picking import advised
from forges.reading import SKIP_WORDS, Skip
from integrations import preview as services
from integrations.models import Track
from integrations.refreshing import PREVIEW, request_preview
from integrations.views.page import PRUNE, integration_of, page_context, run_of
from jobs.models import Run
from jobs.outcomes import Failure
from lib.htmx import is_fragment, render_partial
from orgs import access
from orgs.models import Membership

SECTIONS = (
    ("added", "Added", "ok"),
    ("changed", "Changed", "busy"),
    ("moved", "Moved", "wait"),
    ("removed", "Removed", "error"),
    ("stale", "Kept, though gone in git", "warn"),
    ("revived", "Back in git", "ok"),
)
"""The lists of a plan: key, heading, tone."""


@access.for_members("integrations.import")
def preview(request: HttpRequest, membership: Membership, integration: uuid.UUID) -> HttpResponse:
    """A POST works out what a refresh would do now; otherwise the last preview, if there is one."""
    it = integration_of(membership, integration)
    org = membership.organization.slug
    if request.method == "POST":
        # Looking needs no right to delete: somebody who may only keep can see what pruning would take away.
        prune = request.POST.get("deleted", PRUNE) == PRUNE
        run = request_preview(it, prune=prune, membership=membership)
        return redirect("integrations:preview_run", org=org, integration=it.pk, run=run.pk)
    last = Run.objects.for_org(membership.organization).about(it).filter(kind=PREVIEW, joined_to=None).first()
    if last is not None:
        return redirect("integrations:preview_run", org=org, integration=it.pk, run=last.pk)
    context = page_context(membership, it.server, integration=it, name=it.short_name, run=None)
    return render(request, "integrations/preview.html", context)


@require_safe
@access.for_members("integrations.import")
def preview_run(request: HttpRequest, membership: Membership, integration: uuid.UUID, run: uuid.UUID) -> HttpResponse:
    it = integration_of(membership, integration)
    found = run_of(it, run, PREVIEW)
    context = page_context(
        membership,
        it.server,
        integration=it,
        name=it.short_name,
        run=found,
        prune=bool(found.options.get("prune")),
        plans=[_shown(plan) for plan in found.result.get("plans", [])],
    )
    return render_partial(request, "integrations/preview.html", "plan", context)


def _shown(plan: dict[str, Any]) -> dict[str, Any]:
    """A plan with its lists as the page shows them."""
    counts = plan["counts"]
    sections = [
        {
            "key": key,
            "label": label,
            "tone": tone,
            "files": plan[key],
            "count": counts[key],
            "more": counts[key] - len(plan[key]),
            "has_text": key in ("added", "changed", "removed"),
        }
        for key, label, tone in SECTIONS
        if counts[key]
    ]
    skipped = [{**skip, "reason": SKIP_WORDS.get(skip["reason"], skip["reason"])} for skip in plan["skipped"]]
    return {
        **plan,
        "sections": sections,
        "skipped": skipped,
        "more_skipped": counts["skipped"] - len(skipped),
        "changes": sum(section["count"] for section in sections),
    }


@require_safe
@access.for_members("integrations.import")
def preview_diff(request: HttpRequest, membership: Membership, integration: uuid.UUID, run: uuid.UUID) -> HttpResponse:
    """The text difference of one file of a preview: `track` and `path` are in the query string."""
    it = integration_of(membership, integration)
    found = run_of(it, run, PREVIEW)
    wanted, path = request.GET.get("track", ""), request.GET.get("path", "")
    plan = next((plan for plan in found.result.get("plans", []) if plan["track"] == wanted), None)
    track: Track | None = it.tracks.filter(pk=wanted).first() if plan is not None else None
    if plan is None or track is None:
        raise Http404
    track.integration = it
    context: dict[str, Any] = {"path": path}
    try:
        difference = services.preview_diff(track, plan, path)
    except services.NotInPlan as error:
        raise Http404 from error
    except ForgeError as error:
        context["problem"] = advised(error)
    except Failure as failure:
        context["problem"] = failure.text
    else:
        if isinstance(difference, Skip):
            context["problem"] = f"It would be skipped. {difference.detail}"
        else:
            context["difference"] = difference
    if is_fragment(request):
        return render(request, "integrations/_diff.html", context)
    context |= {"integration": it, "name": it.short_name, "run": found}
    return render(request, "integrations/preview_diff.html", page_context(membership, it.server, **context))
