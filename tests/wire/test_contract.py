"""A description is kept to: what is not in it is told, on both sides.

A small description stands in for GitHub's here, so that these run without CONTRACTS_DIR.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.contract import Gaps, OpenApiContract
from tests.wire.messages import Headers, Reply, Request, json_reply, text_reply

THING = {
    "type": "object",
    "required": ["id", "owner"],
    "properties": {
        "id": {"type": "integer"},
        "made_at": {"type": "string", "format": "date-time"},
        "owner": {"nullable": True, "oneOf": [{"$ref": "#/components/schemas/person"}]},
    },
}
DESCRIPTION: dict[str, Any] = {
    "openapi": "3.0.3",
    "paths": {
        "/things/{thing}": {
            "get": {
                "parameters": [
                    {"name": "thing", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"$ref": "#/components/parameters/page"},
                    {"name": "sort", "in": "query", "schema": {"type": "string", "enum": ["up", "down"]}},
                ],
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/thing"}}}},
                    "302": {"headers": {"Location": {"schema": {"type": "string"}}}},
                    "404": {"$ref": "#/components/responses/not_found"},
                },
            },
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {"name": {"type": "string"}, "size": {"type": "integer"}},
                            }
                        }
                    },
                },
                "responses": {"204": {}},
            },
        }
    },
    "components": {
        "parameters": {"page": {"name": "page", "in": "query", "schema": {"type": "integer"}}},
        "responses": {
            "not_found": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/error"}}}}
        },
        "schemas": {
            "thing": THING,
            "person": {"type": "object", "required": ["login"], "properties": {"login": {"type": "string"}}},
            "error": {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}},
        },
    },
}
GOOD = {"id": 1, "owner": {"login": "alice"}, "made_at": "2026-01-01T00:00:00Z"}


@pytest.fixture
def description() -> OpenApiContract:
    return OpenApiContract(DESCRIPTION)


def request(method: str = "GET", target: str = "/things/1", body: bytes = b"") -> Request:
    return Request(method, target, Headers(), body)


@pytest.mark.parametrize(
    "asked",
    [
        request(),
        request(target="/things/1?page=2&sort=up"),
        request("HEAD"),
        request("POST", body=b'{"name": "a", "size": 1}'),
    ],
)
def test_a_request_as_described_is_good(description: OpenApiContract, asked: Request) -> None:
    assert description.check_request(asked) == []


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (request(target="/nothing"), "no such path"),
        (request("DELETE"), "no such path or method"),
        (request(target="/things/1?pages=2"), "unknown query parameter 'pages'"),
        (request(target="/things/1?page=two"), "query parameter 'page'"),
        (request(target="/things/1?sort=sideways"), "query parameter 'sort'"),
        (request(body=b"{}"), "takes no body"),
        (request("POST"), "the body is missing"),
        (request("POST", body=b"{"), "not JSON"),
        (request("POST", body=b'{"size": 1}'), "'name' is a required property"),
        (request("POST", body=b'{"name": "a", "size": "big"}'), "$.size"),
        (request("POST", body=b'{"name": "a", "colour": "red"}'), "unknown property 'colour'"),
    ],
)
def test_a_request_that_is_not_described_is_told(description: OpenApiContract, asked: Request, told: str) -> None:
    (complaint,) = description.check_request(asked)
    assert told in complaint


@pytest.mark.parametrize(
    "reply",
    [
        json_reply(GOOD),
        json_reply({"id": 1, "owner": None}),
        json_reply({"message": "gone"}, 404),
        json_reply({"message": "wait"}, 429),
        Reply(302, b"", Headers([("Location", "/elsewhere")])),
    ],
)
def test_a_reply_as_described_is_good(description: OpenApiContract, reply: Reply) -> None:
    assert description.check_reply(request(), reply) == []


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (json_reply({"id": 1}), "'owner' is a required property"),
        (json_reply({**GOOD, "id": "1"}), "$.id"),
        (json_reply({**GOOD, "owner": {}}), "$.owner"),
        (json_reply({**GOOD, "made_at": "yesterday"}), "$.made_at"),
        (json_reply([GOOD]), "the body at $"),
        (json_reply(GOOD, 201), "status 201"),
        (json_reply({}, 404), "'message' is a required property"),
        (text_reply("hello"), "media type 'text/plain'"),
        (Reply(200, b"{", Headers([("Content-Type", "application/json")])), "not JSON"),
        (Reply(302), "Location is missing"),
    ],
)
def test_a_reply_that_is_not_described_is_told(description: OpenApiContract, reply: Reply, told: str) -> None:
    (complaint,) = description.check_reply(request(), reply)
    assert told in complaint


def test_a_bad_reply_is_told_each_time(description: OpenApiContract) -> None:
    for _ in range(2):
        assert description.check_reply(request(), json_reply({"id": 1}))
        assert not description.check_reply(request(), json_reply(GOOD))


def test_what_a_description_leaves_out_can_be_said_beside_it() -> None:
    gaps = Gaps(statuses=frozenset({418}), error="#/components/responses/not_found", query=frozenset({"fields"}))
    paths = {"/things/{thing}": {**DESCRIPTION["paths"]["/things/{thing}"], "delete": {"responses": {"409": {}}}}}
    description = OpenApiContract({**DESCRIPTION, "paths": paths}, gaps)
    assert description.check_request(request(target="/things/1?fields=id")) == []
    assert description.check_reply(request(), json_reply({"message": "no"}, 418)) == []
    assert description.check_reply(request("DELETE"), json_reply({"message": "no"}, 409)) == []
    assert description.check_reply(request("DELETE"), json_reply({}, 409)) != []


def test_properties_are_known_from_all_that_a_body_is_made_of() -> None:
    more = {"type": "object", "properties": {"colour": {"type": "string"}}}
    whole = {"allOf": [{"$ref": "#/components/schemas/thing"}, more]}
    operation = {"requestBody": {"content": {"application/json": {"schema": whole}}}, "responses": {}}
    description = OpenApiContract({**DESCRIPTION, "paths": {"/things/{thing}": {"post": operation}}})
    good = b'{"id": 1, "owner": null, "colour": "red"'
    assert description.check_request(request("POST", body=good + b"}")) == []
    assert description.check_request(request("POST", body=good + b', "size": 1}')) != []
