"""What happened to an integration: its runs, and the files that it leaves out."""

from __future__ import annotations

import uuid

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from forges.reading import SKIP_WORDS
from integrations.models import SkippedFile
from integrations.tables import HistoryFilter, HistoryTable, SkippedFilter, SkippedTable
from integrations.views.page import integration_of, page_context
from jobs.models import Run
from lib import tables
from orgs import access
from orgs.models import Membership


@require_safe
@access.for_members()
def history(request: HttpRequest, membership: Membership, integration: uuid.UUID) -> HttpResponse:
    """Every run, newest first."""
    it = integration_of(membership, integration)
    runs = Run.objects.for_org(membership.organization).about(it).select_related("requested_by", "organization")
    found = HistoryFilter(request.GET, queryset=runs)
    is_filtered = any(request.GET.get(name) for name in found.filters)
    table = HistoryTable(found.qs)
    table.empty_title = "No run matches" if is_filtered else "No runs yet"
    table.empty_text = "Change or clear the filter." if is_filtered else "Refresh it, and the run appears here."
    tables.configure(request, table, per_page=25)
    context = page_context(
        membership,
        it.server,
        integration=it,
        name=it.short_name,
        table=table,
        form=found.form,
        filtered=is_filtered,
    )
    return render(request, "integrations/history.html", context)


@require_safe
@access.for_members()
def skips(request: HttpRequest, membership: Membership, integration: uuid.UUID) -> HttpResponse:
    """The files of the last complete listing that were not imported, and why."""
    it = integration_of(membership, integration)
    skipped = SkippedFile.objects.filter(track__integration=it).select_related("track")
    tracks = list(it.tracks.all())
    found = SkippedFilter(request.GET, queryset=skipped, tracks=tracks)
    is_filtered = any(request.GET.get(name) for name in found.filters)
    table = SkippedTable(found.qs, exclude=() if len(tracks) > 1 else ("branch",))
    table.empty_title = "No file matches" if is_filtered else "No file is skipped"
    table.empty_text = "Change or clear the filter." if is_filtered else "Every file that the filter takes is imported."
    tables.configure(request, table, per_page=50)
    reasons = skipped.order_by().values_list("reason").annotate(number=Count("pk")).order_by("-number")
    context = page_context(
        membership,
        it.server,
        integration=it,
        name=it.short_name,
        table=table,
        form=found.form,
        filtered=is_filtered,
        reasons=[(reason, SKIP_WORDS.get(reason, reason), number) for reason, number in reasons],
    )
    return render(request, "integrations/skipped.html", context)
