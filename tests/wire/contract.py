"""Checks requests and replies against a forge's published OpenAPI 3.0 description."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator, oas30_format_checker

from tests.wire.github_routes import compile_template
from tests.wire.messages import Reply, Request

Json = Any


@dataclass(frozen=True, slots=True)
class Gaps:
    """What a description leaves out although the forge's own pages say it."""

    statuses: frozenset[int]
    """What any endpoint may answer without its description saying so; the body is the forge's usual `error`."""
    error: str
    """Where the description has that error's body."""
    query: frozenset[str] = frozenset()
    """Parameters that every list takes."""
    media: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Path template -> media types of replies that are not described."""


GITHUB = Gaps(
    # https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api and, for 301,
    # https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
    statuses=frozenset({301, 307, 400, 401, 403, 404, 422, 429, 500, 502, 503}),
    error="#/components/responses/not_found",
    media={
        # https://docs.github.com/en/rest/git/blobs#get-a-blob and …/rest/repos/contents
        "/repos/{owner}/{repo}/git/blobs/{file_sha}": frozenset({"application/vnd.github.raw"}),
        "/repos/{owner}/{repo}/contents/{path}": frozenset({"application/vnd.github.raw"}),
    },
)


@dataclass(frozen=True, slots=True)
class Operation:
    template: str
    method: str
    pattern: re.Pattern[str]
    described: Mapping[str, Json]
    parameters: tuple[Mapping[str, Json], ...]

    @property
    def query(self) -> dict[str, Mapping[str, Json]]:
        return {parameter["name"]: parameter for parameter in self.parameters if parameter["in"] == "query"}


@dataclass(frozen=True, slots=True)
class Violation:
    """Something said on the wire that the API's description does not know."""

    by: str
    """client or server."""
    line: str
    """Method and path."""
    message: str

    def __str__(self) -> str:
        return f"{self.by}: {self.line}: {self.message}"


class Contract(Protocol):
    """See `tests.wire.contract`."""

    def check_request(self, request: Request) -> list[str]: ...

    def check_reply(self, request: Request, reply: Reply) -> list[str]: ...


class OpenApiContract:
    """What a request or a reply says that the description does not: as sentences, none where all is well."""

    def __init__(self, description: Mapping[str, Json], gaps: Gaps = GITHUB) -> None:
        self._description = _readable(description)
        self._gaps = gaps
        self.operations = tuple(self._read_operations())
        self._checked: set[tuple[str, str, int, str]] = set()

    def find(self, method: str, path: str) -> Operation | None:
        asked = "get" if method == "HEAD" else method.lower()
        named = [op for op in self.operations if op.method == asked and op.pattern.fullmatch(path)]
        # `/git/ref/{ref}` also fits what `/git/{…}` would: the one with the most of its own words is meant.
        return max(named, key=lambda op: len(re.sub(r"\{\w+\}", "", op.template)), default=None)

    def check_request(self, request: Request) -> list[str]:
        operation = self.find(request.method, request.path)
        if operation is None:
            return [f"no such path or method in the description: {request.line}"]
        known = operation.query.keys() | self._gaps.query
        complaints = [f"unknown query parameter {name!r}" for name in sorted(request.query.keys() - known)]
        for name, parameter in operation.query.items():
            if name in request.query:
                value = _typed(request.query[name], parameter.get("schema", {}).get("type", "string"))
                complaints += self._errors(value, parameter.get("schema", {}), f"query parameter {name!r}", write=True)
            elif parameter.get("required"):
                complaints.append(f"missing query parameter {name!r}")
        return complaints + self._check_request_body(request, operation)

    def _check_request_body(self, request: Request, operation: Operation) -> list[str]:
        described = self._resolve(operation.described.get("requestBody"))
        if described is None:
            return [f"{request.method} takes no body here"] if request.body else []
        if not described["content"]:
            return []  # a form
        if not request.body:
            return ["the body is missing"] if described.get("required") else []
        try:
            body = request.json()
        except ValueError:
            return ["the body is not JSON"]
        schema = described["content"]["application/json"]["schema"]
        complaints = self._errors(body, schema, "the body", write=True)
        known = self._properties(schema)
        if known and isinstance(body, dict):
            complaints += [f"unknown property {name!r} in the body" for name in body.keys() - known.keys()]
        return complaints

    def _properties(self, schema: Json) -> dict[str, Json]:
        """The properties of a schema and of all that it is made of."""
        resolved = self._resolve(schema)
        parts = (self._properties(part) for part in resolved.get("allOf", ()))
        return {**resolved.get("properties", {}), **{name: found for part in parts for name, found in part.items()}}

    def check_reply(self, request: Request, reply: Reply) -> list[str]:
        operation = self.find(request.method, request.path)
        if operation is None:
            return [f"no such path in the description: {request.path}"]
        described = self._resolve(operation.described["responses"].get(str(reply.status)))
        if described is None:
            if reply.status not in self._gaps.statuses:
                return [f"status {reply.status} is not in the description"]
            described = self._resolve({"$ref": self._gaps.error})
        missing = [f"header {n} is missing" for n in described.get("headers", {}) if n == "Location"]
        complaints = [complaint for complaint in missing if "Location" not in reply.headers]
        content = described.get("content")
        if not content and reply.status >= 400:
            content = self._resolve({"$ref": self._gaps.error})["content"]  # said to happen, and not how it is told
        if not content:
            return complaints + ([f"status {reply.status} has no body"] if reply.body else [])
        return complaints + self._check_reply_body(reply, operation, content)

    def _check_reply_body(self, reply: Reply, operation: Operation, content: Mapping[str, Json]) -> list[str]:
        if reply.media_type in self._gaps.media.get(operation.template, ()):
            return []
        if reply.media_type not in content:
            return [f"media type {reply.media_type!r} is not in the description"]
        if not isinstance(reply.body, bytes):
            return ["the body is streamed where the description has a schema"]
        digest = hashlib.sha256(reply.body).hexdigest()
        key = (operation.template, reply.media_type, reply.status, digest)
        if key in self._checked:
            return []  # the same bytes were good a moment ago; a tree of 20,000 entries takes a second to check
        schema = content[reply.media_type]["schema"]
        try:
            body = reply.body.decode() if schema == {"type": "string"} else json.loads(reply.body)
        except ValueError:
            return ["the body is not JSON"]
        complaints = self._errors(body, schema, "the body", write=False)
        if not complaints:
            self._checked.add(key)
        return complaints

    def _errors(self, value: Json, schema: Mapping[str, Json], where: str, *, write: bool) -> list[str]:
        # `#/components/...` is looked up in the schema's own root, so the components come along.
        rooted = {**schema, "components": self._description["components"]}
        if "$ref" in schema:
            rooted = {"allOf": [dict(schema)], "components": self._description["components"]}
        validator = (OAS30WriteValidator if write else OAS30ReadValidator)(rooted, format_checker=oas30_format_checker)
        return [
            f"{where} at {error.json_path}: {error.message[:300]}"
            for error in sorted(validator.iter_errors(value), key=lambda error: error.json_path)
        ]

    def _resolve(self, described: Json) -> Json:
        while isinstance(described, Mapping) and "$ref" in described:
            steps = (step.replace("~1", "/") for step in described["$ref"].removeprefix("#/").split("/"))
            described = functools.reduce(lambda at, step: at[step], steps, self._description)
        return described

    def _read_operations(self) -> Iterable[Operation]:
        for template, item in self._description["paths"].items():
            shared = item.get("parameters", [])
            for method, described in item.items():
                if method in {"get", "post", "put", "patch", "delete"}:
                    parameters = (self._resolve(p) for p in [*shared, *described.get("parameters", [])])
                    yield Operation(template, method, compile_template(template), described, tuple(parameters))


def _typed(text: str, kind: str) -> Json:
    """A query's value as the type its schema names; the text itself where it is none of that."""
    if kind == "integer" and re.fullmatch(r"-?\d+", text):
        return int(text)
    if kind == "boolean" and text in {"true", "false"}:
        return text == "true"
    return text


def _readable(part: Json) -> Json:
    """The description with three things said in words that the validator takes literally.

    `oneOf` is written where several of the alternatives fit, such as an error that is of both kinds. `nullable` beside
    it means that null is allowed too; a `discriminator` only hints which of the alternatives is meant, and cannot do so
    for a list.
    """
    if isinstance(part, list):
        return [_readable(item) for item in part]
    if not isinstance(part, dict):
        return part
    read = {key: _readable(value) for key, value in part.items() if not _is_discriminator(key, value)}
    if read.get("nullable") is True and "type" not in read and isinstance(read.get("oneOf"), list):
        read["oneOf"] = [*read["oneOf"], {"enum": [None], "nullable": True, "type": "string"}]
    if isinstance(read.get("oneOf"), list) and "anyOf" not in read:
        read["anyOf"] = read.pop("oneOf")
    return read


def _is_discriminator(key: str, value: Json) -> bool:
    return key == "discriminator" and isinstance(value, dict) and "propertyName" in value


def load_contract(file: Path) -> OpenApiContract:
    """GitHub's description in a file; see `bitbucket_contract` for Bitbucket's."""
    return OpenApiContract(json.loads(file.read_text()))
