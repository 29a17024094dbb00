"""The text of an OpenAPI document, 3.0 or 3.1, as JSON or YAML: read strictly and bounded. Nothing is fetched.

OpenAPI Specification 3.0.4 and 3.1.1, https://spec.openapis.org/oas/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from catalog.checking.json_text import BadJson, lines_of, parse_json
from catalog.exchange.errors import DocumentError, Problem
from catalog.openapi.yaml_text import BadYaml, parse_yaml

MOST_BYTES = 5 << 20
DEEPEST = 100
"""Levels of objects and lists."""
MOST_VALUES = 500_000
_FOLLOWED = 20


class Unresolved(ValueError):
    """A `$ref` that leads nowhere in the document; the text is a sentence for a person."""


@dataclass(frozen=True)
class Document:
    """A document whose frame is one of OpenAPI 3; what is in it is read piece by piece."""

    tree: dict[str, Any]
    version: str
    """3.0 or 3.1"""
    text: str = field(repr=False)
    _lines: dict[str, int] = field(default_factory=dict, repr=False)
    """Of a YAML text, by JSON pointer."""

    def lines(self, pointers: Iterable[str]) -> dict[str, int]:
        """The line, counted from 1, of what is at each JSON pointer, or of what is around it."""
        if not self._lines:
            return lines_of(self.text, pointers)
        found = {}
        for pointer in pointers:
            nearest = pointer
            while nearest not in self._lines:
                nearest = nearest.rpartition("/")[0]
            found[pointer] = self._lines[nearest]
        return found

    def look_up(self, reference: Any) -> Any:
        """What is at `#/…` of this document. Raises Unresolved for all that is elsewhere."""
        if not isinstance(reference, str):
            raise Unresolved("A $ref is no text.")
        if not reference.startswith("#"):
            raise Unresolved(f"“{_short(reference)}” is in another document, and nothing is fetched.")
        value: Any = self.tree
        for step in reference[1:].split("/")[1:]:
            name = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(value, dict) and name in value:
                value = value[name]
            elif isinstance(value, list) and re.fullmatch(r"[0-9]{1,6}", name) and int(name) < len(value):
                value = value[int(name)]
            else:
                raise Unresolved(f"“{_short(reference)}” leads to nothing in the document.")
        return value

    def resolved(self, value: Any) -> dict[str, Any]:
        """An object of the document, its references followed. Raises Unresolved."""
        for _ in range(_FOLLOWED):
            if not isinstance(value, dict):
                raise Unresolved("Something here is no object.")
            if "$ref" not in value:
                return value
            value = self.look_up(value["$ref"])
        raise Unresolved(f"“{_short(str(value.get('$ref') if isinstance(value, dict) else ''))}” leads in a circle.")


def read(data: bytes | str) -> Document:
    """Raises DocumentError with what keeps it from being read, with the line where that is known."""
    text = _text(data)
    if not text.strip():
        raise _refused("The document is empty.")
    lines: dict[str, int] = {}
    try:
        if text.lstrip()[:1] == "{":
            tree = parse_json(text, longest=MOST_BYTES, deepest=DEEPEST)
        else:
            tree, lines = parse_yaml(text, deepest=DEEPEST, most=MOST_VALUES)
    except (BadJson, BadYaml) as error:
        raise DocumentError([Problem(str(error))]) from error
    return Document(tree, _version(tree), text, lines)


def _text(data: bytes | str) -> str:
    if len(data) > MOST_BYTES:
        raise _refused(f"The document is larger than {MOST_BYTES >> 20} MB, the most that is read.")
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(
            [Problem("The document is not text in UTF-8.", line=data.count(b"\n", 0, error.start) + 1)]
        ) from error


def _version(tree: Any) -> str:
    if not isinstance(tree, dict):
        raise _refused("This is no OpenAPI document, which is an object with “openapi” and “paths” in it.")
    if "swagger" in tree:
        advice = "Convert it to OpenAPI 3 first, which most editors of such documents do."
        raise _refused(f"This is a document of Swagger {_short(str(tree['swagger']))}, the predecessor. {advice}")
    version = tree.get("openapi")
    if version is None:
        raise _refused("This is no OpenAPI document: it does not say “openapi” and its version.")
    found = re.match(r"3\.[01](?=\.|\Z)", str(version))
    if not found:
        raise _refused(f"This is OpenAPI {_short(str(version))}; 3.0 and 3.1 can be imported.", "/openapi")
    if not isinstance(tree.get("paths", {}), dict):
        raise _refused("“paths” has to be an object.", "/paths")
    return found.group()


def _refused(text: str, pointer: str = "") -> DocumentError:
    return DocumentError([Problem(text, pointer)])


def _short(text: str) -> str:
    return "".join(character if character.isprintable() else "�" for character in text[:80])
