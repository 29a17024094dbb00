"""A server of the SDK that knows its answers by heart: what the protocol itself costs. The bound.

    python -m bench.endpoints.bare PORT FILE

FILE holds, as JSON, the result of tools/list and those of tools, by name and arguments. Served as Millrace is: uvicorn,
JSON replies, no sessions.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import mcp_types as types
import uvicorn
from mcp.server.lowlevel import Server


def called(name: str, arguments: dict[str, Any]) -> str:
    """What a result is kept under."""
    return f"{name} {json.dumps(arguments, sort_keys=True)}"


def server(said: dict[str, Any]) -> Server[Any]:
    listed = types.ListToolsResult.model_validate(said["tools/list"])
    results = {call: types.CallToolResult.model_validate(result) for call, result in said["tools/call"].items()}

    async def list_tools(_context: Any, _params: Any) -> types.ListToolsResult:
        return listed

    async def call_tool(_context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        return results[called(params.name, params.arguments or {})]

    return Server("bare", on_list_tools=list_tools, on_call_tool=call_tool)


if __name__ == "__main__":
    app = server(json.loads(Path(sys.argv[2]).read_text())).streamable_http_app(json_response=True, stateless_http=True)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
