"""Adding a source: an address, what it is, and then what is to be indexed of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from catalog.access import server_of
from catalog.models import Server
from forges.models import Connection
from forges.picking import FieldError
from indexing import clock, linking, offering
from indexing import sources as services
from indexing.forms import AddressForm, SourceForm
from indexing.models import Source
from indexing.probing import Probe, probe
from indexing.reasons import Reason
from indexing.sources import EDIT
from indexing.views.page import page_context, server_page
from indexing.wording import HAPPENED, KIND_WORDS, what_to_do
from lib.htmx import go_to, is_fragment
from orgs import access
from orgs.models import Membership

LATER = (Reason.AUTH_REQUIRED, Reason.NETWORK, Reason.RATE_LIMITED)
"""What may be otherwise by the time that it is indexed: such an address can be added all the same."""
ELSEWHERE = (Reason.AUTH_REQUIRED, Reason.ROBOTS_REFUSED, Reason.NEEDS_JAVASCRIPT, Reason.TOO_LARGE)
"""Where the repository of a site does what the site cannot."""


@sensitive_post_parameters("token")
@require_http_methods(["GET", "HEAD", "POST"])
@access.for_members(EDIT)
def source_add(request: HttpRequest, membership: Membership, server: str) -> HttpResponseBase:
    it = server_of(membership, server)
    if request.method != "POST":
        left = linking.entered(request, membership, it)
        if left is None:
            return _first_step(request, membership, it, AddressForm())
        return _ask(request, membership, it, left.values, left.connection, chosen=left.values)
    if "found" in request.POST:
        return _save(request, membership, it)
    return _ask(request, membership, it, request.POST)


def _ask(
    request: HttpRequest,
    membership: Membership,
    server: Server,
    values: Mapping[str, Any],
    connection: Connection | None = None,
    *,
    chosen: Mapping[str, str] | None = None,
    why: str = "",
) -> HttpResponseBase:
    """Ask the address what it is, and show that; `chosen` is what was entered before, `why` it is asked again."""
    form = AddressForm(values)
    if not form.is_valid():
        return _first_step(request, membership, server, form)
    try:
        found = probe(
            form.cleaned_data["url"], membership=membership, connection=connection, kind=form.cleaned_data["kind"]
        )
    except FieldError as error:
        form.add_field_error(error)
        return _first_step(request, membership, server, form)
    return _second_step(request, membership, server, found, chosen=chosen, why=why)


def _first_step(request: HttpRequest, membership: Membership, server: Server, form: AddressForm) -> HttpResponseBase:
    context = page_context(membership, server, form=form)
    return _page(request, context, status=422 if form.errors else 200)


def _second_step(
    request: HttpRequest,
    membership: Membership,
    server: Server,
    found: Probe,
    *,
    chosen: Mapping[str, str] | None,
    why: str,
) -> HttpResponseBase:
    source = Source(server=server, **found.facts(), name=found.name, branch=found.branch, include=found.include)
    given = {name: value for name, value in (chosen or {}).items() if value}
    form = SourceForm(
        source=source, membership=membership, auto=clock.auto_refresh_of(server.organization), initial=given
    )
    context = page_context(membership, server, form=form, why=why, **_told(found, membership))
    context["found"] = offering.seal(found, server, membership)
    return _page(request, context)


def _told(found: Probe, membership: Membership) -> dict[str, Any]:
    """What the page says of an address that was asked."""
    kind, icon = KIND_WORDS[Source.Kind(found.kind)]
    long = found.pages is not None and found.pages > settings.INDEX_MAX_PAGES
    return {
        "probe": found,
        "kind": kind,
        "icon": icon,
        "cap": settings.INDEX_MAX_PAGES,
        "too_long": long,
        "hints": found.repositories if long or found.reason in ELSEWHERE else (),
        "happened": found.detail or (HAPPENED[found.reason] if found.reason else ""),
        "to_do": what_to_do(found.reason, found.kind, forge=found.forge) if found.reason else "",
        "offers": linking.offers_for(found, membership) if found.reason == Reason.AUTH_REQUIRED else (),
        "may_add": found.reachable or found.reason in LATER,
    }


def _save(request: HttpRequest, membership: Membership, server: Server) -> HttpResponseBase:
    try:
        facts = offering.unseal(request.POST["found"], server, membership)
    except offering.Expired as error:
        return _ask(request, membership, server, request.POST, chosen=request.POST, why=str(error))
    source = Source(server=server, **facts)
    form = SourceForm(
        request.POST, source=source, membership=membership, auto=clock.auto_refresh_of(server.organization)
    )
    if form.is_valid():
        try:
            added = services.add(server, facts, form.values(), by=membership, request=request)
        except FieldError as error:
            form.add_field_error(error)
        else:
            messages.success(request, f"{added.name} is added, and is being indexed.")
            return go_to(request, server_page(server))
    context = page_context(membership, server, form=form, source=source, found=request.POST["found"], may_add=True)
    context["kind"], context["icon"] = KIND_WORDS[Source.Kind(source.kind)]
    return _page(request, context, status=422)


def _page(request: HttpRequest, context: dict[str, Any], *, status: int = 200) -> HttpResponseBase:
    template = "indexing/_add.html" if is_fragment(request) else "indexing/add.html"
    return render(request, template, context, status=status)
