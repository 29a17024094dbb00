"""Template tags of the Library's pages, and of how entities stand in git."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse

from catalog import library, tabs
from catalog.documents import Entity, kind_of
from catalog.entity_uses import EntityUse
from catalog.library import SHELVES, Shelf
from catalog.models import EntityKind, EntityRevision
from catalog.standing import Standing, standing_of
from orgs.models import Membership

register = template.Library()


@register.filter
def standing(row: Any) -> Standing | None:
    """What is to be told of an entity's file in git; None for nothing."""
    return standing_of(row)


@register.simple_tag
def entity_url(row: Entity, page: str = "", *args: object) -> str:
    """The address of a page about a row of the Library: "" for its own, or edit, delete, share, history, restore."""
    return library.address(row, page, *args)


@register.simple_tag
def shelf_url(shelf: Shelf, membership: Membership, page: str = "s") -> str:
    """The address of a kind's list, or of its page “create”."""
    return shelf.url(membership.organization.slug, page)


@register.simple_tag
def library_tabs(membership: Membership, current: Shelf) -> list[dict[str, Any]]:
    """The four kinds as `components/_tabs.html` takes them, with how many there are of each."""
    return [
        {
            "label": each.title,
            "url": each.url(membership.organization.slug, "s"),
            "current": each == current,
            "count": each.visible_to(membership).count(),
        }
        for each in SHELVES.values()
    ]


@register.simple_tag
def entity_tabs(row: Entity, current: str) -> list[dict[str, Any]]:
    """The pages about one row as `components/_tabs.html` takes them."""
    own = [(page, label, library.address(row, page)) for page, label in (("", "Overview"), ("history", "History"))]
    where = [row.organization.slug, row.pk]
    others = [(tab.name, tab.label, reverse(tab.url_name, args=where)) for tab in tabs.entity_tabs(kind_of(row))]
    return [
        {"label": label, "url": url, "current": current == name, "count": None} for name, label, url in [*own, *others]
    ]


@register.simple_tag
def revision_url(revision: EntityRevision, shelf: Shelf, membership: Membership, page: str) -> str:
    """The address of the history of what a revision is about, or of the question whether to restore it."""
    args = (revision.entity, revision.number) if page == "restore" else (revision.entity,)
    return shelf.url(membership.organization.slug, page, *args)


_VERBS = {
    "create": "Created",
    "update": "Changed",
    "rename": "Renamed",
    "delete": "Deleted",
    "restore": "Restored",
    "share": "Shared with the organisation",
}


@register.filter
def verb_words(revision: EntityRevision) -> str:
    """What a change was, for people."""
    words = _VERBS.get(revision.verb, revision.verb.capitalize())
    return f"{words} to “{revision.name}”" if revision.verb == "rename" else words


@register.filter
def use_url(use: EntityUse, org: str) -> str:
    """The address of what uses a row."""
    if use.kind == EntityKind.SERVER:
        return reverse("catalog:server", args=[org, use.slug])
    return SHELVES[EntityKind(use.kind)].url(org, "", use.pk)
