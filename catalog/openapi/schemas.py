"""Schemas of a document as schemas of a tool: JSON Schema of draft 2020-12, with all that they refer to in them.

References are written out; what refers to itself, or is too much to write out, goes into `$defs`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from catalog.checking.headers import carries_credentials
from catalog.checking.schemas import HOLDING_ONE, HOLDING_SEVERAL
from catalog.checking.secrets import looks_secret
from catalog.openapi.reading import Document, Unresolved

MOST_WRITTEN_OUT = 500
"""Schemas in one tool's schema with references written out; beyond that each goes into `$defs` once."""
_MOST = 3_000

_NAMED = ("dependentSchemas", "patternProperties", "properties")
_VALUES = (
    "const",
    "contentEncoding",
    "contentMediaType",
    "default",
    "dependentRequired",
    "deprecated",
    "description",
    "enum",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "readOnly",
    "required",
    "title",
    "type",
    "uniqueItems",
    "writeOnly",
)
"""Everything else is dropped: `xml`, `discriminator`, `externalDocs`, names of the dialect, extensions."""


class TooLarge(ValueError):
    """The text is a sentence for a person."""

    def __init__(self) -> None:
        super().__init__("Its schema is larger than a tool's can be.")


class Schemas:
    """Makes the schemas of one document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._refers: dict[str, set[str]] = {}
        self._circular: dict[str, bool] = {}

    def of(self, raw: Any) -> dict[str, Any]:
        """A schema with nothing outside it. Raises Unresolved and TooLarge."""
        try:
            return self._made(raw, everything=False, most=MOST_WRITTEN_OUT)
        except TooLarge:
            return self._made(raw, everything=True, most=_MOST)

    def _made(self, raw: Any, *, everything: bool, most: int) -> dict[str, Any]:
        making = _Making(self, everything, most)
        made = making.schema(raw)
        schema = made if isinstance(made, dict) else ({} if made else {"not": {}})
        defs = making.definitions()
        return {**schema, "$defs": defs} if defs else schema

    def circular(self, reference: str) -> bool:
        """Whether what is there refers to itself, by whatever way."""
        if reference not in self._circular:
            seen: set[str] = set()
            waiting = list(self._below(reference))
            while waiting and reference not in seen:
                each = waiting.pop()
                if each not in seen:
                    seen.add(each)
                    waiting += self._below(each)
            self._circular[reference] = reference in seen
        return self._circular[reference]

    def _below(self, reference: str) -> set[str]:
        if reference not in self._refers:
            self._refers[reference] = set()
            with suppress(Unresolved):  # told where it is used
                self._refers[reference] = set(_references(self.document.look_up(reference)))
        return self._refers[reference]


class _Making:
    def __init__(self, schemas: Schemas, everything: bool, most: int) -> None:
        self.schemas, self.everything, self.most = schemas, everything, most
        self.made = 0
        self.names: dict[str, str] = {}
        """Of definitions, by reference."""
        self.waiting: list[str] = []

    def definitions(self) -> dict[str, Any]:
        defs = {}
        while self.waiting:
            reference = self.waiting.pop()
            defs[self.names[reference]] = self.schema(self.schemas.document.look_up(reference))
        return dict(sorted(defs.items()))

    def schema(self, raw: Any, name: str = "") -> Any:
        """`name` is the property's that it describes."""
        self.made += 1
        if self.made > self.most:
            raise TooLarge
        if isinstance(raw, bool):
            return raw
        if not isinstance(raw, dict):
            raise Unresolved("A schema is no object.")
        if "$ref" in raw:
            return self._referred(raw, name)
        if "$dynamicRef" in raw:
            raise Unresolved("“$dynamicRef” in a schema is not supported.")
        schema: dict[str, Any] = {}
        for key, value in raw.items():
            if key in _VALUES:
                schema[key] = value
            elif key in HOLDING_ONE:
                schema[key] = self.schema(value)
            elif key in HOLDING_SEVERAL and isinstance(value, list):
                schema[key] = [self.schema(each) for each in value]
            elif key in _NAMED and isinstance(value, dict):
                schema[key] = {each: self.schema(inner, each) for each, inner in value.items()}
        if "example" in raw and "examples" not in raw:
            schema["examples"] = [raw["example"]]
        schema = {key: value for key, value in schema.items() if _holds(key, value)}
        _without_secrets(schema, name)
        _without_read_only(schema)
        return _modern(schema, raw) if self.schemas.document.version == "3.0" else schema

    def _referred(self, raw: dict[str, Any], name: str) -> Any:
        """What stands beside a reference applies too; 3.0 has only descriptions there, by habit."""
        reference = raw["$ref"]
        target = self.schemas.document.look_up(reference)
        if self.everything or self.schemas.circular(reference):
            if reference not in self.names:
                self.names[reference] = self._free(reference)
                self.waiting.append(reference)
            made: Any = {"$ref": f"#/$defs/{self.names[reference]}"}
        else:
            made = self.schema(target, name)
        rest = {key: value for key, value in raw.items() if key != "$ref"}
        if self.schemas.document.version == "3.0":
            rest = {key: value for key, value in rest.items() if key in ("description", "title")}
        beside = self.schema(rest, name) if rest else {}
        if not beside:
            return made
        if isinstance(made, dict) and not set(beside) - {"description", "title", "deprecated", "default", "examples"}:
            return {**made, **beside}
        return {"allOf": [made], **beside} if "allOf" not in beside else {"allOf": [made, beside]}

    def _free(self, reference: str) -> str:
        last = reference.rpartition("/")[2]
        name = "".join(each for each in last if each.isascii() and (each.isalnum() or each in "_-"))[:60] or "schema"
        taken, number, free = set(self.names.values()), 2, name
        while free in taken:
            free, number = f"{name}{number}", number + 1
        return free


def _references(schema: Any) -> Iterator[str]:
    """All in it, without what they lead to."""
    waiting = [schema]
    while waiting:
        each = waiting.pop()
        if not isinstance(each, dict):
            continue
        if isinstance(each.get("$ref"), str):
            yield each["$ref"]
        waiting += [each[key] for key in HOLDING_ONE if key in each]
        for key in HOLDING_SEVERAL:
            waiting += each[key] if isinstance(each.get(key), list) else []
        for key in _NAMED:
            waiting += each[key].values() if isinstance(each.get(key), dict) else []


def _holds(key: str, value: Any) -> bool:
    """Habits that say nothing, and are no JSON Schema: "required": true, an empty enum, a null description."""
    if key in ("required", "enum", "examples", "allOf", "anyOf", "oneOf", "prefixItems"):
        return isinstance(value, list) and bool(value or key == "required")
    return value is not None or key in ("default", "const")


def _without_secrets(schema: dict[str, Any], name: str) -> None:
    """People leave their own tokens in examples."""
    told = schema.get("format") == "password" or bool(name and carries_credentials(name))
    for key in ("examples", "default"):
        values = schema.get(key, []) if key == "examples" else [schema[key]] if key in schema else []
        if any(_has_secret(value, told) for value in values):
            del schema[key]


def _has_secret(value: Any, told: bool) -> bool:
    waiting: list[tuple[Any, bool]] = [(value, told)]
    while waiting:
        each, secret = waiting.pop()
        if isinstance(each, str) and each and (secret or looks_secret("", each)):
            return True
        if isinstance(each, list):
            waiting += [(inner, secret) for inner in each]
        elif isinstance(each, dict):
            waiting += [(inner, carries_credentials(str(key))) for key, inner in each.items()]
    return False


def _without_read_only(schema: dict[str, Any]) -> None:
    """What only answers have is nothing to send."""
    properties = schema.get("properties")
    if not properties:
        return
    for name in [name for name, each in properties.items() if isinstance(each, dict) and each.get("readOnly") is True]:
        del properties[name]
        if name in schema.get("required", ()):
            schema["required"] = [each for each in schema["required"] if each != name]


def _modern(schema: dict[str, Any], raw: dict[str, Any]) -> dict[str, Any]:
    """Of the dialect of 3.0: https://spec.openapis.org/oas/v3.0.4.html#schema-object."""
    for limit, flag in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(schema.get(flag), bool) and schema.pop(flag) and limit in schema:
            schema[flag] = schema.pop(limit)
    if raw.get("nullable") is not True:
        return schema
    if "enum" in schema and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        return schema
    if any(key in schema for key in ("allOf", "anyOf", "oneOf")):
        inner = {key: value for key, value in schema.items() if key not in ("title", "description")}
        words: dict[str, Any] = {key: schema[key] for key in schema if key in ("title", "description")}
        return {**words, "anyOf": [inner, {"type": "null"}]}
    return schema
