"""YAML as documents of APIs have it: the values of JSON, bounded before anything is built of it.

Types are told as YAML 1.2 has them (10.3, the core schema), so that `on` and `2024-01-01` are texts and 010 is no octal
number. Aliases may repeat what is small; the values that they stand for are counted first.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from catalog.checking.json_text import pointer_to

_CORE = "tag:yaml.org,2002:"
_MERGE = f"{_CORE}merge"
_PLAIN = frozenset({f"{_CORE}{name}" for name in ("map", "seq", "str", "int", "float", "bool", "null")} | {"!"})
_UNKEPT = re.compile("[\\0\ud800-\udfff]")
_LINES_TO = 5
"""Levels down to which lines are remembered: operations, and what is right below them."""


class BadYaml(ValueError):
    """The text is a sentence for a person that names the line, counted from 1, where it is known."""

    def __init__(self, text: str, line: int = 0) -> None:
        super().__init__(f"Line {line}: {text}" if line else text)


def parse_yaml(text: str, *, deepest: int, most: int) -> tuple[Any, dict[str, int]]:
    """What the text says, and the lines of its upper levels by JSON pointer. Raises BadYaml: for what is no YAML, has
    tags of other types, a name twice, more than one document, aliases that lead into themselves, more than `deepest`
    levels, or more than `most` values with aliases written out."""
    try:
        lines = _Walk(deepest, most).through(yaml.parse(text, Loader=yaml.CSafeLoader))
        return yaml.load(text, Loader=_Loader), lines  # noqa: S506  # a safe loader with fewer types
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise BadYaml(f"This is not valid YAML: {error.problem}.", line) from error
    except yaml.YAMLError as error:
        raise BadYaml("This is not valid YAML: it holds a character that YAML does not have.") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, BadYaml):
            raise
        raise BadYaml("This is not valid YAML: a number cannot be read.") from error


@dataclass
class _Frame:
    """A mapping or list that is open."""

    mapping: bool
    pointer: str | None
    anchor: str | None
    size: int = 1
    key: str | None = None
    key_line: int = 0
    names: set[str] = field(default_factory=set)
    items: int = 0


class _Walk:
    """Counts through the events of a text, and builds nothing."""

    def __init__(self, deepest: int, most: int) -> None:
        self.deepest, self.most = deepest, most
        self.open: list[_Frame] = []
        self.sizes: dict[str, int | None] = {}
        """By anchor; None while it is open."""
        self.lines: dict[str, int] = {"": 1}
        self.total = 0

    def through(self, events: Iterator[Any]) -> dict[str, int]:
        documents = 0
        for event in events:
            line = event.start_mark.line + 1
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise BadYaml("This holds more than one document. Import one after the other.", line)
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event, line)
            elif isinstance(event, yaml.ScalarEvent):
                self._tag(event, line)
                self._scalar(event, line)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._tag(event, line)
                self._start(event, line)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end()
        return self.lines

    def _tag(self, event: Any, line: int) -> None:
        if event.tag is not None and event.tag not in _PLAIN:
            raise BadYaml(f"“{str(event.tag)[:60]}” is a type that JSON does not have. Remove the tag.", line)

    def _alias(self, event: Any, line: int) -> None:
        size = self.sizes.get(event.anchor, 1)
        if size is None:
            raise BadYaml(f"“*{event.anchor[:40]}” leads into itself. Use a $ref for what repeats itself.", line)
        if self._is_name():
            raise BadYaml("A name cannot be an alias. Write the name itself.", line)
        self._place(line)
        self._count(size, line)

    def _scalar(self, event: Any, line: int) -> None:
        if _UNKEPT.search(event.value):
            raise BadYaml("A text holds a character (NUL or half of one) that cannot be kept.", line)
        top = self.open[-1] if self.open else None
        if top is not None and top.mapping and top.key is None:
            if event.value in top.names:
                raise BadYaml(f"“{event.value[:60]}” is there twice. Remove one of them.", line)
            top.names.add(event.value)
            top.key, top.key_line = event.value, line
            return
        self._place(line)
        size = 1 + len(event.value) // 100
        self._count(size, line)
        if event.anchor:
            self.sizes[event.anchor] = size

    def _start(self, event: Any, line: int) -> None:
        if self._is_name():
            raise BadYaml("A name has to be a text, and this is a list or an object.", line)
        if len(self.open) >= self.deepest:
            raise BadYaml(f"This is nested deeper than {self.deepest} levels.", line)
        pointer = self._place(line)
        if event.anchor:
            self.sizes[event.anchor] = None
        self._count(1, line)
        self.open.append(_Frame(isinstance(event, yaml.MappingStartEvent), pointer, event.anchor))

    def _end(self) -> None:
        done = self.open.pop()
        if done.anchor:
            self.sizes[done.anchor] = done.size
        if self.open:
            self.open[-1].size += done.size - 1  # it was counted by 1 as it began

    def _is_name(self) -> bool:
        return bool(self.open) and self.open[-1].mapping and self.open[-1].key is None

    def _place(self, line: int) -> str | None:
        """The pointer of the value that begins here; None below the levels that are remembered."""
        if not self.open:
            return ""
        top = self.open[-1]
        step: str | int = top.items if top.key is None else top.key
        line = line if top.key is None else top.key_line
        top.items, top.key = top.items + 1, None
        if top.pointer is None or len(self.open) > _LINES_TO:
            return None
        pointer = top.pointer + pointer_to([step])
        self.lines[pointer] = line
        return pointer

    def _count(self, size: int, line: int) -> None:
        self.total += size
        if self.open:
            self.open[-1].size += size
        if self.total > self.most:
            raise BadYaml(f"With its aliases written out, this has more than {self.most:,} values.", line)


class _Loader(yaml.CSafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}

    def flatten_mapping(self, node: Any) -> None:
        super().flatten_mapping(node)
        for key, _ in node.value:
            key.tag = f"{_CORE}str"

    def construct_finite(self, node: Any) -> float:
        value = float(self.construct_scalar(node))
        if not math.isfinite(value):
            raise yaml.constructor.ConstructorError(None, None, "a number is too large", node.start_mark)
        return value


_Loader.add_constructor(f"{_CORE}float", _Loader.construct_finite)
for _name, _pattern, _first in (
    ("null", r"null|Null|NULL|~|", ["n", "N", "~", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+",
        list("-+.0123456789"),
    ),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(f"{_CORE}{_name}", re.compile(rf"(?:{_pattern})\Z"), _first)
