"""JSON files of entities: what is taken, and how the rest is told."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from catalog.portable import reading
from catalog.portable.model import BadFile, Code, Kind
from catalog.portable.reading import Limits
from tests.catalog.portable_samples import (
    CLIENT,
    COMMAND,
    DOCUMENTS,
    JSON_KINDS,
    SCHEMA,
    SERVER,
    TOOLKIT,
    problems,
    read,
    unit,
)


def told(kind: Kind, content: Any, slug: str = "") -> list[tuple[str, int, int, tuple[str, ...]]]:
    return [(each.code, each.line, each.column, each.fields) for each in problems(kind, content, slug)]


def fields(kind: Kind, content: Any) -> set[str]:
    found = problems(kind, content)
    assert {each.code for each in found} <= {Code.VALIDATION_FAILED}
    assert all(each.line and each.column for each in found)
    return {name for each in found for name in each.fields}


@pytest.mark.parametrize("kind", JSON_KINDS)
def test_the_samples_are_taken_with_and_without_an_id(kind: Kind) -> None:
    document = DOCUMENTS[kind]
    assert read(kind, document).document == document
    found = read(kind, {"$schema": SCHEMA.format(kind), "id": "a.B-1_", **document})
    assert (found.id, found.document, found.slug, found.name) == (
        "a.B-1_",
        document,
        document["slug"],
        document["name"],
    )
    assert found.raw["$schema"] == SCHEMA.format(kind)


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ('{\n  "name": "A",\n  "slug" "a"\n}', 3, 10, "a colon is missing"),
        ('{"name": "A",}', 1, 14, "a name in double quotes"),
        ('{\r\n"a": 1,\r\n"a": 2}', 3, 1, "twice"),
        ("", 1, 1, "a value is missing"),
        ('{"a": "\\ud800"}', 1, 7, "alone after"),
        ("[" * 60, 1, 49, "nested deeper"),
        ('{\n "a": NaN}', 2, 7, "NaN"),
        ('{\n "é": -Infinity}', 2, 7, "Infinity"),
    ],
)
def test_what_is_no_json_is_told_at_its_place(text: str, line: int, column: int, words: str) -> None:
    (found,) = problems(Kind.COMMAND, text)
    assert (found.code, found.line, found.column, found.path) == (
        Code.INVALID_JSON,
        line,
        column,
        "commands/release-notes.json",
    )
    assert words in found.message
    assert not found.message.startswith("Line")
    assert found.status == 400


def test_a_file_that_is_not_utf_8_says_so_and_where() -> None:
    data = json.dumps(COMMAND, indent=1, ensure_ascii=False).encode().replace(b"customers", "kéks".encode("latin-1"))
    (found,) = problems(Kind.COMMAND, data)
    assert (found.code, found.line) == (Code.INVALID_JSON, 4)
    assert found.column == data.split(b"\n")[3].index(b"\xe9") + 1
    assert "UTF-8" in found.message
    assert told(Kind.COMMAND, json.dumps(COMMAND).encode("utf-16"))[0][:3] == (Code.INVALID_JSON, 1, 1)


def test_a_byte_order_mark_and_line_ends_of_windows_are_fine() -> None:
    text = json.dumps(COMMAND, indent=2).replace("\n", "\r\n")
    assert read(Kind.COMMAND, b"\xef\xbb\xbf" + text.encode()).document == COMMAND


@pytest.mark.parametrize("content", ["[]", "3", '"text"', "null"])
def test_a_file_that_holds_no_object_is_told(content: str) -> None:
    assert told(Kind.COMMAND, content) == [(Code.VALIDATION_FAILED, 1, 1, ())]


def test_everything_that_is_wrong_is_told_at_once_in_the_order_of_lines() -> None:
    content = '{\n  "slug": "release-notes",\n  "prompt": 3,\n    "arguments": [{"name": "a b"}, {}],\n  "id": "a/b"\n}'
    assert told(Kind.COMMAND, content) == [
        (Code.VALIDATION_FAILED, 1, 1, ("/name",)),
        (Code.VALIDATION_FAILED, 3, 3, ("/prompt",)),
        (Code.VALIDATION_FAILED, 4, 20, ("/arguments/0/name",)),
        (Code.VALIDATION_FAILED, 4, 36, ("/arguments/1/name",)),
        (Code.VALIDATION_FAILED, 5, 3, ("/id",)),
    ]


def test_a_thousand_mistakes_are_told_up_to_a_hundred() -> None:
    assert len(problems(Kind.TOOLKIT, {**TOOLKIT, "skills": list(range(1_000))})) == 100


def test_the_slug_has_to_be_the_files_name_and_both_are_named() -> None:
    (found,) = problems(Kind.COMMAND, COMMAND, "notes")
    assert (found.code, found.fields, found.line) == (Code.VALIDATION_FAILED, ("/slug",), 3)
    assert "release-notes" in found.message
    assert "notes.json" in found.message
    assert fields(Kind.COMMAND, {name: value for name, value in COMMAND.items() if name != "slug"} | {"slug": ""}) == {
        "/slug"
    }


@pytest.mark.parametrize("id_", ["", "a b", "a/b", "x" * 65, "a\n", 3, None, "é"])
def test_ids_are_short_and_plain(id_: Any) -> None:
    assert fields(Kind.COMMAND, {**COMMAND, "id": id_}) == {"/id"}


def test_a_later_schema_is_told_as_such_and_before_all_else() -> None:
    content = '{\n "$schema": "https://elsewhere.example/millrace/schemas/v2/command.json", "prompt": [1]}'
    (found,) = problems(Kind.COMMAND, content)
    assert (found.code, found.line, found.column) == (Code.UNSUPPORTED_VERSION, 2, 2)
    assert "version 2" in found.message
    assert not problems(Kind.COMMAND, {**COMMAND, "$schema": "https://other.example/schemas/v1/command.json"})
    assert not problems(Kind.COMMAND, {**COMMAND, "$schema": "./mine.json"})


def test_a_file_in_another_kinds_folder_is_told() -> None:
    assert fields(Kind.CLIENT, {**CLIENT, "$schema": SCHEMA.format("toolkit")}) == {"/$schema"}


def test_unknown_members_are_taken_and_are_no_part_of_the_document() -> None:
    content = {**COMMAND, "x-team": {"a": [1]}, "arguments": [{**COMMAND["arguments"][0], "x": 1}, {"name": "tone"}]}
    found = read(Kind.COMMAND, content)
    assert found.document == COMMAND
    assert found.raw == content


def test_texts_are_kept_as_forms_keep_them() -> None:
    found = read(Kind.COMMAND, {**COMMAND, "name": " Release\t notes ", "description": "\nA\r\nb ", "prompt": " a\r\n"})
    assert (found.name, found.document["description"], found.document["prompt"]) == ("Release notes", "A\nb", " a\n")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "/name"),
        ({"name": "a\u200bb"}, "/name"),
        ({"name": "x" * 121}, "/name"),
        ({"prompt": "\n"}, "/prompt"),
        ({"prompt": "{{other}}"}, "/prompt"),
        ({"arguments": [{"name": "since"}, {"name": "tone"}, {"name": "since"}]}, "/arguments/2/name"),
        ({"arguments": [{"name": "since"}, {"name": "tone\n"}]}, "/arguments/1/name"),
        ({"description": None}, "/description"),
    ],
)
def test_a_command_keeps_the_rules_of_its_form(changes: dict[str, Any], field: str) -> None:
    assert fields(Kind.COMMAND, {**COMMAND, **changes}) == {field}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"servers": ["weather"]}, "/servers"),
        ({"servers": {"a b": {}}}, "/servers/a b"),
        ({"servers": {"weather": {"tools": ["a", "b", "a"]}}}, "/servers/weather/tools"),
        ({"servers": {"weather": {"tools": [{}, {}]}}}, "/servers/weather/tools"),
        ({"skills": ["PDF"]}, "/skills/0"),
    ],
)
def test_a_toolkit_names_each_thing_once(changes: dict[str, Any], field: str) -> None:
    assert field in fields(Kind.TOOLKIT, {**TOOLKIT, **changes})


def test_a_client_is_of_a_known_kind_or_another() -> None:
    assert fields(Kind.CLIENT, {**CLIENT, "kind": "toaster"}) == {"/kind"}
    assert read(Kind.CLIENT, {"name": "Desk", "slug": "desk"}).document == {
        "name": "Desk",
        "slug": "desk",
        "kind": "other",
    }


def with_tool(**changes: Any) -> dict[str, Any]:
    document = copy.deepcopy(SERVER)
    document["providers"][0]["tools"][0].update(changes)
    return document


def test_a_server_needs_little_and_the_rest_is_filled_in() -> None:
    document = {"name": "W", "slug": "w", "providers": [{"name": "P", "baseUrl": "https://a.example/", "tools": [
        {"name": "get", "method": "GET", "path": "/{id}"}]}]}  # fmt: skip
    found = read(Kind.SERVER, document).document
    assert found["visibility"] == "private"
    (provider,) = found["providers"]
    assert (provider["visibility"], provider["baseUrl"]) == ("public", "https://a.example")
    assert provider["tools"][0]["enabled"] is True
    assert provider["tools"][0]["pathArguments"]["required"] == ["id"]


@pytest.mark.parametrize("kind", JSON_KINDS)
def test_a_file_that_was_kept_whole_has_the_document_that_was_read_of_it(kind: Kind) -> None:
    content = {**DOCUMENTS[kind], "description": " a ", "x-note": 1, "id": "a"}
    if kind is Kind.SERVER:
        content["providers"] = [{"name": "P", "baseUrl": "https://a.example/", "tools": [
            {"name": "get", "method": "GET", "path": "/{id}"}]}]  # fmt: skip
    found = read(kind, content)
    assert reading.document_of(kind, found.raw) == found.document
    assert reading.document_of(kind, {}) == {}


SECRET = "s3cr3t-which-is-nowhere-in-what-is-told"


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (with_tool(scopes=["read"]), "/providers/0/tools/0/scopes"),
        (with_tool(headers={"Accept": "a/b", "X-Api-Key": SECRET}), "/providers/0/tools/0/headers/X-Api-Key"),
        (with_tool(headers={"Authorization": "Bearer ${TOKEN}"}), "/providers/0/tools/0/headers/Authorization"),
        ({**SERVER, "providers": [{"name": "P", "oauth2": {"clientSecret": SECRET}}]}, "/providers/0/oauth2"),
        ({**SERVER, "variables": [{"name": "KEY", "secret": True, "value": SECRET}]}, "/variables/0/secret"),
        ({**SERVER, "variables": [{"name": "KEY", "hosts": [SECRET]}]}, "/variables/0/hosts"),
        ({**SERVER, "variables": [{"name": "KEY", "value": "••••••"}]}, "/variables/0/value"),
    ],
)
def test_a_servers_file_authenticates_nothing(document: dict[str, Any], field: str) -> None:
    found = problems(Kind.SERVER, document)
    assert [each.fields for each in found] == [(field,)]
    assert found[0].line > 1
    assert SECRET not in found[0].message
    lines = json.dumps(document, indent=2).split("\n")
    assert f'"{field.rpartition("/")[2]}"' in lines[found[0].line - 1]


def test_a_plain_variable_may_say_that_it_is_plain() -> None:
    assert (
        read(Kind.SERVER, {**SERVER, "variables": [{"name": "REGION", "secret": False, "value": "eu"}]}).document
        == SERVER
    )


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (with_tool(path="cities"), "/providers/0/tools/0/path"),
        (with_tool(method="TRACE"), "/providers/0/tools/0/method"),
        (with_tool(body={"type": "object"}), "/providers/0/tools/0/body"),
        (with_tool(queryArguments={"type": "wrong"}), "/providers/0/tools/0/queryArguments/type"),
        ({**SERVER, "providers": [{"name": "A"}, {"name": "a"}]}, "/providers/1/name"),
        ({**SERVER, "providers": [{"name": "A", "baseUrl": "ftp://x.example"}]}, "/providers/0/baseUrl"),
        ({**SERVER, "visibility": "secret"}, "/visibility"),
        (
            {
                **SERVER,
                "providers": [
                    {"name": "A", "resources": [{"name": "R", "uri": "x://y", "text": "a", "upstreamPath": "/b"}]}
                ],
            },
            "/providers/0/resources/0",
        ),
        ({**SERVER, "name": " "}, "/name"),
    ],
)
def test_a_server_keeps_the_rules_of_its_forms_at_the_places_of_the_file(document: dict[str, Any], field: str) -> None:
    assert field in fields(Kind.SERVER, document)


def test_a_file_over_its_cap_is_told_without_being_read() -> None:
    it = unit(Kind.COMMAND, "a")
    with pytest.raises(BadFile) as refused:
        reading.read(it, {it.path: b"\xff" * 101}, limits=Limits(max_file_bytes=100))
    assert [each.code for each in refused.value.problems] == [Code.TOO_LARGE]
    assert "100 bytes" in refused.value.problems[0].message
