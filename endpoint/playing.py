"""The Playground: what can be tried, and one request of a member through the same server as everybody's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from django.db import transaction
from django.http import HttpRequest

from catalog.calls import CallError, turn
from endpoint.admitted import Admitted, Trace
from endpoint.protocol import inside
from endpoint.serving import prompts, resources, tools
from orgs import audit
from orgs.models import Membership

PROTOCOL = "2025-11-25"
MOST_LISTED = 500
"""Of each kind: the rest is called by typing its name, which a client does, too."""
LONGEST_SHOWN = 40_000
"""Characters of a reply on a page."""

Kind = Literal["tool", "prompt", "resource"]
_METHODS: dict[Kind, str] = {"tool": "tools/call", "prompt": "prompts/get", "resource": "resources/read"}


@dataclass(frozen=True, slots=True)
class Thing:
    """What can be tried."""

    kind: Kind
    name: str
    """The resource's URI."""
    title: str
    description: str
    schema: dict[str, Any]
    """Of its arguments."""
    writes: bool = False
    """It may change something elsewhere."""
    destructive: bool = False
    """What it changes may be lost: people are asked before."""

    @property
    def value(self) -> str:
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it: a reply, or the sentence about why there is none."""

    request: str
    error: str = ""
    status: int = 0
    """HTTP's."""
    milliseconds: float = 0
    reply: str = ""
    left_out: int = 0
    """Characters of it that are not shown."""
    texts: tuple[str, ...] = ()
    """What a model reads of it."""
    word: str = "OK"
    tone: str = "ok"


def things(admitted: Admitted) -> dict[str, list[Thing]]:
    """All that is offered, under headings. Asks the database alone."""
    admitted = replace(admitted, trace=Trace())  # what is listed for the page is no part of what is asked later
    found: dict[str, list[Thing]] = {
        "Tools": [_tool(each) for each in _all(lambda cursor: tools.list_tools(admitted, cursor), "tools")],
        "Prompts": [_prompt(each) for each in _all(lambda cursor: prompts.list_prompts(admitted, cursor), "prompts")],
        "Resources": [
            resource(str(each.uri), each.title or each.name, each.description or "")
            for each in _all(lambda cursor: resources.list_resources(admitted, cursor), "resources")
        ],
    }
    return {heading: each for heading, each in found.items() if each}


def resource(uri: str, title: str = "", description: str = "") -> Thing:
    """One that is read, or another one whose URI somebody types: more than the list has can be read."""
    another = {"type": "string", "description": "Of another resource, listed or not.", "default": uri}
    schema = {"type": "object", "properties": {"uri": another}}
    return Thing("resource", uri, title or uri, description, schema)


def play(
    admitted: Admitted,
    thing: Thing,
    arguments: dict[str, Any],
    *,
    by: Membership,
    request: HttpRequest | None = None,
) -> Played:
    """Send one request, and wait for the reply. What may change something is in the audit log before it is sent."""
    message = {"jsonrpc": "2.0", "id": 1, "method": _METHODS[thing.kind], "params": _parameters(thing, arguments)}
    sent = _pretty(message)
    if thing.writes:
        with transaction.atomic():
            audit.record(
                "tool.played",
                organization=by.organization,
                actor=by.user,
                target=admitted.target,
                after={"tool": thing.name, "arguments": sorted(arguments)[:20]},
                request=request,
            )
    try:
        with turn():
            status, reply, milliseconds = inside.ask(admitted, message, protocol_version=PROTOCOL)
    except CallError as busy:
        return Played(sent, error=str(busy))
    shown = _pretty(reply) if reply is not None else ""
    word, tone = _judged(status, reply)
    return Played(
        request=sent,
        status=status,
        milliseconds=milliseconds,
        reply=shown[:LONGEST_SHOWN],
        left_out=max(0, len(shown) - LONGEST_SHOWN),
        texts=tuple(text[:LONGEST_SHOWN] for text in _texts(reply)),
        word=word,
        tone=tone,
    )


def _parameters(thing: Thing, arguments: dict[str, Any]) -> dict[str, Any]:
    if thing.kind == "resource":
        return {"uri": arguments.get("uri", thing.name)}
    return {"name": thing.name, "arguments": arguments}


def _all(page: Callable[[str | None], Any], name: str) -> Iterator[Any]:
    cursor: str | None = None
    left = MOST_LISTED
    while left > 0:
        result = page(cursor)
        found = getattr(result, name)[:left]
        yield from found
        left -= len(found)
        cursor = result.next_cursor
        if not cursor or not found:
            return


def _tool(tool: Any) -> Thing:
    """What a tool does not say of itself is as the protocol has it: it changes things, and destroys."""
    said = tool.annotations
    reads = bool(said and said.read_only_hint)
    kept = bool(said and said.destructive_hint is False)
    title = tool.title or tool.name
    return Thing("tool", tool.name, title, tool.description or "", tool.input_schema, not reads, not reads and not kept)


def _prompt(prompt: Any) -> Thing:
    named = prompt.arguments or []
    schema = {
        "type": "object",
        "properties": {each.name: {"type": "string", "description": each.description or ""} for each in named},
        "required": [each.name for each in named if each.required],
    }
    return Thing("prompt", prompt.name, prompt.title or prompt.name, prompt.description or "", schema)


def _judged(status: int, reply: dict[str, Any] | None) -> tuple[str, str]:
    """A word for what came of it, and its tone."""
    if reply is None or "error" in reply:
        code = (reply or {}).get("error", {}).get("code", status)
        return f"Error {code}", "error"
    if reply.get("result", {}).get("isError"):
        return "The tool tells of an error", "error"
    return ("OK", "ok") if status < 400 else (f"Error {status}", "error")


def _texts(reply: dict[str, Any] | None) -> Iterator[str]:
    """Those that are no JSON, which is easier to read in the reply itself."""
    result = (reply or {}).get("result", {})
    messages = [each.get("content", {}) for each in result.get("messages", ())]
    for part in [*result.get("content", ()), *messages, *result.get("contents", ())]:
        text = part.get("text") if isinstance(part, dict) else None
        if isinstance(text, str) and text and not _is_json(text):
            yield text


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def _pretty(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
