"""A real MCP server of the official SDK on a loopback port, which counts requests and goes wrong on demand. ::

with McpServer({"search_docs": answer}, sse=True) as server:
    server.url        # http://127.0.0.1:…/mcp
    server.requests   # (method, JSON-RPC method or "", headers) of each
"""

from tests.mcp_server.server import McpServer, Seen, Tool

__all__ = ["McpServer", "Seen", "Tool"]
