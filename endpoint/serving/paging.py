"""Where a list goes on: opaque to clients, signed, and bound to what was listed.

A cursor says after which name the next page begins, not how many were given, so that what comes and goes meanwhile
neither hides nor repeats anything else.
"""

from __future__ import annotations

from typing import Any

import mcp_types as types
from django.core import signing
from mcp.shared.exceptions import MCPError

_SALT = "endpoint.paging"
_MAX_LENGTH = 8_000


class BadCursor(MCPError):
    """The cursor is none of ours, or of another list. `message` is a sentence."""

    def __init__(self, sentence: str = "This is no cursor of this list. Ask again without one.") -> None:
        super().__init__(types.INVALID_PARAMS, sentence)


def write(listed: str, position: list[str]) -> str:
    """`listed` names what the cursor is good for, such as resources and whose."""
    return signing.dumps([listed, *position], salt=_SALT, compress=True)


def read(cursor: str | None, listed: str, *, length: int) -> list[str] | None:
    """The position that was written, of so many strings; None where there is no cursor. Raises BadCursor."""
    if not cursor:
        return None
    try:
        if len(cursor) > _MAX_LENGTH:
            raise signing.BadSignature
        told: Any = signing.loads(cursor, salt=_SALT)
    except (signing.BadSignature, ValueError):
        raise BadCursor from None
    if not isinstance(told, list) or told[:1] != [listed]:
        raise BadCursor("This cursor belongs to another list. Ask again without it.")
    position = told[1:]
    if len(position) != length or not all(isinstance(each, str) for each in position):
        raise BadCursor  # of another release of ours
    return position
