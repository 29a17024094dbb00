"""The parameters and the body of an operation, as the arguments of a tool."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from openapi_pydantic.v3 import v3_1
from openapi_pydantic.v3.v3_1 import ParameterLocation
from pydantic import ValidationError

from catalog.checking.headers import BadHeader, carries_credentials, check_header
from catalog.checking.tool_paths import places
from catalog.openapi.reading import Document, Unresolved
from catalog.openapi.schemas import Schemas, TooLarge

_WITHOUT_BODY = ("GET", "HEAD")
_IGNORED_HEADERS = ("accept", "content-type", "authorization")
"""https://spec.openapis.org/oas/v3.1.1.html#parameter-name"""


@dataclass
class Arguments:
    """What a tool takes, and what of the operation it cannot do as it stands."""

    path: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    complete: bool = True
    """Whether calls can work at all; else the tool begins disabled."""

    def lacks(self, note: str) -> None:
        self.notes.append(note)
        self.complete = False


def arguments(document: Document, schemas: Schemas, method: str, path: str, item: Any, operation: Any) -> Arguments:
    """`item` is the path's object, `operation` the method's in it; both are resolved."""
    found = Arguments()
    properties: dict[str, dict[str, Any]] = {"path": {}, "query": {}}
    required: dict[str, list[str]] = {"path": [], "query": []}
    for raw, parameter in _parameters(document, item, operation, found):
        where = parameter.param_in.value
        if where in properties:
            properties[where][parameter.name] = _argument(schemas, raw, parameter, found)
            if parameter.required:
                required[where].append(parameter.name)
        elif where == "header":
            _header(document, raw, parameter, found)
        else:
            _left_out(parameter, found, f"The cookie {_said(parameter.name)} is left out.")
    wanted = places(path)
    for name in [name for name in properties["path"] if name not in wanted]:
        del properties["path"][name]
        found.notes.append(f"{_said(name)} is nowhere in the path, and left out.")
    if wanted:
        each = {name: properties["path"].get(name, {"type": "string"}) for name in wanted}
        found.path = _object(each, wanted)
    if properties["query"]:
        found.query = _object(properties["query"], required["query"])
    _body(document, schemas, method, operation, found)
    return found


def _parameters(
    document: Document, item: Any, operation: Any, found: Arguments
) -> list[tuple[dict[str, Any], v3_1.Parameter]]:
    """Those of the path, replaced by the operation's own of the same name and place."""
    kept: dict[tuple[str, ParameterLocation], tuple[dict[str, Any], v3_1.Parameter]] = {}
    for holder in (item, operation):
        listed = holder.get("parameters") or []
        for each in listed if isinstance(listed, list) else []:
            try:
                raw = document.resolved(each)
                frame = {key: value for key, value in raw.items() if key not in ("schema", "content", "examples")}
                parameter = v3_1.Parameter.model_validate(frame)
            except Unresolved as error:
                found.lacks(f"A parameter is left out. {error}")
            except ValidationError:
                found.lacks("A parameter is left out: it has no name, or no place such as “query”.")
            else:
                kept[parameter.name, parameter.param_in] = (raw, parameter)
    return list(kept.values())


def _argument(schemas: Schemas, raw: dict[str, Any], parameter: v3_1.Parameter, found: Arguments) -> dict[str, Any]:
    content = raw.get("content")
    described = next(iter(content.values()), None) if isinstance(content, dict) else raw
    inner = described.get("schema", {}) if isinstance(described, dict) else {}
    schema = _schema(schemas, inner, found, _said(parameter.name), otherwise={})
    if parameter.description and "description" not in schema:
        schema = {**schema, "description": parameter.description}
    if parameter.deprecated:
        schema = {**schema, "deprecated": True}
    _check_style(schema, parameter, found, isinstance(content, dict))
    return schema


def _check_style(schema: dict[str, Any], parameter: v3_1.Parameter, found: Arguments, as_json: bool) -> None:
    """Lists in the query go out as their name again for each item, and objects as JSON; in the path as one segment."""
    types = schema.get("type")
    several = {"array", "object"} & set(types if isinstance(types, list) else [types])
    query = parameter.param_in is ParameterLocation.QUERY
    if not several or (as_json and "object" in several):
        return
    style = parameter.style or ("form" if query else "simple")
    explode = parameter.explode if parameter.explode is not None else style == "form"
    if query and style == "form" and explode and "object" not in several:
        return
    how = f"style {style[:20]}, {'exploded' if explode else 'not exploded'}"
    sends = "repeated for each item of a list, and objects as JSON" if query else "as JSON"
    found.notes.append(f"The API wants {_said(parameter.name)} in another form ({how}); it is sent {sends}.")


def _header(document: Document, raw: dict[str, Any], parameter: v3_1.Parameter, found: Arguments) -> None:
    """A header that is always the same is sent; nobody can be asked for others."""
    name = parameter.name
    if name.lower() in _IGNORED_HEADERS:
        return
    try:
        schema = document.resolved(raw.get("schema") or {})
    except Unresolved:
        schema = {}
    values = schema.get("enum") if isinstance(schema.get("enum"), list) else [schema.get("const")]
    value = values[0] if values and len(values) == 1 and isinstance(values[0], str | int) else None
    if value is not None and "$" not in str(value) and not carries_credentials(name):
        try:
            check_header(name, str(value))
        except BadHeader:
            pass
        else:
            found.headers[name] = str(value)
            return
    _left_out(parameter, found, f"The header {_said(name)} is left out: tools send headers that are always the same.")


def _left_out(parameter: v3_1.Parameter, found: Arguments, note: str) -> None:
    if parameter.required:
        found.lacks(f"{note} The API requires it.")
    else:
        found.notes.append(note)


def _body(document: Document, schemas: Schemas, method: str, operation: Any, found: Arguments) -> None:
    if "requestBody" not in operation:
        return
    try:
        raw = document.resolved(operation["requestBody"])
    except Unresolved as error:
        found.lacks(f"The body is left out. {error}")
        return
    if method in _WITHOUT_BODY:
        found.notes.append(f"The body is left out: {method} sends none.")
        return
    content = raw.get("content")
    types = [str(each) for each in content] if isinstance(content, dict) else []
    chosen = next((each for rank in _RANKS for each in types if rank(_bare(each))), None)
    if chosen is None or not isinstance(content, dict):
        told = ", ".join(_said(each) for each in types[:3]) or "nothing that is named"
        found.lacks(f"The body is left out: it has to be {told}, and tools send JSON, forms and plain text.")
        return
    described = content[chosen] if isinstance(content[chosen], dict) else {}
    kind = _bare(chosen)
    otherwise = {"type": "string"} if kind == "text/plain" else {"type": "object"}
    found.body = _schema(schemas, described.get("schema", otherwise), found, "The body", otherwise=otherwise)
    if kind != "application/json" and kind != "*/*":
        found.headers["Content-Type"] = kind
        found.notes.append(f"The body is sent as {kind}.")


_RANKS = (
    lambda kind: kind in ("application/json", "*/*"),
    lambda kind: kind.startswith("application/") and kind.endswith("+json") and kind.isascii() and kind.isprintable(),
    lambda kind: kind == "application/x-www-form-urlencoded",
    lambda kind: kind == "text/plain",
)
"""Media types that tools can send, the best first."""


def _bare(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()


def _schema(schemas: Schemas, raw: Any, found: Arguments, what: str, *, otherwise: dict[str, Any]) -> dict[str, Any]:
    try:
        return schemas.of(raw)
    except (Unresolved, TooLarge) as error:
        found.notes.append(f"{what} takes any value. {error}")
        return dict(otherwise)


def _object(properties: dict[str, dict[str, Any]], required: list[str]) -> dict[str, Any]:
    """Of named schemas; what they define goes to the top, where their references lead."""
    defs: dict[str, Any] = {}
    clean: dict[str, Any] = {}
    for name, schema in properties.items():
        own = schema.get("$defs", {})
        if any(each in defs and defs[each] != definition for each, definition in own.items()):
            clean[name] = {}  # two that are called the same
            continue
        defs.update(own)
        clean[name] = {key: value for key, value in schema.items() if key != "$defs"}
    made: dict[str, Any] = {"type": "object", "properties": clean}
    if required:
        made["required"] = list(required)
    return {**made, "$defs": defs} if defs else made


def _said(name: str) -> str:
    return "".join(character for character in name[:60] if character.isprintable())
