"""The endpoint as clients reach it: uvicorn on a port of its own, in a thread of the tests' process.

`live` needs rows that other threads see: its tests run without a transaction around them. ::

    def test_it_answers(live: Live, acme: Organization) -> None:
        factories.server(acme, "Docs", slug="docs", visibility="public")
        reply = live.ask("/mcp/acme/docs", "tools/list")
        assert reply.result["tools"]

For the SDK's own client see `talk`. What a test changes in `settings` holds here, too.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx2
import pytest
import uvicorn
from django.core.cache import cache
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY, PROTOCOL_VERSION_META_KEY
from pytest_django import DjangoDbBlocker

from tests.databases import empty

HANDSHAKE = "2025-11-25"
MODERN = "2026-07-28"
ACCEPT = "application/json, text/event-stream"
NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}

T = TypeVar("T")
Served = tuple[str, asyncio.AbstractEventLoop]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of HTTP; `body` is None where it is not JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any
    text: str

    @property
    def result(self) -> Any:
        assert self.status == 200, self
        assert "result" in self.body, self.body
        return self.body["result"]

    @property
    def error(self) -> Any:
        assert "error" in (self.body or {}), self
        return self.body["error"]


@dataclass(frozen=True, slots=True)
class Live:
    url: str
    """`http://127.0.0.1:…`"""
    http: httpx2.Client = field(repr=False)
    loop: asyncio.AbstractEventLoop = field(repr=False)
    """The server's."""

    def ask(
        self,
        path: str,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        key: str = "",
        era: str = HANDSHAKE,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One message, in either revision of the protocol. `key` goes into the Authorization header."""
        return self.send(path, message(method, params, era=era), headers=heading(method, params, era, key, headers))

    def call(self, path: str, tool: str, arguments: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """The result of a tool."""
        return self.ask(path, "tools/call", {"name": tool, "arguments": dict(arguments or {})}, **options).result

    def send(self, path: str, body: Any, *, verb: str = "POST", headers: Mapping[str, str] | None = None) -> Reply:
        """Whatever a client may send; bytes as they are, anything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = self.http.request(verb, f"{self.url}{path}", content=content, headers=dict(headers or {}))
        try:
            found = answer.json()
        except ValueError:
            found = None
        return Reply(answer.status_code, answer.headers, found, answer.text)

    def talk(
        self, path: str, conversation: Callable[[Client], Awaitable[T]], *, era: str = HANDSHAKE, key: str = ""
    ) -> T:
        """What a conversation of the SDK's own client comes to."""

        async def talking() -> T:
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            async with httpx2.AsyncClient(headers=headers, timeout=30) as http:
                transport = streamable_http_client(f"{self.url}{path}", http_client=http)
                async with Client(transport, mode=mode_of(era)) as client:
                    return await conversation(client)

        return asyncio.run(talking())


def mode_of(era: str) -> Any:
    """How the SDK's client is told to speak a revision."""
    return "legacy" if era == HANDSHAKE else "auto"


def message(method: str, params: Mapping[str, Any] | None = None, *, era: str = HANDSHAKE, id: Any = 1) -> Any:  # noqa: A002
    """A request of JSON-RPC as a client of that revision writes it."""
    params = dict(params or {})
    if era == MODERN:
        params["_meta"] = {
            PROTOCOL_VERSION_META_KEY: MODERN,
            CLIENT_CAPABILITIES_META_KEY: {},
            CLIENT_INFO_META_KEY: {"name": "tests", "version": "1"},
            **params.get("_meta", {}),
        }
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}


def heading(
    method: str,
    params: Mapping[str, Any] | None = None,
    era: str = HANDSHAKE,
    key: str = "",
    headers: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Its headers."""
    made = {"Accept": ACCEPT, "Content-Type": "application/json", "MCP-Protocol-Version": era}
    if era == MODERN:
        made["Mcp-Method"] = method
        if method in NAMED:
            made["Mcp-Name"] = str((params or {}).get(NAMED[method], ""))
    if key:
        made["Authorization"] = f"Bearer {key}"
    return {**made, **(headers or {})}


@pytest.fixture(scope="session")
def _served() -> Iterator[Served]:
    from config.asgi import application

    loops: list[asyncio.AbstractEventLoop] = []

    # Connections of clients whose turn comes late on a busy machine are not closed meanwhile.
    options: dict[str, Any] = {"timeout_keep_alive": 75, "timeout_graceful_shutdown": 2}
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_level="warning", **options))

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        await server.serve()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "uvicorn did not come up"
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}", loops[0]
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def live(transactional_db: None, _served: Served) -> Iterator[Live]:
    """What a test asks. The request log is written at the end of each test, not in the middle of the next one."""
    from endpoint import recording

    cache.clear()  # what was asked in other tests counts for no limit here
    with httpx2.Client(timeout=30, trust_env=False) as http:
        yield Live(_served[0], http, _served[1])
    recording.flush()


@pytest.fixture(scope="module")
def standing(django_db_setup: None, django_db_blocker: DjangoDbBlocker, _served: Served) -> Iterator[Live]:
    """The same for all tests of a module that make no rows of their own: its database is emptied once, at the end."""
    from endpoint import recording

    cache.clear()
    with django_db_blocker.unblock(), httpx2.Client(timeout=30, trust_env=False) as http:
        yield Live(_served[0], http, _served[1])
        recording.flush()
        empty()
