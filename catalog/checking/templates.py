"""`${NAME}` in a text: where the value of a variable goes. A `$` alone means itself."""

from __future__ import annotations

import re
from collections.abc import Mapping

NAME = r"[A-Z][A-Z0-9_]{0,63}"
REFERENCE = re.compile(rf"\$\{{({NAME})\}}")


class BadTemplate(ValueError):
    """A `${` that names no variable; the text is a sentence for a person, `position` counts characters from 0."""

    def __init__(self, text: str, position: int) -> None:
        super().__init__(text)
        self.position = position


class UnknownVariable(LookupError):
    """A text refers to a variable that has no value; `name` is the variable's."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no variable {name}. Add it on the Variables tab.")
        self.name = name


def check_template(text: str) -> str:
    """The same text. Raises BadTemplate where a `${` is no reference."""
    start = text.find("${")
    while start >= 0:
        if not REFERENCE.match(text, start):
            raise BadTemplate(
                f"At character {start + 1}, “{text[start : start + 20]}” is no reference to a variable. Write it as "
                "${NAME}, in capitals, digits and _.",
                start,
            )
        start = text.find("${", start + 2)
    return text


def references(text: str) -> list[str]:
    """The names of the variables that a text refers to, each once, in order."""
    return list(dict.fromkeys(REFERENCE.findall(text)))


def only_reference(text: str) -> str:
    """The name where the text is one reference and nothing else, else ""."""
    found = REFERENCE.fullmatch(text)
    return found.group(1) if found else ""


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with each reference replaced. What a value holds is not filled again. Raises UnknownVariable."""

    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in values:
            raise UnknownVariable(name)
        return values[name]

    return REFERENCE.sub(value, text)
