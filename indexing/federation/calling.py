"""One conversation with another MCP server, of either era of the protocol, by the official SDK. No Django.

https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http
https://modelcontextprotocol.io/specification/2026-07-28/basic/transports#streamable-http
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import anyio
import httpx2
import mcp_types as types
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from forges.clients.transport import USER_AGENT
from indexing.crawling.pacing import retry_after
from indexing.federation.guarded import GuardedTransport, session_of
from indexing.federation.model import Answer, Block, NoAnswer, Offered, SearchTool
from indexing.federation.tools import search_tool
from indexing.reasons import Reason
from lib.egress import AddressRefused, BodyTooLarge, EgressError, Policy

MAX_BYTES = 2 << 20
"""Of all that a server sends in one conversation; its list of tools may be long."""
MAX_LISTS = 5
"""Pages of that list."""
MAX_REDIRECTS = 3
"""Within its origin; others are not followed."""
_NONE = "No MCP server answers at this address."
_LATE = "The MCP server did not answer in time."

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Place:
    """A server, and with what it is asked."""

    url: str
    token: str
    policy: Policy


def find_tool(place: Place, *, wanted: str, seconds: float) -> SearchTool:
    """The tool that searches. Raises NoAnswer."""

    async def find(client: Client) -> SearchTool:
        return await _find(client, wanted)

    return _converse(place, find, protocol="", seconds=seconds)


def ask(
    place: Place, query: str, *, known: SearchTool | None, wanted: str, seconds: float
) -> tuple[Answer, SearchTool]:
    """What its tool answers, and which one it was. `known` is one that was found before: it is called at once, and
    looked for anew where that fails. Raises NoAnswer."""

    async def call(client: Client) -> tuple[Answer, SearchTool]:
        if known is not None:
            try:
                return await _call(client, known, query), known
            except MCPError:
                pass  # it may have another name by now, or take something else
        found = await _find(client, wanted)
        return await _call(client, found, query), found

    return _converse(place, call, protocol=known.protocol if known else "", seconds=seconds)


# -- the conversation --------------------------------------------------------------------------------------------------


def _converse(place: Place, say: Callable[[Client], Awaitable[Result]], *, protocol: str, seconds: float) -> Result:
    # What is known of an older server does not spare its greeting.
    mode = protocol if protocol in MODERN_PROTOCOL_VERSIONS else "legacy" if protocol else "auto"
    end = time.monotonic() + seconds
    heard: list[Result] = []
    with session_of(place.policy, end=end, user_agent=USER_AGENT) as session:
        transport = GuardedTransport(session, url=place.url, token=place.token, max_bytes=MAX_BYTES)

        async def main() -> None:
            with anyio.move_on_after(seconds):
                async with httpx2.AsyncClient(transport=transport, max_redirects=MAX_REDIRECTS) as http:
                    wire = streamable_http_client(place.url, http_client=http, max_sse_event_size=MAX_BYTES)
                    async with Client(wire, mode=mode, cache=None) as client:
                        heard.append(await say(client))

        try:
            anyio.run(main)
        except NoAnswer:
            raise
        except Exception as error:
            # What was heard counts, also where the leave-taking failed.
            if not heard:
                raise _why(error, transport) from error
    if not heard:
        raise NoAnswer(Reason.NETWORK, _LATE)
    return heard[0]


async def _find(client: Client, wanted: str) -> SearchTool:
    tools: list[Offered] = []
    cursor: str | None = None
    for _ in range(MAX_LISTS):
        page = await client.session.list_tools(params=types.PaginatedRequestParams(cursor=cursor))
        tools += map(_offered, page.tools)
        cursor = page.next_cursor
        if not cursor:
            break
    return replace(search_tool(tools, wanted=wanted), protocol=client.protocol_version)


def _offered(tool: types.Tool) -> Offered:
    notes = tool.annotations
    destructive = bool(notes and notes.destructive_hint and not notes.read_only_hint)
    return Offered(tool.name, tool.description or "", tool.input_schema, destructive=destructive)


async def _call(client: Client, tool: SearchTool, query: str) -> Answer:
    # Not by `call_tool`, which holds the answer against the server's own schema: its patterns could keep us for ever.
    params = types.CallToolRequestParams(name=tool.name, arguments={tool.argument: query})
    result = await client.session.send_request(types.CallToolRequest(params=params), types.CallToolResult)
    if result.is_error:
        raise NoAnswer(Reason.EMPTY, "Its tool answered with an error.")
    return Answer(result.structured_content, tuple(block for each in result.content if (block := _block(each))))


def _block(content: Any) -> Block | None:
    match content:
        case types.TextContent():
            return Block(content.text)
        case types.ResourceLink():
            return Block(content.description or content.name, content.title or content.name, content.uri)
        case types.EmbeddedResource(resource=types.TextResourceContents() as resource):
            return Block(resource.text, "", resource.uri)
    return None


# -- why not -----------------------------------------------------------------------------------------------------------


def _why(error: Exception, transport: GuardedTransport) -> NoAnswer:
    if (own := _own(error)) is not None:
        return own
    cause, status = transport.error, transport.status
    match cause:
        case AddressRefused():
            return NoAnswer(Reason.BLOCKED_ADDRESS, str(cause))
        case BodyTooLarge():
            return NoAnswer(Reason.TOO_LARGE, str(cause))
        case EgressError():
            return NoAnswer(Reason.NETWORK, str(cause))
        case Exception():
            return NoAnswer(Reason.NETWORK, "The MCP server could not be reached, or broke off its answer.")
    if status == 429 or (status in (403, 503) and "retry-after" in transport.headers):
        wait = retry_after(transport.headers.get("retry-after", ""))
        return NoAnswer(Reason.RATE_LIMITED, "The MCP server allows no more requests for now.", wait=wait)
    if status in (401, 403, 407):
        return NoAnswer(Reason.AUTH_REQUIRED, "The MCP server wants a token, or refuses the one it was sent.")
    if status is not None and status >= 500:
        return NoAnswer(Reason.NETWORK, f"The MCP server answered with {status}.")
    if status is not None and 300 <= status < 400:
        return NoAnswer(Reason.NOT_FOUND, "The address leads to another server. Enter the address that it leads to.")
    if status in (200, 202) and isinstance(error, MCPError):
        return NoAnswer(Reason.NETWORK, "The MCP server answered with an error.")
    return NoAnswer(Reason.NOT_FOUND, _NONE)


def _own(error: BaseException) -> NoAnswer | None:
    """Ours, from among what a group of tasks raised."""
    if isinstance(error, NoAnswer):
        return error
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return next((own for each in inner if (own := _own(each)) is not None), None)
