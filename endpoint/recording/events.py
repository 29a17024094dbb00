"""What is noted of one request. Pure."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from catalog.calls.results import MASK
from catalog.checking.headers import carries_credentials

LONGEST_ARGUMENTS = 4_000
"""Characters of JSON that are kept of what a tool was called with."""
_LARGEST = 64 << 10
"""Bytes of a request whose arguments are looked at: the server's event loop waits meanwhile."""
_DEEPEST = 20
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")

METHODS = frozenset(
    {
        "completion/complete",
        "initialize",
        "logging/setLevel",
        "notifications/cancelled",
        "notifications/initialized",
        "ping",
        "prompts/get",
        "prompts/list",
        "resources/list",
        "resources/read",
        "resources/subscribe",
        "resources/templates/list",
        "resources/unsubscribe",
        "server/discover",
        "subscriptions/listen",
        "tools/call",
        "tools/list",
        # Without MCP (endpoint/views/llms.py).
        "file",
        "llms-full.txt",
        "llms.txt",
    }
)
OTHER = "other"
"""What is counted of methods that there are not: anybody could make up as many as they like."""


@dataclass(frozen=True, slots=True)
class Event:
    """A request that was answered or refused. Without a server and toolkit it was for what does not exist, or nobody
    may know of: it is counted, and not logged."""

    organization_id: uuid.UUID | None
    server_id: uuid.UUID | None
    toolkit_id: uuid.UUID | None
    version: int | None
    at: datetime
    caller: str
    key_id: uuid.UUID | None
    client: str
    method: str
    subject: str
    arguments: Any
    """None unless the server says that they are logged (`Setup.log_arguments`)."""
    query: str
    found: int | None
    outcome: str
    """One of `endpoint.admitted.Outcome`."""
    code: str
    milliseconds: float
    bytes_in: int
    bytes_out: int

    @property
    def target(self) -> uuid.UUID | None:
        return self.server_id or self.toolkit_id

    @property
    def hour(self) -> datetime:
        return self.at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)

    @property
    def counted_method(self) -> str:
        return self.method if self.method in METHODS else OTHER

    @property
    def tool(self) -> str:
        """The tool that was called, "" where there is none with this name (that is an error of the protocol)."""
        return self.subject[:128] if self.method == "tools/call" and self.outcome in ("ok", "tool_error") else ""

    @property
    def answered(self) -> bool:
        """It got an answer that took work. What was turned away at the door says nothing of how fast answers are."""
        return self.outcome not in ("refused", "limited")


def cleaned(event: Event) -> Event:
    """As it can be stored: texts cut and without what databases refuse, arguments masked and as JSON text."""
    large = event.arguments is not None and event.bytes_in > _LARGEST
    return Event(
        organization_id=event.organization_id,
        server_id=event.server_id,
        toolkit_id=event.toolkit_id,
        version=event.version,
        at=event.at,
        caller=storable(event.caller, 254),
        key_id=event.key_id,
        client=storable(event.client, 120),
        method=storable(event.method, 80),
        subject=storable(event.subject, 500),
        arguments="(too large to keep)" if large else shown_arguments(event.arguments),
        query=storable(event.query, 2_000),
        found=event.found,
        outcome=event.outcome,
        code=storable(event.code, 40),
        milliseconds=min(max(event.milliseconds, 0.0), 1e9),
        bytes_in=min(max(event.bytes_in, 0), 2**31 - 1),
        bytes_out=min(max(event.bytes_out, 0), 2**31 - 1),
    )


def storable(text: str, longest: int) -> str:
    """Without NUL and lone surrogates, which PostgreSQL refuses, and cut with an ellipsis."""
    if len(text) <= longest and text.isascii() and text.isprintable():  # as most are
        return text
    text = _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text[: longest + 1])
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def shown_arguments(arguments: Any) -> str:
    """As JSON for the log; "" for None. What by its name is a credential is masked, wherever it stands."""
    if arguments is None:
        return ""
    try:
        text = json.dumps(_masked(arguments, 0), ensure_ascii=False, default=str)
    except (TypeError, ValueError):
        return "(not readable)"
    return storable(text, LONGEST_ARGUMENTS)


def _masked(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, dict):
        return {
            str(name): MASK if carries_credentials(str(name)) and item is not None else _masked(item, depth + 1)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_masked(item, depth + 1) for item in value]
    return value
