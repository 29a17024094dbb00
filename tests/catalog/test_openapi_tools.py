"""The operations of an OpenAPI document, as tools."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from catalog.checking.schemas import check_schema
from catalog.openapi.matching import Existing, match
from catalog.openapi.names import tool_name, variable_name
from catalog.openapi.reading import read
from catalog.openapi.tools import Described, Proposal, describe
from tests.catalog.openapi_samples import WEATHER, document, many, secured, text

FORM = "application/x-www-form-urlencoded"
BODY = {"type": "object", "properties": {"name": {"type": "string"}}}


def described(data: str, found_at: str = "") -> Described:
    return describe(read(data), found_at=found_at)


def one(operation: Any, method: str = "post", path: str = "/pets", version: str = "3.1.0", **more: Any) -> Proposal:
    return described(text({path: {method: operation}}, version=version, **more)).proposals[0]


def body_of(schema: Any, version: str = "3.1.0", **components: Any) -> Any:
    content = {"application/json": {"schema": schema}}
    found = one({"requestBody": {"content": content}}, version=version, components={"schemas": components})
    made = found.values["body_schema"]
    check_schema(made)
    assert found.problems == ()
    return made


def test_the_weather_api_becomes_tools() -> None:
    weather = described(WEATHER)
    assert (weather.title, weather.description) == ("Weather of the world", "What the sky does.")
    assert weather.documentation_url == "https://docs.weather.example/"
    assert weather.base_urls == ("https://eu.weather.example/v2",)
    assert weather.notes == ("OPTIONS /reports is left out: OPTIONS cannot be called by tools.",)
    current, report, photo, deleted = weather.proposals
    assert current.values == {
        "name": "getCurrentWeather",
        "title": "Current weather",
        "description": "What the weather is in a city now.",
        "enabled": True,
        "method": "GET",
        "path": "/cities/{city}/weather",
        "path_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        "query_schema": {
            "type": "object",
            "properties": {
                "units": {
                    "type": ["string", "null"],
                    "enum": ["metric", "imperial", None],
                    "description": "Of temperatures.",
                },
                "days": {"type": "integer", "exclusiveMinimum": 0, "examples": [3]},
                "fields": {"type": "array", "items": {"type": "string"}},
            },
            "required": ["days"],
        },
        "body_schema": None,
        "headers": {"X-Client": "millrace", "Authorization": "Bearer ${API_TOKEN}"},
        "oauth2_scopes": [],
        "read_only": True,
        "destructive": None,
        "idempotent": None,
        "open_world": None,
    }
    assert current.notes == (
        "The API wants fields in another form (style form, not exploded); it is sent repeated for each item of a list, "
        "and objects as JSON.",
        "The header X-Trace is left out: tools send headers that are always the same.",
        "The cookie visit is left out.",
    )
    assert report.values["name"] == "postReports"
    assert report.values["body_schema"]["$ref"] == "#/$defs/Report"
    definition = report.values["body_schema"]["$defs"]["Report"]
    assert definition["required"] == ["city", "sky"]
    assert definition["properties"] == {
        "city": {"type": "string", "examples": ["Oslo"]},
        "sky": {"type": "string", "enum": ["clear", "cloudy"]},
        "replies": {"type": "array", "items": {"$ref": "#/$defs/Report"}},
    }
    assert (photo.deprecated, photo.values["enabled"], photo.values["body_schema"]) == (True, False, None)
    assert any("image/png" in note for note in photo.notes)
    assert (deleted.values["headers"], deleted.values["destructive"]) == ({}, True)
    assert photo.values["idempotent"] is True


@pytest.mark.parametrize(
    ("operation_id", "name"),
    [
        ("getWeather", "getWeather"),
        ("GetWeather", "getWeather"),
        ("get_weather-now", "getWeatherNow"),
        ("repos/list-for-org", "reposListForOrg"),
        ("API", "api"),
        ("2fa.enable", "get2faEnable"),
        ("größe anzeigen", "groeAnzeigen"),
        ("天気", "getCitiesCity"),
        ("", "getCitiesCity"),
        ("x\x00\n<script>", "xScript"),
        ("a" * 100, "a" * 64),
    ],
)
def test_names_are_camel_case_and_never_anything_else(operation_id: str, name: str) -> None:
    assert tool_name(operation_id, "GET", "/cities/{city}") == name


def test_names_are_numbered_where_they_are_taken() -> None:
    long = "b" * 70
    paths = {f"/{number}": {"get": {"operationId": long if number > 1 else "list"}} for number in range(4)}
    found = described(text(paths)).proposals
    assert [each.values["name"] for each in found] == ["list", "list2", "b" * 64, "b" * 63 + "2"]
    named = match(found, [], ["list", "list3"])
    assert len({each.values["name"] for each in named} | {"list", "list3"}) == 6


def test_the_dialect_of_3_0_becomes_draft_2020_12() -> None:
    made = body_of(
        {
            "type": "object",
            "xml": {"name": "pet"},
            "discriminator": {"propertyName": "kind"},
            "x-internal": True,
            "properties": {
                "age": {"type": "integer", "nullable": True, "maximum": 30, "exclusiveMaximum": True},
                "size": {"type": "number", "minimum": 1, "exclusiveMinimum": False},
                "owner": {"nullable": True, "description": "Whose", "allOf": [{"$ref": "#/components/schemas/Owner"}]},
                "kind": {"$ref": "#/components/schemas/Kind", "description": "Which"},
            },
        },
        "3.0.3",
        Owner={"type": "object", "example": {"name": "Ann"}},
        Kind={"type": "string"},
    )
    assert made == {
        "type": "object",
        "properties": {
            "age": {"type": ["integer", "null"], "exclusiveMaximum": 30},
            "size": {"type": "number", "minimum": 1},
            "owner": {
                "description": "Whose",
                "anyOf": [{"allOf": [{"type": "object", "examples": [{"name": "Ann"}]}]}, {"type": "null"}],
            },
            "kind": {"type": "string", "description": "Which"},
        },
    }


def test_what_stands_beside_a_reference_applies_in_3_1() -> None:
    made = body_of({"$ref": "#/components/schemas/Name", "maxLength": 3}, Name={"type": "string"})
    assert made == {"allOf": [{"type": "string"}], "maxLength": 3}


def test_schemas_that_refer_to_each_other_go_into_definitions() -> None:
    made = body_of(
        {"$ref": "#/components/schemas/Tree"},
        Tree={
            "type": "object",
            "properties": {"leaves": {"type": "array", "items": {"$ref": "#/components/schemas/Leaf"}}},
        },
        Leaf={"type": "object", "properties": {"tree": {"$ref": "#/components/schemas/Tree"}}},
    )
    assert made["$ref"] == "#/$defs/Tree"
    assert sorted(made["$defs"]) == ["Leaf", "Tree"]


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/components/schemas/A"},
        {"allOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/A"}]},
        {"$ref": "#/components/schemas/Missing"},
        {"$ref": "#/components/schemas/Wide"},
        {"$ref": 3},
        {"type": "nothing"},
        {"type": "string", "pattern": "("},
        {"enum": ["x" * 100] * 3_000},
        {"properties": "none", "allOf": [3]},
        {"$dynamicRef": "#meta"},
        "text",
    ],
)
def test_schemas_that_cannot_be_kept_give_way_to_any_value_with_a_note(schema: Any) -> None:
    a, b = ({"$ref": f"#/components/schemas/{name}"} for name in "BA")
    wide = {"type": "object", "properties": {f"p{number}": {"type": "string"} for number in range(5_000)}}
    operation = {"requestBody": {"content": {"application/json": {"schema": schema}}}}
    found = one(operation, components={"schemas": {"A": a, "B": b, "Wide": wide}})
    assert found.problems == ()
    assert any("The body takes any value." in note for note in found.notes)
    check_schema(found.values["body_schema"])


def test_references_that_double_at_each_step_are_not_written_out() -> None:
    schemas: dict[str, Any] = {"S0": {"type": "string"}}
    for level in range(1, 30):
        below = {"$ref": f"#/components/schemas/S{level - 1}"}
        schemas[f"S{level}"] = {"type": "object", "properties": {"a": below, "b": below}}
    started = time.monotonic()
    made = body_of({"$ref": "#/components/schemas/S29"}, **schemas)
    assert time.monotonic() - started < 20
    assert len(made["$defs"]) == 30


def test_secrets_in_examples_are_left_out() -> None:
    token = "ghp_" + "a1B2" * 9
    made = body_of(
        {
            "type": "object",
            "example": {"user": "ann", "password": "hunter2"},
            "properties": {
                "token": {"type": "string", "example": "abc"},
                "note": {"type": "string", "default": token, "examples": ["fine"]},
                "login": {"type": "string", "format": "password", "default": "pass"},
                "city": {"type": "string", "example": "Oslo"},
            },
        }
    )
    written = json.dumps(made)
    for secret in ("hunter2", "abc", token, '"pass"'):
        assert secret not in written
    assert made["properties"]["city"]["examples"] == ["Oslo"]
    assert made["properties"]["note"]["examples"] == ["fine"]


@pytest.mark.parametrize(
    ("types", "sent", "headers"),
    [
        (["text/plain", "application/json"], BODY, {}),
        (["application/json; charset=utf-8"], BODY, {}),
        (["application/merge-patch+json"], BODY, {"Content-Type": "application/merge-patch+json"}),
        (
            ["text/plain", "application/x-www-form-urlencoded"],
            BODY,
            {"Content-Type": "application/x-www-form-urlencoded"},
        ),
        (["multipart/form-data"], None, {}),
        (["application/xml\r\nX-Evil: 1", "image/png"], None, {}),
        (["application/x\r\nX-Evil: 1+json"], None, {}),
    ],
)
def test_bodies_are_taken_in_the_media_types_that_tools_send(types: list[str], sent: Any, headers: Any) -> None:
    found = one({"requestBody": {"content": {kind: {"schema": BODY} for kind in types}}})
    assert (found.values["body_schema"], found.values["headers"]) == (sent, headers)
    assert found.values["enabled"] is (sent is not None)
    assert found.problems == ()


def test_a_get_has_no_body_and_says_so() -> None:
    found = one({"requestBody": {"content": {"application/json": {"schema": BODY}}}}, method="get")
    assert found.values["body_schema"] is None
    assert found.notes == ("The body is left out: GET sends none.",)


def test_parameters_of_the_operation_replace_those_of_the_path() -> None:
    shared = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}, {"in": "query"}]
    own = [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}]
    item = {"parameters": shared, "get": {"parameters": own}}
    found = described(text({"/pets/{id}/{more}": item})).proposals[0]
    assert found.values["path_schema"]["properties"] == {"id": {"type": "integer"}, "more": {"type": "string"}}
    assert any("A parameter is left out" in note for note in found.notes)


@pytest.mark.parametrize("value", ["${GITHUB_TOKEN}", "a\r\nX-Evil: 1", "é", ""])
def test_constant_headers_carry_no_references_and_no_line_breaks(value: str) -> None:
    parameter = {"name": "X-Client", "in": "header", "required": True, "schema": {"const": value}}
    found = one({"parameters": [parameter]})
    assert found.values["headers"] == {}
    assert found.values["enabled"] is False


def test_a_literal_credential_is_never_taken_as_a_header() -> None:
    found = one({"parameters": [{"name": "X-Api-Key", "in": "header", "schema": {"enum": ["k3y"]}}]})
    assert "k3y" not in str(found)


@pytest.mark.parametrize(
    ("scheme", "headers", "variables"),
    [
        ({"type": "http", "scheme": "Bearer"}, {"Authorization": "Bearer ${API_TOKEN}"}, ["API_TOKEN"]),
        ({"type": "http", "scheme": "basic"}, {"Authorization": "Basic ${API_BASIC}"}, ["API_BASIC"]),
        ({"type": "apiKey", "in": "header", "name": "X-Key"}, {"X-Key": "${API_KEY}"}, ["API_KEY"]),
    ],
)
def test_security_schemes_become_references_to_variables(scheme: Any, headers: Any, variables: Any) -> None:
    found = described(secured(one=scheme)).proposals[0]
    assert found.values["headers"] == headers
    assert [each.name for each in found.credentials] == variables
    assert found.problems == ()


def test_two_keys_get_names_of_their_own() -> None:
    key = {"type": "apiKey", "in": "header"}
    found = described(secured(apiKeyAuth={**key, "name": "DD-API"}, appKey={**key, "name": "DD-APP"})).proposals[0]
    assert found.values["headers"] == {"DD-API": "${API_KEY_AUTH}", "DD-APP": "${APP_KEY}"}
    assert variable_name("鍵", "API_KEY") == "API_KEY"


def test_oauth2_for_machines_becomes_the_providers_with_the_scopes_of_each_tool() -> None:
    flow = {"tokenUrl": "https://login.pets.example/token", "scopes": {"read": "Read pets"}}
    found = described(secured(auth={"type": "oauth2", "flows": {"clientCredentials": flow}})).proposals[0]
    assert found.oauth2 is not None
    assert found.oauth2.token_url == "https://login.pets.example/token"
    assert (found.values["oauth2_scopes"], found.values["headers"]) == (["read"], {})


@pytest.mark.parametrize(
    "scheme",
    [
        {"type": "apiKey", "in": "query", "name": "key"},
        {"type": "apiKey", "in": "cookie", "name": "session"},
        {"type": "http", "scheme": "digest"},
        {"type": "openIdConnect", "openIdConnectUrl": "https://x.example"},
        {"type": "oauth2", "flows": {"implicit": {"authorizationUrl": "https://x.example", "scopes": {}}}},
        {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "javascript:alert(1)", "scopes": {}}}},
        {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://x.example/${TOKEN}", "scopes": {}}}},
        {"type": 3},
        {"$ref": "#/nowhere"},
    ],
)
def test_other_security_schemes_are_told_and_send_nothing(scheme: Any) -> None:
    found = described(secured(one=scheme)).proposals[0]
    assert len(found.notes) == 1
    assert (found.values["headers"], found.credentials, found.oauth2) == ({}, (), None)


def test_the_first_way_in_that_tools_can_take_is_taken() -> None:
    schemes = {"odd": {"type": "http", "scheme": "digest"}, "token": {"type": "http", "scheme": "bearer"}}
    operation: Any = {"security": [{}, {"odd": []}, {"token": []}]}
    found = one(operation, components={"securitySchemes": schemes})
    assert found.values["headers"] == {"Authorization": "Bearer ${API_TOKEN}"}
    assert found.notes == ()


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("/v1/", ()),
        ("javascript:alert(1)", ()),
        ("https://x.example/${SECRET}", ()),
        ("https://{region}.x.example", ()),
        ("file:///etc", ()),
        ("https://x.example/?key=1", ()),
        ("http://10.0.0.1/v1", ("http://10.0.0.1/v1",)),
    ],
)
def test_only_whole_addresses_are_offered_as_base_urls(url: str, base: Any) -> None:
    assert described(text({"/": {"get": {}}}, servers=[{"url": url}, 3])).base_urls == base


def test_relative_servers_are_below_the_address_of_the_document() -> None:
    data = text({"/": {"get": {}}}, servers=[{"url": "/v1"}, {"url": "../v2"}])
    found = described(data, found_at="https://x.example/docs/openapi.json")
    assert found.base_urls == ("https://x.example/v1", "https://x.example/v2")


def test_links_and_texts_of_strangers_are_cleaned() -> None:
    data = document(
        {"/": {"get": {"summary": "a\x07\u202eb\n" + "c" * 300, "description": "x\x07y"}}},
        externalDocs={"url": "javascript:alert(1)"},
    )
    found = described(json.dumps(data))
    assert found.documentation_url == ""
    values = found.proposals[0].values
    assert values["title"].startswith("ab ccc")
    assert len(values["title"]) == 120
    assert values["description"] == "xy"


@pytest.mark.parametrize("path", ["relative", "//evil.example/x", "/a?b=c", "/a/../b", "/{", "/a\x07b"])
def test_paths_that_no_tool_can_have_are_told(path: str) -> None:
    found = described(text({path: {"get": {}}, "/good": {"get": {}}}))
    assert [bool(each.problems) for each in found.proposals] == [True, False]


def test_what_is_here_already_is_known_by_method_and_path() -> None:
    proposals = described(WEATHER).proposals
    mine = {**proposals[0].values, "name": "mine", "enabled": False, "read_only": False}
    mine["headers"] = {"Authorization": "Bearer ${OTHER}", "X-Client": "me"}
    old = {**proposals[1].values, "title": "Old"}
    found = match(proposals, [Existing(1, mine), Existing(2, old)], ["mine", "postReports"])
    assert [each.state for each in found] == ["same", "changed", "new", "new"]
    assert found[1].differences == ("title",)
    assert found[0].values["headers"] == mine["headers"]
    assert found[0].values["name"] == "mine"


def test_a_thousand_operations_are_read_in_seconds() -> None:
    started = time.monotonic()
    assert len(described(many(1_000)).proposals) == 1_000
    assert time.monotonic() - started < 10
