"""What toolkits, commands, skills and clients have in common in their forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from catalog.checking import slugs
from catalog.checking.names import LONGEST_DESCRIPTION, LONGEST_NAME
from catalog.forms.entity import EntityForm
from catalog.forms.fields import MonoField
from orgs.models import User

ORGANIZATION, ME = "organization", "me"


def who_has_it() -> forms.ChoiceField:
    """What asks whose a new one is to be; see `owner_of`."""
    return forms.ChoiceField(
        label="Who has it",
        choices=[(ORGANIZATION, "The organisation: every member sees it"), (ME, "Only me: nobody else sees it")],
        initial=ORGANIZATION,
        widget=forms.RadioSelect,
        help_text="What only you have is never written to git. You can share it with the organisation later.",
    )


def owner_of(values: Mapping[str, Any], user: User) -> User | None:
    """Whose a new one is to be by a form's cleaned values: this person's, or None for the organisation's."""
    return user if values.get("who") == ME else None


class LibraryForm(EntityForm):
    """A new one, or one that is there: `initial` then has its `seen_revision`, and who has it is not asked."""

    name = forms.CharField(max_length=LONGEST_NAME)
    slug = MonoField(
        max_length=slugs.LONGEST,
        required=False,
        help_text="Its file’s name in git: small letters, digits, single hyphens. Left empty, it is made of the name.",
    )
    description = forms.CharField(
        max_length=LONGEST_DESCRIPTION, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, data: QueryDict | None = None, *, initial: Mapping[str, Any] | None = None, **more: Any) -> None:
        super().__init__(data, initial=dict(initial or {}), **more)
        if (initial or {}).get("seen_revision"):
            self.fields.pop("who", None)
            self.fields["slug"].required = True
            self.fields["slug"].help_text = "Its file’s name in git. A new one renames the file there."


class OwnedForm(LibraryForm):
    """Of a kind that can be personal."""

    who = who_has_it()

    @classmethod
    def values_of(cls, row: Any) -> dict[str, Any]:
        return {
            **{name: getattr(row, name) for name in cls.base_fields if name not in ("who", "seen_revision")},
            "seen_revision": row.revision,
        }

    def owner(self, user: User) -> User | None:
        """Whose a new one is to be: this person's, or None for the organisation's."""
        return owner_of(self.cleaned_data, user)
