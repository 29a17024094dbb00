"""Choosing many of what there is, by checkboxes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError

from catalog.forms.entity import Difference, EntityForm

_FEW = 12
"""Picks that are shown without being asked for."""


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


def options(bound: forms.BoundField) -> list[Option]:
    """All picks of a field, with what is chosen, posted or not."""
    field = cast("PicksField", bound.field)
    chosen = {str(value) for value in bound.value() or []}
    return [Option(pick, key in chosen) for key, pick in field.picks.items()]


@dataclass(frozen=True)
class Part:
    """What can be chosen in one field, or of one group in it."""

    label: str
    name: str
    """Of the field."""
    options: list[Option]

    @property
    def chosen(self) -> int:
        return sum(option.checked for option in self.options)


@dataclass(frozen=True)
class Group:
    """What is folded together, as catalog/entities/_pick_groups.html shows it."""

    label: str
    parts: list[Part]
    few: int = 0
    """How many there may be to be open although nothing is chosen."""
    found_by_label: bool = False
    """Whether all of it is found by its label."""

    @property
    def chosen(self) -> int:
        return sum(part.chosen for part in self.parts)

    @property
    def total(self) -> int:
        return sum(len(part.options) for part in self.parts)

    @property
    def open(self) -> bool:
        return self.chosen > 0 or self.total <= self.few

    @property
    def id(self) -> str:
        """Of the field, where it is one's whole; "" otherwise."""
        return "" if self.found_by_label else f"id_{self.parts[0].name}"


def folded(*fields: forms.BoundField) -> list[Group]:
    """A group of each field that offers something, first what is chosen: there may be hundreds of others."""
    parts = [
        Part(str(bound.label), bound.name, sorted(options(bound), key=lambda option: not option.checked))
        for bound in fields
    ]
    return [Group(part.label, [part], _FEW) for part in parts if part.options]


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
