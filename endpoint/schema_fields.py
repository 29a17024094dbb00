"""A JSON Schema of arguments as the fields of a form, and back. Pure.

Simple types are fields of their own, also inside an object that is an argument; whatever else there is, is written as
JSON. What a form cannot say is still for the server to judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

Kind = Literal["text", "number", "integer", "boolean", "choice", "json"]
NOTHING: Any = object()
"""The value of a field that was left empty: the argument is not given."""
MOST_FIELDS = 60
MOST_CHOICES = 500
_SIMPLE: Mapping[str, Kind] = {"string": "text", "number": "number", "integer": "integer", "boolean": "boolean"}


@dataclass(frozen=True, slots=True)
class Field:
    """One argument, or one inside an argument that is an object."""

    path: tuple[str, ...]
    kind: Kind
    help: str = ""
    required: bool = False
    choices: tuple[Any, ...] = ()
    default: str = ""
    """What it is where it is not given, as JSON would have it without quotes; "" where the schema says none."""

    @property
    def name(self) -> str:
        """Of the form's field: no two are the same, and none has a space, which an id must not have."""
        return "/".join(["argument", *(quote(step, safe="") for step in self.path)])

    @property
    def label(self) -> str:
        return ".".join(self.path)


def fields_of(schema: Any) -> list[Field] | None:
    """The fields of an object's schema; None where only JSON will do: it is no object of named arguments, or has too
    many of them."""
    if not isinstance(schema, dict) or "$ref" in schema:
        return None
    properties = schema.get("properties", {})
    if not isinstance(properties, dict) or (_takes_any_names(schema) and not properties):
        return None
    found = _of_object(schema, ())
    return found if len(found) <= MOST_FIELDS else None


def arguments_of(schema: Any, values: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
    """The arguments that the fields' values are, by path. An object that is required is there, empty or not."""
    made: dict[str, Any] = {}
    required = _required(schema)
    for field in fields_of(schema) or []:
        *outer, last = field.path
        if outer and outer[0] in required:
            made.setdefault(outer[0], {})
        value = values.get(field.path, NOTHING)
        if value is NOTHING:
            continue
        inside = made
        for step in outer:
            inside = inside.setdefault(step, {})
        inside[last] = value
    return made


def _of_object(schema: dict[str, Any], outer: tuple[str, ...]) -> list[Field]:
    found: list[Field] = []
    required = _required(schema)
    for name, of_it in schema.get("properties", {}).items():
        it = _without_null(of_it)
        path = (*outer, str(name))
        if not outer and _is_plain_object(it):
            within = _of_object(it, path)
            # Inside one that may be left out nothing is required: whether it is, follows from what else is given.
            found += within if name in required else [_optional(field) for field in within]
        else:
            found.append(_field(path, it, name in required))
    return found


def _field(path: tuple[str, ...], schema: Any, required: bool) -> Field:
    if not isinstance(schema, dict):
        return Field(path, "json", required=required)
    said = schema.get("description")
    about = said if isinstance(said, str) else ""
    default = _plain(schema["default"]) if "default" in schema else ""
    choices = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if isinstance(choices, list) and 0 < len(choices) <= MOST_CHOICES and all(_is_scalar(each) for each in choices):
        return Field(path, "choice", about, required, tuple(choices), default)
    kind = _SIMPLE.get(schema["type"], "json") if isinstance(schema.get("type"), str) else "json"
    return Field(path, kind, about, required, default=default)


def _optional(field: Field) -> Field:
    return Field(field.path, field.kind, field.help, False, field.choices, field.default)


def _without_null(schema: Any) -> Any:
    """“Of this type or null” is of this type, and may be left out."""
    if not isinstance(schema, dict):
        return schema
    kinds = schema.get("type")
    if isinstance(kinds, list) and len(others := [kind for kind in kinds if kind != "null"]) == 1:
        return {**schema, "type": others[0]}
    options = schema.get("anyOf")
    if isinstance(options, list) and "type" not in schema:
        real = [each for each in options if isinstance(each, dict) and each.get("type") != "null"]
        if len(real) == 1 and len(options) == len(real) + 1:
            return {**{name: value for name, value in schema.items() if name != "anyOf"}, **real[0]}
    return schema


def _is_plain_object(schema: Any) -> bool:
    if not isinstance(schema, dict) or schema.get("type") != "object":
        return False
    return isinstance(schema.get("properties"), dict) and bool(schema["properties"]) and not _takes_any_names(schema)


def _takes_any_names(schema: dict[str, Any]) -> bool:
    """Whether it says that arguments may have names that it does not know."""
    return bool(schema.get("patternProperties")) or schema.get("additionalProperties") not in (None, False)


def _required(schema: Any) -> set[str]:
    said = schema.get("required", []) if isinstance(schema, dict) else []
    return {each for each in said if isinstance(each, str)} if isinstance(said, list) else set()


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if _is_scalar(value) else ""
