"""A tool tried by a person of a page: fewer at once, shorter, and in the audit log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from catalog.calls.calling import call_tool, turn
from catalog.calls.results import CallError, CallResult, Sent
from catalog.models import Tool
from orgs import audit
from orgs.models import User

SECONDS = 15.0
LONGEST_SHOWN = 20_000
"""Characters of a body on a page."""
MOST_NAMES = 20


@dataclass(frozen=True)
class Trial:
    """What came of it: a result, or the sentence about why there is none."""

    result: CallResult | None = None
    error: str = ""
    sent: Sent | None = None
    """None where nothing was sent."""
    body: str = ""
    """Of the result: JSON over several lines, or the text as it came; no longer than LONGEST_SHOWN."""
    left_out: int = 0
    """Characters of it that are not shown."""


def try_tool(*, tool: Tool, arguments: dict[str, Any], by: User, request: HttpRequest | None = None) -> Trial:
    """Call the tool for a person who waits. The event is written first: a call that never came back was made, too."""
    with transaction.atomic():
        audit.record(
            "tool.tried",
            organization=tool.server.organization,
            actor=by,
            target=tool,
            scope=tool.server,
            after={"method": tool.method, "arguments": _names(arguments)},
            request=request,
        )
    try:
        with turn():
            result = call_tool(tool, arguments, seconds=SECONDS)
    except CallError as error:
        return Trial(error=str(error), sent=error.sent)
    body = result.text if result.value is None else json.dumps(result.value, ensure_ascii=False, indent=2)
    return Trial(result, "", result.sent, body[:LONGEST_SHOWN], max(0, len(body) - LONGEST_SHOWN))


def _names(arguments: dict[str, Any]) -> list[str]:
    """The arguments without their values: `path.city`, `body.text`, or `body` alone where that is no object."""
    names = []
    for part, given in arguments.items():
        names += [f"{part}.{name}"[:80] for name in given] if isinstance(given, dict) and given else [part]
    return names[:MOST_NAMES]
