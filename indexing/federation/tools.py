"""Which tool of a server searches, and what it calls the query. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from indexing.federation.model import NoAnswer, Offered, SearchTool
from indexing.reasons import Reason

ARGUMENTS = (
    "query",
    "q",
    "question",
    "search_query",
    "searchquery",
    "search",
    "search_term",
    "text",
    "prompt",
    "terms",
)
"""What tools call the words to look for, the usual first."""
_SEARCHES = re.compile(r"search|(?<![a-z])(?:find|query|lookup|ask)(?![a-z])", re.IGNORECASE)
_LOOKED_AT = 2000
"""Characters of a description."""
_NAMED = 12
"""Tools whose names a sentence has."""
_UNSHOWN = re.compile(r"[^\w.:/-]+")


def search_tool(tools: Sequence[Offered], *, wanted: str = "") -> SearchTool:
    """`wanted` is the one that somebody chose, "" for the likeliest: of those that say in their name, or else in their
    description, that they search, and need nothing but one text. Raises NoAnswer (EMPTY) with what there is instead.
    """
    if wanted:
        chosen = next((tool for tool in tools if tool.name == wanted), None)
        if chosen is None:
            raise NoAnswer(Reason.EMPTY, f"It has no tool “{shown(wanted)}”. {_others(tools)}")
        argument = _argument(chosen.schema)
        if not argument:
            raise NoAnswer(Reason.EMPTY, f"Its tool “{shown(wanted)}” takes more than a text to look for.")
        return SearchTool(chosen.name, argument)
    likely = sorted(
        (
            (place, ARGUMENTS.index(argument.lower()) if argument.lower() in ARGUMENTS else len(ARGUMENTS), tool.name)
            for tool in tools
            if not tool.destructive and (argument := _argument(tool.schema)) and (place := _place(tool)) is not None
        ),
    )
    if not likely:
        raise NoAnswer(Reason.EMPTY, f"It has no tool that searches by a text alone. {_others(tools)}")
    best = next(tool for tool in tools if tool.name == likely[0][2])
    return SearchTool(best.name, _argument(best.schema))


def shown(name: str) -> str:
    """A name fit for a sentence."""
    return _UNSHOWN.sub("…", name)[:64]


def _place(tool: Offered) -> int | None:
    """The likelier the lower; None for what does not say that it searches."""
    if "search" in tool.name.lower():
        return 0
    if _SEARCHES.search(tool.name.replace("_", " ")):
        return 1
    return 2 if "search" in tool.description[:_LOOKED_AT].lower() else None


def _argument(schema: Mapping[str, Any]) -> str:
    """What has to be a text and is the only thing that has to be there; "" where there is no such."""
    properties, required = schema.get("properties"), schema.get("required", [])
    if not isinstance(properties, Mapping) or not isinstance(required, list):
        return ""
    texts = [name for name, about in properties.items() if isinstance(name, str) and _is_text(about)]
    if required:
        return required[0] if len(required) == 1 and required[0] in texts else ""
    by_name = {name.lower(): name for name in texts}
    return next((by_name[name] for name in ARGUMENTS if name in by_name), "")


def _is_text(about: object) -> bool:
    if not isinstance(about, Mapping):
        return False
    kind = about.get("type")
    return (kind == "string" or (isinstance(kind, list) and "string" in kind)) and "enum" not in about


def _others(tools: Sequence[Offered]) -> str:
    if not tools:
        return "It offers no tools."
    names = ", ".join(shown(tool.name) for tool in tools[:_NAMED])
    more = f" and {len(tools) - _NAMED} more" if len(tools) > _NAMED else ""
    return f"It offers {names}{more}."
