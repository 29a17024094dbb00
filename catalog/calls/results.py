"""What a call came to: a result, or a sentence about why there is none.

The tree of errors::

    CallError
    ├── BadArguments    they do not fit the tool's schema              other arguments
    ├── Misconfigured   the tool, its provider or a variable is wrong  an editor of the server must act
    │   ├── SecretWithheld  a secret variable does not name the host   an editor of the server must act
    │   └── TokenRefused    OAuth2: the provider gave no access token  an editor of the server must act
    └── Failed          the provider did not answer as it should       again later
        ├── Refused     an address, a redirect or an answer that is not taken
        ├── OutOfTime   the time for the call is used up
        └── Busy        too many people try tools at this moment
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any, ClassVar
from urllib.parse import quote, quote_plus

MASK = "••••••"
SHORTEST_SECRET = 4
"""Characters: a shorter value is in every text, and hiding it would hide nothing but the text."""


@dataclass(frozen=True)
class Sent:
    """The request as it may be shown: secrets are masked."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """As it looks on the wire, but for the address, which is whole."""
        return "\n".join([f"{self.method} {self.url}", *(f"{name}: {value}" for name, value in self.headers)])


class CallError(Exception):
    """There is no result. `str(error)` is a sentence for a person or an agent: it holds no secret, no remote body and
    no argument's value."""

    code: ClassVar[str] = "call_failed"
    sent: Sent | None = None
    """The request that it is about, where it came to one."""


class BadArguments(CallError):
    code = "bad_arguments"


class Misconfigured(CallError):
    code = "misconfigured"


class SecretWithheld(Misconfigured):
    code = "secret_withheld"


class TokenRefused(Misconfigured):
    code = "token_refused"


class Failed(CallError):
    code = "provider_failed"


class Refused(Failed):
    code = "refused"


class OutOfTime(Failed):
    code = "out_of_time"


class Busy(Failed):
    code = "busy"


@dataclass(frozen=True)
class CallResult:
    """What the provider answered, errors of its own (`is_error`: 400 and above) included. Secrets are masked."""

    sent: Sent
    status: int
    headers: tuple[tuple[str, str], ...]
    """Those that tell something about the answer."""
    content_type: str
    text: str
    """The body for an agent: JSON in one line, another text as it came, or a sentence about bytes that are none."""
    value: Any
    """The body as JSON; None where it is none, or was cut."""
    size: int
    """Bytes of the body, unpacked."""
    cut: int
    """Characters that `text` left out, which its end says."""
    seconds: float
    tries: int

    @property
    def is_error(self) -> bool:
        return self.status >= 400


class Secrets:
    """The secret values that went into a call: what never comes back out of it."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values: set[str] = set()
        for value in values:
            self.add(value)

    def add(self, value: str) -> None:
        if len(value) >= SHORTEST_SECRET:
            self._values |= {
                value,
                json.dumps(value)[1:-1],
                json.dumps(value, ensure_ascii=False)[1:-1],
                quote(value, safe=""),
                quote_plus(value),
                escape(value),
            }

    def masked(self, text: str) -> str:
        """The text without them: exactly as they are, and as JSON, URLs and HTML write them. The longest first, for
        one may be a part of another."""
        for value in sorted(self._values, key=len, reverse=True):
            text = text.replace(value, MASK)
        return text
