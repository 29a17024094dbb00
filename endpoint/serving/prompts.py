"""The prompts of a server or toolkit: none yet."""

# ruff: noqa: ARG001

from __future__ import annotations

import mcp_types as types
from mcp.shared.exceptions import MCPError

from endpoint.admitted import Admitted


def list_prompts(admitted: Admitted, cursor: str | None) -> types.ListPromptsResult:
    return types.ListPromptsResult(prompts=[])


def get_prompt(admitted: Admitted, name: str, arguments: dict[str, str]) -> types.GetPromptResult:
    raise MCPError(types.INVALID_PARAMS, "There is no prompt with this name.")
