"""A JSON Schema as a form, and what is filled in as arguments."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict
from django.utils.http import urlencode

from endpoint.forms.playing import ArgumentsForm
from endpoint.schema_fields import fields_of

SCHEMA = {
    "type": "object",
    "properties": {
        "query": {"type": "string", "description": "What to look for"},
        "limit": {"type": "integer", "default": 10},
        "score": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        "exact": {"type": ["boolean", "null"]},
        "order": {"enum": ["new", "old", 3]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "path": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        "body": {"type": "object", "properties": {"to": {"type": "string"}}, "required": ["to"]},
        "extra": {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": True},
    },
    "required": ["query", "path"],
}
EMPTY = {"argument/query": "rain", "argument/path/city": "Bergen"}


def filled(values: dict[str, str], schema: Any = SCHEMA, *, whole: bool = False) -> ArgumentsForm:
    return ArgumentsForm(schema, QueryDict(urlencode(values)), whole=whole)


def test_simple_types_are_fields_and_everything_else_is_json() -> None:
    kinds = {field.label: (field.kind, field.required) for field in fields_of(SCHEMA) or []}
    assert kinds == {
        "query": ("text", True),
        "limit": ("integer", False),
        "score": ("number", False),
        "exact": ("boolean", False),
        "order": ("choice", False),
        "tags": ("json", False),
        "path.city": ("text", True),
        "body.to": ("text", False),
        "extra": ("json", False),
    }


def test_what_is_left_empty_is_not_given() -> None:
    form = filled(EMPTY)
    assert form.is_valid()
    assert form.arguments == {"query": "rain", "path": {"city": "Bergen"}}


def test_what_is_filled_in_has_the_type_of_the_schema() -> None:
    more = {"limit": "5", "score": "-2.5", "exact": "1", "order": "2", "tags": '["a"]', "body/to": "  me "}
    form = filled({**EMPTY, **{f"argument/{name}": value for name, value in more.items()}})
    assert form.is_valid(), form.errors
    assert form.arguments == {
        "query": "rain",
        "limit": 5,
        "score": -2.5,
        "exact": False,
        "order": 3,
        "tags": ["a"],
        "path": {"city": "Bergen"},
        "body": {"to": "  me "},
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "2.5"),
        ("limit", "many"),
        ("score", "nan"),
        ("score", "1e999"),
        ("order", "7"),
        ("exact", "maybe"),
        ("tags", "[1,"),
        ("query", ""),
    ],
)
def test_what_is_no_value_of_the_type_is_told_beside_its_field(name: str, value: str) -> None:
    form = filled({**EMPTY, f"argument/{name}": value})
    assert not form.is_valid()
    assert list(form.errors) == [f"argument/{name}"]


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/it"},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(99)}},
        True,
    ],
)
def test_a_schema_that_names_no_fields_or_too_many_is_one_json_text(schema: Any) -> None:
    form = filled({"arguments": '{"a": {"b": 1}}'}, schema)
    assert form.is_valid()
    assert form.arguments == {"a": {"b": 1}}


def test_all_arguments_can_be_written_as_json_and_have_to_be_an_object() -> None:
    assert filled({"arguments": '{"query": "x"}'}, whole=True).is_valid()
    wrong = filled({"arguments": '["query"]'}, whole=True)
    assert not wrong.is_valid()
    assert "object" in str(wrong.errors["arguments"])


def test_what_schemas_say_is_shown_as_text() -> None:
    nasty = "<script>alert(1)</script>"
    schema = {"type": "object", "properties": {nasty: {"type": "string", "description": nasty, "default": nasty}}}
    page = ArgumentsForm(schema).as_div()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_names_of_any_kind_come_back_as_they_were() -> None:
    names = ["a b", "a/b", "a.b", "ä", "x-y", "%2F", "[0]"]
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    fields = fields_of(schema) or []
    form = filled({field.name: field.label for field in fields}, schema)
    assert form.is_valid()
    assert form.arguments == {name: name for name in names}
    assert all(" " not in field.name for field in fields)
