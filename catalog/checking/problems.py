"""What is wrong with the values of one thing, told beside the fields that hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

RESULT = TypeVar("RESULT")


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field; `text` is a sentence for a person."""

    field: str
    """"" where it is no field's alone."""
    text: str
    pointer: str = ""
    """Where in the field's JSON value (RFC 6901), "" for all of it."""


class Invalid(ValueError):
    """The values cannot be saved, and nothing was."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__(" ".join(error.text for error in self.errors))


class Findings:
    """Collects what is wrong, so that a person reads all of it at once."""

    def __init__(self) -> None:
        self.errors: list[FieldError] = []

    def add(self, field: str, text: str, pointer: str = "") -> None:
        self.errors.append(FieldError(field, text, pointer))

    def tried(self, field: str, check: Callable[[], RESULT], otherwise: RESULT) -> RESULT:
        """What a check returns; where it raises a ValueError, its sentence is kept and `otherwise` returned."""
        try:
            return check()
        except ValueError as error:
            self.add(field, str(error), getattr(error, "pointer", ""))
            return otherwise

    def refuse(self) -> None:
        """Raises Invalid if anything is wrong."""
        if self.errors:
            raise Invalid(self.errors)
