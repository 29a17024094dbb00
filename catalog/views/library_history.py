"""What toolkits, commands, skills and clients were: their history, restoring a version of it, and what was deleted."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from catalog import compare, history
from catalog.checking.problems import Invalid
from catalog.documents import Entity
from catalog.library import SHELVES, Shelf
from catalog.models import Client, EntityKind, EntityRevision
from catalog.revision_text import as_text
from catalog.views.library import context, shelf_context
from catalog.views.page import asked, confirm, page_of
from orgs import access
from orgs.models import Membership

PAGE = 25
Revisions = QuerySet[EntityRevision]
"""Those of one entity that the member may see, newest first."""


@access.for_members()
def revisions(request: HttpRequest, membership: Membership, kind: EntityKind, pk: UUID) -> HttpResponse:
    shelf = SHELVES[kind]
    row = shelf.visible_to(membership).filter(pk=pk).first()
    found = history.revisions(kind, pk, membership)
    entity = _entity(shelf, membership, row, found)
    page = page_of(request, found.select_related("by"), PAGE)
    chosen = _chosen(request, list(page.object_list), found)
    more = context(
        membership,
        entity,
        tab="history",
        page=page,
        chosen=chosen,
        newest=found.first(),
        gone=row is None,
        difference=_difference(found, chosen) if chosen else None,
    )
    return render(request, "catalog/entities/history.html", more)


@access.for_members("entities.edit")
def restore(request: HttpRequest, membership: Membership, kind: EntityKind, pk: UUID, number: int) -> HttpResponse:
    shelf = SHELVES[kind]
    org = membership.organization.slug
    found = history.revisions(kind, pk, membership)
    revision = found.filter(number=number).first()
    if revision is None:
        raise Http404
    row = shelf.visible_to(membership).filter(pk=pk).first()
    entity = _entity(shelf, membership, row, found)
    if request.method == "POST":
        try:
            restored = history.restore(revision, by=membership.user, request=request)
        except Invalid as invalid:
            messages.error(request, f"{revision.name} is not restored: {invalid}")
            return redirect(shelf.url(org, "history", pk))
        messages.success(request, f"{restored.name} is restored as it was in version {revision.number}.")
        return redirect(shelf.url(org, "", pk))
    lost = history.lost(revision)
    again = f"It becomes what it was in version {revision.number}. " if row else "It comes back as it was. "
    undo = "What it is now stays in its history." if row else "Nothing that used it uses it again by itself."
    question = context(
        membership,
        entity,
        title=f"Restore {revision.name}?",
        text=again + undo + (" Some of what it named is not there any more, and is left out:" if lost else ""),
        items=lost,
        action=shelf.url(org, "restore", pk, number),
        cancel_url=shelf.url(org, "history", pk),
        confirm="Restore",
        gone=row is None,
    )
    return confirm(request, question, page="catalog/entities/confirm.html")


@access.for_members()
def deleted(request: HttpRequest, membership: Membership) -> HttpResponse:
    named = asked(request, "kind") or EntityKind.TOOLKIT
    if named not in SHELVES:
        raise Http404
    kind = EntityKind(named)
    page = page_of(request, history.deleted(kind, membership), PAGE)
    tabs = [
        {"label": each.title, "url": f"?kind={each.kind}", "current": each.kind == kind, "count": None}
        for each in SHELVES.values()
    ]
    return render(
        request, "catalog/entities/deleted.html", shelf_context(membership, kind, page=page, deleted_tabs=tabs)
    )


def _entity(shelf: Shelf, membership: Membership, row: Entity | None, found: Revisions) -> Entity:
    """The row that a page is about, or of a deleted one what it was last; Http404 where it is another's."""
    if row is None:
        last = found.first()
        if last is None:
            raise Http404
        row = shelf.model(pk=last.entity, name=last.name, slug=last.slug)
        if not isinstance(row, Client):
            row.owner = last.owner
    row.organization = membership.organization
    return row


def _chosen(request: HttpRequest, shown: list[EntityRevision], found: Revisions) -> EntityRevision | None:
    """The version whose change is asked for, else the first of those shown."""
    number = asked(request, "change")
    if not number:
        return shown[0] if shown else None
    revision: EntityRevision | None = (
        found.select_related("by").filter(number=int(number)).first()
        if number.isdecimal() and len(number) < 10
        else None
    )
    if revision is None:
        raise Http404
    return revision


def _difference(found: Revisions, chosen: EntityRevision) -> compare.TextDiff:
    """What a change changed; of the first one, and of a deletion, the whole."""
    before = found.filter(number__lt=chosen.number).order_by("-number").first()
    old = as_text(before.document) if before else ""
    new = "" if chosen.verb == "delete" else as_text(chosen.document)
    return compare.diff(old, new)
