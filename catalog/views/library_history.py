"""What toolkits, commands, skills and clients were: their history, restoring a version of it, and what was deleted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from catalog import compare, history
from catalog.checking.problems import Invalid
from catalog.library import SHELVES, Row, Shelf
from catalog.models import EntityKind, EntityRevision
from catalog.revision_text import as_text
from catalog.views.library import context, shelf_context
from catalog.views.page import asked, confirm, page_of
from orgs import access
from orgs.models import Membership

PAGE = 25


@access.for_members()
def revisions(request: HttpRequest, membership: Membership, kind: EntityKind, pk: UUID) -> HttpResponse:
    shelf = SHELVES[kind]
    row = shelf.visible_to(membership).filter(pk=pk).first()
    found = history.revisions(kind, pk, membership)
    newest = found.first()
    if newest is None or (row is None and newest.verb != "delete"):
        raise Http404  # another's, whose newest change the member may not see either
    page = page_of(request, found.select_related("by"), PAGE)
    chosen = _chosen(request, list(page.object_list), found)
    gone = row is None
    entity = row or _stand_in(shelf, membership, newest)
    entity.organization = membership.organization
    more = {"page": page, "chosen": chosen, "newest": newest, "gone": gone, "difference": _difference(found, chosen)}
    return render(request, "catalog/entities/history.html", context(membership, entity, tab="history", **more))


@access.for_members("entities.edit")
def restore(request: HttpRequest, membership: Membership, kind: EntityKind, pk: UUID, number: int) -> HttpResponse:
    shelf = SHELVES[kind]
    org = membership.organization.slug
    found = history.revisions(kind, pk, membership)
    revision = found.filter(number=number).first()
    row = shelf.visible_to(membership).filter(pk=pk).first()
    if revision is None or (row is None and found[0].verb != "delete"):
        raise Http404
    entity = row or _stand_in(shelf, membership, revision)
    entity.organization = membership.organization
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


def _stand_in(shelf: Shelf, membership: Membership, revision: EntityRevision) -> Row:
    """For pages about a row that is gone."""
    facts = {"owner": revision.owner} if shelf.owned else {}
    return shelf.model(
        pk=revision.entity, organization=membership.organization, name=revision.name, slug=revision.slug, **facts
    )


def _chosen(request: HttpRequest, shown: list[EntityRevision], found: Any) -> EntityRevision:
    """The version whose change is asked for, else the first of those shown."""
    number = asked(request, "change")
    if not number:
        return shown[0]
    revision: EntityRevision | None = (
        found.select_related("by").filter(number=int(number)).first()
        if number.isdecimal() and len(number) < 10
        else None
    )
    if revision is None:
        raise Http404
    return revision


def _difference(found: Any, chosen: EntityRevision) -> compare.TextDiff:
    """What a change changed; of the first one, and of a deletion, the whole."""
    before = found.filter(number__lt=chosen.number).order_by("-number").first()
    old = as_text(before.document) if before else ""
    new = "" if chosen.verb == "delete" else as_text(chosen.document)
    return compare.diff(old, new)
