"""The Connections pages of an organisation: the list, the ways to add one, and one with all that is known of it."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from forges import connections as service
from forges import standing
from forges.connection_rows import Row, rows
from forges.connection_tables import ConnectionsTable
from forges.forms import RenameForm
from forges.models import Connection
from forges.ways import ways
from lib import tables
from lib.htmx import is_fragment
from orgs import access
from orgs.models import Membership


def require_seeing(membership: Membership) -> None:
    """For who connects repositories, and who manages connections."""
    if not access.may(membership, "connections.manage"):
        access.require(membership, "integrations.import")


def seen_by(membership: Membership) -> QuerySet[Connection]:
    """What they see; for who may do neither (any more) their own accounts alone, which they can always take back.

    PermissionDenied where there is nothing of that.
    """
    found = service.visible(membership)
    if access.may(membership, "connections.manage") or access.may(membership, "integrations.import"):
        return found
    mine = found.filter(user=membership.user_id)
    if not mine.exists():
        require_seeing(membership)
    return mine


def connection_of(membership: Membership, pk: uuid.UUID) -> Connection:
    """One that they see; Http404 for all others."""
    found: Connection | None = seen_by(membership).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def row_of(membership: Membership, connection: Connection) -> Row:
    return rows([connection], membership)[connection.pk]


@require_safe
@access.for_members()
def connections(request: HttpRequest, membership: Membership) -> HttpResponse:
    table = ConnectionsTable(seen_by(membership), viewer=membership, csrf_token=get_token(request))
    tables.configure(request, table, per_page=50)
    context = {
        "table": table.load(),
        "attention": _attention(membership),
        "nav_section": "connections",
    }
    return render(request, "forges/connections.html", context)


@require_safe
@access.for_members()
def attention(request: HttpRequest, membership: Membership) -> HttpResponse:
    """For the dashboard: what needs somebody, nothing where nothing does. Without JavaScript, the page that says it."""
    if not is_fragment(request):
        return redirect("forges:connections", org=membership.organization.slug)
    context = {"attention": _attention(membership), "elsewhere": True}
    return render(request, "forges/_connection_attention.html", context)


def _attention(membership: Membership) -> list[tuple[Connection, str]]:
    """What needs somebody, and at which forge: one account's name is often the same at several."""
    return [(each, standing.where(each)) for each in service.needing_attention(membership)]


@require_safe
@access.for_members()
def add(request: HttpRequest, membership: Membership) -> HttpResponse:
    """The ways to connect an account."""
    require_seeing(membership)
    return render(request, "forges/connection_add.html", {"ways": ways(membership), "nav_section": "connections"})


@require_safe
@access.for_members()
def connection(request: HttpRequest, membership: Membership, connection: uuid.UUID) -> HttpResponse:
    it = connection_of(membership, connection)
    return connection_page(request, membership, it, RenameForm(initial={"name": it.name}))


def connection_page(request: HttpRequest, membership: Membership, it: Connection, rename: RenameForm) -> HttpResponse:
    """The page of one, with the form to rename it as it is now."""
    context: dict[str, Any] = {"row": row_of(membership, it), "rename": rename, "nav_section": "connections"}
    return render(request, "forges/connection.html", context, status=422 if rename.errors else 200)
