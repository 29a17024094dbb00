"""The lists of toolkits, commands, skills and clients."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q
from django.http import HttpRequest, HttpResponse

from catalog.library import SHELVES
from catalog.library_tables import LibraryTable
from catalog.models import EntityKind
from catalog.models.entities import EntityQuerySet
from catalog.views.library import shelf_page
from catalog.views.page import asked
from lib import tables
from orgs import access
from orgs.models import Membership

PAGE = 50
ALL, PROBLEMS, PERSONAL, SHARED = "", "problems", "personal", "shared"


class LibraryFilter(forms.Form):
    q = forms.CharField(required=False, label="Name or slug contains", max_length=120, widget=forms.SearchInput)
    show = forms.ChoiceField(required=False, label="Show")

    def __init__(self, *args: Any, owned: bool, **more: Any) -> None:
        super().__init__(*args, **more)
        choices = [(ALL, "All"), (PROBLEMS, "⚠ Not in step with git")]
        owners = [(PERSONAL, "Personal"), (SHARED, "The organisation’s")] if owned else []
        self.fields["show"] = forms.ChoiceField(required=False, label="Show", choices=choices + owners)


@access.for_members()
def listing(request: HttpRequest, membership: Membership, kind: EntityKind) -> HttpResponse:
    shelf = SHELVES[kind]
    query, show = asked(request, "q"), asked(request, "show")
    found = _shown(shelf.visible_to(membership), show, owned=shelf.owned)
    if query:
        found = found.filter(Q(name__icontains=query) | Q(slug__icontains=query))
    found = found.select_related("organization")
    table = LibraryTable(found, shelf=shelf, membership=membership)
    tables.configure(request, table, per_page=PAGE)
    filtered = bool(query or show)
    return shelf_page(
        request,
        membership,
        kind,
        "catalog/entities/list.html",
        table=table,
        form=LibraryFilter(request.GET or None, owned=shelf.owned),
        filtered=filtered,
        none_yet=not filtered and not table.page.paginator.count,
    )


def _shown(rows: EntityQuerySet, show: str, *, owned: bool) -> EntityQuerySet:
    """Those of a filter's choice; all of them where there is no such choice."""
    if show == PROBLEMS:
        return rows.exclude(git_integration={})
    if owned and show in (PERSONAL, SHARED):
        return rows.filter(owner__isnull=show == SHARED)
    return rows
