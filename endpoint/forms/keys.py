"""What people choose of an API key."""

from __future__ import annotations

import uuid
from datetime import datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db.models.functions import Lower
from django.http import QueryDict
from django.utils import timezone

from catalog.forms.picks import Group, Pick, PicksField, folded
from catalog.forms.refusing import RefusingForm
from endpoint.keys import HIGHEST_RATE, RELATIONS, offered
from endpoint.models import ApiKey
from orgs.models import Membership

EVERYTHING, CHOSEN = "everything", "chosen"
ON_A_DAY, NEVER = "day", "never"


class KeyForm(RefusingForm):
    """Name, scope and limit, as they can be changed later."""

    name = forms.CharField(max_length=120, help_text="To know it by, such as the program that carries it.")
    reach = forms.ChoiceField(
        label="What it reaches",
        choices=[
            (CHOSEN, "The servers and toolkits chosen below"),
            (EVERYTHING, "All servers and toolkits of the organisation, also later ones; personal ones never"),
        ],
        initial=CHOSEN,
        widget=forms.RadioSelect,
    )
    servers = PicksField(noun="server")
    toolkits = PicksField(noun="toolkit")
    may_call = forms.TypedChoiceField(
        label="What it may do",
        coerce=lambda value: value == "1",
        choices=[
            ("0", "Read: search, fetch, list, resources and prompts"),
            ("1", "Call tools, too, which can reach other systems and change things there"),
        ],
        initial="0",
        widget=forms.RadioSelect,
    )
    rate_per_minute = forms.IntegerField(
        label="Requests a minute",
        required=False,
        min_value=1,
        max_value=HIGHEST_RATE,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        help_text="Empty means the usual limit.",
    )

    def __init__(self, data: QueryDict | None = None, *, by: Membership, key: ApiKey | None = None) -> None:
        super().__init__(data, initial=_initial(key))
        for name in RELATIONS:
            rows = offered(name, key=key, to=by).order_by(Lower("name"), "slug")
            picks = (Pick(row.pk, row.name, "Personal" if row.owner_id else row.slug) for row in rows)
            cast("PicksField", self.fields[name]).offer(picks)

    @property
    def groups(self) -> list[Group]:
        return folded(self["servers"], self["toolkits"])

    @property
    def values(self) -> dict[str, Any]:
        """Of a valid form, as `endpoint.keys` takes them."""
        chosen = self.cleaned_data
        return {
            **{name: chosen[name] for name in ("name", "servers", "toolkits", "may_call", "rate_per_minute")},
            "everything": chosen["reach"] == EVERYTHING,
        }


class NewKeyForm(KeyForm):
    """And when it ends. `id` is what the key will be known by: sent twice, the form makes one key."""

    id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    expires = forms.ChoiceField(
        label="Good for",
        choices=[
            ("7", "7 days"),
            ("30", "30 days"),
            ("90", "90 days"),
            ("365", "a year"),
            (ON_A_DAY, "until the day below"),
            (NEVER, "ever, until somebody revokes it"),
        ],
        initial="90",
    )
    expires_on = forms.DateField(
        label="Last day", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, data: QueryDict | None = None, *, by: Membership, likely: str = "") -> None:
        """`likely` is the primary key of what the key is most likely for; one that is not offered marks nothing."""
        super().__init__(data, by=by)
        self.initial.update({name: [likely] for name in RELATIONS})
        self.fields["expires_on"].conditional = True  # type: ignore[attr-defined]  # it is asked for where a day is chosen

    def clean(self) -> dict[str, Any]:
        chosen = super().clean() or self.cleaned_data
        if chosen.get("expires") == ON_A_DAY and not chosen.get("expires_on") and "expires_on" not in self.errors:
            self.add_error("expires_on", ValidationError("Choose its last day."))
        return chosen

    @property
    def values(self) -> dict[str, Any]:
        return {**super().values, "id": self.cleaned_data["id"], "expires_at": self._end()}

    def _end(self) -> datetime | None:
        """A last day ends in the zone of whoever chooses it."""
        expires = self.cleaned_data["expires"]
        if expires == NEVER:
            return None
        if expires == ON_A_DAY:
            return timezone.make_aware(datetime.combine(self.cleaned_data["expires_on"], time(23, 59, 59)))
        return timezone.now() + timedelta(days=int(expires))


def _initial(key: ApiKey | None) -> dict[str, Any]:
    if key is None:
        return {}
    return {
        "name": key.name,
        "reach": EVERYTHING if key.everything else CHOSEN,
        "may_call": "1" if key.may_call else "0",
        "rate_per_minute": key.rate_per_minute,
        **{name: list(getattr(key, name).values_list("pk", flat=True)) for name in RELATIONS},
    }
