"""The form of one row that is edited in pages: it remembers the revision that was read, and places what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, cast

from django import forms
from django.http import QueryDict

from catalog.checking.problems import FieldError
from catalog.forms.fields import JsonField
from catalog.forms.refusing import RefusingForm
from catalog.saving import Counted


@dataclass(frozen=True)
class Difference:
    """A field that is saved now with something else than what a person typed."""

    label: str
    text: str
    mono: bool


class EntityForm(RefusingForm):
    """A subclass has one field for each field of the model that people edit, with the same name."""

    seen_revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def clean_seen_revision(self) -> int:
        """0 where none was sent, which no row is at: nothing is saved over unseen."""
        return self.cleaned_data["seen_revision"] or 0

    def clean(self) -> dict[str, Any]:
        """Texts with the line ends of Unix, as they are kept; browsers send others."""
        return {
            name: value.replace("\r\n", "\n") if isinstance(value, str) else value
            for name, value in self.cleaned_data.items()
        }

    @classmethod
    def values_of(cls, row: Counted) -> dict[str, Any]:
        """What the form shows of a row."""
        return {
            **{name: getattr(row, name) for name in cls.base_fields if name != "seen_revision"},
            "seen_revision": row.revision,
        }

    @classmethod
    def for_row(cls, row: Counted, data: QueryDict | None = None, **more: Any) -> Self:
        """The form of a row as it is, or of what was posted about it."""
        return cls(data, initial=cls.values_of(row), **more)

    def worded(self, error: FieldError) -> str:
        """Where a field holds JSON, with the line."""
        field = self.fields.get(error.field)
        return field.placed(error.text, error.pointer) if isinstance(field, JsonField) else error.text

    def over(self, current: Counted) -> Self:
        """The same form with what the person typed, that saves over what is there now."""
        data = cast("QueryDict", self.data).copy()
        data["seen_revision"] = str(current.revision)
        return type(self)(data, initial=self.initial)

    def differences(self, current: Counted) -> list[Difference]:
        """What is saved now where it is not what the person typed."""
        now = self.values_of(current)
        found = []
        for bound in self.visible_fields():
            name = bound.name
            if name in now and self.cleaned_data.get(name) != now[name]:
                found.append(self._difference(bound, now[name]))
        return found

    def _difference(self, bound: forms.BoundField, value: Any) -> Difference:
        shown = bound.field.prepare_value(value)
        choices: Any = getattr(bound.field, "choices", None)
        text = str(dict(choices).get(shown, shown)) if choices else str(shown)
        return Difference(str(bound.label), text, "mono" in str(bound.field.widget.attrs.get("class", "")))
