"""The prompts of a server or toolkit: those that were configured, commands, and skills.

A prompt has the name that it was given, a command and a skill its slug. Where two are the same, the first of this order
keeps it, and the other has its kind behind it: `review_command`, `review_skill`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import mcp_types as types
from mcp.shared.exceptions import MCPError

from catalog.checking.prompts import fill
from catalog.models import Command, Prompt, Skill
from endpoint.admitted import Admitted
from endpoint.serving import paging, skills
from endpoint.serving.chosen import entities, things
from endpoint.serving.toolkits import free, joined
from endpoint.serving.uris import shown

PAGE = 250
LONGEST = 4_000_000
"""Characters of a prompt with its arguments: each can be filled in many times."""
_MODELS: Mapping[str, type[Prompt | Command | Skill]] = {"prompt": Prompt, "command": Command, "skill": Skill}


@dataclass(frozen=True, slots=True)
class _Named:
    name: str
    kind: Literal["prompt", "command", "skill"]
    key: uuid.UUID
    slug: str = ""
    """Of a skill, in its URIs."""


def list_prompts(admitted: Admitted, cursor: str | None) -> types.ListPromptsResult:
    """So many at a time, by name. Raises BadCursor."""
    listed = f"prompts {admitted.target.pk}"
    position = paging.read(cursor, listed, length=1)
    waiting = [each for each in _all(admitted) if position is None or each.name > position[0]]
    page = waiting[:PAGE]
    following = paging.write(listed, [page[-1].name]) if len(waiting) > PAGE else None
    rows = {key: row for kind in _MODELS for key, row in _rows(kind, page).items()}
    found = [_prompt(each, rows[each.key]) for each in page if each.key in rows]
    admitted.trace.found = len(found)
    return types.ListPromptsResult(prompts=found, next_cursor=following)


def get_prompt(admitted: Admitted, name: str, arguments: dict[str, str]) -> types.GetPromptResult:
    """Its messages, with the arguments filled in. Raises MCPError for a name that no prompt has, and for arguments that
    it does not take."""
    named = next((each for each in _all(admitted) if each.name == name), None)
    row = _rows(named.kind, [named]).get(named.key) if named is not None else None
    if named is None or row is None:
        raise MCPError(types.INVALID_PARAMS, f"There is no prompt “{shown(name)}” here. prompts/list says what is.")
    if wrong := _wrong(name, row, arguments):
        raise MCPError(types.INVALID_PARAMS, wrong)
    return types.GetPromptResult(description=row.description or None, messages=_messages(named, row, arguments))


def _all(admitted: Admitted) -> list[_Named]:
    """In the order of their names; three queries."""
    found: list[_Named] = []
    # A private provider's name stays taken for those who do not see it: what a command is called is the same for all.
    for key, name, server in things(admitted, Prompt, hidden=True).values_list("pk", "name", "server__slug"):
        found.append(_Named(joined(server, name) if admitted.toolkit is not None else name, "prompt", key))
    taken = {each.name for each in found}
    seen = set(things(admitted, Prompt).values_list("pk", flat=True)) if not admitted.caller.known else None
    found = [each for each in found if seen is None or each.key in seen]
    for kind in ("command", "skill"):
        rows = list(entities(admitted, _MODELS[kind]).values_list("pk", "slug", "owner"))  # type: ignore[type-var]
        called = skills.slugs(rows)
        named = [_Named(free(slug, taken, kind), kind, key, slug) for key, slug in called.items()]
        taken |= {each.name for each in named}
        found += named
    return sorted(found, key=lambda each: each.name)


def _rows(kind: str, wanted: Sequence[_Named]) -> dict[uuid.UUID, Any]:
    keys = [each.key for each in wanted if each.kind == kind]
    found: dict[uuid.UUID, Any] = _MODELS[kind]._default_manager.in_bulk(keys) if keys else {}
    return found


def _prompt(named: _Named, row: Prompt | Command | Skill) -> types.Prompt:
    arguments = [] if isinstance(row, Skill) else row.arguments
    return types.Prompt(
        name=named.name,
        title=(row.title if isinstance(row, Prompt) else row.name) or None,
        description=row.description or None,
        arguments=[
            types.PromptArgument(
                name=it["name"], description=it.get("description") or None, required=bool(it.get("required"))
            )
            for it in arguments
        ],
    )


def _messages(named: _Named, row: Prompt | Command | Skill, arguments: dict[str, str]) -> list[types.PromptMessage]:
    """Optional arguments that were not given are empty; a skill's text is nothing to be filled."""
    if isinstance(row, Skill):
        return [_message("user", skills.told(row, named.slug))]
    return [_message(role, fill(text, arguments)) for role, text in _texts(row)]


def _texts(row: Prompt | Command) -> list[tuple[Any, str]]:
    """By whom each is, and how it is written."""
    return [(it["role"], it["text"]) for it in row.messages] if isinstance(row, Prompt) else [("user", row.prompt)]


def _message(role: Any, text: str) -> types.PromptMessage:
    return types.PromptMessage(role=role, content=types.TextContent(type="text", text=text))


def _wrong(name: str, row: Prompt | Command | Skill, arguments: Mapping[str, str]) -> str:
    """What is wrong with the arguments, as a sentence that repeats no value; "" for nothing."""
    known = {} if isinstance(row, Skill) else {it["name"]: it for it in row.arguments}
    if unknown := [each for each in arguments if each not in known]:
        takes = f" It takes: {', '.join(known)}." if known else " It takes none."
        return f"The prompt {name} takes no argument “{shown(unknown[0])}”.{takes}"
    if missing := [each for each, it in known.items() if it.get("required") and not arguments.get(each)]:
        return f"The prompt {name} needs a value for: {', '.join(missing)}."
    longest = max(map(len, arguments.values()), default=0)
    texts = [] if isinstance(row, Skill) else [text for _, text in _texts(row)]
    if (
        sum(len(text) + text.count("{{") * longest for text in texts) > LONGEST
    ):  # before anything of that length is made
        return f"With these arguments the prompt could be longer than {LONGEST:,} characters. Give shorter ones."
    return ""
