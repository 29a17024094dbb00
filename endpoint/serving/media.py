"""Pictures and sounds in the answers of tools, by what their bytes begin with.

Only of the kinds that models take, and only what is one: a client that is given something else loses the whole
conversation to it. Anything else is told about in words.
"""

from __future__ import annotations

import re
from base64 import b64encode

import mcp_types as types

_KINDS = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n.{4}IHDR", re.DOTALL),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "image/webp": re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
    "audio/wav": re.compile(rb"RIFF.{4}WAVE", re.DOTALL),
    "audio/mpeg": re.compile(rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]"),
    "audio/ogg": re.compile(rb"OggS"),
}
"""What a file of each type begins with (https://mimesniff.spec.whatwg.org, 6)."""


def shown(data: bytes | None) -> types.ImageContent | types.AudioContent | None:
    """As the content of an answer; None for what is neither a picture nor a sound."""
    kind = next((kind for kind, begins in _KINDS.items() if begins.match(data or b"")), "")
    if data is None or not kind:
        return None
    made = types.ImageContent if kind.startswith("image/") else types.AudioContent
    return made(data=b64encode(data).decode(), mime_type=kind)
