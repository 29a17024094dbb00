"""The integrations table: of a server, of the organisation, and a row by itself."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.messages.storage.base import Message
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalog.access import server_of
from catalog.views.page import permission
from integrations import left_overs, rows, wording
from integrations.models import Integration
from integrations.tables import IntegrationFilter, IntegrationsTable
from integrations.views.page import LEVELS, choice, integration_of, integrations_of, page_context, server_page
from lib import tables
from lib.htmx import is_fragment
from orgs import access
from orgs.models import Membership

PAGE = 25
SERVER, ORGANIZATION = "server", "organization"
"""The two tables that a row can stand in."""


@require_safe
@access.for_members()
def server(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it = server_of(membership, server)
    found = integrations_of(membership).filter(server=it)
    context = page_context(membership, it, left_overs=left_overs.of_server(it))
    context |= _table(request, membership, found, shows_server=False)
    table = context["table"]
    if not context["filtered"]:
        table.empty_title = "No repository connected" if context["left_overs"] else "No repository connected yet"
        table.empty_text = "Connect one, and its files become this server's content. Refresh keeps them in step."
        if context["may"]["import"]:
            table.empty_url = reverse("integrations:connect", args=[membership.organization.slug, it.slug])
            table.empty_label = "Connect a repository"
    return render(request, "integrations/server.html", context)


@require_safe
@access.for_members()
def organization(request: HttpRequest, membership: Membership) -> HttpResponse:
    context = cells_context(membership)
    context |= {"nav_section": "integrations", "query": request.GET.urlencode()}
    context |= _table(request, membership, integrations_of(membership), shows_server=True)
    table = context["table"]
    if not context["filtered"]:
        table.empty_title = "No repository connected yet"
        table.empty_text = "Open a server and connect a repository on its Integrations tab."
        table.empty_url = reverse("catalog:servers", args=[membership.organization.slug])
        table.empty_label = "Servers"
    return render(request, "integrations/list.html", context)


@require_safe
@access.for_members()
def row(request: HttpRequest, membership: Membership, integration: uuid.UUID) -> HttpResponse:
    """A row while its Run lives: the cell that asks for it, and the whole row once the Run has ended."""
    it = integration_of(membership, integration)
    if not is_fragment(request):
        return redirect(server_page(it.server))
    return row_response(request, membership, it, following=True)


def row_response(
    request: HttpRequest, membership: Membership, integration: Integration, *, following: bool = False
) -> HttpResponse:
    """The row of an integration for htmx, with what came of its Run when that has ended.

    `following` is set when the row's own cell asks: as long as the Run lives, the answer is that cell.
    """
    table = row_table(request, membership, integration)
    facts = table.facts[integration.pk]
    if following and facts.live:
        context = {"row": facts, "table": table, **table.context_of_cells}
        return render(request, "integrations/cells/last_run.html", context)
    level, text = wording.outcome(facts.run, integration) if facts.run else ("info", "")
    said = [Message(LEVELS[level], text)] if facts.run and not facts.live else []
    response = render(request, "components/_row.html", {"row_html": table.as_html(request), "said": said})
    if following:
        response["HX-Retarget"] = f"#row-{integration.pk}"
        response["HX-Reswap"] = "outerHTML"
    if not facts.live:
        response["HX-Trigger"] = "contentRefreshed"
    return response


def row_table(request: HttpRequest, membership: Membership, integration: Integration) -> IntegrationsTable:
    """The table with this one integration."""
    where = request.POST.get("table") or request.GET.get("table")
    annotated = rows.listed(integrations_of(membership).filter(pk=integration.pk))
    table = IntegrationsTable(
        annotated,
        shows_server=where == ORGANIZATION,
        context=cells_context(membership),
        template_name="components/_rows.html",
        request=request,
    )
    return table.load()


def cells_context(membership: Membership) -> dict[str, Any]:
    return {
        "membership": membership,
        "choice": choice(membership),
        "may": {"import": permission(membership, "integrations.import"), "delete": choice(membership).may_prune},
    }


def filtered(request: HttpRequest, found: QuerySet[Integration]) -> IntegrationFilter:
    """What the query string leaves of them."""
    return IntegrationFilter(request.GET, queryset=rows.listed(found))


def _table(
    request: HttpRequest, membership: Membership, found: QuerySet[Integration], *, shows_server: bool
) -> dict[str, Any]:
    chosen = filtered(request, found)
    is_filtered = any(request.GET.get(name) for name in chosen.filters)
    table = IntegrationsTable(chosen.qs, shows_server=shows_server, context=cells_context(membership))
    table.empty_title = "No integration matches"
    table.empty_text = "Change or clear the filter."
    tables.configure(request, table, per_page=PAGE)
    total = table.page.paginator.count
    return {
        "table": table.load(),
        "form": chosen.form,
        "filtered": is_filtered,
        "total": total,
        "any": bool(total) or is_filtered,
    }
