"""The path of a tool or an upstream resource, below its provider's base URL: `/cities/{city}`."""

from __future__ import annotations

import re

LONGEST = 1024
PLACE = re.compile(r"\{([^{}/?#]+)\}")
"""Where an argument goes."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
# RFC 3986, 3.3: what a path can hold, % only as an escape of a byte.
_WRONG = re.compile(r"(?!%[0-9A-Fa-f]{2})[^A-Za-z0-9._~!$&'()*+,;=:@/-]")


class BadPath(ValueError):
    """The text is a sentence for a person."""


def places(path: str) -> list[str]:
    """The names of the arguments that a path needs, each once, in order."""
    return list(dict.fromkeys(PLACE.findall(path)))


def check_path(text: str, *, arguments: bool = True) -> str:
    """A path from its slash on, with `{name}` where arguments go. Raises BadPath."""
    text = text.strip()
    if not text.startswith("/"):
        raise BadPath("A path begins with a slash, such as /cities/{city}. The provider's base URL goes before it.")
    if text.startswith("//"):
        raise BadPath("A path begins with one slash: two would name another host.")
    if len(text) > LONGEST:
        raise BadPath(f"A path can have {LONGEST:,} characters at most.")
    if "${" in text:
        raise BadPath("A path holds no ${NAME}. Put it into the base URL or a header, or make it an argument {name}.")
    if "?" in text or "#" in text:
        raise BadPath("A path has no ? and no #. What follows a ? is described by the schema of the query.")
    if not arguments and ("{" in text or "}" in text):
        raise BadPath("This path takes no arguments: leave out { and }.")
    for name in places(text):
        if not _NAME.fullmatch(name):
            raise BadPath(f"{{{name[:40]}}} is no argument: its name has letters, digits, _, - and dots.")
    rest = PLACE.sub("", text)
    if "{" in rest or "}" in rest:
        raise BadPath("A { or } in the path has no partner. Write an argument as {name}.")
    if wrong := _WRONG.search(rest):
        raise BadPath(f"A path cannot hold {_said(wrong.group())}.")
    if any(segment.lower().replace("%2e", ".") in (".", "..") for segment in text.split("/")):
        raise BadPath("A path has no segments . and .., which would lead elsewhere below the base URL.")
    return text


def _said(character: str) -> str:
    if character == " ":
        return "a space. Write it as %20"
    if character == "%":
        return "a % alone. Write it as %25"
    if not character.isprintable():
        return "an invisible character"
    return f"“{character}”. Write it as {''.join(f'%{byte:02X}' for byte in character.encode(errors='replace'))}"
