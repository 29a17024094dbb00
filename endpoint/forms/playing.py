"""What people fill in to call a tool, get a prompt or read a resource."""

from __future__ import annotations

import math
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.html import escape

from catalog.forms.fields import JsonField, mono
from endpoint.schema_fields import NOTHING, Field, arguments_of, fields_of

WHOLE = "arguments"
"""The field of all arguments as one JSON text."""


class ArgumentsForm(forms.Form):
    """A field for each argument that a schema names; one for all of them as JSON where it names none, or `whole`."""

    def __init__(self, schema: Any, data: QueryDict | None = None, *, whole: bool = False) -> None:
        super().__init__(data)
        self.schema = schema
        found = None if whole else fields_of(schema)
        self.whole = found is None
        self.arguments_fields = found or []
        if self.whole:
            text = JsonField(label="Arguments", nothing=NOTHING, rows=10, help_text="A JSON object.")
            self.fields[WHOLE] = text
            self.initial[WHOLE] = "{}"
        for field in self.arguments_fields:
            self.fields[field.name] = _made(field)

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data.get(WHOLE, NOTHING)
        if given is not NOTHING and not isinstance(given, dict):
            self.add_error(WHOLE, "Arguments are a JSON object: {…}.")
        return self.cleaned_data

    @property
    def arguments(self) -> dict[str, Any]:
        """Of a valid form; what was left empty is not given."""
        if self.whole:
            value = self.cleaned_data[WHOLE]
            return value if isinstance(value, dict) else {}
        values = {field.path: self.cleaned_data[field.name] for field in self.arguments_fields}
        return arguments_of(self.schema, values)


class _Text(forms.CharField):
    def clean(self, value: Any) -> Any:
        return super().clean(value) or NOTHING


class _Number(forms.CharField):
    """A JSON number, whole or not; Python's floats know more."""

    def __init__(self, *, whole: bool, **kwargs: Any) -> None:
        super().__init__(widget=mono(inputmode="numeric" if whole else "decimal"), **kwargs)
        self.whole = whole

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return NOTHING
        try:
            if self.whole and len(text) < 100:
                return int(text)
            number = float(text)
        except ValueError:
            number = math.nan
        if self.whole or not math.isfinite(number):
            raise ValidationError("Enter a whole number." if self.whole else "Enter a number, such as 2.5.")
        return int(text) if text.lstrip("-").isdecimal() and len(text) < 100 else number


class _Choice(forms.ChoiceField):
    """Values of any type, by their place in the list."""

    def __init__(self, values: tuple[Any, ...], labels: list[str], **kwargs: Any) -> None:
        options = [(str(at), label) for at, label in enumerate(labels)]
        super().__init__(choices=options if kwargs["required"] else [("", "Not given"), *options], **kwargs)
        self.values = values

    def clean(self, value: Any) -> Any:
        chosen = super().clean(value)
        return self.values[int(chosen)] if chosen else NOTHING


def _made(field: Field) -> forms.Field:
    about = " ".join(filter(None, [field.help, f"Usually {field.default}." if field.default else ""]))
    # Escaped: help texts are shown as they are, and this one is anybody's.
    common: dict[str, Any] = {"label": field.label, "required": field.required, "help_text": escape(about)}
    match field.kind:
        case "text":
            attrs = {"autocomplete": "off", "autocapitalize": "off"}
            return _Text(widget=forms.TextInput(attrs=attrs), strip=False, **common)
        case "number" | "integer":
            return _Number(whole=field.kind == "integer", **common)
        case "boolean":
            return _Choice((True, False), ["Yes", "No"], **common)
        case "choice":
            return _Choice(field.choices, [str(each) for each in field.choices], **common)
        case "json":
            common["help_text"] = escape(" ".join(filter(None, [about, "As JSON."])))
            return JsonField(nothing=NOTHING, rows=4, **common)
