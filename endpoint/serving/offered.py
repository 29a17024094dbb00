"""A tool as clients get it, and what calling it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mcp_types as types


@dataclass(frozen=True, slots=True)
class Offered:
    tool: types.Tool
    call: Callable[[dict[str, Any]], types.CallToolResult]
    """Takes any arguments, and says what is wrong with those that do not fit the tool's input schema."""
    patient: bool = False
    """It may wait for others."""
