"""The tools of a server or toolkit: none yet."""

# ruff: noqa: ARG001

from __future__ import annotations

from typing import Any

import mcp_types as types
from mcp.shared.exceptions import MCPError

from endpoint.admitted import Admitted


def list_tools(admitted: Admitted, cursor: str | None) -> types.ListToolsResult:
    return types.ListToolsResult(tools=[])


def call_tool(admitted: Admitted, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
    raise MCPError(types.INVALID_PARAMS, "There is no tool with this name.")


def input_schema(admitted: Admitted, name: str) -> dict[str, Any] | None:
    return None


def is_patient(admitted: Admitted, name: str) -> bool:
    return False
