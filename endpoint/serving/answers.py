"""Answers of the built-in tools: the same as structured content and as JSON text, for clients that know one of them.

https://modelcontextprotocol.io/specification/2025-11-25/server/tools#structured-content
"""

from __future__ import annotations

from typing import Any

import mcp_types as types
import pydantic_core


class Trouble(Exception):
    """What was asked for cannot be had; the text is a sentence for the model, which can ask for something else."""


def answer(told: dict[str, Any]) -> types.CallToolResult:
    text = pydantic_core.to_json(told).decode()
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], structured_content=told)


def trouble(sentence: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=sentence)], is_error=True)


def without_empty(values: dict[str, Any]) -> dict[str, Any]:
    """Without what is None or empty: no model needs to read that there is nothing."""
    return {name: value for name, value in values.items() if value not in (None, "", [], {}, ())}
