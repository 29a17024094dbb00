"""Refresh: one, all of a server, all that match."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from catalog.access import server_of
from integrations import wording
from integrations.models import Integration
from integrations.refreshing import request_refresh, request_refresh_all
from integrations.views.listing import filtered, row_response
from integrations.views.page import LEVELS, integration_of, integrations_of, server_page, wants_prune
from lib.htmx import is_fragment
from orgs import access
from orgs.models import Membership

NAMED = 5
"""Integrations that a message names one by one."""


@require_POST
@access.for_members("integrations.import")
def refresh(request: HttpRequest, membership: Membership, integration: uuid.UUID) -> HttpResponse:
    it = integration_of(membership, integration)
    run = request_refresh(it, prune=wants_prune(request, membership), membership=membership)
    if is_fragment(request):
        return row_response(request, membership, it)
    level, text = wording.outcome(run, it)
    messages.add_message(request, LEVELS[level], text)
    return redirect(_back(request) or server_page(it.server))


@require_POST
@access.for_members("integrations.import")
def refresh_all(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it = server_of(membership, server)
    _refresh(request, membership, integrations_of(membership).filter(server=it))
    return redirect(server_page(it))


@require_POST
@access.for_members("integrations.import")
def refresh_matching(request: HttpRequest, membership: Membership) -> HttpResponse:
    """All of the organisation that the filter in the query string leaves."""
    _refresh(request, membership, filtered(request, integrations_of(membership)).qs)
    listing = reverse("integrations:list", args=[membership.organization.slug])
    query = request.GET.urlencode()
    return redirect(f"{listing}?{query}" if query else listing)


def _refresh(request: HttpRequest, membership: Membership, integrations: Iterable[Integration]) -> None:
    asked = request_refresh_all(integrations, prune=wants_prune(request, membership), membership=membership)
    if asked.runs:
        queued = len(asked.runs) - asked.joined
        words = [f"{queued:,} {'refresh is' if queued == 1 else 'refreshes are'} queued"] if queued else []
        if asked.joined:
            words.append(f"{asked.joined:,} {'was' if asked.joined == 1 else 'were'} queued already")
        messages.success(request, f"{', '.join(words).capitalize()}.")
    if asked.skipped:
        named = [f"{each.integration.short_name} ({each.reason})" for each in asked.skipped[:NAMED]]
        more = len(asked.skipped) - len(named)
        rest = f" and {more:,} more" if more else ""
        messages.warning(request, f"Left out: {', '.join(named)}{rest}.")
    if not asked.runs and not asked.skipped:
        messages.info(request, "There is no integration to refresh.")


def _back(request: HttpRequest) -> str:
    """The page of ours that the form was on, if it says so."""
    target = request.POST.get("next", "")
    return target if url_has_allowed_host_and_scheme(target, {request.get_host()}) else ""
