"""What people fill in about prompts.

Arguments and messages are rows: a button adds, removes or moves one by sending the form, with or without a script, and
what was typed comes back with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, Self, TypeVar

from django import forms
from django.http import QueryDict
from django.utils.html import escape

from catalog.checking.problems import FieldError
from catalog.checking.prompts import LONGEST_DESCRIPTION, MOST_ARGUMENTS, MOST_MESSAGES
from catalog.forms.entity import Difference, EntityForm
from catalog.forms.fields import MonoField, mono
from catalog.models import Prompt
from catalog.models.tools import Configured


class ArgumentForm(forms.Form):
    name = MonoField(max_length=64, required=False)
    description = forms.CharField(max_length=LONGEST_DESCRIPTION, required=False)
    required = forms.BooleanField(required=False, label="Required")


class MessageForm(forms.Form):
    role = forms.ChoiceField(label="Said by", choices=[("user", "User"), ("assistant", "Assistant")], required=False)
    text = forms.CharField(label="Text", strip=False, required=False, widget=mono(4))

    def clean_text(self) -> str:
        return str(self.cleaned_data["text"]).replace("\r\n", "\n")

    def clean_role(self) -> str:
        return str(self.cleaned_data["role"]) or "user"


ROW = TypeVar("ROW", ArgumentForm, MessageForm)


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


class PromptForm(EntityForm):
    name = MonoField(max_length=64, help_text="A small letter, then letters and digits: weeklyReport.")
    title = forms.CharField(max_length=120, required=False, help_text="What people choose it by.")
    description = forms.CharField(
        max_length=20_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="For people: what the prompt is good for.",
    )

    def __init__(self, data: QueryDict | None = None, *, initial: Mapping[str, Any] | None = None) -> None:
        initial = dict(initial or {})
        data = without_empty_rows(data) if data is not None else None
        super().__init__(data, initial=initial)
        self.arguments = Rows(
            ArgumentForm, "arguments", most=MOST_ARGUMENTS, data=data, initial=initial.get("arguments", [{}])
        )
        self.messages = Rows(
            MessageForm, "messages", most=MOST_MESSAGES, data=data, initial=initial.get("messages", [{}])
        )

    @classmethod
    def values_of(cls, row: Configured) -> dict[str, Any]:
        assert isinstance(row, Prompt)  # noqa: S101  # for the type checker
        return {**super().values_of(row), "arguments": row.arguments, "messages": row.messages}

    @classmethod
    def rearranged(cls, data: QueryDict) -> Self:
        """The form as it was typed, not judged, with a row more, less or elsewhere: `data["rows"]` says which, such as
        `add messages` or `remove arguments 2`, counted from 0."""
        action, _, rest = data.get("rows", "").partition(" ")
        prefix, _, number = rest.partition(" ")
        initial: dict[str, Any] = {name: data.get(name, "") for name in cls.base_fields}
        for each, form, most in _PARTS:
            rows = typed(data, each, form, most)[:most]
            initial[each] = (
                _changed(rows, action, int(number) if number.isdecimal() else -1, most) if each == prefix else rows
            )
        return cls(initial=initial)

    def is_valid(self) -> bool:
        return all([super().is_valid(), self.arguments.is_valid(), self.messages.is_valid()])

    @property
    def values(self) -> dict[str, Any]:
        """What the services take."""
        return {**self.cleaned_data, "arguments": self.arguments.values, "messages": self.messages.values}

    def refuse(self, errors: Iterable[FieldError]) -> None:
        """Those of rows stand beside their fields, and together at the top."""
        for error in errors:
            if error.field not in ("arguments", "messages"):
                super().refuse([error])
                continue
            self.add_error(None, error.text)
            rows: Rows[Any] = getattr(self, error.field)
            _, at, name = error.pointer.split("/") if error.pointer else ("", "", "")
            if at and int(at) < len(rows.forms):
                rows.forms[int(at)].add_error(name or None, error.text)

    def differences(self, current: Configured) -> list[Difference]:
        assert isinstance(current, Prompt)  # noqa: S101  # for the type checker
        found = super().differences(current)
        if self.arguments.values != current.arguments:
            found.append(Difference("Arguments", arguments_as_text(current.arguments), mono=True))
        if self.messages.values != current.messages:
            found.append(Difference("Messages", messages_as_text(current.messages), mono=True))
        return found


_PARTS: list[tuple[str, type[forms.Form], int]] = [
    ("arguments", ArgumentForm, MOST_ARGUMENTS),
    ("messages", MessageForm, MOST_MESSAGES),
]


def without_empty_rows(data: QueryDict) -> QueryDict:
    """The same without rows in which nothing was typed, the others counted anew: an empty row is there to be filled."""
    cleaned = data.copy()
    for prefix, form, most in _PARTS:
        rows = typed(data, prefix, form, most)
        for name in [name for name in cleaned if name.startswith(f"{prefix}-")]:
            del cleaned[name]
        kept = [row for row in rows if _is_filled(row)]
        if prefix == "messages":
            kept = kept or rows[:1]  # a prompt has one at least: its row says what is missing
        for at, row in enumerate(kept):
            cleaned.update(
                {f"{prefix}-{at}-{name}": value for name, value in row.items() if value or name != "required"}
            )
    return cleaned


def _is_filled(row: Mapping[str, str]) -> bool:
    return any(value.strip() for name, value in row.items() if name not in ("role", "required"))


def arguments_as_text(arguments: Sequence[Mapping[str, Any]]) -> str:
    """One a line."""
    return "\n".join(
        f"{it['name']}{' (required)' if it['required'] else ''}{': ' if it['description'] else ''}{it['description']}"
        for it in arguments
    )


def messages_as_text(messages: Sequence[Mapping[str, Any]]) -> str:
    """Each behind who says it."""
    return "\n\n".join(f"{it['role']}:\n{it['text']}" for it in messages)


def _changed(rows: list[dict[str, str]], action: str, at: int, most: int) -> list[dict[str, str]]:
    if action == "add" and len(rows) < most:
        return [*rows, {}]
    if action == "remove" and 0 <= at < len(rows):
        return rows[:at] + rows[at + 1 :]
    if action == "up" and 0 < at < len(rows):
        return [*rows[: at - 1], rows[at], rows[at - 1], *rows[at + 1 :]]
    return rows


class SampleForm(forms.Form):
    """A value for each argument of a prompt, to see how it reads. Left empty, a required one stands for itself."""

    def __init__(self, data: QueryDict | None = None, *, prompt: Prompt) -> None:
        super().__init__(data, prefix="sample")
        self.required_names = {it["name"] for it in prompt.arguments if it["required"]}
        for it in prompt.arguments:
            field: Any = forms.CharField(
                label=it["name"], required=False, max_length=1_000, help_text=escape(it["description"])
            )
            field.conditional = it["required"]
            self.fields[it["name"]] = field

    @property
    def values(self) -> dict[str, str]:
        typed = self.cleaned_data if self.is_bound and self.is_valid() else {}
        shown = {name: typed.get(name) or (f"[{name}]" if name in self.required_names else "") for name in self.fields}
        return {name: value for name, value in shown.items() if value}
