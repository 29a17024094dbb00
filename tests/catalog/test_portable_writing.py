"""Entities' files, written and read again: nothing changes, and nothing that others put in is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.portable import writing
from catalog.portable.front_matter import parse, render
from catalog.portable.model import Kind
from catalog.portable.normal import normal
from tests.catalog.portable_samples import (
    COMMAND,
    DOCUMENTS,
    JSON_KINDS,
    MEMBERS,
    SCHEMA,
    SERVER,
    SKILL,
    TOOLKIT,
    documents,
    read,
    write,
)

ANY = st.sampled_from(list(Kind)).flatmap(lambda kind: st.tuples(st.just(kind), documents(kind)))


@given(ANY, MEMBERS)
@settings(max_examples=80, deadline=None)
def test_what_is_written_is_read_as_the_same_and_written_as_the_same_bytes(
    it: tuple[Kind, dict[str, Any]], others: dict[str, Any]
) -> None:
    kind, document = it
    raw = {name: value for name, value in others.items() if name not in document}
    files = dict.fromkeys(document.get("files", ()), b"\0\xff")
    told = write(kind, document, raw=raw, data=files)
    found = read(kind, told, document["slug"], files)
    assert found.document == document
    assert json.dumps(found.document) == json.dumps(document), "the members stand in another order"
    assert found.id == "id-1"
    assert write(kind, found.document, raw=found.raw, schema_url="another") == told


@given(st.sampled_from(JSON_KINDS).flatmap(lambda kind: st.tuples(st.just(kind), documents(kind))), MEMBERS)
@settings(max_examples=50, deadline=None)
def test_each_unknown_member_is_still_there_after_everything_known_has_changed(
    it: tuple[Kind, dict[str, Any]], others: dict[str, Any]
) -> None:
    kind, document = it
    unknown = {f"x-{name}": value for name, value in others.items()}
    raw = json.loads(write(kind, document)) | unknown
    told = json.loads(write(kind, {**DOCUMENTS[kind]}, raw=raw))
    assert {name: told[name] for name in unknown} == unknown
    assert list(told)[:2] == ["$schema", "id"]


@pytest.mark.parametrize("kind", list(Kind))
def test_the_samples_are_in_their_normal_form(kind: Kind) -> None:
    assert json.dumps(normal(kind, DOCUMENTS[kind])) == json.dumps(DOCUMENTS[kind])


@pytest.mark.parametrize(
    "text", ["\x85", "a\u2028b", "a\u2029 ", "\u2028\u2028", "a\n\x85b", "a\n", "a\nb\n\n", "\n", "'\t\n"]
)
def test_each_text_comes_back_from_the_front_matter_with_its_line_ends_wherever_it_stands(text: str) -> None:
    for front in ({"x": text}, {text: "x"}, {"x": [text]}, {"x": text, "y": {text: [text]}, "z": "last"}):
        assert parse(render(front, "Do it.").decode()).front == front


def test_a_file_keeps_the_schema_of_another_installation_and_gets_ours_without_one() -> None:
    other = "https://elsewhere.example/schemas/v1/command.json"
    assert json.loads(write(Kind.COMMAND, COMMAND, raw={"$schema": other}))["$schema"] == other
    assert json.loads(write(Kind.COMMAND, COMMAND))["$schema"] == SCHEMA.format("command")


def test_unknown_members_deep_inside_stay_with_their_thing_whatever_the_order() -> None:
    raw = json.loads(json.dumps(SERVER))
    raw["providers"][0]["owner"] = "team-a"
    raw["providers"][0]["tools"].insert(0, {"name": "zLast", "method": "GET", "path": "/z", "note": "of z"})
    raw["providers"][0]["tools"][1] |= {"note": "of getForecast"}
    raw["providers"][0]["prompts"][0]["messages"][0]["cache"] = True
    found = read(Kind.SERVER, raw)
    told = json.loads(write(Kind.SERVER, found.document, raw=found.raw))
    provider = told["providers"][0]
    assert provider["owner"] == "team-a"
    assert [(each["name"], each["note"]) for each in provider["tools"]] == [
        ("getForecast", "of getForecast"),
        ("zLast", "of z"),
    ]
    assert provider["prompts"][0]["messages"][0]["cache"] is True


def test_what_is_renamed_keeps_its_unknown_members_and_what_is_deleted_takes_them_along() -> None:
    raw = {**COMMAND, "arguments": [{"name": "since", "hint": 1}, {"name": "tone", "hint": 2}]}
    renamed = {**COMMAND, "arguments": [{"name": "from"}, {"name": "tone"}]}
    told = json.loads(write(Kind.COMMAND, renamed, raw=raw))
    assert told["arguments"] == [{"name": "from", "hint": 1}, {"name": "tone", "hint": 2}]
    told = json.loads(write(Kind.COMMAND, {**COMMAND, "arguments": [{"name": "tone"}]}, raw=raw))
    assert told["arguments"] == [{"name": "tone", "hint": 2}]


def test_known_members_that_are_gone_do_not_come_back_from_the_former_file() -> None:
    raw = json.loads(write(Kind.TOOLKIT, TOOLKIT))
    raw["servers"]["weather"]["note"] = "kept"
    less = {**TOOLKIT, "servers": {"weather": {"tools": ["getForecast"]}}}
    del less["skills"]
    told = json.loads(write(Kind.TOOLKIT, less, raw=raw))
    assert "skills" not in told
    assert told["servers"] == {"weather": {"tools": ["getForecast"], "note": "kept"}}


def test_the_front_matter_of_others_keeps_its_place_and_its_values() -> None:
    text = (
        "---\nlicense: Apache-2.0\nname: pdf-forms\nmetadata:\n  version: 1.10\n  since: 2024-01-01\n"
        "description: |\n  Fill in\n  PDF forms.\nallowed-tools: Bash Read\nx-flags: [on, 'off', 0x1f, null]\n"
        "---\n\n# Forms\n"
    )
    found = read(Kind.SKILL, text)
    told = write(Kind.SKILL, {**found.document, "name": "pdf-forms-2"}, raw=found.raw, id="a1").decode()
    front = parse(told).front
    assert list(front) == ["license", "name", "metadata", "description", "allowed-tools", "x-flags"]
    assert front["metadata"] == {"version": "1.10", "since": "2024-01-01", "millrace-id": "a1"}
    assert front["x-flags"] == ["on", "off", "0x1f", None]
    assert front["description"] == "Fill in\nPDF forms."
    assert (front["name"], front["license"]) == ("pdf-forms-2", "Apache-2.0")
    assert "description: |" in told, "lines stay lines"


def test_a_skill_is_written_with_the_bytes_that_are_known_and_no_others() -> None:
    files = writing.write(
        Kind.SKILL, id="a", document=SKILL, data={"scripts/fill.py": b"\0\xff", "other.md": b"x"}, schema_url=""
    )
    assert list(files) == ["skills/pdf-forms/SKILL.md", "skills/pdf-forms/scripts/fill.py"]
    assert files["skills/pdf-forms/scripts/fill.py"] == b"\0\xff"
