"""Bitbucket's own small languages over JSON: filters (`q`), sorting (`sort`) and partial responses (`fields`).

https://developer.atlassian.com/cloud/bitbucket/rest/intro/#filtering and, for the last,
https://developer.atlassian.com/cloud/bitbucket/rest/intro/#partial-response
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

Json = Any
Predicate = Callable[[Json], bool]

TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|(!=|>=|<=|!~|[=~<>(),])|([\w.:+-]+))')
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda found, asked: found == asked,
    "!=": lambda found, asked: found != asked,
    "~": lambda found, asked: str(asked).lower() in str(found).lower(),
    "!~": lambda found, asked: str(asked).lower() not in str(found).lower(),
    ">": lambda found, asked: found > asked,
    ">=": lambda found, asked: found >= asked,
    "<": lambda found, asked: found < asked,
    "<=": lambda found, asked: found <= asked,
}
CONSTANTS = {"true": True, "false": False, "null": None}


class BadQuery(Exception):
    """A filter, a sort key or a field that cannot be understood."""


def lookup(item: Json, path: str) -> Json:
    """The value at a dotted path such as `source.branch.name`; BadQuery where there is no such property."""
    for name in path.split("."):
        if item is None:
            return None
        if not isinstance(item, dict) or name not in item:
            raise BadQuery(f"Invalid field name: {path}")
        item = item[name]
    return item


def parse_filter(text: str) -> Predicate:
    """What a `q` asks of an item; BadQuery where it is none."""
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        at = 0
        while text[at:].strip():
            found = TOKEN.match(text, at)
            if found is None:
                raise BadQuery(f"Invalid query: {text}")
            self.tokens.append(found[0].strip())
            at = found.end()

    def parse(self) -> Predicate:
        predicate = self._either()
        if self.tokens:
            raise BadQuery(f"Invalid query near {self.tokens[0]}")
        return predicate

    def _take(self, *expected: str) -> str:
        if not self.tokens or (expected and self.tokens[0].upper() not in expected):
            raise BadQuery("Invalid query: it ends too early or lacks " + (" or ".join(expected) or "a value"))
        return self.tokens.pop(0)

    def _next_is(self, word: str) -> bool:
        return bool(self.tokens) and self.tokens[0].upper() == word

    def _either(self) -> Predicate:
        parts = [self._all()]
        while self._next_is("OR"):
            self._take()
            parts.append(self._all())
        return lambda item: any(part(item) for part in parts)

    def _all(self) -> Predicate:
        parts = [self._condition()]
        while self._next_is("AND"):
            self._take()
            parts.append(self._condition())
        return lambda item: all(part(item) for part in parts)

    def _condition(self) -> Predicate:
        if self._next_is("("):
            self._take()
            inner = self._either()
            self._take(")")
            return inner
        field = self._take()
        operator = self._take("NOT", "IN", *COMPARISONS)
        if operator.upper() in {"NOT", "IN"}:
            if operator.upper() == "NOT":
                self._take("IN")
            listed, wanted = self._values(), operator.upper() == "IN"
            return lambda item: (lookup(item, field) in listed) == wanted
        asked, compare = self._value(), COMPARISONS[operator]
        return lambda item: _compared(compare, lookup(item, field), asked)

    def _values(self) -> list[Any]:
        self._take("(")
        values = [self._value()]
        while self._take(",", ")") == ",":
            values.append(self._value())
        return values

    def _value(self) -> Any:
        token = self._take()
        if token.startswith('"'):
            return re.sub(r"\\(.)", r"\1", token[1:-1])
        if token.lower() in CONSTANTS:
            return CONSTANTS[token.lower()]
        if re.fullmatch(r"-?\d+(\.\d+)?", token):
            return float(token) if "." in token else int(token)
        if re.fullmatch(r"\d{4}-\d\d-\d\d[\dT:+.Z-]*", token):
            return token
        raise BadQuery(f"Invalid value: {token}. A text stands in double quotes.")


def _compared(compare: Callable[[Any, Any], bool], found: Json, asked: Json) -> bool:
    try:
        return compare(found, asked)
    except TypeError:
        return False


def ordered(items: Iterable[Json], sort: str) -> list[Json]:
    """Items sorted by one property, `-` before it reverses; numbers within a text count as numbers."""
    return sorted(items, key=lambda item: _natural(lookup(item, sort.lstrip("-"))), reverse=sort.startswith("-"))


def _natural(value: Json) -> Any:
    if not isinstance(value, str):
        return value
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", value)]


def partial(value: Json, fields: str) -> Json:
    """A reply with only the properties that `fields` names, or without those it names with a `-`.

    What is not named is gone, `next` too: a client that asks for `values.path` alone sees one page.
    """
    names = [name.strip() for name in fields.split(",") if name.strip()]
    kept = [name.split(".") for name in names if name[0] not in "+-"]
    shown = _keep(value, kept) if kept else value
    for name in names:
        if name.startswith("-"):
            shown = _drop(shown, name[1:].split("."))
    return shown


def _keep(value: Json, paths: Sequence[list[str]]) -> Json:
    if any(not path for path in paths):
        return value
    if isinstance(value, list):
        return [_keep(item, paths) for item in value]
    if not isinstance(value, dict):
        return value
    inner = {name: [path[1:] for path in paths if path[0] in {name, "*"}] for name in value}
    return {name: _keep(value[name], rest) for name, rest in inner.items() if rest}


def _drop(value: Json, path: list[str]) -> Json:
    if isinstance(value, list):
        return [_drop(item, path) for item in value]
    if not isinstance(value, dict):
        return value
    named = {name for name in value if path[0] in {name, "*"}}
    if len(path) == 1:
        return {name: inner for name, inner in value.items() if name not in named}
    return {name: _drop(inner, path[1:]) if name in named else inner for name, inner in value.items()}
