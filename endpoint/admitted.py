"""Who asks, for what, and what is noted of it: what every part of the endpoint is handed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any, Literal

from catalog.models import Server, Toolkit, Version
from endpoint.models import Setup
from orgs.models import Organization

Outcome = Literal["ok", "tool_error", "error", "refused", "limited"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: nobody known, a key, or a person (by OAuth, or in the pages)."""

    kind: Literal["anonymous", "key", "person"]
    name: str
    """For the log: the key's name, the person's address, or “anonymous”."""
    limited_as: str
    """What its rate limit is counted under."""
    may_call: bool
    """Whether it may call the tools that reach upstream APIs, of the providers that it is offered."""
    key_id: uuid.UUID | None = None
    user_id: uuid.UUID | None = None
    client: str = ""
    """The OAuth client's name."""

    @property
    def known(self) -> bool:
        """It holds a key or is a member: it is offered private providers, too."""
        return self.kind != "anonymous"


@dataclass(slots=True)
class Trace:
    """What the request log is told of one request; filled in on its way."""

    method: str = ""
    """Of JSON-RPC, such as tools/call."""
    subject: str = ""
    """The tool's or prompt's name, or the resource's URI."""
    arguments: Any = None
    client: str = ""
    """Name and version that the client says of itself, or its User-Agent."""
    query: str = ""
    """What was searched for, and how much was found."""
    found: int | None = None
    outcome: Outcome = "ok"
    code: str = ""
    """Of an error: JSON-RPC's number, HTTP's status, or a word of `catalog.calls.CallError`."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may be answered. Exactly one of `server` and `toolkit` is set."""

    organization: Organization
    caller: Caller
    setup: Setup
    """Saved or not: without a row it is the defaults."""
    server: Server | None = None
    toolkit: Toolkit | None = None
    version: Version | None = None
    """Of the server's content; None for the live content."""
    pinned: bool = False
    """The client chose the version."""
    trace: Trace = field(default_factory=Trace)

    @property
    def target(self) -> Server | Toolkit:
        found = self.server or self.toolkit
        assert found is not None  # noqa: S101  # one of the two is set
        return found


@dataclass(frozen=True, slots=True)
class Parties:
    """Who asked whom, for the request log."""

    organization_id: uuid.UUID | None = None
    server_id: uuid.UUID | None = None
    toolkit_id: uuid.UUID | None = None
    caller: str = ""
    key_id: uuid.UUID | None = None

    @classmethod
    def of(cls, admitted: Admitted) -> Parties:
        server, toolkit, caller = admitted.server, admitted.toolkit, admitted.caller
        return cls(
            organization_id=admitted.organization.pk,
            server_id=server.pk if server else None,
            toolkit_id=toolkit.pk if toolkit else None,
            caller=caller.name,
            key_id=caller.key_id,
        )


class Refused(Exception):
    """A request that is not answered: an HTTP status and a JSON-RPC error. `str(error)` is a sentence."""

    def __init__(
        self, sentence: str, *, status: int, code: int = -32000, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.headers = headers or {}
        self.parties = Parties()
        """Where they are known: of what is over a limit."""
