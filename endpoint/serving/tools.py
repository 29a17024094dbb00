"""The tools of a server or toolkit: the built-in ones, then those that were configured."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import mcp_types as types
from mcp.shared.exceptions import MCPError

from endpoint.admitted import Admitted
from endpoint.serving import built_in, configured, paging
from endpoint.serving.offered import Offered
from endpoint.serving.uris import is_storable, shown

PAGE = 250
PAGE_CHARACTERS = 2_000_000
"""Of the schemas in one page of the list, about: one schema can have 300,000."""
_BATCH = 50
_BUILT_IN, _CONFIGURED = "built-in", "configured"


def list_tools(admitted: Admitted, cursor: str | None) -> types.ListToolsResult:
    """So many at a time: the built-in ones, then the others by name. Raises BadCursor."""
    listed = f"tools {admitted.target.pk}"
    position = paging.read(cursor, listed, length=2)
    found: list[types.Tool] = []
    characters = 0
    last: list[str] = []
    following = None
    for place, tool in _after(admitted, position):
        if len(found) == PAGE or characters > PAGE_CHARACTERS:
            following = paging.write(listed, last)
            break
        found.append(tool)
        characters += len(json.dumps(tool.input_schema))
        last = place
    admitted.trace.found = len(found)
    return types.ListToolsResult(tools=found, next_cursor=following)


def call_tool(admitted: Admitted, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
    """What the tool says; whatever goes wrong on the way is a result, too, that says so. Raises MCPError for a name
    that no tool has."""
    return call(find(admitted, name), name, arguments)


def call(found: Offered | None, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
    """The same of a tool that was found by its name."""
    if found is None:
        raise MCPError(types.INVALID_PARAMS, f"There is no tool “{shown(name)}” here. tools/list says what there is.")
    return found.call(arguments)


def input_schema(admitted: Admitted, name: str) -> dict[str, Any] | None:
    """None for a name that no tool has."""
    found = find(admitted, name)
    return found.tool.input_schema if found is not None else None


def is_patient(admitted: Admitted, name: str) -> bool:
    """Whether calling it may wait for others."""
    found = find(admitted, name)
    return found is not None and found.patient


def find(admitted: Admitted, name: str) -> Offered | None:
    """The tool of this name."""
    if not name or not is_storable(name):
        return None
    return built_in.find(admitted, name) or configured.find(admitted, name, built_in.names(admitted))


_Placed = tuple[list[str], types.Tool]
"""A tool, and the position after it."""


def _after(admitted: Admitted, position: list[str] | None) -> Iterator[_Placed]:
    part, last = position or (_BUILT_IN, "")
    own = built_in.listed(admitted)
    if part == _BUILT_IN:
        names = [tool.name for tool in own]
        for tool in own[names.index(last) + 1 if last in names else 0 :]:
            yield [_BUILT_IN, tool.name], tool
    taken = {tool.name for tool in own}
    few = configured.few(admitted, taken)
    if few is not None:
        yield from (([_CONFIGURED, tool.name], tool) for tool in few if part != _CONFIGURED or tool.name > last)
        return
    waiting = [each for each in configured.names(admitted, taken) if part != _CONFIGURED or each.name > last]
    for start in range(0, len(waiting), _BATCH):
        for each in configured.load(admitted, waiting[start : start + _BATCH]):
            yield [_CONFIGURED, each.tool.name], each.tool
