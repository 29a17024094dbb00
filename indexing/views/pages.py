"""A source's own page: how it stands, what is in its index, and what is left out."""

from __future__ import annotations

import uuid

from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from indexing import states
from indexing.models import Page
from indexing.tables import PageFilter, PagesTable, SkippedFilter, SkippedTable
from indexing.views.page import page_context, source_of
from indexing.wording import SKIP_WORDS
from lib import tables
from orgs import access
from orgs.models import Membership

PER_PAGE = 50


@require_safe
@access.for_members()
def source(request: HttpRequest, membership: Membership, source: uuid.UUID) -> HttpResponse:
    it = source_of(membership, source)
    pages: QuerySet[Page] = Page.objects.filter(source=it, text__isnull=False).select_related("text")
    found = PageFilter(request.GET, queryset=pages)
    is_filtered = any(request.GET.get(name) for name in found.filters)
    table = PagesTable(found.qs)
    table.empty_title = "No page matches" if is_filtered else "Nothing is indexed yet"
    table.empty_text = "Change or clear the filter." if is_filtered else "Pages appear here as they are indexed."
    tables.configure(request, table, per_page=PER_PAGE)
    context = page_context(
        membership,
        it.server,
        source=it,
        row=states.load([it], membership=membership)[it.pk],
        table=table,
        form=found.form,
        filtered=is_filtered,
        any=bool(table.page.paginator.count) or is_filtered,
    )
    return render(request, "indexing/source.html", context)


@require_safe
@access.for_members()
def skipped(request: HttpRequest, membership: Membership, source: uuid.UUID) -> HttpResponse:
    """What it came upon and left out, and why."""
    it = source_of(membership, source)
    left_out = Page.objects.filter(source=it).exclude(skip_reason="")
    found = SkippedFilter(request.GET, queryset=left_out)
    is_filtered = any(request.GET.get(name) for name in found.filters)
    table = SkippedTable(found.qs)
    table.empty_title = "No page matches" if is_filtered else "No page is skipped"
    table.empty_text = "Change or clear the filter." if is_filtered else "Everything that it came upon is indexed."
    tables.configure(request, table, per_page=PER_PAGE)
    reasons = left_out.order_by().values_list("skip_reason").annotate(number=Count("pk")).order_by("-number")
    context = page_context(
        membership,
        it.server,
        source=it,
        table=table,
        form=found.form,
        filtered=is_filtered,
        reasons=[(reason, SKIP_WORDS.get(reason, reason), number) for reason, number in reasons],
    )
    return render(request, "indexing/skipped.html", context)
