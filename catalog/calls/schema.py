"""The one schema of what a tool takes, made of the schemas of its path, query and body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from catalog.checking.tool_paths import places

_DATA = frozenset({"const", "default", "enum", "example", "examples"})
"""Keywords whose values are no schemas."""
_NAMED = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})
"""Those whose values are schemas by name, whatever the names are."""
_DEEPEST = 12
"""Levels that a skeleton goes down: a schema may be part of itself."""
_MOST = 500
"""Values in a skeleton: a schema may be part of itself in many places."""
_LONG = 200
"""Characters."""


class Schemas(Protocol):
    """What of a `Tool` says which arguments it takes."""

    @property
    def path(self) -> str: ...
    @property
    def path_schema(self) -> Any: ...
    @property
    def query_schema(self) -> Any: ...
    @property
    def body_schema(self) -> Any: ...


def input_schema(tool: Schemas) -> dict[str, Any]:
    """A JSON Schema (2020-12) of `{"path": {…}, "query": {…}, "body": …}`, without the parts that take nothing.

    The parts stay apart, for that is the same for every tool: were their members put side by side, a name in two of
    them or a body that is a list would need a rule, and an argument more could change where the others are. All that
    the path holds is required; a body is, unless it is an object of which nothing is.
    """
    properties: dict[str, Any] = {}
    required: list[str] = []
    for part, schema in _parts(tool):
        properties[part] = _moved(schema, f"#/properties/{part}")
        if _is_needed(part, schema):
            required.append(part)
    merged: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        merged["required"] = required
    return merged


def _parts(tool: Schemas) -> Iterator[tuple[str, Any]]:
    needed = places(tool.path)
    if needed:
        given = tool.path_schema if isinstance(tool.path_schema, dict) else {}
        properties = given.get("properties", {})
        yield (
            "path",
            {
                **given,
                "type": "object",
                "properties": {**properties, **{name: {} for name in needed if name not in properties}},
                "required": list(dict.fromkeys([*given.get("required", []), *needed])),
            },
        )
    if tool.query_schema:
        yield "query", tool.query_schema
    if tool.body_schema is not None:
        yield "body", tool.body_schema


def _is_needed(part: str, schema: Any) -> bool:
    if part == "body":
        return not (isinstance(schema, dict) and schema.get("type") == "object" and not schema.get("required"))
    return isinstance(schema, dict) and bool(schema.get("required"))


def _moved(schema: Any, root: str) -> Any:
    """The same schema where its root is now `root`: references to places in it lead there still. One with an `$id`
    is a document of its own, and needs nothing."""
    if isinstance(schema, list):
        return [_moved(each, root) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$id" in schema:
        return schema
    moved: dict[str, Any] = {}
    for name, value in schema.items():
        if name == "$schema":
            continue
        if name in ("$ref", "$dynamicRef") and isinstance(value, str) and (value == "#" or value.startswith("#/")):
            moved[name] = root + value[1:]
        elif name in _NAMED and isinstance(value, dict):
            moved[name] = {each: _moved(inner, root) for each, inner in value.items()}
        else:
            moved[name] = value if name in _DATA else _moved(value, root)
    return moved


def skeleton(tool: Schemas) -> dict[str, Any]:
    """Arguments to begin with: what the schemas give as example or default, else an empty value of the type. Members
    that are neither required nor have one are left out."""
    merged = input_schema(tool)
    example = _Example(merged)
    return {part: example.of(schema, 0) for part, schema in merged["properties"].items()}


class _Example:
    """Values of a schema, so many of them and no deeper than is of use to a person; None stands for the others."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self.left = _MOST

    def of(self, schema: Any, depth: int) -> Any:
        self.left -= 1
        if not isinstance(schema, dict) or depth > _DEEPEST or self.left < 0:
            return None
        for name in ("example", "default", "const"):
            if name in schema:
                return self._given(schema[name])
        for name in ("examples", "enum"):
            if isinstance(schema.get(name), list) and schema[name]:
                return self._given(schema[name][0])
        for name in ("oneOf", "anyOf", "allOf"):
            if isinstance(schema.get(name), list) and schema[name] and "type" not in schema:
                return self.of(schema[name][0], depth + 1)
        if isinstance(schema.get("$ref"), str):
            return self.of(_at(self.root, schema["$ref"]), depth + 1)
        return self._empty(schema, depth)

    def _given(self, value: Any) -> Any:
        """A long one counts for many: it can be there as often as it is referred to."""
        self.left -= len(str(value)) // _LONG
        return value

    def _empty(self, schema: dict[str, Any], depth: int) -> Any:
        kinds = schema.get("type")
        kind = kinds[0] if isinstance(kinds, list) and kinds else kinds
        properties = schema.get("properties")
        if isinstance(properties, dict):
            required = set(schema.get("required", []))
            return {
                name: self.of(inner, depth + 1)
                for name, inner in properties.items()
                if name in required or (isinstance(inner, dict) and inner.keys() & {"example", "default", "examples"})
            }
        return {"object": {}, "array": [], "string": "", "integer": 0, "number": 0, "boolean": False}.get(str(kind))


def _at(root: Any, reference: str) -> Any:
    """What a reference within the document leads to (RFC 6901); None where it leads to nothing."""
    if not reference.startswith("#/"):
        return None
    found = root
    for step in reference[2:].split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, dict) else None
    return found
