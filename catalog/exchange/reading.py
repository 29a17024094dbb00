"""The text of an export document, read and checked, with the line of each thing that is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from catalog.checking.json_text import DEEPEST, BadJson, lines_of, parse_json
from catalog.contents import check_text
from catalog.exchange.checks import check
from catalog.exchange.document import from_document
from catalog.exchange.errors import DocumentError, Problem
from catalog.exchange.model import ServerConfig
from catalog.exchange.schema import validate

MOST_BYTES = 8 << 20
"""Of a document; a server of 2,000 tools has about 3 MB. With this a preview can carry it in a form, whatever is in it
(DATA_UPLOAD_MAX_MEMORY_SIZE)."""
_MOST_VALUES = 150_000
"""Of a document, each of which takes time to check; a server of 2,000 tools has about 15,000."""
_LEVELS_AROUND = 8
"""Of the document around what people write themselves, such as a schema."""


@dataclass(frozen=True)
class Reading:
    """A document that is as the schema says, and that can be saved by itself."""

    config: ServerConfig
    text: str


def read(data: bytes | str) -> Reading:
    """Raises DocumentError with all that is wrong, each with its line."""
    text = _text(data)
    try:
        document = parse_json(text, longest=MOST_BYTES, deepest=DEEPEST + _LEVELS_AROUND, most=_MOST_VALUES)
    except BadJson as error:
        raise DocumentError([Problem(str(error))]) from error
    try:
        validate(document)
        if problems := check(document, check_text):
            raise DocumentError(problems)
        return Reading(from_document(document), text)
    except DocumentError as error:
        raise DocumentError(_located(text, error.problems)) from error


def _text(data: bytes | str) -> str:
    if len(data) > MOST_BYTES:
        raise DocumentError([Problem(f"The file is larger than {MOST_BYTES >> 20} MB, the most that is read.")])
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DocumentError([Problem("The file is not text in UTF-8. Export it again.", line=line)]) from error


def _located(text: str, problems: Iterable[Problem]) -> list[Problem]:
    listed = list(problems)
    lines = lines_of(text, {each.pointer for each in listed})
    return sorted((replace(each, line=lines[each.pointer]) for each in listed), key=lambda each: each.line or 0)
