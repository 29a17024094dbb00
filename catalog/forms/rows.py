"""Rows of a form: a button adds, removes or moves one by sending the form, with or without a script, and what was
typed comes back with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar

from django import forms
from django.http import QueryDict

from catalog.checking.problems import FieldError
from catalog.checking.prompts import LONGEST_DESCRIPTION, MOST_ARGUMENTS
from catalog.forms.entity import EntityForm
from catalog.forms.fields import MonoField


class ArgumentForm(forms.Form):
    name = MonoField(max_length=64, required=False)
    description = forms.CharField(max_length=LONGEST_DESCRIPTION, required=False)
    required = forms.BooleanField(required=False, label="Required")


ROW = TypeVar("ROW", bound=forms.Form)


@dataclass(frozen=True)
class Part:
    """A field of the entity that is filled in as rows."""

    name: str
    form: type[forms.Form]
    most: int
    at_least: int = 0
    """So many rows are kept even if nothing is in them: they say what is missing."""


ARGUMENTS = Part("arguments", ArgumentForm, MOST_ARGUMENTS)


class Rows(Generic[ROW]):
    """Forms one below the other, the fields of the third named `messages-2-…`."""

    def __init__(
        self, form: type[ROW], prefix: str, *, most: int, data: QueryDict | None, initial: Sequence[Mapping[str, Any]]
    ) -> None:
        self.prefix = prefix
        self.most = most
        self.forms: list[ROW]
        if data is None:
            self.forms = [form(initial=dict(row), prefix=f"{prefix}-{at}") for at, row in enumerate(initial)]
        else:
            count = len(typed(data, prefix, form, most))
            self.forms = [form(data, prefix=f"{prefix}-{at}") for at in range(count)]
        for row in self.forms:
            for field in row.fields.values():
                field.conditional = True  # type: ignore[attr-defined]  # an empty row is no row

    @property
    def values(self) -> list[dict[str, Any]]:
        return [row.cleaned_data for row in self.forms]

    @property
    def is_full(self) -> bool:
        return len(self.forms) >= self.most

    def is_valid(self) -> bool:
        return not [row for row in self.forms if not row.is_valid()]  # each is judged, so that all errors are shown


def typed(data: QueryDict, prefix: str, form: type[forms.Form], most: int) -> list[dict[str, str]]:
    """The rows sent, as text by the names of their fields; one more than allowed says that there are more."""
    names = list(form.base_fields)
    rows: list[dict[str, str]] = []
    while len(rows) <= most and f"{prefix}-{len(rows)}-{names[0]}" in data:
        rows.append({name: data.get(f"{prefix}-{len(rows)}-{name}", "") for name in names})
    return rows


class RowsForm(EntityForm):
    """A form with `parts`, each of them an attribute `rows[name]`."""

    parts: ClassVar[Sequence[Part]]

    def __init__(self, data: QueryDict | None = None, *, initial: Mapping[str, Any] | None = None, **more: Any) -> None:
        initial = dict(initial or {})
        data = without_empty_rows(data, self.parts) if data is not None else None
        super().__init__(data, initial=initial, **more)
        self.rows: dict[str, Rows[Any]] = {
            part.name: Rows(part.form, part.name, most=part.most, data=data, initial=initial.get(part.name, [{}]))
            for part in self.parts
        }

    @classmethod
    def values_of(cls, row: Any) -> dict[str, Any]:
        return {**super().values_of(row), **{part.name: getattr(row, part.name) for part in cls.parts}}

    @classmethod
    def rearranged(cls, data: QueryDict, **more: Any) -> Self:
        """The form as it was typed, not judged, with a row more, less or elsewhere: `data["rows"]` says which, such as
        `add messages` or `remove arguments 2`, counted from 0."""
        action, _, rest = data.get("rows", "").partition(" ")
        prefix, _, number = rest.partition(" ")
        initial: dict[str, Any] = {name: data.get(name, "") for name in cls.base_fields}
        for part in cls.parts:
            rows = typed(data, part.name, part.form, part.most)[: part.most]
            at = int(number) if number.isdecimal() else -1
            initial[part.name] = _changed(rows, action, at, part.most) if part.name == prefix else rows
        return cls(initial=initial, **more)

    def is_valid(self) -> bool:
        return all([super().is_valid(), *[rows.is_valid() for rows in self.rows.values()]])

    @property
    def values(self) -> dict[str, Any]:
        """What the services take."""
        return {**self.cleaned_data, **{name: rows.values for name, rows in self.rows.items()}}

    def refuse(self, errors: Iterable[FieldError]) -> None:
        """Those of rows stand beside their fields, and together at the top."""
        for error in errors:
            if error.field not in self.rows:
                super().refuse([error])
                continue
            self.add_error(None, error.text)
            rows = self.rows[error.field]
            _, at, name = error.pointer.split("/") if error.pointer else ("", "", "")
            if at and int(at) < len(rows.forms):
                rows.forms[int(at)].add_error(name or None, error.text)


def without_empty_rows(data: QueryDict, parts: Sequence[Part]) -> QueryDict:
    """The same without rows in which nothing was typed, the others counted anew: an empty row is there to be filled."""
    cleaned = data.copy()
    for part in parts:
        rows = typed(data, part.name, part.form, part.most)
        for name in [name for name in cleaned if name.startswith(f"{part.name}-")]:
            del cleaned[name]
        kept = [row for row in rows if _is_filled(row)] or rows[: part.at_least]
        for at, row in enumerate(kept):
            cleaned.update(
                {f"{part.name}-{at}-{name}": value for name, value in row.items() if value or name != "required"}
            )
    return cleaned


def _is_filled(row: Mapping[str, str]) -> bool:
    return any(value.strip() for name, value in row.items() if name not in ("role", "required"))


def arguments_as_text(arguments: Sequence[Mapping[str, Any]]) -> str:
    """One a line."""
    return "\n".join(
        f"{it['name']}{' (required)' if it.get('required') else ''}{': ' if it.get('description') else ''}"
        f"{it.get('description', '')}"
        for it in arguments
    )


def _changed(rows: list[dict[str, str]], action: str, at: int, most: int) -> list[dict[str, str]]:
    if action == "add" and len(rows) < most:
        return [*rows, {}]
    if action == "remove" and 0 <= at < len(rows):
        return rows[:at] + rows[at + 1 :]
    if action == "up" and 0 < at < len(rows):
        return [*rows[: at - 1], rows[at], rows[at - 1], *rows[at + 1 :]]
    return rows
