"""What a document names of others, and what of that is not there."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from catalog.checking.json_text import places_of, pointer_to
from catalog.portable.model import Code, Kind, Problem, Reference

MOST_MISSING = 100
_CHOSEN = {"tools": "tool", "prompts": "prompt", "resources": "resource"}
_LISTS: Mapping[Kind, Mapping[str, str]] = {
    Kind.SERVER: {"commands": "command", "skills": "skill"},
    Kind.TOOLKIT: {"commands": "command", "skills": "skill"},
    Kind.CLIENT: {"servers": "server", "toolkits": "toolkit"},
}


@dataclass(frozen=True, slots=True)
class Offered:
    """What a server has."""

    tools: Collection[str] = frozenset()
    prompts: Collection[str] = frozenset()
    resources: Collection[str] = frozenset()
    """URIs."""


@dataclass(frozen=True, slots=True)
class There:
    """What an organisation has, by slugs; all but servers are the organisation's own, not a member's."""

    servers: Mapping[str, Offered] = field(default_factory=dict)
    commands: Collection[str] = frozenset()
    skills: Collection[str] = frozenset()
    toolkits: Collection[str] = frozenset()


def offered(server: Mapping[str, Any]) -> Offered:
    """What the document of a server offers."""
    found: dict[str, set[str]] = {name: set() for name in _CHOSEN}
    for provider in server.get("providers", []):
        for name, things in found.items():
            things |= {each["uri" if name == "resources" else "name"] for each in provider.get(name, [])}
    return Offered(found["tools"], found["prompts"], found["resources"])


def of(kind: Kind, document: Mapping[str, Any]) -> tuple[Reference, ...]:
    """All that a document, or a file that its schema takes, refers to."""
    return tuple(_of(kind, document))


def _of(kind: Kind, document: Mapping[str, Any]) -> Iterator[Reference]:
    if kind is Kind.TOOLKIT:
        for slug, chosen in document.get("servers", {}).items():
            yield Reference("server", slug, pointer_to(["servers", slug]))
            for member, what in _CHOSEN.items():
                for at, name in enumerate(chosen.get(member, [])):
                    yield Reference(what, name, pointer_to(["servers", slug, member, at]), slug)
    for member, what in _LISTS.get(kind, {}).items():
        for at, name in enumerate(document.get(member, [])):
            yield Reference(what, name, pointer_to([member, at]))


def check(
    kind: Kind, document: Mapping[str, Any], path: str, there: There, text: str | None = None
) -> tuple[Problem, ...]:
    """A problem for each thing that is named and not there, at most MOST_MISSING; with the file's `text` (one that was
    read without a problem) also its line and column."""
    missing = list(islice((each for each in of(kind, document) if not _is_there(each, there)), MOST_MISSING))
    if not missing:
        return ()
    pointers = {_key(each): each.pointer for each in missing}
    places: Mapping[str, tuple[int, int]] = {}
    if text is not None:
        text = text.removeprefix("\ufeff")
        # Lists of names are sorted in a document, and stand in the file as people wrote them.
        pointers |= {_key(each): each.pointer for each in of(kind, json.loads(text)) if _key(each) in pointers}
        places = places_of(text, pointers.values())
    found = [_problem(each, path, pointers[_key(each)], places, there) for each in missing]
    return tuple(sorted(found, key=lambda each: (each.line, each.column)))


def _key(reference: Reference) -> tuple[str, str, str]:
    return reference.kind, reference.server, reference.name


def _is_there(reference: Reference, there: There) -> bool:
    if reference.server:
        # Of a server that is missing, its own problem says enough.
        server = there.servers.get(reference.server)
        return server is None or reference.name in getattr(server, f"{reference.kind}s")
    found: Collection[str] = getattr(there, f"{reference.kind}s")
    return reference.name in found


def _problem(
    reference: Reference, path: str, pointer: str, places: Mapping[str, tuple[int, int]], there: There
) -> Problem:
    name = reference.name
    if reference.server:
        has = sorted(getattr(there.servers[reference.server], f"{reference.kind}s"))
        near = f" It has {', '.join(has[:5])}{' …' if len(has) > 5 else ''}." if has else ""
        code, text = Code.MISSING_TOOL, f"The MCP server “{reference.server}” has no {reference.kind} “{name}”.{near}"
    elif reference.kind == "server":
        code, text = Code.MISSING_INTEGRATION, f"There is no MCP server “{name}”."
    else:
        code, text = Code.MISSING_ENTITY, f"There is no {reference.kind} “{name}”."
    return Problem(code, text, path, *places.get(pointer, (0, 0)), fields=(name,))
