"""Bitbucket's published description, with what its own pages and replies say otherwise.

The description is stricter than Bitbucket in some places (it has no null) and says nothing in others (the body of a
hook). Both are put right here, each with its reason, so that all else is checked to the letter.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.wire.contract import Gaps, OpenApiContract

Json = Any
REPOSITORY = "/repositories/{workspace}/{repo_slug}"
FORM: Json = {"content": {}}

EVERYWHERE = frozenset({400, 401, 403, 404, 409, 410, 429, 500, 502, 503, 555})
"""https://developer.atlassian.com/cloud/bitbucket/rest/intro/#standardized-error-responses"""

LISTS = {
    # Parameters that pages of text document, beside `fields`, which every endpoint takes.
    "/user/emails": ("page", "pagelen"),
    "/user/workspaces": ("page", "pagelen", "q"),
    "/user/workspaces/{workspace}/permissions/repositories": ("page", "pagelen"),
    "/repositories/{workspace}": ("page", "pagelen"),
    "/hook_events/{subject_type}": ("page", "pagelen"),
    f"{REPOSITORY}/commits": ("page", "pagelen", "include", "exclude", "path"),
    f"{REPOSITORY}/commits/{{revision}}": ("page", "pagelen", "include", "exclude", "path"),
    f"{REPOSITORY}/diffstat/{{spec}}": ("page", "pagelen"),
    f"{REPOSITORY}/hooks": ("page", "pagelen"),
    f"{REPOSITORY}/pullrequests": ("page", "pagelen", "q", "sort"),
    f"{REPOSITORY}/refs/branches": ("page", "pagelen"),
    f"{REPOSITORY}/src/{{commit}}/{{path}}": ("page", "pagelen"),
}
HOOK = ("description", "url", "active", "events", "secret", "skip_cert_verification")
"""https://developer.atlassian.com/cloud/bitbucket/rest/api-group-webhooks/#api-repositories-workspace-repo-slug-hooks-post;
the last is in its replies, and what tools that make hooks send.
"""
PULL_REQUEST = ("title", "description", "source", "destination", "reviewers", "close_source_branch", "draft")
BODIES = {
    ("post", f"{REPOSITORY}/hooks"): ("webhook_subscription", HOOK),
    ("put", f"{REPOSITORY}/hooks/{{uid}}"): ("webhook_subscription", HOOK),
    ("post", f"{REPOSITORY}/pullrequests"): ("pullrequest", PULL_REQUEST),
    ("put", f"{REPOSITORY}/pullrequests/{{pull_request_id}}"): ("pullrequest", PULL_REQUEST),
    ("post", f"{REPOSITORY}/refs/branches"): ("ref", ("name", "target")),
}
"""(method, path) -> the schema that has the properties' types, and those that may be sent: `type` need not be."""
UNTYPED = {"description": {"type": "string"}, "skip_cert_verification": {"type": "boolean"}}
"""Properties that documented examples have and the schemas lack."""


def load_bitbucket_contract(file: Path) -> OpenApiContract:
    error = f"#/paths/{REPOSITORY.replace('/', '~1')}/get/responses/404"
    gaps = Gaps(statuses=EVERYWHERE, error=error, query=frozenset({"fields"}))
    return OpenApiContract(corrected(json.loads(file.read_text())), gaps)


def corrected(description: Json) -> Json:
    read = copy.deepcopy(description)
    _allow_null(read["components"]["schemas"])
    for template, names in LISTS.items():
        parameters = read["paths"][template]["get"].setdefault("parameters", [])
        parameters += [{"in": "query", "name": name, "schema": {"type": "string"}} for name in names]
    for (method, template), (schema, names) in BODIES.items():
        read["paths"][template][method]["requestBody"] = _body(read, schema, names)
    read["paths"][f"{REPOSITORY}/src"]["post"]["requestBody"] = FORM
    # A file answers with its bytes, a folder with a list, and `format=meta` with what is known of either.
    source = read["paths"][f"{REPOSITORY}/src/{{commit}}/{{path}}"]["get"]["responses"]["200"]["content"]
    listing = source["application/json"]["schema"]
    source["application/json"]["schema"] = {"anyOf": [{"$ref": "#/components/schemas/treeentry"}, listing]}
    # The addresses of an account are described only as an error.
    emails = {"type": "object", "required": ["values"], "properties": {"values": {"type": "array"}}}
    read["paths"]["/user/emails"]["get"]["responses"]["200"] = {"content": {"application/json": {"schema": emails}}}
    return read


def _allow_null(schemas: Json) -> None:
    """Where Bitbucket's replies have null: an empty repository's main branch, the missing half of a change."""
    for owner, names in {"repository": ("mainbranch",), "diffstat": ("old", "new")}.items():
        properties = _properties(schemas, owner)
        for name in names:
            properties[name] = {"nullable": True, "oneOf": [properties[name]]}
    # https://developer.atlassian.com/cloud/bitbucket/rest/intro/#standardized-error-responses: the scopes that a token
    # lacks are an object.
    schemas["error"]["properties"]["error"]["properties"]["detail"] = {}


def _properties(schemas: Json, name: str) -> Json:
    """The properties that a schema itself has, those of what it extends left out."""
    schema = schemas[name]
    return schema["properties"] if "properties" in schema else schema["allOf"][-1]["properties"]


def _body(description: Json, schema: str, names: Iterable[str]) -> Json:
    known = {**UNTYPED, **_properties(description["components"]["schemas"], schema)}
    properties = {name: _loosened(known[name]) for name in names}
    if "secret" in properties:
        properties["secret"]["nullable"] = True  # null removes the secret
    described = {"type": "object", "properties": properties}
    return {"required": True, "content": {"application/json": {"schema": described}}}


def _loosened(schema: Json) -> Json:
    """A schema for what is sent: objects that are only named (a branch, a reviewer) need no `type`."""
    if "$ref" in schema:
        return {"type": "object"}
    if "$ref" in schema.get("items", {}):
        return {"type": "array", "items": {"type": "object"}}
    return copy.deepcopy(schema)
