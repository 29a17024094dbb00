"""The server: tools of the low-level SDK server, uvicorn in a thread, and a layer that goes wrong."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import mcp_types as types
import uvicorn
from mcp.server.lowlevel import Server
from starlette.types import Message, Receive, Scope, Send

PLAIN: dict[str, Any] = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}


@dataclass
class Tool:
    answer: Callable[[dict[str, Any]], types.CallToolResult]
    schema: dict[str, Any] = field(default_factory=lambda: dict(PLAIN))
    description: str = "Looks for passages in the handbook."
    output: dict[str, Any] | None = None
    annotations: types.ToolAnnotations | None = None


@dataclass(frozen=True)
class Seen:
    verb: str
    method: str
    """Of the message, "" without one."""
    headers: Mapping[str, str]


class McpServer:
    """`sse` answers with streams of events; `era` "2025" knows no other than that of sessions. The rest can be changed
    while it runs: `token` is wanted, `delay` seconds go by before each answer (of `slow_method` alone, where that is
    set), `status` and `reply` are answered instead, `redirect` is where each request is sent.
    """

    def __init__(self, tools: Mapping[str, Tool], *, sse: bool = False, era: str = "", stateless: bool = False) -> None:
        self.tools = dict(tools)
        self.era = era
        self.token = ""
        self.delay = 0.0
        self.slow_method = ""
        self.status = 0
        self.reply: tuple[int, dict[str, str], bytes] | None = None
        self.redirect = ""
        self.requests: list[Seen] = []
        self._release = threading.Event()
        self._app = self._mcp().streamable_http_app(json_response=not sse, stateless_http=stateless)
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/mcp"
        config = uvicorn.Config(self._layer, interface="asgi3", log_config=None, timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def _mcp(self) -> Server[Any]:
        async def list_tools(_context: Any, _params: Any) -> types.ListToolsResult:
            return types.ListToolsResult(
                tools=[
                    types.Tool(
                        name=name,
                        description=tool.description,
                        input_schema=tool.schema,
                        output_schema=tool.output,
                        annotations=tool.annotations,
                    )
                    for name, tool in self.tools.items()
                ]
            )

        async def call_tool(_context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
            return self.tools[params.name].answer(params.arguments or {})

        return Server("handbook", on_list_tools=list_tools, on_call_tool=call_tool)

    # -- running -------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        for name in ("uvicorn.error", "uvicorn.access", "mcp.server", "mcp.shared"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._thread.start()
        end = time.monotonic() + 10
        while not self._server.started and time.monotonic() < end:
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self._release.set()
        self._server.should_exit = True
        self._thread.join(5)

    @property
    def methods(self) -> list[str]:
        return [seen.method or seen.verb for seen in self.requests]

    def reset(self) -> None:
        self.requests.clear()

    # -- going wrong ---------------------------------------------------------------------------------------------------

    async def _layer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        method = json.loads(body).get("method", "") if body else ""
        self.requests.append(Seen(scope["method"], method, headers))
        if self.delay and self.slow_method in ("", method or scope["method"]):
            end = time.monotonic() + self.delay
            while time.monotonic() < end and not self._release.is_set():
                await asyncio.sleep(0.02)
        if (instead := self._instead(method, headers)) is not None:
            status, told, answer = instead
            raw = [(name.encode(), value.encode()) for name, value in told.items()]
            await send({"type": "http.response.start", "status": status, "headers": raw})
            await send({"type": "http.response.body", "body": answer})
            return
        sent = False

        async def again() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, again, send)

    def _instead(self, method: str, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes] | None:
        if self.redirect:
            return 307, {"location": self.redirect}, b""
        if self.token and headers.get("authorization") != f"Bearer {self.token}":
            return 401, {"www-authenticate": "Bearer"}, b""
        if self.status:
            return self.status, {}, b"no"
        if self.reply is not None and method not in ("server/discover", "initialize", "notifications/initialized"):
            return self.reply
        if self.era == "2025" and (method == "server/discover" or headers.get("mcp-protocol-version", "") > "2026"):
            return 400, {"content-type": "text/plain"}, b"Bad Request: no session"
        return None
