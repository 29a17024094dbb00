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
import re
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
    data: bytes | None
    """The body where its type says that it is no text; None where it is one, is long, or may hold a secret."""
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
        self._written: set[str] = set()
        self._spelled: re.Pattern[str] | None = None
        for value in values:
            self.add(value)

    def add(self, value: str) -> None:
        if len(value) >= SHORTEST_SECRET:
            self._values.add(value)
            self._written |= {
                value,
                json.dumps(value)[1:-1],
                json.dumps(value, ensure_ascii=False)[1:-1],
                quote(value, safe=""),
                quote_plus(value),
                escape(value),
            }
            self._spelled = None

    def masked(self, text: str) -> str:
        """The text without them: exactly as they are, as JSON, URLs and HTML write them, and with any character written
        in one of these ways. The longest first, for one may be a part of another."""
        for value in sorted(self._written, key=len, reverse=True):
            text = text.replace(value, MASK)
        short = [value for value in self._values if len(value) <= _LONGEST_SPELLED]
        if short and any(mark in text for mark in _ESCAPING):
            if self._spelled is None:
                self._spelled = re.compile("|".join(map(_spelled, sorted(short, key=len, reverse=True))))
            text = self._spelled.sub(MASK, text)
        return text

    def may_be_in(self, data: bytes) -> bool:
        """Whether one of them is in bytes that are no text, as a text would hold it."""
        text = data.decode("utf-8", "surrogateescape")
        return self.masked(text) != text


_LONGEST_SPELLED = 1_000
"""Characters of a secret that is looked for in any spelling: the pattern of it takes a tenth of a second to make."""
_ESCAPING = ("\\", "%", "+", "&")
"""What begins a character that is written otherwise, each in its way."""


def _spelled(value: str) -> str:
    """A pattern of the value with any of its characters written otherwise. What was read as one stays so: to try each
    of them again would double the time with every character."""
    return "".join(f"(?>{'|'.join(_spellings(character))})" for character in value)


def _spellings(character: str) -> list[str]:
    """Patterns of one character, itself the last. The digits of a code are in whatever case."""
    code = ord(character)
    in_json = "".join(rf"\\u{unit:04x}" for unit in _units(character))
    in_url = "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    in_html = f"&#x0{{0,6}}{code:x};"
    named = [re.escape(each) for each in (escape(character), json.dumps(character)[1:-1]) if each != character]
    more = {" ": [r"\+"], "/": [r"\\/"], "'": ["&apos;"]}.get(character, [])
    return [*named, f"(?i:{in_json}|{in_url}|{in_html})", f"&#0{{0,6}}{code};", *more, re.escape(character)]


def _units(character: str) -> list[int]:
    """Of UTF-16, as JSON writes a character (RFC 8259, 7)."""
    encoded = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(encoded[at : at + 2], "big") for at in range(0, len(encoded), 2)]
