"""Names of tools from a document's operations."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

LONGEST = 64


def tool_name(operation_id: str, method: str, path: str) -> str:
    """Camel case of the operation's id, else of its method and path: `getCitiesCityWeather`."""
    words = _words(operation_id)
    if not words or not words[0][0].isalpha():
        words = [method.lower(), *(words or _words(path))]
    first = words[0].lower() if words[0].isupper() else words[0][0].lower() + words[0][1:]
    return "".join([first, *(word[0].upper() + word[1:] for word in words[1:])])[:LONGEST]


def free_name(name: str, taken: Container[str]) -> str:
    """The name, with a number where it is taken."""
    number, free = 2, name
    while free in taken:
        ending = str(number)
        free, number = f"{name[: LONGEST - len(ending)]}{ending}", number + 1
    return free


def variable_name(text: str, otherwise: str) -> str:
    """Capitals of a security scheme's name: `petstore_key` is PETSTORE_KEY, `dd-appKey` DD_APP_KEY."""
    words = [word.upper() for each in _words(text) for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", each)]
    name = "_".join(words)[:60]
    return name if name[:1].isalpha() else otherwise


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.findall(r"[A-Za-z0-9]+", plain)
