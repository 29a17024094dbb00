"""The tools that each server has from the beginning: search, fetch and list."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import mcp_types as types

from catalog.calls.validating import BadSchema, Checker, TooSlow
from endpoint.admitted import Admitted
from endpoint.serving import listing, reading, searching
from endpoint.serving.answers import Trouble, answer, trouble
from endpoint.serving.names import KINDS, Kind, Names, names_in, setup_of
from endpoint.serving.offered import Offered

_TITLES: dict[Kind, str] = {"search": "Search", "fetch": "Read a document", "list": "List files"}
_SCHEMAS: dict[Kind, tuple[dict[str, Any], dict[str, Any]]] = {
    "search": (searching.INPUT, searching.OUTPUT),
    "fetch": (reading.INPUT, reading.OUTPUT),
    "list": (listing.INPUT, listing.OUTPUT),
}
_DO: dict[Kind, Callable[[Admitted, dict[str, Any], Names], dict[str, Any]]] = {
    "search": searching.search,
    "fetch": reading.fetch,
    "list": listing.list_files,
}


_CHECKERS: dict[Kind, Checker] = {kind: Checker(given) for kind, (given, _) in _SCHEMAS.items()}
_NONE = Names("", "", "")


def listed(admitted: Admitted) -> list[types.Tool]:
    """Those that are switched on; of a toolkit none, unless it is set up to search contents."""
    known = _names(admitted)
    return [_tool_for(admitted, kind, known) for kind in KINDS if known.of(kind)]


def names(admitted: Admitted) -> list[str]:
    """What they are called: no other tool is."""
    known = _names(admitted)
    return [name for kind in KINDS if (name := known.of(kind))]


def find(admitted: Admitted, name: str) -> Offered | None:
    """The one that is called so. Of a search asks the database, once in some seconds, whether it has to wait."""
    known = _names(admitted)
    kind = next((kind for kind in KINDS if known.of(kind) == name), None)
    if kind is None or not name:
        return None
    return Offered(
        tool=_tool_for(admitted, kind, known),
        call=lambda arguments: _call(admitted, kind, known, arguments),
        patient=kind == "search" and searching.asks_others(admitted),
    )


def _names(admitted: Admitted) -> Names:
    if admitted.toolkit is not None and not admitted.setup.search_contents:
        return _NONE
    return names_in(admitted.setup.built_in)


def _call(admitted: Admitted, kind: Kind, names: Names, arguments: dict[str, Any]) -> types.CallToolResult:
    if wrong := _wrong(kind, arguments):
        admitted.trace.code = "bad_arguments"
        return trouble(wrong)
    try:
        return answer(_DO[kind](admitted, _whole(arguments), names))
    except Trouble as error:
        return trouble(str(error))


def _whole(arguments: dict[str, Any]) -> dict[str, Any]:
    """With 5 for 5.0, which is an integer to JSON Schema and none to Python. Only integers are numbers here."""
    return {name: int(value) if isinstance(value, float) else value for name, value in arguments.items()}


def _wrong(kind: Kind, arguments: dict[str, Any]) -> str:
    """What is wrong with arguments, in sentences that repeat no value; "" for nothing."""
    try:
        return " ".join(_CHECKERS[kind].problems(arguments))
    except BadSchema:  # the schemas are good
        return "The arguments are nested too deeply."
    except TooSlow:
        return "It takes too long to check the arguments. Give shorter ones."


def _tool_for(admitted: Admitted, kind: Kind, names: Names) -> types.Tool:
    own = setup_of(admitted.setup.built_in, kind).get("description")
    described = own if isinstance(own, str) and own.strip() else ""
    return _tool(kind, names, described or _description(kind, names, admitted.target.name, admitted.toolkit is None))


@lru_cache(maxsize=1_000)
def _tool(kind: Kind, names: Names, description: str) -> types.Tool:
    """To be read only: it is shared."""
    given, told = _SCHEMAS[kind]
    return types.Tool(
        name=names.of(kind),
        title=_TITLES[kind],
        description=description,
        input_schema=given,
        output_schema=told,
        annotations=types.ToolAnnotations(
            title=_TITLES[kind],
            read_only_hint=True,
            destructive_hint=False,
            idempotent_hint=True,
            # A search also asks other servers, which a server's sources can be.
            open_world_hint=kind == "search",
        ),
    )


def _description(kind: Kind, names: Names, target: str, is_server: bool) -> str:
    whose = f"“{target}”"
    of_many = "" if is_server else " A path begins with the server that the file is on."
    if kind == "search":
        reading_on = f" To read a document whole, call {names.fetch} with a result's id." if names.fetch else ""
        return (
            f"Search the documents of {whose}: its files, and the web sites and repositories that it has indexed. "
            "Gives the best passages, each with its title, headings, an excerpt and a citation: path or URL, and for "
            f"what comes from a repository its commit and lines.{reading_on}{of_many}"
        )
    if kind == "fetch":
        ids = f" by the id that {names.search} gave, or" if names.search else ""
        return (
            f"Read a document of {whose}{ids} by its path: all of it, some of its lines, or as much as fits "
            f"max_tokens. A long one comes in parts; each says how to go on.{of_many}"
        )
    instead = f" To find something in them, call {names.search}." if names.search else ""
    return f"List the files and folders of {whose}, with sizes, in the order of their paths.{instead}{of_many}"
