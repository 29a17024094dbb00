"""Files taken apart into their texts, each with the place that a person finds it at."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_SCALAR = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]{5,}')
"""Of numbers those that are not too short: a version, or how many at most, is no secret."""
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~\n])")
_THINGS = {
    "variables": "variable",
    "providers": "provider",
    "tools": "tool",
    "resources": "resource",
    "prompts": "prompt",
}
_IN_PROVIDER = frozenset({"tools", "resources", "prompts"})
_IN_EXPORT = frozenset({"server", "variables", "providers"})
_ENTITIES = {"commands": "command", "toolkits": "toolkit", "mcp-clients": "client", "mcp-servers": "server"}
"""Folders of an organisation's entities, each a file."""
_NUMBERED = {"messages": "message", "scopes": "scope", "hosts": "host", "arguments": "argument"}

Step = str | int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text of a file is."""

    line: int
    """Where it begins, counted from 1."""
    steps: tuple[Step, ...]
    """The way to it in a JSON document; empty in anything else, whose text is the whole of it."""


def texts(path: str, content: bytes) -> Iterable[str]:
    """What a file says: the values and names of a JSON document, without their escapes, or all of a page.

    Numbers are as they are written: a secret can be of digits alone.
    """
    text = content.decode("utf-8", "replace")
    if path.endswith(".json"):
        return [_said(found) for found in set(_SCALAR.findall(text))]
    return [_read(text) if path.endswith(".md") else text]


def _said(scalar: str) -> str:
    if not scalar.startswith('"'):
        return scalar
    said: str = json.loads(scalar) if "\\" in scalar else scalar[1:-1]
    return said


def places(path: str, content: bytes, wanted: Container[str]) -> Iterator[tuple[str, Place]]:
    """Those of its texts that are wanted, with where they are. JSON is as `exchange.document.dumps` writes it."""
    if path.endswith(".json"):
        yield from _Walk(wanted).through(json.loads(content), ())
    else:
        yield from ((text, Place(1, ())) for text in texts(path, content) if text in wanted)


def _read(markdown: str) -> str:
    """Markdown as it is read, line by line, without what `layout.markdown` escapes."""
    return html.unescape(_ESCAPED.sub(r"\1", markdown))


class _Walk:
    """Through a document in which each value begins a line."""

    def __init__(self, wanted: Container[str]) -> None:
        self._wanted = wanted
        self._line = 1

    def through(self, value: Any, steps: tuple[Step, ...]) -> Iterator[tuple[str, Place]]:
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = json.dumps(value)
        if isinstance(value, str) and value in self._wanted:
            yield value, Place(self._line, steps)
        members: Iterable[tuple[Step, Any]] = ()
        if isinstance(value, dict):
            members = value.items()
        elif isinstance(value, list):
            members = enumerate(value)
        for step, member in members:
            self._line += 1
            if step in self._wanted:
                yield str(step), Place(self._line, (*steps, step))
            yield from self.through(member, (*steps, step))
        self._line += bool(value) and isinstance(value, dict | list)


def in_words(path: str, document: Any, steps: Sequence[Step]) -> str:
    """The field that a person edits: “description of tool getWeather”."""
    thing, holds = _file_is(path, document)
    value, rest = document, list(steps)
    while len(rest) > 1 and rest[0] in holds:
        name = str(rest.pop(0))
        value = value[name]
        if name == "server":
            thing, holds = "the server", frozenset()
        else:
            value = value[rest.pop(0)]
            thing, holds = _named(_THINGS[name], value), _IN_PROVIDER if name == "providers" else frozenset()
    return f"{_member(rest)} of {thing}" if rest else thing


def _file_is(path: str, document: Any) -> tuple[str, frozenset[str]]:
    """What a file is about as a whole, and under which names it holds other things."""
    above, _, name = path.rpartition("/")
    folder = above.rpartition("/")[2]
    if above in _ENTITIES and isinstance(document, dict):
        return _named(_ENTITIES[above], document), _IN_EXPORT if above == "mcp-servers" else frozenset()
    if not isinstance(document, dict) or "formatVersion" in document or "$schema" in document:
        return "the server", _IN_EXPORT
    if name != "config.json" and folder in _THINGS:
        return _named(_THINGS[folder], document), frozenset()
    return _named("provider", document), frozenset()


def _named(kind: str, value: Any) -> str:
    name = value.get("name") if isinstance(value, Mapping) else None
    return f"{kind} {name}" if isinstance(name, str) and name else kind


def _member(rest: list[Step]) -> str:
    first, *others = rest
    if first == "headers" and len(others) == 1:
        return f"header {others[0]}"
    if first in _NUMBERED and others and isinstance(others[0], int):
        words = f"{_NUMBERED[str(first)]} {others[0] + 1}"
        return ", ".join([words, *map(str, others[1:])])
    return ".".join(map(str, rest))
