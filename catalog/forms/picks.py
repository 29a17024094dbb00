"""Choosing many of what there is, by checkboxes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError

from catalog.forms.entity import Difference, EntityForm


@dataclass(frozen=True)
class Pick:
    """One thing that can be chosen."""

    key: UUID
    label: str
    detail: str = ""
    mono: bool = False


class PicksField(forms.TypedMultipleChoiceField):
    """The keys of what is chosen, sorted. `picks`, what there is, is set by the form: it depends on who asks."""

    def __init__(self, *, noun: str, **kwargs: Any) -> None:
        super().__init__(required=False, coerce=UUID, widget=forms.CheckboxSelectMultiple, **kwargs)
        self.noun = noun
        self.picks: dict[str, Pick] = {}

    def offer(self, picks: Iterable[Pick]) -> None:
        self.picks = {str(each.key): each for each in picks}

    def valid_value(self, value: Any) -> bool:
        return str(value) in self.picks

    def clean(self, value: Any) -> list[UUID]:
        return sorted(set(super().clean(value)))

    def validate(self, value: Any) -> None:
        gone = [each for each in value if not self.valid_value(each)]
        if gone:
            noun = self.noun if len(gone) == 1 else f"{self.noun}s"
            raise ValidationError(
                f"{len(gone)} {noun} that you chose {'is' if len(gone) == 1 else 'are'} not there any more. "
                "What is marked now is what is left; save again.",
                code="invalid_choice",
            )


@dataclass(frozen=True)
class Option:
    """A pick as a form shows it."""

    pick: Pick
    checked: bool


def options(bound: forms.BoundField, keys: Collection[UUID] | None = None) -> list[Option]:
    """All picks of a field, or those of `keys`, with what is chosen, posted or not."""
    field = cast("PicksField", bound.field)
    chosen = {str(value) for value in bound.value() or []}
    return [Option(pick, key in chosen) for key, pick in field.picks.items() if keys is None or pick.key in keys]


class PicksForm(EntityForm):
    """With fields of picks: what is saved now in one is told by what it has more and less than what a person chose."""

    def _difference(self, bound: forms.BoundField, value: Any) -> Difference:
        field = bound.field
        if not isinstance(field, PicksField):
            return super()._difference(bound, value)
        mine, theirs = set(self.cleaned_data[bound.name]), set(value)
        more, less = _names(field, theirs - mine), _names(field, mine - theirs)
        lines = [f"It has also: {more}"] if more else []
        lines += [f"It has not: {less}"] if less else []
        return Difference(str(bound.label), "\n".join(lines), mono=False)


def _names(field: PicksField, keys: Iterable[UUID]) -> str:
    return ", ".join(sorted(pick.label if (pick := field.picks.get(str(key))) else "one that is gone" for key in keys))
