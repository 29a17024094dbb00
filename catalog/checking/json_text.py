"""JSON as people type it: read strictly, bounded, and each part of it traced back to its line."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterable
from json.decoder import scanstring  # type: ignore[attr-defined]  # no stub names it
from typing import Any, NoReturn

LONGEST = 100_000
"""Characters."""
DEEPEST = 40
"""Levels of objects and arrays."""
MOST_VALUES = 500_000
"""In objects and arrays: each takes time to look at."""


class BadJson(ValueError):
    """The text is a sentence for a person that names line and column, counted from 1."""

    def __init__(self, text: str, line: int = 0, column: int = 0) -> None:
        super().__init__(f"Line {line}, column {column}: {text}" if line else text)
        self.text, self.line, self.column = text, line, column


def parse_json(text: str, *, longest: int = LONGEST, deepest: int = DEEPEST, most: int = MOST_VALUES) -> Any:
    """What the text says. Raises BadJson: for what is no JSON (RFC 8259; NaN and Infinity are none), for a name that
    an object has twice, for numbers and characters that others cannot read, and beyond `longest` (characters),
    `deepest` (levels) and `most` (values)."""
    if len(text) > longest:
        raise BadJson(f"This is longer than {longest:,} characters, the most that is kept.")
    _bounded(text, deepest, most)
    try:
        value = json.loads(text, parse_constant=lambda name: _no_constant(text, name))
    except json.JSONDecodeError as error:
        raise BadJson(f"This is not valid JSON: {_in_words(error)}.", error.lineno, error.colno) from error
    except BadJson:
        raise
    except ValueError as error:  # a number of thousands of digits
        raise BadJson("A number has more digits than can be kept.") from error
    _Places(text, strict=True).read()
    return value


def line_of(text: str, pointer: str) -> int:
    """The line, counted from 1, on which the value at a JSON pointer (RFC 6901) begins in a valid text; of a member
    that is the line of its name. The nearest value around it where it is not there."""
    return lines_of(text, [pointer])[pointer]


def lines_of(text: str, pointers: Iterable[str]) -> dict[str, int]:
    """`line_of` for many, with the text read once."""
    return {pointer: line for pointer, (line, _) in places_of(text, pointers).items()}


def places_of(text: str, pointers: Iterable[str]) -> dict[str, tuple[int, int]]:
    """`lines_of`, with the columns: counted from 1, in characters."""
    wanted = list(pointers)
    around = {
        "/".join(steps[:end]) for steps in (each.split("/") for each in wanted) for end in range(1, len(steps) + 1)
    }
    places = _Places(text, strict=False, wanted=around).read()
    found = {}
    for pointer in wanted:
        nearest = pointer
        while nearest and nearest not in places:
            nearest = nearest.rpartition("/")[0]
        found[pointer] = _line_and_column(text, places[nearest])
    return found


def pointer_to(path: Any) -> str:
    """The JSON pointer of the keys and indices that lead to a value."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)


class _Places:
    """Where values of a valid JSON text begin: the whole one, and those in `wanted` (pointers, with all that lead to
    them)."""

    def __init__(self, text: str, *, strict: bool, wanted: Collection[str] = ()) -> None:
        self.text, self.strict, self.wanted = text, strict, wanted
        self.at = 0
        self.places: dict[str, int] = {}

    def read(self) -> dict[str, int]:
        """Offsets by pointer."""
        self._skip()
        self.places[""] = self.at
        self._value("" if self.wanted else None)
        return self.places

    def _value(self, pointer: str | None) -> None:
        first = self.text[self.at]
        if first == "{":
            self._object(pointer)
        elif first == "[":
            self._array(pointer)
        elif first == '"':
            self._string()
        else:
            start = self.at
            while self.at < len(self.text) and self.text[self.at] not in ",]} \t\n\r":
                self.at += 1
            word = self.text[start : self.at]
            if self.strict and word not in ("true", "false", "null") and not math.isfinite(float(word)):
                self._wrong("this number is larger than others can read", start)

    def _below(self, pointer: str | None, step: str | int) -> str | None:
        """The pointer to what is next; None where nobody asks for it or for anything in it, as nearly everywhere."""
        below = None if pointer is None else pointer + pointer_to([step])
        return below if below in self.wanted else None

    def _found(self, pointer: str | None, at: int) -> None:
        if pointer is not None:
            self.places[pointer] = at

    def _object(self, pointer: str | None) -> None:
        self._next()
        seen: set[str] = set()
        while self.text[self.at] != "}":
            start = self.at
            name = self._string()
            if self.strict and name in seen:
                self._wrong(f"the object has “{name[:40]}” twice. Remove one of them", start)
            seen.add(name)
            self._skip()
            self._next()  # the colon
            below = self._below(pointer, name)
            self._found(below, start)
            self._value(below)
            self._end_of_item()
        self.at += 1

    def _array(self, pointer: str | None) -> None:
        self._next()
        number = 0
        while self.text[self.at] != "]":
            below = self._below(pointer, number)
            self._found(below, self.at)
            self._value(below)
            self._end_of_item()
            number += 1
        self.at += 1

    def _string(self) -> str:
        start = self.at
        value, self.at = scanstring(self.text, self.at + 1, True)
        if self.strict and any("\ud800" <= character <= "\udfff" for character in value):
            self._wrong("half of a character stands alone after \\u", start)
        if self.strict and "\0" in value:
            self._wrong("a text holds the character \\u0000, which cannot be kept", start)
        return str(value)

    def _skip(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t\n\r":
            self.at += 1

    def _next(self) -> None:
        self.at += 1
        self._skip()

    def _end_of_item(self) -> None:
        self._skip()
        if self.text[self.at] == ",":
            self._next()

    def _wrong(self, text: str, at: int) -> NoReturn:
        raise BadJson(f"{text[0].upper()}{text[1:]}.", *_line_and_column(self.text, at))


def _line_and_column(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


_MARKS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[{}\[\],]', re.DOTALL)


def _bounded(text: str, deepest: int, most: int) -> None:
    """Before anything reads it: readers go as deep as a text does, and make a value of all that it holds."""
    depth = commas = 0
    for found in _MARKS.finditer(text):
        mark = found[0]
        if mark == ",":
            commas += 1
            if commas > most:
                raise BadJson(f"This holds more than {most:,} values, the most that is read.")
        elif mark in ("{", "["):
            depth += 1
            if depth > deepest:
                at = found.start()
                raise BadJson(f"This is nested deeper than {deepest} levels.", *_line_and_column(text, at))
        elif mark in ("}", "]"):
            depth -= 1


_CONSTANT = re.compile(r'"(?:[^"\\]++|\\.)*+"|(?P<constant>NaN|-?Infinity)', re.DOTALL)


def _no_constant(text: str, name: str) -> NoReturn:
    first = next(found for found in _CONSTANT.finditer(text) if found["constant"])
    words = f"{name} is no number in JSON. Use null, or leave it out."
    raise BadJson(words, *_line_and_column(text, first.start()))


_WORDS = {
    "Expecting property name enclosed in double quotes": "a name in double quotes is missing",
    "Expecting ',' delimiter": "a comma or a closing bracket is missing",
    "Expecting ':' delimiter": "a colon is missing after the name",
    "Expecting value": "a value is missing",
    "Extra data": "something follows its end",
    "Invalid control character at": "a text holds a line break or another control character; write it as \\n",
    "Invalid \\escape": "there is no such escape with a backslash",
    "Invalid \\uXXXX escape": "four hexadecimal digits are missing after \\u",
    "Unterminated string starting at": "a text that begins here does not end",
    "Illegal trailing comma before end of object": "a comma follows the last member",
    "Illegal trailing comma before end of array": "a comma follows the last item",
}


def _in_words(error: json.JSONDecodeError) -> str:
    message = error.msg.rstrip(": ")
    return _WORDS.get(message, message)
