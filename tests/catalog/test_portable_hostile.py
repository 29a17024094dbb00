"""Whatever bytes are in a file, and whatever paths are in a tree: they are told, and nothing else happens."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.portable import reading
from catalog.portable.model import BadFile, Kind, Problem
from catalog.portable.paths import units
from tests.catalog.portable_samples import (
    AWKWARD,
    DOCUMENTS,
    JSON_KINDS,
    TEXTS,
    VALUES,
    problems,
    read,
    unit,
    write,
)

KINDS = st.sampled_from(list(Kind))
PIECES = st.lists(
    st.one_of(AWKWARD, st.sampled_from(["name: a", "description: b", "\n", "---\n", " ", ": ", "- ", '"', "metadata:"]))
).map("".join)


def is_told(found: list[Problem]) -> None:
    for each in found:
        assert each.message.strip()
        assert each.path.isprintable()
        assert each.line >= 0 <= each.column


@given(KINDS, st.one_of(st.binary(max_size=200), PIECES.map(lambda text: f"---\n{text}\n---\n".encode())))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_or_told(kind: Kind, data: bytes) -> None:
    is_told(problems(kind, data))


@given(st.sampled_from(JSON_KINDS), VALUES)
@settings(max_examples=60, deadline=None)
def test_any_json_is_read_or_told(kind: Kind, value: Any) -> None:
    is_told(problems(kind, json.dumps(value)))


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_good_file_with_anything_put_somewhere_is_read_or_told(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(JSON_KINDS))
    document: Any = json.loads(json.dumps(DOCUMENTS[kind]))
    holder, step = document, None
    while isinstance(holder, dict | list) and holder:
        place = data.draw(st.sampled_from(list(holder) if isinstance(holder, dict) else range(len(holder))))
        inner = holder[place]
        if not (isinstance(inner, dict | list) and inner) or data.draw(st.booleans()):
            step = place
            break
        holder = inner
    holder[step] = data.draw(VALUES)
    slug = DOCUMENTS[kind]["slug"]
    try:
        found = read(kind, document, slug)
    except BadFile as error:
        is_told(list(error.problems))
    else:
        again = write(kind, found.document, raw=found.raw)
        assert read(kind, again, slug).document == found.document


@given(st.lists(st.tuples(st.sampled_from(["skills", "commands", "mcp-servers"]), TEXTS, TEXTS), max_size=6))
@settings(max_examples=80, deadline=None)
def test_any_tree_is_sorted_out(parts: list[tuple[str, str, str]]) -> None:
    tree = {"/".join(each): "0" * 40 for each in parts} | {f"{a}/{b}.json": "0" * 40 for a, b, _ in parts}
    found = units(tree)
    is_told(list(found.problems))
    for it in found.units.values():
        try:
            reading.read(it, dict.fromkeys(it.files, b"{}"))
        except BadFile as error:
            is_told(list(error.problems))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5_000_000,
        '{"a":' * 1_000_000,
        '{"prompt": "' + "{{" * 2_000_000 + '"}',
        json.dumps({"name": "a", "slug": "release-notes", "prompt": "x", "arguments": [{"name": "a"}] * 10_000}),
        json.dumps({"x": 1}).replace("1", "9" * 4_000_000),
        '{"name": "' + "a" * 5_000_000 + '"}',
        json.dumps({"x": [[]] * 149_000}),
    ],
    ids=["brackets", "objects", "braces", "arguments", "digits", "name", "values"],
)
def test_large_files_are_told_within_seconds(text: str) -> None:
    before = time.process_time()
    problems(Kind.COMMAND, text[: 5 << 20])
    assert time.process_time() - before < 5


def test_a_page_of_five_megabytes_is_told_within_seconds() -> None:
    before = time.process_time()
    for text in ("---\n" + "a: [" * 1_000_000, "---\n" * 1_300_000, "---\n" + "[" * 60_000 + "\n---\n"):
        problems(Kind.SKILL, text)
    assert unit(Kind.SKILL, "a").files
    assert time.process_time() - before < 5
