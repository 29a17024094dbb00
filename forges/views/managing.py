"""What is done with a connection that is there: name, share, try, disconnect, delete."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from forges import checking, connections
from forges.connecting import WAITING_SECONDS
from forges.forms import RenameForm
from forges.models import Connection
from forges.standing import where
from forges.views.connections import connection_of, connection_page, row_of
from lib.htmx import is_fragment
from orgs import access
from orgs.models import Membership


@require_POST
@access.for_members()
def rename(request: HttpRequest, membership: Membership, connection: uuid.UUID) -> HttpResponse:
    """`name`: empty for its account's."""
    it = connection_of(membership, connection)
    connections.require_manage(membership, it)
    form = RenameForm(request.POST)
    if not form.is_valid():
        return connection_page(request, membership, it, form)
    it = connections.rename(membership, it, name=form.cleaned_data["name"], request=request)
    messages.success(request, f"It is called {it} now.")
    return _to_its_page(it)


@require_POST
@access.for_members()
def share(request: HttpRequest, membership: Membership, connection: uuid.UUID) -> HttpResponse:
    """`shared`: anything for yes, nothing for no."""
    it = connection_of(membership, connection)
    if request.POST.get("shared"):
        connections.share(membership, it, request=request)
        messages.success(request, f"{it} is shared: other members may choose it, too.")
    else:
        connections.unshare(membership, it, request=request)
        messages.success(request, f"{it} is personal: what uses it goes on, and nobody else can choose it any more.")
    if not connections.visible(membership).filter(pk=it.pk).exists():
        return redirect("forges:connections", org=membership.organization.slug)
    return _to_its_page(it)


@require_POST
@access.for_members()
def check(request: HttpRequest, membership: Membership, connection: uuid.UUID) -> HttpResponse:
    """Try it at its forge now."""
    it = connection_of(membership, connection)
    if not connections.may_manage(membership, it):
        raise PermissionDenied(access.why_not("connections.manage"))
    checked = checking.check(it, seconds=WAITING_SECONDS)
    match checked.verdict:
        case checking.Verdict.WORKS:
            messages.success(request, f"{where(it)} accepts it.")
        case checking.Verdict.LOST:
            messages.error(request, checked.detail)
        case _:
            messages.warning(request, f"Nothing was learnt about it. {checked.detail}")
    return _to_its_page(it)


@require_http_methods(["GET", "HEAD", "POST"])
@access.for_members()
def disconnect(request: HttpRequest, membership: Membership, connection: uuid.UUID) -> HttpResponseBase:
    """Ask, then use it no more."""

    def do(it: Connection) -> HttpResponseBase:
        connections.disconnect(membership, it, request=request)
        messages.success(request, f"{it} is disconnected. Reconnect it when it is to be used again.")
        return _to_its_page(it)

    return _ask(request, membership, connection, "disconnect", do)


@require_http_methods(["GET", "HEAD", "POST"])
@access.for_members()
def delete(request: HttpRequest, membership: Membership, connection: uuid.UUID) -> HttpResponseBase:
    """Ask, then delete it here, and take the authorisation back at the forge where that has a call for it."""

    def do(it: Connection) -> HttpResponseBase:
        name = f"{it} at {where(it)}"
        deleted = connections.delete(membership, it, request=request)
        done = f"{name} is deleted."
        if deleted.revoked:
            messages.success(request, f"{done} Its authorisation was taken back there.")
        else:
            messages.warning(request, f"{done} {deleted.notice}")
        return redirect("forges:connections", org=membership.organization.slug)

    return _ask(request, membership, connection, "delete", do)


def _ask(
    request: HttpRequest,
    membership: Membership,
    pk: uuid.UUID,
    what: str,
    do: Callable[[Connection], HttpResponseBase],
) -> HttpResponseBase:
    it = connection_of(membership, pk)
    connections.require_manage(membership, it)
    if request.method == "POST":
        return do(it)
    row = row_of(membership, it)
    context = {
        "row": row,
        "what": what,
        "org": membership.organization.slug,
        "stops": [use.stops for use in row.uses],
        "nav_section": "connections",
    }
    return render(
        request, "forges/_connection_ask.html" if is_fragment(request) else "forges/connection_ask.html", context
    )


def _to_its_page(it: Connection) -> HttpResponse:
    return redirect("forges:connection", org=it.organization.slug, connection=it.pk)
