"""The table of sources: of a server, of the organisation, and a row by itself."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalog.access import server_of
from indexing import states
from indexing.models import Source
from indexing.states import Row, Standing
from indexing.tables import SourceFilter, SourcesTable
from indexing.views.page import cells_context, page_context, server_page, source_of, sources_of, unless_deleted
from lib import tables
from lib.htmx import is_fragment
from orgs import access
from orgs.models import Membership

PER_PAGE = 25
SERVER, ORGANIZATION, PAGE = "server", "organization", "page"
"""Where what is shown of a source can stand: in two tables, and on its own page."""


@require_safe
@access.for_members()
def sources(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it = server_of(membership, server)
    context = page_context(membership, it)
    context |= _table(request, membership, sources_of(membership).filter(server=it), shows_server=False)
    table = context["table"]
    if not context["filtered"]:
        table.empty_title = "No source yet"
        table.empty_text = (
            "Add a web site, a repository or another MCP server, and searches on this server find what is in it."
        )
        if context["may"]["sources"]:
            table.empty_url = reverse("indexing:source_add", args=[membership.organization.slug, it.slug])
            table.empty_label = "Add a source"
    return render(request, "indexing/sources.html", context)


@require_safe
@access.for_members()
def organization(request: HttpRequest, membership: Membership) -> HttpResponse:
    context = cells_context(membership)
    context |= {"organization": membership.organization, "nav_section": "servers"}
    context |= _table(request, membership, sources_of(membership), shows_server=True)
    context["counts"] = [
        (standing.label, number, _TONES.get(standing, "") if number else "", f"?status={standing.value}")
        for standing, number in states.counts(membership).items()
    ]
    table = context["table"]
    if not context["filtered"]:
        table.empty_title = "No source yet"
        table.empty_text = "Open a server and add one on its Sources tab."
        table.empty_url = reverse("catalog:servers", args=[membership.organization.slug])
        table.empty_label = "Servers"
    return render(request, "indexing/list.html", context)


_TONES = {Standing.ERROR: "error"}


@require_safe
@access.for_members()
@unless_deleted
def row(request: HttpRequest, membership: Membership, source: uuid.UUID) -> HttpResponse:
    """What is shown of a source while its Run lives: the cell that asks for it, and all of it once that has ended."""
    it = source_of(membership, source)
    if not is_fragment(request):
        return redirect(server_page(it.server))
    return row_response(request, membership, it, following=True)


def row_response(
    request: HttpRequest, membership: Membership, source: Source, *, following: bool = False, said: str = ""
) -> HttpResponse:
    """The row of a source for htmx, with a sentence. Raises Source.DoesNotExist.

    `following` is set when the row's own cell asks: as long as the Run lives, the answer is that cell.
    """
    where = request.POST.get("table") or request.GET.get("table")
    if where == PAGE:
        return _on_its_page(request, membership, source)
    table = SourcesTable(
        sources_of(membership).filter(pk=source.pk),
        shows_server=where == ORGANIZATION,
        context=cells_context(membership),
        template_name="components/_rows.html",
        request=request,
    ).load()
    if source.pk not in table.facts:
        raise Source.DoesNotExist
    facts = table.facts[source.pk]
    if following and facts.live:
        return render(request, "indexing/cells/standing.html", {"row": facts, "table": table, **table.context_of_cells})
    if following:
        said = outcome(facts)
    level = messages.ERROR if facts.standing == Standing.ERROR else messages.SUCCESS
    context = {"row_html": table.as_html(request), "said": [Message(level, said)] if said else []}
    response = render(request, "components/_row.html", context)
    if following:
        response["HX-Retarget"] = f"#row-{source.pk}"
        response["HX-Reswap"] = "outerHTML"
    return response


def _on_its_page(request: HttpRequest, membership: Membership, source: Source) -> HttpResponse:
    facts = states.row_of(source, membership=membership)
    response = render(request, "indexing/_state.html", {"row": facts, **cells_context(membership)})
    if not facts.live:
        response["HX-Refresh"] = "true"  # its pages are others now
    return response


def outcome(row: Row) -> str:
    """What came of a Run, for who has waited for it."""
    name = row.source.name
    if row.source.paused_at is not None:
        return f"{name} is paused."
    if row.standing == Standing.ERROR:
        return f"{name} could not be indexed."
    return f"{name} is indexed." if row.standing == Standing.COMPLETE else ""


def filtered(request: HttpRequest, found: QuerySet[Source]) -> SourceFilter:
    """What the query string leaves of them."""
    return SourceFilter(request.GET, queryset=found)


def _table(
    request: HttpRequest, membership: Membership, found: QuerySet[Source], *, shows_server: bool
) -> dict[str, Any]:
    chosen = filtered(request, found)
    is_filtered = any(request.GET.get(name) for name in chosen.filters)
    table = SourcesTable(chosen.qs, shows_server=shows_server, context=cells_context(membership))
    table.empty_title = "No source matches"
    table.empty_text = "Change or clear the filter."
    tables.configure(request, table, per_page=PER_PAGE)
    return {
        "table": table.load(),
        "form": chosen.form,
        "filtered": is_filtered,
        "any": bool(table.page.paginator.count) or is_filtered,
    }
