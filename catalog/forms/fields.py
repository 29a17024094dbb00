"""Fields that the forms of a server's tools, resources, prompts and variables share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from catalog.checking.headers import BadHeader, as_lines, parse_lines
from catalog.checking.json_text import BadJson, line_of, parse_json

Errors = list[ValidationError]


def mono(rows: int = 0, **attrs: Any) -> forms.Widget:
    """An input for something that a program reads; with `rows` an area."""
    attrs = {"class": "mono", "spellcheck": "false", "autocapitalize": "off", "autocomplete": "off", **attrs}
    return forms.Textarea(attrs={"rows": rows, **attrs}) if rows else forms.TextInput(attrs=attrs)


class MonoField(forms.CharField):
    """A line that a program reads: an address, a name, a path."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=kwargs.pop("widget", None) or mono(), **kwargs)


class JsonField(forms.CharField):
    """A JSON text; its value is what the text says, `nothing` when it is empty. Errors name the line."""

    def __init__(self, *, nothing: Any = None, rows: int = 8, **kwargs: Any) -> None:
        super().__init__(widget=mono(rows), strip=False, **{"required": False, **kwargs})
        self.nothing = nothing
        self.text = ""
        """What was typed, kept by `clean`: errors that are found later lead back to its lines."""

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, str):
            return value
        return "" if value is None or value == self.nothing else as_json(value)

    def clean(self, value: Any) -> Any:
        text = str(value or "").replace("\r\n", "\n")
        self.text = text
        if not text.strip():
            if self.required:
                raise ValidationError(self.error_messages["required"], code="required")
            return self.nothing
        try:
            return parse_json(text)
        except BadJson as error:
            raise ValidationError(str(error)) from error

    def placed(self, text: str, pointer: str) -> str:
        """A sentence about the value at a JSON pointer, with the line that it is on."""
        if not self.text.strip():
            return text
        line = line_of(self.text, pointer)
        return f"Line {line}, at {pointer}: {text}" if pointer else f"Line {line}: {text}"


class ListField(forms.CharField):
    """One item a line; its value is a list of texts without empty ones."""

    def __init__(self, *, rows: int = 3, **kwargs: Any) -> None:
        super().__init__(widget=mono(rows), **{"required": False, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else "\n".join(value or [])

    def clean(self, value: Any) -> Any:
        return [line.strip() for line in str(super().clean(value) or "").splitlines() if line.strip()]


class HeadersField(forms.CharField):
    """Headers as they look in a request, `Name: value` on each line; its value is {name: value}."""

    def __init__(self, *, rows: int = 3, **kwargs: Any) -> None:
        super().__init__(widget=mono(rows, placeholder="Accept: application/json"), **{"required": False, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        return as_lines(value) if isinstance(value, Mapping) else value or ""

    def clean(self, value: Any) -> Any:
        try:
            return parse_lines(str(super().clean(value) or ""))
        except BadHeader as error:
            raise ValidationError(str(error)) from error


class HintField(forms.TypedChoiceField):
    """Yes, no, or not said."""

    def __init__(self, **kwargs: Any) -> None:
        choices = [("", "Not said"), ("yes", "Yes"), ("no", "No")]
        super().__init__(
            choices=choices,
            required=False,
            coerce=lambda word: word == "yes",
            empty_value=None,
            **kwargs,
        )

    def prepare_value(self, value: Any) -> Any:
        return {True: "yes", False: "no", None: ""}.get(value, value) if not isinstance(value, str) else value


def as_json(value: Any) -> str:
    """A value as people read and edit it."""
    return json.dumps(value, ensure_ascii=False, indent=2)
