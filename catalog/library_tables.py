"""The tables of toolkits, commands, skills and clients."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import django_tables2 as tables
from django.db.models import Count, QuerySet

from catalog.library import Shelf
from catalog.models import Client, EntityKind, Server, Toolkit
from orgs.models import Membership

_NARROW = {"cell": {"class": "shrink"}}
_EMPTY_TEXT = "Nothing matches. Search for another word, or clear the filters."


class LibraryTable(tables.Table):  # type: ignore[misc]  # publishes no types
    """What uses a row is counted for those of the page that is shown, in one query for each kind of user."""

    region_id = "library"

    name = tables.TemplateColumn(
        template_name="catalog/entities/_name.html",
        order_by="name",
        attrs={"cell": {"class": "cell-lead library-name"}},
    )
    description = tables.TemplateColumn(template_code="{{ record.description|truncatechars:160 }}", orderable=False)
    uses = tables.Column(verbose_name="Used by", empty_values=(), orderable=False, attrs=_NARROW)
    updated_at = tables.TemplateColumn(
        verbose_name="Updated", template_code='{% include "components/_time.html" with value=value only %}'
    )

    class Meta:
        order_by = "name"
        empty_text = _EMPTY_TEXT

    def __init__(self, rows: Any, *, shelf: Shelf, membership: Membership, **more: Any) -> None:
        self.shelf, self.membership, self.noun = shelf, membership, shelf.plural
        if shelf.kind is EntityKind.CLIENT:
            more["extra_columns"] = [
                ("uses", tables.Column(verbose_name="Meant to reach", empty_values=(), orderable=False, attrs=_NARROW)),
                ("kind", tables.TemplateColumn(template_code="{{ record.get_kind_display }}")),
            ]
            more["sequence"] = ("name", "kind", "description", "uses", "updated_at")
        super().__init__(rows, attrs={"aria-label": shelf.title}, **more)

    _told: dict[UUID, list[str]] | None = None

    def render_uses(self, record: Any) -> str:
        if self._told is None:
            keys = [row.record.pk for row in self.paginated_rows]
            counted = reached_by(keys) if self.shelf.kind is EntityKind.CLIENT else users_of(keys, self)
            self._told = {key: [_words(number, noun) for noun, number in found] for key, found in counted.items()}
        return ", ".join(self._told.get(record.pk, [])) or "nothing yet"


Counted = dict[UUID, list[tuple[str, int]]]
"""By a row's key: (noun, how many), none of them 0."""


def users_of(keys: Iterable[UUID], table: LibraryTable) -> Counted:
    """What uses rows of a kind. Of toolkits those that the member may see: another's personal one is not told of."""
    org = table.membership.organization
    if table.shelf.kind is EntityKind.TOOLKIT:
        return _merged({"client": _count(Client.objects.for_org(org), "toolkits", keys)})
    into = table.shelf.plural
    servers = Server.objects.visible_to(table.membership)
    toolkits = Toolkit.objects.visible_to(table.membership)
    return _merged({"toolkit": _count(toolkits, into, keys), "server": _count(servers, into, keys)})


def reached_by(keys: Iterable[UUID]) -> Counted:
    """What clients are meant to reach."""
    return _merged(
        {
            noun: dict(
                Client.objects.filter(pk__in=keys, **{f"{noun}s__isnull": False})
                .order_by()
                .annotate(number=Count(f"{noun}s"))
                .values_list("pk", "number")
            )
            for noun in ("server", "toolkit")
        }
    )


def _count(users: QuerySet[Any], into: str, keys: Iterable[UUID]) -> dict[UUID, int]:
    rows = users.filter(**{f"{into}__in": list(keys)}).order_by().values_list(into).annotate(Count("pk"))
    return dict(rows)


def _merged(counts: dict[str, dict[UUID, int]]) -> Counted:
    found: Counted = defaultdict(list)
    for noun, numbers in counts.items():
        for key, number in numbers.items():
            found[key].append((noun, number))
    return found


def _words(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
