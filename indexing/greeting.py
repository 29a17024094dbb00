"""Whether an address is an MCP server's: it is greeted as one, and listened to for one answer. No Django.

https://modelcontextprotocol.io/specification/2025-06-18/basic/transports#streamable-http
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import requests

from forges.clients.transport import USER_AGENT
from lib import egress

PROTOCOL = "2025-06-18"
MAX_BYTES = 256 << 10
"""Of its answer; instructions of servers can be long."""
_HEADERS = {"Accept": "application/json, text/event-stream", "User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
_HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": PROTOCOL,
        "capabilities": {},
        "clientInfo": {"name": "Millrace", "version": "1"},
    },
}


@dataclass(frozen=True, slots=True)
class Greeted:
    """An MCP server answered."""

    name: str = ""
    """What it calls itself."""
    private: bool = False
    """Whether it wants a token."""


def greet(url: str, *, policy: egress.Policy, seconds: float, by_its_looks: bool = False) -> Greeted | None:
    """None for what is no MCP server. With `by_its_looks` the address itself says that it is one, and a mere demand for
    a bearer token is believed; any other has to say that it is a protected resource (RFC 9728).

    Raises what requests and lib.egress do where there was no answer.
    """
    with egress.GuardedSession(policy, timeout=seconds, total_timeout=seconds, max_bytes=MAX_BYTES) as session:
        with session.post(url, json=_HELLO, headers=_HEADERS, stream=True) as response:
            challenge = response.headers.get("WWW-Authenticate", "")
            if response.status_code == 401:
                wants = challenge[:7].lower() == "bearer " or challenge.lower() == "bearer"
                is_one = wants and (by_its_looks or "resource_metadata" in challenge)
                return Greeted(private=True) if is_one else None
            if response.status_code != 200:
                return None
            answer = _answer_in(response)
            session_id = response.headers.get("Mcp-Session-Id", "")
        if answer is None:
            return None
        if session_id:
            # It keeps something for us, which nobody will come back for.
            with suppress(requests.RequestException, egress.EgressError):
                session.delete(url, headers={"Mcp-Session-Id": session_id, "User-Agent": USER_AGENT})
    return Greeted(name=_name_in(answer))


def _answer_in(response: requests.Response) -> Mapping[str, Any] | None:
    """The result of `initialize`; None for anything else."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return _result_in(b"".join(egress.iter_body(response, max_bytes=MAX_BYTES)))
    if kind == "text/event-stream":
        return next(filter(None, map(_result_in, _events_in(response))), None)
    return None


def _events_in(response: requests.Response) -> Iterator[bytes]:
    """The data of each event; a stream may go on for ever, so one is not waited for to its end."""
    rest = b""
    data: list[bytes] = []
    for piece in egress.iter_body(response, max_bytes=MAX_BYTES, chunk_size=1):
        rest += piece
        if not rest.endswith(b"\n"):
            continue
        line, rest = rest.rstrip(b"\r\n"), b""
        if line.startswith(b"data:"):
            data.append(line.removeprefix(b"data:").removeprefix(b" "))
        elif not line and data:
            yield b"\n".join(data)
            data = []


def _result_in(body: bytes) -> Mapping[str, Any] | None:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        return None
    result = message.get("result")
    if not isinstance(result, dict) or "protocolVersion" not in result:
        return None
    return result


def _name_in(result: Mapping[str, Any]) -> str:
    about = result.get("serverInfo")
    told = about if isinstance(about, dict) else {}
    name = next((told[key] for key in ("title", "name") if isinstance(told.get(key), str) and told[key]), "")
    return "".join(character for character in name if character.isprintable()).strip()[:200]
