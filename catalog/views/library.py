"""What the pages of toolkits, commands, skills and clients share."""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from catalog.documents import Entity
from catalog.library import SHELVES, address, shelf_of
from catalog.models import EntityKind, OrganizationEntity
from catalog.views.entity import Submitted
from catalog.views.page import permission
from orgs.models import Membership

ROW = TypeVar("ROW", bound=OrganizationEntity)


def find(model: type[ROW], membership: Membership, pk: UUID) -> ROW:
    """A row that the member may see: the organisation's, or their own; Http404 for any other."""
    row: ROW | None = model.objects.visible_to(membership).filter(pk=pk).first()
    if row is None:
        raise Http404
    row.organization = membership.organization
    return row


def page(
    request: HttpRequest,
    membership: Membership,
    row: Entity,
    template: str,
    *,
    tab: str = "",
    status: int = 200,
    **more: object,
) -> HttpResponse:
    """A page about one row; the template extends `catalog/entities/one.html`. `tab` is "" or "history"."""
    return render(request, template, context(membership, row, tab=tab, **more), status=status)


def context(membership: Membership, row: Entity, *, tab: str = "", **more: object) -> dict[str, Any]:
    """The context of a page about one row."""
    return {**shelf_context(membership, shelf_of(row).kind), "entity": row, "tab": tab, **more}


def shelf_page(
    request: HttpRequest, membership: Membership, kind: EntityKind, template: str, *, status: int = 200, **more: object
) -> HttpResponse:
    """A page about one kind: its list, or the form of a new one, which extends `catalog/entities/new.html`."""
    return render(request, template, shelf_context(membership, kind, **more), status=status)


def after_create(
    request: HttpRequest,
    membership: Membership,
    kind: EntityKind,
    done: Submitted[Any, Any],
    *,
    advice: str = "",
    template: str = "catalog/entities/create.html",
) -> HttpResponse:
    """What follows the form of a new row: its page, with `advice` what to do there, or the form again."""
    if done.saved:
        messages.success(request, f"{done.saved.name} is saved. {advice}".rstrip())
        return redirect(address(done.saved))
    return shelf_page(request, membership, kind, template, status=done.status, form=done.form)


def after_edit(
    request: HttpRequest, membership: Membership, row: Entity, done: Submitted[Any, Any], **more: object
) -> HttpResponse:
    """What follows the form of a row that is there: its page, or the form again."""
    if done.saved:
        messages.success(request, f"{done.saved.name} is saved.")
        return redirect(address(row))
    context = {"form": done.form, "theirs": done.theirs, **more}
    return page(request, membership, row, "catalog/entities/edit.html", status=done.status, **context)


def shelf_context(membership: Membership, kind: EntityKind, **more: object) -> dict[str, Any]:
    may = {"edit": permission(membership, "entities.edit")}
    return {"membership": membership, "nav_section": "library", "shelf": SHELVES[kind], "may": may, **more}
