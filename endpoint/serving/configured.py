"""Tools that call an upstream API, as somebody configured them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from typing import Any

import mcp_types as types
from django.db.models import QuerySet, UUIDField
from mcp.shared.inbound import X_MCP_HEADER_KEY, find_invalid_x_mcp_header

from catalog import calls
from catalog.models import Tool
from endpoint.admitted import Admitted
from endpoint.serving import media
from endpoint.serving.chosen import things, things_of, values_of
from endpoint.serving.offered import Offered
from endpoint.serving.toolkits import LONGEST, free, joined
from lib.prepared import Given, Prepared
from orgs.models import User

FEW = 50
"""Tools of most servers and toolkits: that many are listed with one query, whose SQL is composed once."""
_SHOWN_HEADERS = 20
_USER_ID = User._meta.pk
_DEEPEST = 100
"""Levels of an answer that is given as JSON: the SDK writes some 250, and its clients read 200. Its text has them
all."""
_DATA = frozenset({"const", "default", "enum", "example", "examples"})
"""Keywords whose values are no schemas."""
_NAMED = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})
"""Those whose values are schemas by name."""


@dataclass(frozen=True, slots=True)
class Named:
    """A tool by what clients call it."""

    name: str
    key: uuid.UUID


def few(admitted: Admitted, taken: Collection[str]) -> list[types.Tool] | None:
    """All that is offered, in the order of names; None where there is more. `taken` are names that other tools have."""
    if not admitted.caller.may_call:
        return []
    query = _few(admitted.toolkit is not None, not admitted.caller.known)
    rows = query.rows(FEW + 1, **values_of(admitted))
    if len(rows) > FEW:
        return None
    tools = [_tool(_called(admitted, row.name, row.server.slug, taken), row) for row in rows]
    return sorted(tools, key=lambda tool: tool.name)


@cache
def _few(toolkit: bool, public: bool) -> Prepared[Tool]:
    given = {
        "organization": Given("organization", UUIDField()),
        "target": Given("target", UUIDField()),
        "owner": Given("owner", _USER_ID),
    }
    return Prepared(lambda: _offering(things_of(Tool, toolkit=toolkit, public=public, **given), "provider"))


def names(admitted: Admitted, taken: Collection[str]) -> list[Named]:
    """What is offered, in the order of names, in one query; `taken` are names that other tools have."""
    if not admitted.caller.may_call:
        return []
    rows = _rows(admitted).values_list("pk", "name", "server__slug")
    return sorted(
        (Named(_called(admitted, name, server, taken), key) for key, name, server in rows), key=lambda each: each.name
    )


def load(admitted: Admitted, wanted: Iterable[Named]) -> list[Offered]:
    """These tools, in their order; without those that went meanwhile."""
    called = {each.key: each.name for each in wanted}
    rows = _rows(admitted).select_related("provider__server").in_bulk(list(called))
    return [_offered(admitted, name, rows[key]) for key, name in called.items() if key in rows]


def find(admitted: Admitted, name: str, taken: Collection[str]) -> Offered | None:
    """The one that is called so, also for callers who may not call it: calling it says so."""
    rows = _rows(admitted).select_related("provider__server")
    # What is not shortened, and has no other name before it, tells which tool it is.
    server, _, own = name.rpartition("__") if admitted.toolkit is not None else ("", "", name)
    for row in rows.filter(name=own, **({"server__slug": server} if admitted.toolkit is not None else {})):
        if _called(admitted, row.name, row.server.slug, taken) == name:
            return _offered(admitted, name, row)
    if len(name) < LONGEST and "_tool" not in name:
        return None
    for key, other, slug in _rows(admitted).values_list("pk", "name", "server__slug"):
        if _called(admitted, other, slug, taken) == name:
            return _offered(admitted, name, rows.get(pk=key))
    return None


def _rows(admitted: Admitted) -> QuerySet[Tool]:
    return _offering(things(admitted, Tool))


def _offering(rows: QuerySet[Tool], *others: str) -> QuerySet[Tool]:
    return rows.filter(enabled=True).select_related("server", *others)


def _called(admitted: Admitted, name: str, server: str, taken: Collection[str]) -> str:
    return free(joined(server, name) if admitted.toolkit is not None else name, taken, "tool")


def _offered(admitted: Admitted, name: str, row: Tool) -> Offered:
    return Offered(
        tool=_tool(name, row),
        call=lambda arguments: _call(admitted, row, arguments),
        patient=admitted.caller.may_call,
    )


def _tool(name: str, row: Tool) -> types.Tool:
    return types.Tool(
        name=name,
        title=row.title or None,
        description=row.description.strip() or f"{row.method} {row.path} of {row.provider.name}.",
        input_schema=_schema(row),
        annotations=_annotations(row),
    )


def _annotations(row: Tool) -> types.ToolAnnotations | None:
    """What was said of it; clients take the worst of what was not."""
    said = (row.read_only, row.destructive, row.idempotent, row.open_world)
    if said == (None, None, None, None):
        return None
    read_only, destructive, idempotent, open_world = said
    return types.ToolAnnotations(
        read_only_hint=read_only,
        destructive_hint=destructive,
        idempotent_hint=idempotent,
        open_world_hint=open_world,
    )


def _schema(row: Tool) -> dict[str, Any]:
    """Without marks for headers where one is wrong: clients have to drop a tool that has such a mark."""
    schema = calls.input_schema(row)
    if find_invalid_x_mcp_header(schema) is None:
        return schema
    without: dict[str, Any] = _without_marks(schema)
    return without


def _without_marks(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_marks(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: value for name, value in schema.items() if name != X_MCP_HEADER_KEY}
    return {name: _without_marks_in(name, value) for name, value in kept.items()}


def _without_marks_in(keyword: str, value: Any) -> Any:
    if keyword in _DATA:
        return value
    if keyword in _NAMED and isinstance(value, dict):
        return {name: _without_marks(schema) for name, schema in value.items()}
    return _without_marks(value)


# -- calling -----------------------------------------------------------------------------------------------------------


def _call(admitted: Admitted, row: Tool, arguments: dict[str, Any]) -> types.CallToolResult:
    if not admitted.caller.may_call:
        return _refused(admitted)
    try:
        result = calls.call_tool(row, arguments)
    except calls.CallError as error:
        admitted.trace.code = error.code
        return _told(str(error), is_error=True)
    if result.is_error:
        admitted.trace.code = str(result.status)
        return _told(_failure(row.provider.name, result), *_body(result), is_error=True)
    if medium := media.shown(result.data):
        return types.CallToolResult(content=[medium])
    told = _told(*(_body(result) or [_without_body(row.provider.name, result)]))
    if isinstance(result.value, dict) and not _is_deep(result.value):
        told.structured_content = result.value
    return told


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return bool(level)


def _refused(admitted: Admitted) -> types.CallToolResult:
    admitted.trace.code = "may_not_call"
    why = "What you connected with may search and read here, and not call this tool. Connect with an API key or a "
    return _told(f"{why}consent that allows calling tools.", is_error=True)


def failure(provider: str, result: calls.CallResult) -> str:
    """What a provider answered that did not do what it was asked, as a sentence without anything of its body."""
    said = f"{provider} answered with an error: HTTP {_status(result.status)}."
    if result.status in (401, 403):
        return f"{said} It did not take the credentials of this server, or they do not allow this."
    wait = next((value for name, value in result.headers if name.lower() == "retry-after"), "").strip()
    return f"{said} It says when to try again: {_time(wait)}." if _time(wait) else said


def _time(wait: str) -> str:
    """Seconds, or a date (RFC 9110, 10.2.3); "" for anything else that stands there."""
    if wait.isdecimal() and len(wait) < 9:
        return f"{int(wait):,} seconds"
    try:
        return f"{parsedate_to_datetime(wait):%Y-%m-%d %H:%M:%S %Z}"
    except (TypeError, ValueError, OverflowError):
        return ""


def _failure(provider: str, result: calls.CallResult) -> str:
    return failure(provider, result) + (" What it said follows." if result.text else "")


def _body(result: calls.CallResult) -> list[str]:
    if not result.text:
        return []
    more = "\nAsk for less with the tool's arguments, such as a page or a filter." if result.cut else ""
    return [result.text + more]


def _without_body(provider: str, result: calls.CallResult) -> str:
    """The headers are all that an answer to HEAD says, and much of what a 201 does."""
    lines = [f"{name}: {value}" for name, value in result.headers[:_SHOWN_HEADERS]]
    return "\n".join([f"{provider} answered HTTP {_status(result.status)}, without a body.", *lines])


def _status(status: int) -> str:
    try:
        return f"{status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return str(status)


def _told(*texts: str, is_error: bool = False) -> types.CallToolResult:
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=each) for each in texts], is_error=is_error
    )
