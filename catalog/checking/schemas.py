"""JSON Schemas (draft 2020-12) of what a tool takes: valid, bounded, and complete in themselves.

Only references within a schema are allowed (`#…`), for nothing is fetched to check a call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urljoin

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match
from jsonschema_specifications import REGISTRY

from catalog.checking.json_text import DEEPEST, LONGEST, pointer_to
from catalog.checking.names import BadText, check_characters
from catalog.checking.patterns import BadPattern, compiled
from catalog.checking.validators import replacing, unique_items

DRAFT = "https://json-schema.org/draft/2020-12/schema"
MOST_SCHEMAS = 3_000
"""Objects and booleans in one schema: each may be a schema, and takes up to half a millisecond to check."""
MOST_IN_PLACE = 2_000
"""Subschemas that one value may have to be held against, references followed."""

HOLDING_ONE = (
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
HOLDING_SEVERAL = ("allOf", "anyOf", "oneOf", "prefixItems")
"""Keywords whose value is a schema, and a list of such."""
_NAMED = ("$defs", "definitions", "dependentSchemas", "patternProperties", "properties")
_IN_PLACE = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"})
"""Their subschemas look at the same value as the schema that has them."""

Path = tuple[str | int, ...]


class BadSchema(ValueError):
    """The text is a sentence for a person; `pointer` is where in the schema (RFC 6901)."""

    def __init__(self, text: str, path: Iterable[str | int] = ()) -> None:
        super().__init__(text)
        self.pointer = pointer_to(path)


def check_schema(schema: Any) -> None:
    """Raises BadSchema for a value that is no JSON Schema of draft 2020-12, has references to elsewhere or to nothing,
    or would take too long to hold values against."""
    if not isinstance(schema, dict):
        raise BadSchema('A schema is a JSON object, such as {"type": "object"}.')
    _bounded(schema)
    if error := best_match(_ONE_META_SCHEMA.iter_errors(schema)):
        raise BadSchema(_sentence(SchemaError.create_from(error)), error.absolute_path)
    schemas = dict(_schemas(schema))
    for path, each in schemas.items():
        _check_names(path, each)
        _check_patterns(path, each)
    anchors = {
        each[key]: path for path, each in schemas.items() for key in ("$anchor", "$dynamicAnchor") if key in each
    }
    links = {path: list(_links(path, each, schemas, anchors)) for path, each in schemas.items()}
    _check_cost(links)


def _in_one() -> dict[str, Any]:
    """The meta-schema with its vocabularies in one: as strict, and several times as fast as following their dynamic
    references."""
    known: Any = Draft202012Validator.META_SCHEMA
    parts = [REGISTRY.contents(urljoin(known["$id"], each["$ref"])) for each in known["allOf"]]
    named: dict[str, dict[str, Any]] = {"properties": {}, "$defs": {}}
    for part in [*parts, known]:
        for key, members in named.items():
            members.update(_without_dynamic(part.get(key, {})))
    return {"$schema": DRAFT, "type": ["object", "boolean"], **named}


def _without_dynamic(part: Any) -> Any:
    if isinstance(part, list):
        return [_without_dynamic(each) for each in part]
    if not isinstance(part, dict):
        return part
    if part.get("$dynamicRef") == "#meta":
        return {"$ref": "#"}
    return {key: _without_dynamic(each) for key, each in part.items()}


_ONE_META_SCHEMA = replacing({"uniqueItems": unique_items})(_in_one())


def check_arguments(schema: Any) -> None:
    """The same for named arguments: an empty schema takes none, any other is one of an object. Raises BadSchema."""
    if schema == {}:
        return
    check_schema(schema)
    if schema.get("type") != "object":
        raise BadSchema('Arguments have names: the schema is one of an object, with "type": "object".', ("type",))


def check_path_arguments(schema: Mapping[str, Any], names: Iterable[str]) -> None:
    """That the schema (checked before) has just these arguments of a path, and requires them. Raises BadSchema."""
    names = list(names)
    properties, required = schema.get("properties", {}), schema.get("required", [])
    for name in names:
        if name not in properties:
            raise BadSchema(f"The path has {{{name}}}, which is no property of this schema. Add it, and require it.")
        if name not in required:
            raise BadSchema(f"The path has {{{name}}}: a path is never without it. Add “{name}” to “required”.")
    for name in (*properties, *required):
        if name not in names:
            advice = f"Write {{{name}}} into the path, or take it out here."
            raise BadSchema(f"“{name}” is nowhere in the path. {advice}", ("properties", name))


def path_arguments(names: Iterable[str]) -> dict[str, Any]:
    """The schema of a path's arguments where nobody wrote one: each is a text."""
    names = list(names)
    if not names:
        return {}
    return {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": names}


def _bounded(schema: Any) -> None:
    """What `parse_json` keeps to, for schemas that came another way."""
    waiting: list[tuple[Any, Path]] = [(schema, ())]
    found = 0
    while waiting:
        value, path = waiting.pop()
        found += isinstance(value, dict | bool)
        if found > MOST_SCHEMAS:
            raise BadSchema(f"It holds more than {MOST_SCHEMAS:,} schemas.")
        if len(path) >= DEEPEST:
            raise BadSchema(f"It is nested deeper than {DEEPEST} levels.", path)
        if isinstance(value, dict):
            waiting += [(each, (*path, name)) for name, each in value.items()]
        elif isinstance(value, list):
            waiting += [(each, (*path, number)) for number, each in enumerate(value)]
    try:
        check_characters(schema)
    except BadText as error:
        raise BadSchema(str(error)) from error
    if len(json.dumps(schema, ensure_ascii=False)) > LONGEST:
        raise BadSchema(f"It is longer than {LONGEST:,} characters, the most that is kept.")


def _schemas(schema: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The schema and all within it that are objects, each with the way to it."""
    waiting: list[tuple[Path, Any]] = [((), schema)]
    while waiting:
        path, each = waiting.pop()
        if not isinstance(each, dict):
            continue
        yield path, each
        waiting += [((*path, *steps), inner) for steps, inner in _inner(each)]


def _inner(schema: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    for key in HOLDING_ONE:
        if key in schema:
            yield (key,), schema[key]
    for key in HOLDING_SEVERAL:
        for number, each in enumerate(schema.get(key, ())):
            yield (key, number), each
    for key in _NAMED:
        for name, each in schema.get(key, {}).items():
            yield (key, name), each


def _check_names(path: Path, schema: dict[str, Any]) -> None:
    if schema.get("$schema", DRAFT).rstrip("#") != DRAFT:
        raise BadSchema(f"Schemas are of draft 2020-12 here. Remove “$schema”, or make it {DRAFT}.", (*path, "$schema"))
    if "$id" in schema:
        raise BadSchema("A schema has no address of its own here. Remove “$id”.", (*path, "$id"))
    if "patternProperties" in schema and "unevaluatedProperties" in schema:
        advice = "Use “additionalProperties” instead."
        raise BadSchema(f"“patternProperties” beside “unevaluatedProperties” is not supported. {advice}", path)


def _check_patterns(path: Path, schema: dict[str, Any]) -> None:
    patterns: list[tuple[Path, str]] = [(("pattern",), schema["pattern"])] if "pattern" in schema else []
    patterns += [(("patternProperties", each), each) for each in schema.get("patternProperties", ())]
    for steps, pattern in patterns:
        try:
            compiled(pattern)
        except BadPattern as error:
            raise BadSchema(str(error), (*path, *steps)) from None


def _links(
    path: Path, schema: dict[str, Any], schemas: Mapping[Path, Any], anchors: Mapping[str, Path]
) -> Iterator[Path]:
    """The schemas that look at the same value as this one."""
    for key in ("$ref", "$dynamicRef"):
        if key in schema:
            yield _resolved(schema[key], (*path, key), schemas, anchors)
    for steps, inner in _inner(schema):
        if steps[0] in _IN_PLACE and isinstance(inner, dict):
            yield (*path, *steps)


def _resolved(reference: str, at: Path, schemas: Mapping[Path, Any], anchors: Mapping[str, Path]) -> Path:
    if not reference.startswith("#"):
        advice = "Copy what it names into “$defs”, and refer to it as #/$defs/name."
        raise BadSchema(f"“{reference[:80]}” is elsewhere, and nothing is fetched. {advice}", at)
    fragment = unquote(reference[1:])
    if fragment and not fragment.startswith("/"):
        if fragment in anchors:
            return anchors[fragment]
    else:
        steps = [step.replace("~1", "/").replace("~0", "~") for step in fragment.split("/")[1:]]
        for path in (tuple(steps), tuple(int(step) if re.fullmatch(r"[0-9]{1,6}", step) else step for step in steps)):
            if path in schemas:
                return path
    raise BadSchema(f"“{reference[:80]}” leads to no schema in here.", at)


def _check_cost(links: Mapping[Path, list[Path]]) -> None:
    """Schemas that refer to each other without going into the value never end, and those that do so twice each double
    with every step."""
    cost: dict[Path, int] = {}
    for start in links:
        under_way: set[Path] = set()
        waiting = [start]
        while waiting:
            path = waiting[-1]
            if path in cost:
                under_way.discard(waiting.pop())
                continue
            under_way.add(path)
            open_ones = [each for each in links[path] if each not in cost]
            if any(each in under_way for each in open_ones):
                raise BadSchema("It refers to itself without end. Refer to it from within a property or an item.", path)
            if open_ones:
                waiting.append(open_ones[0])
                continue
            cost[path] = min(1 + sum(cost[each] for each in links[path]), MOST_IN_PLACE + 1)
            if cost[path] > MOST_IN_PLACE:
                raise BadSchema("It refers to so many schemas that no value could be held against all of them.", path)


def _sentence(error: SchemaError) -> str:
    """The library's words repeat what was typed, however long it is."""
    key = str(error.absolute_path[-1]) if error.absolute_path else ""
    named = f"“{key[:60]}”" if isinstance(key, str) and key and not key.isdigit() else "This"
    wanted: Any = error.validator_value
    if error.validator == "type":
        kinds = wanted if isinstance(wanted, list) else [wanted]
        return f"{named} has to be {' or '.join(_KINDS.get(str(kind), str(kind)) for kind in kinds)}."
    if error.validator == "enum":
        return f"{named} has to be one of {', '.join(str(each) for each in wanted)}."
    return f"{named} is not what JSON Schema has there: {_REASONS.get(str(error.validator), 'see draft 2020-12')}."


_KINDS = {
    "object": "an object",
    "array": "an array",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
_REASONS = {
    "anyOf": "one of the types array, boolean, integer, null, number, object and string, or an array of them",
    "exclusiveMinimum": "a number above 0",
    "minimum": "a number of 0 or more",
    "minItems": "an array with at least one item",
    "pattern": "a name of another form",
    "uniqueItems": "an array without the same item twice",
}
