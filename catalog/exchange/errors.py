"""What is wrong with a document, told for each place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    text: str
    """A sentence for a person; it never repeats a value, which may be a secret."""
    pointer: str = ""
    """Where, as a JSON pointer (RFC 6901); empty for the document as a whole."""
    line: int | None = None
    """Counted from 1; None when the document did not come as text."""

    def __str__(self) -> str:
        where = f"Line {self.line}" if self.line else ""
        place = ", ".join(filter(None, (where, self.pointer)))
        return f"{place}: {self.text}" if place else self.text


class DocumentError(ValueError):
    """A document that cannot be taken, with everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def pointer(path: Iterable[str | int]) -> str:
    """`["a/b", 0]` as `/a~1b/0`."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def one(text: str, path: Sequence[str | int] = (), line: int | None = None) -> DocumentError:
    return DocumentError([Problem(text, pointer(path), line)])
