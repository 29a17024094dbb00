"""JSON Schemas as people type them: the line of an error, no references to elsewhere, and nothing without an end."""

from __future__ import annotations

import json
import time
import tracemalloc
from typing import Any

import pytest

from catalog.checking import patterns
from catalog.checking.json_text import DEEPEST, LONGEST, BadJson, line_of, parse_json
from catalog.checking.schemas import (
    BadSchema,
    check_arguments,
    check_path_arguments,
    check_schema,
    path_arguments,
)

OBJECT: dict[str, Any] = {"type": "object"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{\n  "a": 1,\n  "b": }', "Line 3, column 8: This is not valid JSON: a value is missing."),
        ('{\n  "a": 1\n  "b": 2}', "Line 3, column 3: This is not valid JSON: a comma"),
        ('{"a": 1,\n "b": 2,\n "a": 3}', "Line 3, column 2: The object has “a” twice."),
        ("[1,\n 1e999]", "Line 2, column 2: This number is larger"),
        ('"\\ud800"', "Line 1, column 1: Half of a character"),
        ("{} {}", "Line 1, column 4: This is not valid JSON: something follows its end."),
        ("[NaN]", "Line 1, column 2: NaN is no number in JSON."),
        ("1" * 5_000, "A number has more digits"),
    ],
)
def test_what_is_no_json_is_refused_with_its_line_and_column(text: str, said: str) -> None:
    with pytest.raises(BadJson) as error:
        parse_json(text)
    assert str(error.value).startswith(said)


def test_a_text_is_read_as_python_reads_it() -> None:
    text = '{"a": [1, -2.5e3, true, null, "x\\n\\u00e9\\ud83d\\ude00"], "": {}, "b": [[], {}]}'
    assert parse_json(text) == json.loads(text)
    assert list(parse_json('{"b": 1, "a": 2}')) == ["b", "a"]


def test_a_text_of_a_hundred_thousand_brackets_is_refused_before_it_is_read() -> None:
    with pytest.raises(BadJson, match=f"deeper than {DEEPEST} levels"):
        parse_json("[" * (LONGEST - 1))
    with pytest.raises(BadJson, match="longer than"):
        parse_json("[" * (LONGEST + 1))
    assert parse_json(json.dumps("[" * 1_000)) == "[" * 1_000  # brackets in a text nest nothing
    assert parse_json("[" * DEEPEST + "]" * DEEPEST)


def test_a_pointer_leads_back_to_the_line_that_was_typed() -> None:
    text = (
        '{\n  "type": "object",\n  "properties": {\n    "a/b~c": {\n      "enum": [\n        1\n      ]\n    }\n  }\n}'
    )
    assert line_of(text, "") == 1
    assert line_of(text, "/properties/a~1b~0c") == 4
    assert line_of(text, "/properties/a~1b~0c/enum/0") == 6
    assert line_of(text, "/properties/a~1b~0c/missing/more") == 4


def test_a_long_document_takes_little_more_memory_to_check_than_to_read() -> None:
    text = f"[{'0,' * 200_000}0]"
    tracemalloc.start()
    try:
        parse_json(text, longest=len(text))
        assert line_of(text, "/200000") == 1
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("schema", "pointer", "said"),
    [
        ({"properties": {"a": {"type": "strin"}}}, "/properties/a/type", "one of the types array"),
        ({"properties": {"a": {"type": ["string", 5]}}}, "/properties/a/type/1", "one of array"),
        ({"properties": []}, "/properties", "“properties” has to be an object"),
        ({"required": "a"}, "/required", "“required” has to be an array"),
        ({"minLength": -1}, "/minLength", "a number of 0 or more"),
        ({"pattern": "("}, "/pattern", "no regular expression"),
        ({"patternProperties": {"(": {}}}, "/patternProperties/(", "no regular expression"),
        ({"pattern": "a" * (patterns.LONGEST + 1)}, "/pattern", "characters at most"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "/$schema", "draft 2020-12"),
        ({"$id": "https://example.com/schema"}, "/$id", "no address of its own"),
        ([], "", "a JSON object"),
        ("string", "", "a JSON object"),
    ],
)
def test_what_is_no_schema_is_refused_with_the_place(schema: Any, pointer: str, said: str) -> None:
    with pytest.raises(BadSchema) as error:
        check_schema(schema)
    assert error.value.pointer == pointer
    assert said in str(error.value)


@pytest.mark.parametrize(
    "pattern",
    [
        "a{60000}",
        "(?:(?:(?:a?){40}){40}){40}",
        "((a{100}b){10}){10}",
        "[a-z]{60000}",
        r"\p{L{60000}",  # no property: the library reads it as a letter and a brace
    ],
)
def test_a_pattern_that_would_be_compiled_to_more_than_fits_into_memory_is_refused(pattern: str) -> None:
    schemas: list[Any] = [{"pattern": pattern}, {"patternProperties": {pattern: {}}}]
    for schema in schemas:
        with pytest.raises(BadSchema, match="repeats more than"):
            check_schema(schema)


@pytest.mark.parametrize("pattern", ["(?R)", "(a)(?1)", "(?&a)(?<a>b)", "(?:abc){e<=2}", "(?x)a{1 0}", "(?V1)[[a]]"])
def test_what_no_json_schema_has_in_its_patterns_is_refused(pattern: str) -> None:
    with pytest.raises(BadSchema, match="not supported in a pattern"):
        check_schema({"pattern": pattern})


@pytest.mark.parametrize(
    "pattern",
    [
        "^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$",
        r"^\d{4}-\d{2}-\d{2}(?:T[^\]{}]+)?$",
        "^.{1,60000}$",
        "(?i)^(?<name>a)(?=b)(?!c)(?<=d)(?<!e)(?:f|g)?$",
        r"^\p{Script=Greek}{3,}\{id\}$",
    ],
)
def test_patterns_as_people_write_them_are_taken(pattern: str) -> None:
    check_schema({"pattern": pattern})


def test_a_list_of_many_sorts_of_items_is_checked_at_once() -> None:
    mixed = [item for number in range(2_500) for item in (number, str(number))]
    for schema in ({"required": mixed}, {"type": mixed}, {"required": [{"a": each} for each in range(2_500)]}):
        begun = time.monotonic()
        with pytest.raises(BadSchema):
            check_schema(schema)
        assert time.monotonic() - begun < 2


def test_references_within_a_schema_are_followed() -> None:
    check_schema({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "string"}}})
    check_schema({"$ref": "#place", "$defs": {"a": {"$anchor": "place"}}})
    check_schema({"properties": {"a": {"allOf": [{}]}, "b": {"$ref": "#/properties/a/allOf/0"}}})
    check_schema({"properties": {"children": {"items": {"$ref": "#"}}}})  # a tree


def test_a_property_or_a_value_that_is_called_ref_is_no_reference() -> None:
    check_schema({"properties": {"$ref": {"type": "string"}}})
    check_schema({"const": {"$ref": "https://example.com/"}})


@pytest.mark.parametrize(
    "reference", ["https://example.com/schema", "//example.com", "other.json", "file:///etc/passwd", "urn:x", ""]
)
def test_a_reference_to_elsewhere_is_refused(reference: str) -> None:
    with pytest.raises(BadSchema, match="nothing is fetched") as error:
        check_schema({"properties": {"a": {"$ref": reference}}})
    assert error.value.pointer == "/properties/a/$ref"


@pytest.mark.parametrize("reference", ["#/$defs/none", "#none", "#/properties"])
def test_a_reference_to_nothing_is_refused(reference: str) -> None:
    with pytest.raises(BadSchema, match="leads to no schema"):
        check_schema({"properties": {"a": {"$ref": reference}}})


def test_schemas_that_never_end_or_double_with_every_step_are_refused() -> None:
    for endless in ({"$ref": "#"}, {"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}}}):
        with pytest.raises(BadSchema, match="without end"):
            check_schema(endless)
    steps: dict[str, Any] = {f"s{n}": {"allOf": [{"$ref": f"#/$defs/s{n + 1}"}] * 2} for n in range(60)}
    with pytest.raises(BadSchema, match="so many schemas"):
        check_schema({"$ref": "#/$defs/s0", "$defs": {**steps, "s60": {}}})


def test_a_schema_from_a_document_is_bounded_as_one_that_was_typed() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5_000):
        deep = {"not": deep}
    with pytest.raises(BadSchema, match="deeper than"):
        check_schema(deep)
    with pytest.raises(BadSchema, match="longer than"):
        check_schema({"description": "x" * LONGEST})


def test_the_largest_schemas_are_checked_while_a_person_waits() -> None:
    begun = time.monotonic()
    with pytest.raises(BadSchema, match="more than 3,000 schemas"):
        check_schema({"anyOf": [{}] * 20_000})
    check_schema({"enum": ["x" * 20] * 4_000})
    assert time.monotonic() - begun < 5


def test_arguments_are_those_of_an_object() -> None:
    check_arguments({})
    check_arguments({"type": "object", "properties": {"a": {"type": "string"}}})
    others: list[dict[str, Any]] = [{"type": "array"}, {"properties": {}}, {"type": ["object", "null"]}]
    for schema in others:
        with pytest.raises(BadSchema, match='"type": "object"'):
            check_arguments(schema)


def test_the_arguments_of_a_path_are_just_those_it_names() -> None:
    schema: dict[str, Any] = {**OBJECT, "properties": {"city": {"type": "string"}}, "required": ["city"]}
    check_path_arguments(schema, ["city"])
    with pytest.raises(BadSchema, match="which is no property"):
        check_path_arguments(schema, ["city", "day"])
    with pytest.raises(BadSchema, match="“city” is nowhere in the path"):
        check_path_arguments(schema, [])
    with pytest.raises(BadSchema, match="Add “city” to “required”"):
        check_path_arguments({**schema, "required": []}, ["city"])


def test_where_nobody_wrote_a_schema_the_arguments_of_a_path_are_texts() -> None:
    schema = path_arguments(["city", "day"])
    check_arguments(schema)
    check_path_arguments(schema, ["city", "day"])
    assert path_arguments([]) == {}
