"""What comes in and goes out: requests, replies, and the log of both."""

from __future__ import annotations

import fnmatch
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


class Headers(Mapping[str, str]):
    """Header fields by name, whatever its case."""

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields: dict[str, tuple[str, str]] = {name.lower(): (name, value) for name, value in fields}

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()][1]

    def __setitem__(self, name: str, value: str) -> None:
        self._fields[name.lower()] = (name, value)

    def __delitem__(self, name: str) -> None:
        del self._fields[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return repr(dict(self))


@dataclass(slots=True)
class Request:
    method: str
    target: str
    """Path and query exactly as sent."""
    headers: Headers
    body: bytes = b""
    origin: str = ""
    """`http://host:port` that the client called."""
    prefix: str = ""
    """What stood before the API's own path, such as `/api/v3`."""
    path: str = ""
    """The API's own path, percent-decoded, without prefix: what routes, faults and the log's patterns look at."""
    query: dict[str, str] = field(default_factory=dict)
    status: int = 0
    """What was answered; 0 while it is being answered or where the connection was cut first."""
    stopping: threading.Event = field(default_factory=threading.Event, repr=False)
    """Set when the server closes: whoever waits on the way to a reply waits on it, see `pause`."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.target)
        self.path = self.path or unquote(parts.path)
        self.query = self.query or dict(parse_qsl(parts.query, keep_blank_values=True))

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def base(self) -> str:
        """What the addresses in a reply start with."""
        return self.origin + self.prefix

    def json(self) -> Any:
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        """The fields of a form-encoded body."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    def pause(self, seconds: float) -> None:
        """Wait; CutConnection where the server closes meanwhile, so that nothing outlives it."""
        if self.stopping.wait(seconds):
            raise CutConnection

    def matches(self, pattern: str) -> bool:
        """Whether `METHOD /path` matches a pattern such as `GET /repos/*/git/trees/*`; `*` is anything, slashes too.

        A pattern without a method matches all of them.
        """
        return fnmatch.fnmatchcase(self.line if " " in pattern else self.path, pattern)


@dataclass(slots=True)
class Reply:
    status: int = 200
    body: bytes | Iterator[bytes] = b""
    """Bytes (sent with their length), or pieces (sent chunked, length unknown)."""
    headers: Headers = field(default_factory=Headers)
    cut_after: int | None = None
    """Close the connection when so many bytes of the body were sent."""
    close: Callable[[], None] | None = None
    """Called when the body was sent, or could not be."""
    raw: Iterator[bytes] | None = None
    """All that is sent, status line and headers too, piece by piece, in place of the rest; then the line is cut."""

    @property
    def media_type(self) -> str:
        return self.headers.get("Content-Type", "").partition(";")[0].strip()

    def json(self) -> Any:
        assert isinstance(self.body, bytes)
        return json.loads(self.body)

    def replace_json(self, value: object) -> Reply:
        self.body = encode(value)
        return self


Proceed = Callable[[Request], Reply]
"""The rest of the way to the reply."""


class CutConnection(Exception):
    """Raised instead of replying: the connection is closed without a byte."""


def encode(value: object) -> bytes:
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()  # half a surrogate pair, which only an escape can say


def json_reply(value: object, status: int = 200, **headers: str) -> Reply:
    fields = [("Content-Type", "application/json; charset=utf-8")]
    return Reply(status, encode(value), Headers([*fields, *((k.replace("_", "-"), v) for k, v in headers.items())]))


def text_reply(text: str, status: int = 200, media_type: str = "text/plain") -> Reply:
    return Reply(status, text.encode(), Headers([("Content-Type", f"{media_type}; charset=utf-8")]))


class RequestLog:
    """Every request in the order of arrival."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[Request] = []

    def __iter__(self) -> Iterator[Request]:
        with self._lock:
            return iter(list(self._requests))

    def __len__(self) -> int:
        with self._lock:
            return len(self._requests)

    def __getitem__(self, index: int) -> Request:
        with self._lock:
            return self._requests[index]

    def __repr__(self) -> str:
        return "\n".join(f"{request.status} {request.line} {request.query}" for request in self)

    def append(self, request: Request) -> None:
        with self._lock:
            self._requests.append(request)

    def clear(self) -> None:
        with self._lock:
            self._requests.clear()

    def matching(self, pattern: str) -> list[Request]:
        """Those that match `METHOD /path`, see `Request.matches`."""
        return [request for request in self if request.matches(pattern)]

    def count(self, pattern: str = "*") -> int:
        return len(self.matching(pattern))
