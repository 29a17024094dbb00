"""An entity's document as lines that people read and compare: one value a line, texts as they are. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_INDENT = "  "
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_DEEPEST = 32


def as_text(document: Mapping[str, Any]) -> str:
    """Names and values of a document, indented by depth.

    name: Greet
    arguments:
      - name: city
        required: yes
    prompt:
      Say hello to
      {{city}}.
    """
    return "\n".join(_members(document, 0))


def _members(value: Mapping[str, Any], depth: int) -> Iterator[str]:
    for name, each in value.items():
        label = _WORDS.sub(" ", str(name)).lower() if depth == 0 else str(name)
        yield from _named(f"{_INDENT * depth}{label}:", each, depth + 1)


def _items(values: list[Any], depth: int) -> Iterator[str]:
    for each in values:
        lines = list(_value(each, depth + 1))
        if lines:
            lines[0] = f"{_INDENT * depth}- {lines[0].strip()}"
        yield from lines


def _named(label: str, value: Any, depth: int) -> Iterator[str]:
    lines = list(_value(value, depth))
    if len(lines) == 1 and not isinstance(value, Mapping | list):
        yield f"{label} {lines[0].strip()}".rstrip()
    else:
        yield label
        yield from lines


def _value(value: Any, depth: int) -> Iterator[str]:
    indent = _INDENT * depth
    if depth > _DEEPEST:
        yield f"{indent}…"
    elif isinstance(value, Mapping):
        yield from _members(value, depth)
    elif isinstance(value, list):
        yield from _items(value, depth)
    elif isinstance(value, str):
        yield from (f"{indent}{line}" if line else "" for line in value.split("\n"))
    else:
        yield f"{indent}{_WORD.get(str(value), value)}"


_WORD = {"True": "yes", "False": "no", "None": "nothing"}
