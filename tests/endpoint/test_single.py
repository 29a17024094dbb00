"""Requests of the handshake revisions are answered as the SDK's own transport answers them: every client was tried
against it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
)
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from catalog.models import Provider
from endpoint.admitted import Trace
from endpoint.protocol import hosting, messages, single, threads
from endpoint.protocol.exchange import once
from tests import factories
from tests.endpoint.configured import admitted

CLIENT = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
TALE = {"text": "Gezeiten\u2028🌊 \x7f", "deep": [{"a": None, "b": 1.5, "c": float("inf")}], "empty": {}}
ASKED: dict[str, tuple[str, Any]] = {
    "initialize": ("initialize", CLIENT),
    "initialize in a revision of another time": ("initialize", {**CLIENT, "protocolVersion": "2031-01-01"}),
    "initialize without a client": ("initialize", {}),
    "ping": ("ping", None),
    "a list": ("tools/list", {}),
    "a list without params": ("tools/list", None),
    "a list from a cursor that is no text": ("tools/list", {"cursor": 7}),
    "a call": ("tools/call", {"name": "tell", "arguments": {"a": [1, "ü"]}}),
    "a call with a progress token": ("tools/call", {"name": "tell", "_meta": {"progressToken": "p"}}),
    "a call with odd metadata": ("tools/call", {"name": "tell", "_meta": {"progressToken": {}}}),
    "a call of nothing": ("tools/call", {}),
    "a call that is refused": ("tools/call", {"name": "refuse"}),
    "a method without a handler": ("prompts/list", {}),
    "a method that there is not": ("tides/list", {}),
    "a method of another revision": ("server/discover", {}),
}
IDS = (0, -1, 2**64, 10**4_000, "", " ", "\u2028🌊\x00", "7" * 10_000)
OF_OURS: list[tuple[str, Any]] = [
    ("tools/list", {"cursor": "nowhere"}),
    ("tools/call", {"name": "fetch", "arguments": {"path": "a.md"}}),
    ("tools/call", {"name": "fetch", "arguments": {"path": float("inf")}}),
    ("tools/call", {"name": "nothing", "arguments": {}}),
    ("resources/list", {}),
    ("resources/templates/list", {}),
    ("resources/read", {"uri": "docs://start"}),
    ("resources/read", {"uri": "millrace://docs/a.md"}),
    ("resources/read", {"uri": "millrace://docs/%00"}),
    ("resources/read", {"uri": 5}),
    ("prompts/list", {}),
    ("prompts/get", {"name": "greet", "arguments": {"unknown": "1"}}),
    ("prompts/get", {"name": "greet", "arguments": {"unknown": 1}}),
    ("prompts/get", {"name": "nothing"}),
    (
        "completion/complete",
        {"ref": {"type": "ref/resource", "uri": "millrace://docs/{+path}"}, "argument": {"name": "path", "value": ""}},
    ),
    ("completion/complete", {"ref": {"type": "other"}, "argument": {}}),
    ("logging/setLevel", {"level": "info"}),
]


def server() -> Server[Any]:
    async def list_tools(_: Any, params: PaginatedRequestParams | None) -> ListToolsResult:
        schema = {"type": "object", "properties": {"a": {}}}
        return ListToolsResult(tools=[Tool(name="tell", title="Tell", input_schema=schema)], next_cursor="on")

    async def call_tool(_: Any, params: CallToolRequestParams) -> CallToolResult:
        if params.name == "refuse":
            raise MCPError(-32001, "Not today.", {"because": "it rains"})
        told = {**TALE, "arguments": params.arguments}
        return CallToolResult(content=[TextContent(type="text", text=json.dumps(told))], structured_content=told)

    return Server("tides", title="Tides", version="3", on_list_tools=list_tools, on_call_tool=call_tool)


def _answers(
    body: bytes, revision: str, server: Callable[[], Server[Any]] = server
) -> tuple[tuple[int, Any], tuple[int, Any]]:
    """Status and JSON of the transport's answer, and of ours."""
    headers = {
        "host": "localhost",
        "content-type": "application/json",
        "accept": "application/json",
        "mcp-protocol-version": revision,
    }
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }

    async def both() -> tuple[tuple[int, Any], tuple[int, Any]]:
        theirs, ours = _Kept(), _Kept()
        manager = StreamableHTTPSessionManager(server(), json_response=True, stateless=True)
        async with manager.run():
            await manager.handle_request(scope, once(body), theirs)
        found = single.revision_of(scope)
        assert found == revision
        await single.answer(server(), messages.read(body), found, ours)
        return theirs.answer, ours.answer

    token = threads.here.set(True)
    try:
        return async_to_sync(both)()
    finally:
        threads.here.reset(token)


class _Kept:
    def __init__(self) -> None:
        self.sent: list[Any] = []

    async def __call__(self, sent: Any) -> None:
        self.sent.append(sent)

    @property
    def answer(self) -> tuple[int, Any]:
        body = b"".join(each.get("body", b"") for each in self.sent)
        headers = dict(self.sent[0]["headers"])
        assert headers[b"content-type"] == b"application/json"
        assert int(headers[b"content-length"]) == len(body)
        return self.sent[0]["status"], json.loads(body)


@pytest.mark.parametrize("revision", HANDSHAKE_PROTOCOL_VERSIONS)
@pytest.mark.parametrize("name", ASKED)
def test_the_answer_is_that_of_the_sdks_transport(name: str, revision: str) -> None:
    method, params = ASKED[name]
    message = {"jsonrpc": "2.0", "id": "7", "method": method, **({"params": params} if params is not None else {})}
    theirs, ours = _answers(json.dumps(message).encode(), revision)
    assert ours == theirs
    assert ours[1]["id"] == "7"


@pytest.mark.parametrize("revision", HANDSHAKE_PROTOCOL_VERSIONS)
def test_whatever_the_id_is_it_comes_back(revision: str) -> None:
    for given in IDS:
        for method in ("ping", "tides/list", "tools/list\x00", "notifications/initialized"):
            body = json.dumps({"jsonrpc": "2.0", "id": given, "method": method}).encode()
            theirs, ours = _answers(body, revision)
            assert ours == theirs
            assert ours[1]["id"] == given


@pytest.mark.parametrize("revision", HANDSHAKE_PROTOCOL_VERSIONS)
def test_what_we_serve_is_told_as_by_the_sdks_transport(weather: Provider, revision: str) -> None:
    factories.content(weather.server, "a.md", "# A\n\nHello\u2028 🌊 \x7f\n")
    factories.resource(weather, uri="docs://start", text="Start.")
    factories.prompt(weather, "greet")
    of = admitted(weather.server)
    for method, params in OF_OURS:
        body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).encode()
        theirs, ours = _answers(body, revision, lambda: hosting.server_of(replace(of, trace=Trace())))
        assert ours == theirs, method
        assert "reference" not in json.dumps(ours)


@pytest.mark.parametrize("said", [None, "2026-07-28", "2024-01-01", "nonsense"])
def test_other_revisions_are_the_sdks_to_answer_but_for_none_which_is_the_oldest_of_http(said: str | None) -> None:
    headers = [] if said is None else [(b"mcp-protocol-version", said.encode())]
    assert single.revision_of({"type": "http", "headers": headers}) == ("2025-03-26" if said is None else None)
