"""What a body says, as far as refusals and the request log need it. Pure.

The SDK reads the body again. Of what it would refuse, or drop, only what needs a better sentence is refused here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import pydantic_core
from mcp_types import CLIENT_INFO_META_KEY, INVALID_REQUEST, PARSE_ERROR

_SUBJECTS = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_CLIENT_LENGTH = 120
_SUBJECT_LENGTH = 500
_METHOD_LENGTH = 100
MOST_VALUES = 20_000
"""Of JSON in one message. A million empty lists fit into its bytes, and everybody would wait for seconds while they are
checked; what a model or a person says has some dozens."""
_TEXTS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
"""Of JSON, also one that does not end: each byte is looked at once."""


class Unreadable(Exception):
    """A body that is no single message. `str(error)` is a sentence."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Message:
    """One message of JSON-RPC."""

    id: str | int | None
    """None for a notification."""
    method: str
    subject: str
    """The tool's or prompt's name, or the resource's URI."""
    arguments: Any
    client: str
    """Name and version that the client says of itself."""
    name: str
    """Of the tool that is called with arguments, as it was sent."""
    asked: str
    """The method as it was sent; `method` is for the log."""
    params: dict[str, Any] | None
    """As they were sent."""


def read(body: bytes) -> Message:
    """The message in a request's body. Raises Unreadable."""
    if _has_too_many_values(body):
        raise Unreadable(f"The message has more than {MOST_VALUES:,} values. Send less at a time.", INVALID_REQUEST)
    try:
        # The SDK's own parser: it stops at 200 levels, and at numbers of absurd length.
        found = pydantic_core.from_json(body)
    except ValueError as error:
        raise Unreadable(f"The body is not JSON: {error}.", PARSE_ERROR) from None
    if isinstance(found, list):
        raise Unreadable("The body is a batch. Send one message in each request.", INVALID_REQUEST)
    if not isinstance(found, dict):
        raise Unreadable("The body is not a message of JSON-RPC 2.0, which is an object.", INVALID_REQUEST)
    method, sent, said = found.get("method"), found.get("params"), found.get("id")
    if wrong := _wrong(found):
        raise Unreadable(f"The body is not a message of JSON-RPC 2.0: {wrong}.", INVALID_REQUEST)
    method = method if isinstance(method, str) else ""  # a reply has none
    params = sent if isinstance(sent, dict) else {}
    subject = params.get(_SUBJECTS.get(method, ""))
    subject = subject if isinstance(subject, str) else ""
    arguments = params.get("arguments")
    return Message(
        id=said,
        method=_printable(method, _METHOD_LENGTH),
        subject=_printable(subject, _SUBJECT_LENGTH),
        arguments=arguments,
        client=_client(params),
        name=subject if method == "tools/call" and arguments else "",
        asked=method,
        params=sent,
    )


def _has_too_many_values(body: bytes) -> bool:
    if _marks(body, 0, len(body)) <= MOST_VALUES:  # as it is mostly, with those in texts
        return False
    found = at = 0
    for number, text in enumerate(_TEXTS.finditer(body)):
        found += _marks(body, at, text.start())
        at = text.end()
        if found > MOST_VALUES or number > 2 * MOST_VALUES:  # a value has one name
            return True
    return found + _marks(body, at, len(body)) > MOST_VALUES


def _marks(body: bytes, start: int, end: int) -> int:
    """What begins a value, or parts it from the next one."""
    return sum(body.count(mark, start, end) for mark in (b",", b"[", b"{"))


def _wrong(found: dict[str, Any]) -> str:
    """What is wrong with it, "" for nothing."""
    if found.get("jsonrpc") != "2.0":
        return 'its member "jsonrpc" is not "2.0"'
    if "id" in found and (not isinstance(found["id"], str | int) or isinstance(found["id"], bool)):
        return 'its "id" is neither text nor a whole number'
    if not isinstance(found.get("method"), str) and not found.keys() & {"result", "error"}:
        return 'it has no "method"'
    if not isinstance(found.get("params", {}), dict):
        return 'its "params" are not an object'
    return ""


def refusal(sentence: str, *, code: int, of: str | int | None = None, data: Any = None) -> bytes:
    """The body of an answer that is an error."""
    error: dict[str, Any] = {"code": code, "message": sentence}
    if data is not None:
        error["data"] = data
    return json.dumps({"jsonrpc": "2.0", "id": of, "error": error}, separators=(",", ":")).encode()


def client_of(user_agent: str) -> str:
    """How a client is called that says nothing of itself but its User-Agent."""
    return _printable(user_agent, _CLIENT_LENGTH)


def _client(params: dict[str, Any]) -> str:
    meta = params.get("_meta")
    info = params.get("clientInfo") or (meta.get(CLIENT_INFO_META_KEY) if isinstance(meta, dict) else None)
    if not isinstance(info, dict):
        return ""
    parts = [part for part in (info.get("name"), info.get("version")) if isinstance(part, str)]
    return _printable(" ".join(parts), _CLIENT_LENGTH)


def _printable(text: str, most: int) -> str:
    """TEXT on one line, without what a terminal or a database would stumble over."""
    return "".join(each if each.isprintable() else " " for each in text[:most]).strip()
