"""What a tool takes: one schema of its parts, and arguments held against it in bounded time."""

from __future__ import annotations

import time
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from catalog.calls.building import Endpoint
from catalog.calls.schema import input_schema, skeleton
from catalog.calls.validating import BadSchema, TooSlow, problems


def endpoint(path: str = "/cities", **fields: Any) -> Endpoint:
    return Endpoint(
        **{"provider": ("p", 1), "base_url": "https://api.example.com", "method": "GET", **fields, "path": path}
    )


DOUBLING = {
    "$defs": {
        **{f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)},
        "d40": {"type": "string"},
    },
    "$ref": "#/$defs/d0",
}


def of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def test_a_tool_without_arguments_takes_an_empty_object() -> None:
    assert input_schema(endpoint()) == {"type": "object", "properties": {}, "additionalProperties": False}


def test_each_part_that_takes_something_is_there_and_required_as_needed() -> None:
    merged = input_schema(
        endpoint(
            "/cities/{city}/days/{day}",
            path_schema=of(city={"type": "string"}),
            query_schema=of(units={"enum": ["C", "F"]}),
            body_schema={"type": "array"},
        )
    )
    assert list(merged["properties"]) == ["path", "query", "body"]
    assert merged["required"] == ["path", "body"]
    assert merged["properties"]["path"]["required"] == ["city", "day"]
    Draft202012Validator.check_schema(merged)


def test_a_body_of_which_nothing_is_required_may_be_left_out() -> None:
    assert "required" not in input_schema(endpoint(body_schema=of(note={"type": "string"})))
    assert input_schema(endpoint(body_schema={**of(note={}), "required": ["note"]}))["required"] == ["body"]


def test_references_inside_a_part_still_lead_to_the_same_place() -> None:
    body = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": {"day": {"enum": ["mon", "tue"]}},
        "type": "object",
        "properties": {"day": {"$ref": "#/$defs/day"}, "then": {"$ref": "#"}},
        "default": {"$ref": "#/is/data"},
    }
    merged = input_schema(endpoint(body_schema=body))

    assert problems(merged, {"body": {"day": "mon", "then": {"day": "tue"}}}) == []
    assert problems(merged, {"body": {"then": {"day": "sun"}}}) == ["“body.then.day” has to be one of mon, tue."]
    assert merged["properties"]["body"]["default"] == {"$ref": "#/is/data"}
    assert "$schema" not in merged["properties"]["body"]


def test_what_is_wrong_is_named_and_what_was_given_is_not_repeated() -> None:
    schema = input_schema(
        endpoint(
            "/cities/{city}",
            query_schema={
                **of(days={"type": "integer", "maximum": 7}, code={"pattern": "^[a-z]{3}$"}),
                "additionalProperties": False,
            },
        )
    )
    wrong = problems(schema, {"query": {"days": 9, "code": "sk-secret" * 1000, "dais": 1}, "bogus": {}})

    assert sorted(wrong) == [
        "“bogus” is not known.",
        "“path” is missing.",
        "“query.code” does not match the pattern ^[a-z]{3}$.",
        "“query.dais” is not known.",
        "“query.days” has to be 7 or less.",
    ]


def test_at_most_a_handful_is_told() -> None:
    wrong = problems(of(**{f"n{number}": {"type": "null"} for number in range(50)}), {f"n{n}": 1 for n in range(50)})
    assert len(wrong) == 6
    assert wrong[-1] == "There is more that does not fit."


def test_a_huge_name_is_cut() -> None:
    (wrong,) = problems({"additionalProperties": False}, {"x" * 100_000: 1})
    assert len(wrong) < 200


@pytest.mark.parametrize(
    ("schema", "given"),
    [
        ({"pattern": r"^(([a-z])+.)+[A-Z]([a-z])+$"}, "a" * 5000),
        ({"patternProperties": {r"^(([a-z])+.)+[A-Z]([a-z])+$": {}}}, {"a" * 5000: 1}),
        ({"patternProperties": {r"^(([a-z])+.)+[A-Z]([a-z])+$": {}}, "additionalProperties": False}, {"a" * 5000: 1}),
        (
            {
                "$defs": {
                    **{
                        f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]}
                        for n in range(40)
                    },
                    "d40": {"type": "string"},
                },
                "$ref": "#/$defs/d0",
            },
            "x",
        ),
    ],
    ids=["pattern", "patternProperties", "additionalProperties", "references that double"],
)
def test_a_schema_that_would_take_for_ever_is_given_up_in_time(schema: dict[str, Any], given: Any) -> None:
    started = time.monotonic()
    with pytest.raises(TooSlow):
        problems(schema, given, seconds=0.3)
    assert time.monotonic() - started < 20


def test_many_items_are_compared_quickly_and_as_json_compares_them() -> None:
    unique = {"uniqueItems": True}
    started = time.monotonic()
    assert problems(unique, [{"n": number} for number in range(20_000)], seconds=20) == []
    assert time.monotonic() - started < 20  # a tenth of a second on an idle machine
    assert problems(unique, [1, True, "1", [1], {"a": 1}]) == []
    assert problems(unique, [{"a": 1, "b": [2.0]}, {"b": [2], "a": 1.0}]) == ["What was given has the same item twice."]


def test_a_skeleton_of_a_schema_that_is_part_of_itself_in_many_places_is_small() -> None:
    names = [f"p{number}" for number in range(12)]
    many = {"type": "object", "required": names, "properties": {name: {"$ref": "#/$defs/many"} for name in names}}
    found = skeleton(
        endpoint(query_schema={**of(a={"$ref": "#/$defs/many"}), "required": ["a"], "$defs": {"many": many}})
    )
    assert found["query"]["a"].keys() == set(names)
    assert len(str(found)) < 20_000


def test_a_property_of_any_name_is_a_schema_whose_references_lead_on() -> None:
    inner = {"$ref": "#/$defs/enum", "$schema": "https://json-schema.org/draft/2020-12/schema"}
    merged = input_schema(
        endpoint(query_schema={**of(default=inner), "$defs": {"enum": {"type": "integer"}}, "enum": [{"$ref": "#"}]})
    )
    assert merged["properties"]["query"]["properties"]["default"] == {"$ref": "#/properties/query/$defs/enum"}
    assert merged["properties"]["query"]["enum"] == [{"$ref": "#"}]


def test_a_subschema_that_names_its_draft_is_held_to_the_same_limits() -> None:
    inner = {"$schema": "https://json-schema.org/draft/2020-12/schema", "pattern": r"^\p{L}+$"}
    assert problems(of(a=inner), {"a": "été"}) == []  # Python's own expressions, which have no time limit, know no \p


def test_patterns_that_the_library_would_match_without_a_limit_are_refused() -> None:
    schema = {"allOf": [{"patternProperties": {"^(a+)+$": {}}}], "unevaluatedProperties": False}
    with pytest.raises(BadSchema, match="not supported"):
        problems(schema, {"a": 1})


@pytest.mark.parametrize(
    ("schema", "given"),
    [
        ({"$ref": "#"}, 1),
        ({"$ref": "#/$defs/nowhere"}, 1),
        ({"type": "nonsense"}, 1),
        ({"pattern": "("}, "text"),
        ({"pattern": "x" * 1001}, "text"),
        ({"pattern": "x{99999}"}, "text"),
        ({"pattern": "(?R)"}, "text"),
        ({"minimum": "a"}, 5),
        ({"properties": 3}, {"a": 1}),
    ],
)
def test_a_schema_that_cannot_be_used_is_told_as_such(schema: dict[str, Any], given: Any) -> None:
    with pytest.raises(BadSchema):
        problems(schema, given)


def test_a_reference_to_another_address_is_never_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("urllib.request.urlopen", lambda *args, **_: asked.append(args))

    with pytest.raises(BadSchema):
        problems({"$ref": "http://169.254.169.254/latest/meta-data"}, {})

    assert asked == []


def test_a_skeleton_begins_with_examples_defaults_and_what_is_required() -> None:
    found = skeleton(
        endpoint(
            "/cities/{city}",
            path_schema=of(city={"type": "string", "examples": ["Berlin"]}),
            query_schema={
                **of(
                    days={"type": "integer"},
                    units={"default": "C"},
                    hidden={"type": "string"},
                    kind={"enum": ["a", "b"]},
                ),
                "required": ["days", "kind"],
            },
            body_schema={
                "$defs": {"x": of(again={"$ref": "#/$defs/x"}) | {"required": ["again"]}},
                "$ref": "#/$defs/x",
            },
        )
    )
    assert found["path"] == {"city": "Berlin"}
    assert found["query"] == {"days": 0, "units": "C", "kind": "a"}
    assert "again" in found["body"]  # a schema that is a part of itself comes to an end
