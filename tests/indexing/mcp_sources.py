"""A real MCP server with a handbook, and a source of Acme's server `docs` that is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import mcp_types as types
import pytest

from catalog.models import Server
from indexing.models import Source
from tests import factories
from tests.mcp_server import McpServer, Tool

URL = "https://handbook.example.com/cats"


def answer(structured: Any = None, *texts: str, error: bool = False) -> types.CallToolResult:
    content: list[Any] = [types.TextContent(text=text) for text in texts]
    return types.CallToolResult(content=content, structured_content=structured, is_error=error)


def handbook(arguments: dict[str, Any]) -> types.CallToolResult:
    """One passage, which says what was asked."""
    found = [{"title": "Cats", "url": URL, "text": f"All about {arguments['query']}, and how they purr."}]
    return answer({"results": found})


@pytest.fixture
def mcp_server() -> Iterator[McpServer]:
    with McpServer({"search_handbook": Tool(handbook)}) as running:
        yield running


Add = Callable[..., Source]


@pytest.fixture
def asked(docs: Server, mcp_server: McpServer) -> Add:
    """Make a source of the MCP server; nothing is asked yet: `asked(name="Handbook")`."""

    def added(*, server: Server = docs, **fields: Any) -> Source:
        given = {"url": mcp_server.url, "name": "Handbook", **fields}
        return factories.source(server, Source.Kind.MCP, **given)

    return added
