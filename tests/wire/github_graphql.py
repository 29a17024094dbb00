"""GitHub's GraphQL endpoint as far as reading blobs in batches goes.

https://docs.github.com/en/graphql/reference/objects#blob. As at GitHub: `text` of a binary is null; a text over
512,000 bytes is cut there, `isTruncated` is true and `isBinary` unknown; a text that is not UTF-8 is guessed at, so
that its bytes are not the blob's any more. Stricter: more objects in a query than `Caps.graphql_objects` are refused.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from tests.wire.github_routes import Call, Refused
from tests.wire.graphql_query import Field, Fragment, QueryError, parse
from tests.wire.messages import Reply, json_reply
from tests.wire.objects import GitObject
from tests.wire.repos import FULL_ID
from tests.wire.world import HostedRepository

BINARY_SNIFF = 8000


def graphql(call: Call) -> Reply:
    """Answer a query: GitHub's own errors come with status 200, beside what data there is."""
    call.signed_in()
    try:
        body = call.request.json()
    except ValueError:
        raise Refused(400, "Problems parsing JSON") from None
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise Refused(400, "A query attribute must be specified and must be a string.")
    if unknown := body.keys() - {"query", "variables", "operationName"}:
        raise Refused(400, f"Unknown attributes: {', '.join(sorted(unknown))}")
    errors: list[dict[str, Any]] = []
    try:
        fields = parse(body["query"], body.get("variables") or {})
        data = {field.alias: _root(call, field, errors) for field in _plain(fields, "Query")}
    except QueryError as error:
        return json_reply({"errors": [{"message": str(error), "locations": [{"line": 1, "column": 1}]}]})
    return json_reply({"data": data, **({"errors": errors} if errors else {})})


def _plain(fields: Iterable[Field | Fragment], kind: str) -> list[Field]:
    """The fields that apply to an object of that type."""
    chosen: list[Field] = []
    for item in fields:
        if isinstance(item, Field):
            chosen.append(item)
        elif item.on == kind or (item.on in {"Node", "GitObject"} and kind in {"Blob", "Tree", "Commit"}):
            chosen.extend(_plain(item.fields, kind))
    return chosen


def _unknown(field: Field, kind: str) -> QueryError:
    return QueryError(f"Field '{field.name}' doesn't exist on type '{kind}'")


def _root(call: Call, field: Field, errors: list[dict[str, Any]]) -> Any:
    if field.name == "viewer":
        login = call.signed_in().account.login
        return _leaves(field.fields, "User", {"login": lambda: login})
    if field.name == "rateLimit":
        budget = call.world.budget(call.token, "graphql")
        values = {"limit": budget.limit, "remaining": budget.remaining, "used": budget.used, "cost": 1}
        return _leaves(field.fields, "RateLimit", {name: functools.partial(int, v) for name, v in values.items()})
    if field.name != "repository":
        raise _unknown(field, "Query")
    if field.arguments.keys() - {"followRenames"} != {"owner", "name"}:
        raise QueryError("Field 'repository' is missing required arguments: owner, name")
    name = f"{field.arguments['owner']}/{field.arguments['name']}"
    hosted = call.world.find(name)
    if hosted is None or not hosted.seen_by(call.token):
        message = f"Could not resolve to a Repository with the name '{name}'."
        errors.append({"type": "NOT_FOUND", "path": [field.alias], "message": message})
        return None
    if not hosted.readable_by(call.token):
        message = "Resource not accessible by personal access token"
        errors.append({"type": "FORBIDDEN", "path": [field.alias], "message": message})
        return None
    return _repository(call, hosted, field)


def _repository(call: Call, hosted: HostedRepository, field: Field) -> dict[str, Any]:
    fields = _plain(field.fields, "Repository")
    if sum(item.name == "object" for item in fields) > call.caps.graphql_objects:
        raise QueryError("Resource limits for this query exceeded.")
    result: dict[str, Any] = {}
    for item in fields:
        if item.name == "object":
            result[item.alias] = _object(call, hosted, item)
        elif item.name == "nameWithOwner":
            result[item.alias] = hosted.full_name
        elif item.name == "__typename":
            result[item.alias] = "Repository"
        else:
            raise _unknown(item, "Repository")
    if not fields:
        raise QueryError("Field 'repository' must have selections")
    return result


def _object(call: Call, hosted: HostedRepository, field: Field) -> dict[str, Any] | None:
    found = _find(hosted, field)
    if not field.fields:
        raise QueryError("Field must have selections (field 'object' returns GitObject but has no selections.)")
    if found is None:
        _leaves(field.fields, "Blob", _blob_values(GitObject("", "blob", 0), call.caps.graphql_text_bytes))
        return None
    values: dict[str, Callable[[], Any]] = {"oid": lambda: found.oid, "abbreviatedOid": lambda: found.oid[:7]}
    if found.kind == "blob":
        values = _blob_values(found, call.caps.graphql_text_bytes)
    return _leaves(field.fields, found.kind.title(), values)


def _find(hosted: HostedRepository, field: Field) -> GitObject | None:
    match dict(field.arguments):
        case {"oid": str(oid), **rest} if not rest:
            if not FULL_ID.fullmatch(oid):
                raise QueryError(f"Argument 'oid' on Field 'object' has an invalid value ({oid!r}).")
            return hosted.git.objects.read(oid)
        case {"expression": str(expression), **rest} if not rest:
            ref, _, path = expression.partition(":")
            commit = hosted.git.resolve(ref)
            return hosted.git.objects.read(f"{commit}:{path}" if path else commit) if commit else None
        case _:
            raise QueryError("Field 'object' takes either oid or expression")


def _blob_values(blob: GitObject, limit: int) -> dict[str, Callable[[], Any]]:
    truncated = blob.size > limit
    binary = b"\0" in blob.data[:BINARY_SNIFF]

    def text() -> str | None:
        if binary:
            return None
        try:
            return blob.data[:limit].decode(errors="ignore" if truncated else "strict")
        except UnicodeDecodeError:
            return blob.data[:limit].decode("latin-1")

    return {
        "oid": lambda: blob.oid,
        "abbreviatedOid": lambda: blob.oid[:7],
        "byteSize": lambda: blob.size,
        "isBinary": lambda: None if truncated else binary,
        "isTruncated": lambda: truncated,
        "text": text,
    }


def _leaves(fields: Iterable[Field | Fragment], kind: str, values: dict[str, Callable[[], Any]]) -> dict[str, Any]:
    result = {}
    for field in _plain(fields, kind):
        if field.name == "__typename":
            result[field.alias] = kind
        elif field.name not in values or field.fields or field.arguments:
            raise _unknown(field, kind)
        else:
            result[field.alias] = values[field.name]()
    return result
