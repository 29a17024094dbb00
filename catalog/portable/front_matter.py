"""SKILL.md: YAML between two lines ---, then Markdown (https://agentskills.io/specification).

The YAML is read strictly: the values of JSON, told apart as YAML 1.2's core schema does (10.3), no tags, anchors or
aliases, no name twice; bounded before anything is built. Numbers that would be written in another way than they were,
such as 1.10, are texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from catalog.checking.json_text import pointer_to

LONGEST = 64 << 10
"""Characters of the YAML."""
DEEPEST = 20
MOST_VALUES = 5_000
_FENCE = "---"
_UNKEPT = re.compile("[\\0\ud800-\udfff]")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,15}")
_WORDS: Mapping[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class BadFrontMatter(ValueError):
    """The text is a sentence for a person; line and column count from 1 in SKILL.md, 0 for none."""

    def __init__(self, text: str, line: int = 0, column: int = 0) -> None:
        super().__init__(text)
        self.line, self.column = line, column


@dataclass(frozen=True, slots=True)
class Page:
    """A SKILL.md as it was read."""

    front: dict[str, Any]
    body: str
    """Below the front matter, with the line ends of Unix."""
    places: Mapping[str, tuple[int, int]]
    """Line and column of each value in the front matter, by JSON pointer; of a member, those of its name."""


def parse(text: str) -> Page:
    """Raises BadFrontMatter."""
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[0].rstrip() != _FENCE:
        raise BadFrontMatter("SKILL.md begins with its front matter: a line ---, name and description, a line ---.", 1)
    end = next((number for number, line in enumerate(lines[1:], start=1) if line.rstrip() == _FENCE), 0)
    if not end:
        raise BadFrontMatter("The front matter has no end. Close it with a line that is --- and nothing else.", 1)
    front = "\n".join(lines[1:end])
    if len(front) > LONGEST:
        raise BadFrontMatter(f"The front matter is longer than {LONGEST:,} characters, the most that is read.", 1)
    value, places = parse_yaml(f"{front}\n", first_line=2)
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise BadFrontMatter("The front matter has to be names and values, such as “name: PDF forms”.", 2)
    return Page(value, "\n".join(lines[end + 1 :]), {**places, "": (1, 1)})


def render(front: Mapping[str, Any], body: str) -> bytes:
    """A SKILL.md that `parse` reads as the same."""
    told: str = yaml.dump(
        dict(front), Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=100_000
    )
    return f"{_FENCE}\n{told}{_FENCE}\n{f'{chr(10)}{body}{chr(10)}' if body else ''}".encode()


def parse_yaml(text: str, first_line: int = 1) -> tuple[Any, dict[str, tuple[int, int]]]:
    """The value, and where each part of it is by JSON pointer. Raises BadFrontMatter."""
    builder = _Builder(first_line)
    try:
        return builder.built(yaml.parse(text, Loader=yaml.CSafeLoader)), builder.places
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + first_line, mark.column + 1) if mark else (0, 0)
        raise BadFrontMatter(f"The front matter is not valid YAML: {error.problem}.", line, column) from error
    except yaml.YAMLError as error:
        raise BadFrontMatter("The front matter holds a character that YAML does not have.") from error


@dataclass
class _Open:
    """A mapping or list that is being read."""

    value: dict[str, Any] | list[Any]
    pointer: str
    key: str | None = None
    key_place: tuple[int, int] = field(default=(0, 0))


class _Builder:
    def __init__(self, first_line: int) -> None:
        self.first_line = first_line
        self.places: dict[str, tuple[int, int]] = {}
        self.open: list[_Open] = []
        self.root: Any = None
        self.values = self.documents = 0

    def built(self, events: Iterator[Any]) -> Any:
        for event in events:
            place = event.start_mark.line + self.first_line, event.start_mark.column + 1
            if isinstance(event, yaml.DocumentStartEvent):
                self.documents += 1
                if self.documents > 1:
                    raise BadFrontMatter("The front matter holds more than one document.", *place)
            elif isinstance(event, yaml.AliasEvent):
                raise BadFrontMatter("An alias (*) is not read here. Write out what it stands for.", *place)
            elif isinstance(event, yaml.ScalarEvent):
                self._checked(event, place)
                self._scalar(event, place)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._checked(event, place)
                self._start({} if isinstance(event, yaml.MappingStartEvent) else [], place)
            elif isinstance(event, yaml.CollectionEndEvent):
                self.open.pop()
        return self.root

    def _checked(self, event: Any, place: tuple[int, int]) -> None:
        if event.anchor is not None:
            raise BadFrontMatter("An anchor (&) is not read here. Remove it, and write out where it is used.", *place)
        if event.tag is not None:
            raise BadFrontMatter("A tag (!) is not read here. Remove it, or put the text in quotes.", *place)
        self.values += 1
        if self.values > MOST_VALUES:
            raise BadFrontMatter(f"The front matter has more than {MOST_VALUES:,} values.", *place)

    def _scalar(self, event: Any, place: tuple[int, int]) -> None:
        if _UNKEPT.search(event.value):
            raise BadFrontMatter("A text holds a character (NUL or half of one) that cannot be kept.", *place)
        top = self.open[-1] if self.open else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            if event.value in top.value:
                raise BadFrontMatter(f"“{event.value[:40]}” is there twice. Remove one of the two.", *place)
            if event.value == "<<" and event.implicit[0]:
                raise BadFrontMatter("A merge (<<) is not read here. Write out what it stands for.", *place)
            top.key, top.key_place = event.value, place
            return
        self._put(_plain(event.value) if event.implicit[0] else event.value, place)

    def _start(self, value: dict[str, Any] | list[Any], place: tuple[int, int]) -> None:
        top = self.open[-1] if self.open else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            raise BadFrontMatter("A name has to be a text, and this is a list or an object.", *place)
        if len(self.open) >= DEEPEST:
            raise BadFrontMatter(f"This is nested deeper than {DEEPEST} levels.", *place)
        self.open.append(_Open(value, self._put(value, place)))

    def _put(self, value: Any, place: tuple[int, int]) -> str:
        """The pointer to where the value is now."""
        if not self.open:
            self.root = value
            return ""
        top = self.open[-1]
        if isinstance(top.value, dict):
            step: str | int = top.key or ""
            top.value[str(step)], place = value, top.key_place
            top.key = None
        else:
            step = len(top.value)
            top.value.append(value)
        pointer = top.pointer + pointer_to([step])
        self.places[pointer] = place
        return pointer


def _plain(text: str) -> Any:
    """What a plain scalar stands for."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) and text != "-0":
        return int(text)
    if _FLOAT.fullmatch(text) and repr(float(text)) == text:
        return float(text)
    return text


class _Dumper(yaml.SafeDumper):
    """Writes no anchors: what is there twice is written twice."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  PyYAML's signature
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = None
    if re.search(r"[\x85\u2028\u2029]", text):
        style = '"'  # Between other quotes these are line ends, of which PyYAML writes one too few.
    elif "\n" in text and not re.search(r"[ \t]\n|\A[ \n]|[\x00-\x09\x0b-\x1f\x7f-\x9f\ufeff]", text):
        style = "|"  # Lines stay lines where YAML can hold them as they are.
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
