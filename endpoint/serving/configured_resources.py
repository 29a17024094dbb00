"""Resources that were configured, and the files of skills."""

from __future__ import annotations

from collections.abc import Callable

import mcp_types as types

from endpoint.admitted import Admitted


def listed(admitted: Admitted) -> list[types.Resource]:
    """What of them a request is offered."""
    return []


def find(admitted: Admitted, uri: str) -> Callable[[], types.ReadResourceResult] | None:
    """What reads the one at a URI; None for what is none."""
    return None
