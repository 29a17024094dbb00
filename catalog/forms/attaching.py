"""What people choose to attach to a server."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django import forms

from catalog.attaching import ATTACHABLE, attachable, attached
from catalog.forms.picks import Group, Pick, PicksField, folded
from catalog.forms.refusing import RefusingForm
from catalog.models import Server
from orgs.models import User


class AttachForm(RefusingForm):
    commands = PicksField(noun="command")
    skills = PicksField(noun="skill")
    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    """The keys of what was attached when the form was made, with spaces between."""

    def __init__(self, data: Any = None, *, server: Server, by: User) -> None:
        self.meanwhile = ""
        """What somebody else did while this was being filled in, in a sentence."""
        here = attached(server, by)
        keys = {kind: [str(row.pk) for row in rows] for kind, rows in here.items()}
        super().__init__(data, initial={**keys, "seen": " ".join(key for of in keys.values() for key in of)})
        for kind in ATTACHABLE:
            field = cast("PicksField", self.fields[kind])
            field.offer(
                Pick(row.pk, row.name, "Personal" if row.owner_id else row.slug) for row in attachable(server, kind, by)
            )

    def clean_seen(self) -> set[UUID]:
        try:
            return {UUID(key) for key in self.cleaned_data["seen"].split()}
        except ValueError:
            raise forms.ValidationError("This form was changed on the way. Reload the page.") from None

    @property
    def groups(self) -> list[Group]:
        return folded(*(self[kind] for kind in ATTACHABLE))
