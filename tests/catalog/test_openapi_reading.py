"""Reading an OpenAPI document: what is refused, and that nothing is ever fetched for it."""

from __future__ import annotations

import builtins
import json
import socket
import time
from typing import Any

import pytest

from catalog.exchange.errors import DocumentError
from catalog.openapi.reading import MOST_BYTES, read
from catalog.openapi.tools import MOST_OPERATIONS, describe
from tests.catalog.openapi_samples import WEATHER, document, text


def refusal(data: bytes | str) -> str:
    with pytest.raises(DocumentError) as refused:
        describe(read(data))
    return str(refused.value)


@pytest.mark.parametrize("version", ["3.0.0", "3.0.4", "3.1.1"])
def test_3_0_and_3_1_are_read_as_json_and_as_yaml(version: str) -> None:
    assert read(text(version=version)).version == version[:3]
    assert read(f"openapi: {version}\npaths: {{}}\n".encode()).version == version[:3]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", "is empty"),
        ("[]", "no OpenAPI document"),
        ("hello", "no OpenAPI document"),
        ("{}", "does not say “openapi”"),
        ('{"swagger": "2.0"}', "Swagger 2.0"),
        ('{"openapi": "3.2.0"}', "3.0 and 3.1 can be imported"),
        ('{"openapi": "3.10"}', "3.0 and 3.1 can be imported"),
        ('{"openapi": "3.1.0", "paths": []}', "has to be an object"),
        ('{"openapi": "3.1.0",\n "paths": }', "Line 2"),
        ('{"openapi": "3.1.0",\n "openapi": "3.1.0"}', "twice"),
        ("openapi: 3.1.0\npaths: {a: b\n", "Line "),
        ("openapi: 3.1.0\nopenapi: 3.1.0\n", "Line 2: “openapi” is there twice"),
        ("openapi: 3.1.0\n---\nopenapi: 3.1.0\n", "more than one document"),
        ("openapi: 3.1.0\nx: !!python/object/apply:os.system [ls]\n", "Line 2"),
        ("openapi: 3.1.0\nx: !!binary aGk=\n", "Line 2"),
        ("openapi: 3.1.0\nx: 1e999\n", "Line 2"),
        (b"openapi: 3.1.0\nx: \xff\n", "Line 2"),
        ('openapi: 3.1.0\nx: "\\0"\n', "Line 2"),
        ('openapi: 3.1.0\nx: "\\ud800"\n', "Line 2"),
        ("openapi: 3.1.0\nx: \x07\n", "a character that YAML does not have"),
        ('{"openapi": "3.1.0", "paths": {}}', "No path"),
    ],
)
def test_what_is_no_document_is_refused_with_its_line(data: bytes | str, words: str) -> None:
    assert words in refusal(data)


def test_yaml_is_told_its_types_as_in_yaml_1_2() -> None:
    tree = read(
        "openapi: 3.1.0\non: off\nday: 2024-01-01\n200: 010\ntime: 12:30\nyes: true\nbig: 3\nsmall: 1.5e-3\n"
        "base: &b {1: 1}\nmore: {<<: *b, c: 2}\n"
    ).tree
    assert tree == {
        "openapi": "3.1.0",
        "on": "off",
        "day": "2024-01-01",
        "200": "010",
        "time": "12:30",
        "yes": True,
        "big": 3,
        "small": 0.0015,
        "base": {"1": 1},
        "more": {"1": 1, "c": 2},
    }


def lies_of_aliases(levels: int) -> str:
    lines = ["openapi: 3.1.0", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("bomb", "words"),
    [
        (lies_of_aliases(12), "With its aliases written out"),
        ("openapi: 3.1.0\na: &a [*a]\n", "leads into itself"),
        ("openapi: 3.1.0\na: &a {b: {<<: *a}}\n", "leads into itself"),
        ("openapi: 3.1.0\na: " + "[" * 900, "nested deeper"),
        ("openapi: 3.1.0\na: " + "{a: " * 150 + "}" * 150, "nested deeper"),
        ('{"a":' * 100_000, "nested deeper"),
        ("[" * 1_000_000, "nested deeper"),
        ("openapi: 3.1.0\nx: " + "1" * 5_000, "number"),
        (b"x" * (MOST_BYTES + 1), "larger than 5 MB"),
    ],
)
def test_bombs_are_refused_before_they_are_built(bomb: bytes | str, words: str) -> None:
    started = time.monotonic()
    assert words in refusal(bomb)
    assert time.monotonic() - started < 10


def test_documents_with_too_many_operations_are_refused() -> None:
    paths: dict[str, Any] = {f"/{number}": {"get": {}} for number in range(MOST_OPERATIONS + 1)}
    assert "more than 2,000 operations" in refusal(text(paths))


OUTSIDE = [
    "http://127.0.0.1:{port}/schema.json",
    "//127.0.0.1:{port}/schema.json",
    "file:///etc/passwd",
    "/etc/passwd",
    "../../etc/passwd",
    "etc/passwd#/root",
]


@pytest.mark.parametrize("reference", OUTSIDE)
def test_no_reference_makes_a_request_or_opens_a_file(monkeypatch: pytest.MonkeyPatch, reference: str) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0)
    there = {"$ref": reference.format(port=listening.getsockname()[1])}
    data = json.dumps(
        document(
            {
                "/whole": there,
                "/parts": {
                    "parameters": [there],
                    "post": {"requestBody": there, "responses": {"200": there}, "callbacks": {"later": there}},
                },
                "/schemas": {
                    "post": {
                        "parameters": [{"name": "q", "in": "query", "schema": there}],
                        "requestBody": {"content": {"application/json": {"schema": {"allOf": [there], "x": there}}}},
                        "security": [{"remote": []}],
                    }
                },
            },
            components={"securitySchemes": {"remote": there}, "schemas": {"remote": there}},
            jsonSchemaDialect=there["$ref"],
        )
    )
    touched: list[Any] = []
    with monkeypatch.context() as watched:
        watched.setattr(builtins, "open", lambda *args, **_: touched.append(args))
        watched.setattr(socket.socket, "connect", lambda *args: touched.append(args))
        watched.setattr(socket, "getaddrinfo", lambda *args, **_: touched.append(args))
        described = describe(read(data))
    assert touched == []
    with pytest.raises(BlockingIOError):
        listening.accept()
    listening.close()
    assert any("nothing is fetched" in note for note in described.notes)
    parts, schemas = described.proposals
    assert any("A parameter is left out" in note for note in parts.notes)
    assert any("The body is left out" in note for note in parts.notes)
    assert any("The body takes any value" in note for note in schemas.notes)
    assert "root:" not in str(described)


def test_lines_of_operations_are_known() -> None:
    found = {each.key: each.line for each in describe(read(WEATHER)).proposals}
    assert WEATHER.splitlines()[found["POST /reports"] - 1].strip() == "post:"
    pretty = json.dumps(document({"/a": {"get": {}}, "/b": {"get": {}}}), indent=1)
    second = describe(read(pretty)).proposals[1]
    assert '"get"' in pretty.splitlines()[second.line - 1]
