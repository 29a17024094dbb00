"""Characters that cannot be kept or sent, a NUL and half of one, get in by no way."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from catalog.checking.names import BadText, check_characters
from catalog.checking.schemas import BadSchema, check_schema
from catalog.contents import check_text
from catalog.exchange.checks import check
from catalog.exchange.document import to_document
from catalog.exchange.errors import DocumentError
from catalog.exchange.reading import read
from catalog.exchange.schema import validate
from tests.catalog import exchange_samples as samples
from tests.catalog.exchange_samples import SAMPLE

DOCUMENT = to_document(SAMPLE)
Path = tuple[str | int, ...]


def texts(value: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from texts(each, (*path, key))


def is_taken(path: Path, wrong: str) -> bool:
    document = copy.deepcopy(DOCUMENT)
    holder: Any = document
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] += wrong
    try:
        validate(document)
    except DocumentError:
        return False
    return not check(document, check_text)


@pytest.mark.parametrize("wrong", ["\0", "\ud800"], ids=["NUL", "half of a character"])
def test_no_text_of_a_document_takes_them(wrong: str) -> None:
    kept = [path for path in texts(DOCUMENT) if path != ("$schema",)]
    assert [path for path in kept if is_taken(path, wrong)] == []


@pytest.mark.parametrize("escape", ["\\u0000", "\\ud800", "\\udc00\\ud800"])
def test_a_file_with_an_escape_for_them_is_refused_with_its_line(escape: str) -> None:
    text = samples.text().replace("For people.", f"For people.{escape}")
    with pytest.raises(DocumentError) as refused:
        read(text)
    assert refused.value.problems[0].line or "Line" in str(refused.value.problems[0])


@pytest.mark.parametrize("schema", [{"title": "\ud800"}, {"enum": [{"\ud800": 1}]}, {"properties": {"a\0": {}}}])
def test_no_schema_holds_them(schema: dict[str, Any]) -> None:
    with pytest.raises(BadSchema):
        check_schema(schema)


def test_whole_characters_of_every_kind_are_kept() -> None:
    check_characters({"ü": ["日本", "😀", 1, None, True]})
    with pytest.raises(BadText, match="half of a character"):
        check_characters({"a": ["\ud83d"]})
