"""One form for each document, and what a file has beyond it: both told by the schemas."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from catalog.portable.model import Kind
from catalog.portable.schemas import SCHEMAS

Schema = Mapping[str, Any]
_EMPTY: tuple[Any, ...] = ("", [], {}, None)
_SORTED = frozenset({"variables", "providers", "tools", "resources", "prompts"})
"""Lists of named things whose order says nothing."""
_KEPT_EMPTY = frozenset({"body"})
"""An empty schema of a body takes anything."""


def normal(kind: Kind, document: Mapping[str, Any]) -> dict[str, Any]:
    """A document that its schema takes, in the form of `Definition.document`: what Millrace knows of, in order, without
    `$schema`, `id` and what is empty; names and named things sorted, what is left out and has a value nevertheless
    filled in. Equal definitions have equal normal forms, whatever they came from."""
    if kind is Kind.SKILL:
        front, files = document.get("frontMatter") or {}, document.get("files") or {}
        members = {
            **{name: document.get(name) for name in ("name", "slug", "description")},
            "frontMatter": dict(front),
            "instructions": trimmed(document.get("instructions") or ""),
            "files": {path: files[path] for path in sorted(files)},
        }
        return {name: value for name, value in members.items() if value not in _EMPTY}
    root = SCHEMAS[kind]
    found: dict[str, Any] = _normal(document, root, root)
    return {name: value for name, value in found.items() if name not in ("$schema", "id")}


def trimmed(text: str) -> str:
    """SKILL.md's body as it is kept: line ends of Unix, no empty lines around it."""
    return text.replace("\r\n", "\n").strip("\n").rstrip()


def known(kind: Kind, raw: Mapping[str, Any]) -> dict[str, Any]:
    """A file that its schema takes, without what the schema does not name; all else as it stands."""
    root = SCHEMAS[kind]
    found: dict[str, Any] = _known(raw, root, root)
    return found


def carried(kind: Kind, document: Mapping[str, Any], raw: Mapping[str, Any]) -> dict[str, Any]:
    """The document with what the file has beyond it: each thing's own, behind what is known. What is gone from the
    document takes its own along. Things in lists are the same if they have the same name, or say the same; if one is
    gone and one is new, it was renamed or edited."""
    root = SCHEMAS[kind]
    found: dict[str, Any] = _carried(document, raw, root, root)
    return found


def _resolved(schema: Schema, root: Schema) -> Schema:
    reference = schema.get("$ref")
    return root["$defs"][reference.rpartition("/")[2]] if isinstance(reference, str) else schema


def _of_each(schema: Schema) -> Schema | None:
    """Of the values of an object whose names are free."""
    each = schema.get("additionalProperties")
    return each if isinstance(each, Mapping) else None


def _normal(value: Any, schema: Schema, root: Schema) -> Any:
    schema = _resolved(schema, root)
    each = _of_each(schema)
    if isinstance(value, Mapping) and "properties" in schema:
        return _normal_members(value, schema, root)
    if isinstance(value, Mapping) and each is not None and each.get("type") == "object":
        members = {name: _normal(value[name], each, root) for name in sorted(value)}
        return {name: member for name, member in members.items() if member}
    if isinstance(value, Sequence) and not isinstance(value, str):
        items = [_normal(item, schema.get("items", {}), root) for item in value]
        return sorted(set(items)) if schema.get("uniqueItems") else items
    return value


def _normal_members(value: Mapping[str, Any], schema: Schema, root: Schema) -> dict[str, Any]:
    found: dict[str, Any] = {}
    required = schema.get("required", ())
    for name, part in schema["properties"].items():
        default = _resolved(part, root).get("default")
        if name in value:
            member = _normal(value[name], part, root)
        elif default:
            member = default
        else:
            continue
        if name in _SORTED and isinstance(member, list) and all(isinstance(each, Mapping) for each in member):
            member = sorted(member, key=_order)
        if name in required or name in _KEPT_EMPTY or not (member in _EMPTY or (member is False and default is False)):
            found[name] = member
    return found


def _order(thing: Mapping[str, Any]) -> tuple[str, str]:
    """As `catalog.exchange.model.order`."""
    name = str(thing.get("name", ""))
    return name.lower(), name


def _known(value: Any, schema: Schema, root: Schema) -> Any:
    schema = _resolved(schema, root)
    each = _of_each(schema)
    if isinstance(value, Mapping) and "properties" in schema:
        parts = schema["properties"]
        return {name: _known(member, parts[name], root) for name, member in value.items() if name in parts}
    if isinstance(value, Mapping) and each is not None:
        return {name: _known(member, each, root) for name, member in value.items()}
    if isinstance(value, list):
        return [_known(item, schema.get("items", {}), root) for item in value]
    return value


def _carried(value: Any, raw: Any, schema: Schema, root: Schema) -> Any:
    schema = _resolved(schema, root)
    each = _of_each(schema)
    if isinstance(value, Mapping) and isinstance(raw, Mapping):
        parts = schema.get("properties")
        if parts is not None:
            found = {
                name: _carried(member, raw[name], parts.get(name, {}), root) if name in raw else member
                for name, member in value.items()
            }
            return found | {name: member for name, member in raw.items() if name not in parts}
        if each is not None:
            return {name: _carried(member, raw.get(name), each, root) for name, member in value.items()}
    elif isinstance(value, list) and isinstance(raw, list) and "items" in schema:
        part = _resolved(schema["items"], root)
        former = _paired(value, raw, lambda item: _normal(item, part, root))
        return [_carried(item, raw[at], part, root) if at is not None else item for item, at in former]
    return value


def _paired(
    items: Sequence[Any], raw: Sequence[Any], normal_form: Callable[[Any], Any]
) -> list[tuple[Any, int | None]]:
    """Each item, and where it stood in the file."""

    def key(item: Any) -> Any:
        if not isinstance(item, Mapping):
            return None
        return item["name"] if "name" in item else repr(normal_form(item))

    places: dict[Any, list[int]] = {}
    for at, item in enumerate(raw):
        if (found := key(item)) is not None:
            places.setdefault(found, []).append(at)
    pairs: list[tuple[Any, int | None]] = []
    for item in items:
        there = places.get(key(item))
        pairs.append((item, there.pop(0) if there else None))
    left = [at for there in places.values() for at in there]
    new = [number for number, (_, at) in enumerate(pairs) if at is None]
    if len(left) == len(new) == 1:
        pairs[new[0]] = (pairs[new[0]][0], left[0])
    return pairs
