"""What people fill in about client applications."""

from __future__ import annotations

from typing import Any, Self, cast

from django import forms
from django.db.models.functions import Lower
from django.http import QueryDict

from catalog.clients import among
from catalog.forms.library import LibraryForm
from catalog.forms.picks import Group, Pick, PicksField, PicksForm, folded
from catalog.models import Client
from orgs.models import Organization


class ClientForm(PicksForm, LibraryForm):
    kind = forms.ChoiceField(choices=Client.Kind.choices, initial=Client.Kind.OTHER)
    servers = PicksField(noun="server")
    toolkits = PicksField(noun="toolkit")

    def __init__(self, data: QueryDict | None = None, *, organization: Organization, **more: Any) -> None:
        super().__init__(data, **more)
        self.organization = organization
        for name, rows in among(organization).items():
            picks = (Pick(row.pk, row.name, row.slug) for row in rows.order_by(Lower("name"), "slug"))
            cast("PicksField", self.fields[name]).offer(picks)

    @classmethod
    def values_of(cls, row: Any) -> dict[str, Any]:
        return {
            **{name: getattr(row, name) for name in ("name", "slug", "description", "kind")},
            **{name: sorted(getattr(row, name).values_list("pk", flat=True)) for name in ("servers", "toolkits")},
            "seen_revision": row.revision,
        }

    def over(self, current: Any) -> Self:
        data = cast("QueryDict", self.data).copy()
        data["seen_revision"] = str(current.revision)
        return type(self)(data, initial=self.initial, organization=self.organization)

    @property
    def groups(self) -> list[Group]:
        return folded(self["servers"], self["toolkits"])
