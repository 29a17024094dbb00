"""Where in its file stands what a document says: its lists are sorted, and the file has them as people wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.checking.json_text import pointer_to
from catalog.portable.model import Definition


def in_file(pointer: str, definition: Definition) -> str:
    """The pointer into the file for one into the document; as it is where the file is not known."""
    here: Any = definition.document
    there: Any = definition.raw or here
    steps: list[str | int] = []
    for step in (each.replace("~1", "/").replace("~0", "~") for each in pointer.split("/")[1:]):
        if isinstance(here, list) and step.isdecimal() and int(step) < len(here):
            number = _number_in(there, here, int(step))
            here = here[int(step)]
            there = there[number] if isinstance(there, list) and number < len(there) else None
            steps.append(number)
        else:
            here, there = (each.get(step) if isinstance(each, Mapping) else None for each in (here, there))
            steps.append(step)
    return pointer_to(steps)


def _number_in(there: Any, here: list[Any], number: int) -> int:
    """Where the same thing is: things are told apart by their names, and two of one name by their order."""
    names = [each.get("name") if isinstance(each, Mapping) else each for each in here]
    theirs = there if isinstance(there, list) else []
    same = [
        at
        for at, each in enumerate(theirs)
        if (each.get("name") if isinstance(each, Mapping) else each) == names[number]
    ]
    nth = names[:number].count(names[number])
    return same[nth] if nth < len(same) else number
