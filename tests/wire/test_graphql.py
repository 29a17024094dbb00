"""Blobs in batches by GraphQL, with GitHub's traps."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.wire import samples
from tests.wire.forge import Forge
from tests.wire.repos import blob_id
from tests.wire.world import HostedRepository

BLOB = "... on Blob { oid byteSize isBinary isTruncated text }"


def ask(forge: Forge, query: str, *, token: str | None = None, **variables: Any) -> dict[str, Any]:
    answer = requests.post(
        f"{forge.url}/graphql",
        json={"query": query, "variables": variables},
        headers={"Authorization": f"Bearer {token or forge.token('acme')}"},
        timeout=10,
    )
    assert answer.status_code == 200
    body = answer.json()
    assert isinstance(body, dict)
    return body


def blobs(forge: Forge, *oids: str) -> dict[str, Any]:
    objects = " ".join(f'b{n}: object(oid: "{oid}") {{ {BLOB} }}' for n, oid in enumerate(oids))
    body = ask(forge, f'{{ repository(owner: "acme", name: "docs") {{ {objects} }} }}')
    found = body["data"]["repository"]
    assert isinstance(found, dict)
    return found


def test_many_blobs_come_in_one_request(forge: Forge, github_repo: HostedRepository) -> None:
    files = github_repo.git.files()
    found = blobs(forge, files["README.md"], files["bom.txt"], files["crlf.txt"], files["empty.txt"])
    assert [blob_id(blob["text"].encode()) == blob["oid"] for blob in found.values()] == [True] * 4
    assert forge.requests.count("POST /graphql") == 1


def test_a_binary_has_no_text(forge: Forge, github_repo: HostedRepository) -> None:
    (blob,) = blobs(forge, github_repo.git.files()["logo.png"]).values()
    assert (blob["text"], blob["isBinary"], blob["byteSize"]) == (None, True, len(samples.PNG))


def test_a_long_text_is_cut_and_not_looked_at(forge: Forge, github_repo: HostedRepository) -> None:
    github_repo.git.commit({"long.md": "x" * 600_000})
    (blob,) = blobs(forge, github_repo.git.files()["long.md"]).values()
    assert (len(blob["text"]), blob["isTruncated"], blob["isBinary"]) == (512_000, True, None)


def test_a_text_that_is_not_utf8_is_guessed_at_and_not_the_blob_any_more(
    forge: Forge, github_repo: HostedRepository
) -> None:
    (blob,) = blobs(forge, github_repo.git.files()["latin1.txt"]).values()
    assert blob["text"] == "Grüße aus Köln\n"
    assert blob_id(blob["text"].encode()) != blob["oid"]


def test_what_does_not_exist_is_null_and_what_is_no_blob_is_bare(forge: Forge, github_repo: HostedRepository) -> None:
    found = blobs(forge, "1" * 40, github_repo.git.tip("main") or "")
    assert list(found.values()) == [None, {}]


def test_variables_and_expressions_are_filled_in(forge: Forge, github_repo: HostedRepository) -> None:
    query = (
        'query Files($owner: String!, $name: String!, $at: String = "main:README.md") {'
        " repository(owner: $owner, name: $name) {"
        "   nameWithOwner readme: object(expression: $at) { ... on Blob { oid } } }"
        " rateLimit { cost remaining } viewer { login } }"
    )
    data = ask(forge, query, owner="acme", name="docs")["data"]
    assert data["repository"]["readme"]["oid"] == github_repo.git.files()["README.md"]
    assert data["viewer"] == {"login": "acme"}
    assert data["rateLimit"] == {"cost": 1, "remaining": 4999}


def test_a_hidden_repository_is_an_error_beside_null(forge: Forge, private_repo: HostedRepository) -> None:
    body = ask(forge, '{ repository(owner: "acme", name: "secret") { nameWithOwner } }', token=forge.token("mallory"))
    assert body["data"] == {"repository": None}
    assert body["errors"][0]["type"] == "NOT_FOUND"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "{",
        "{ repository }",
        "mutation { x }",
        "{ nonsense }",
        '{ repository(owner: "acme", name: "docs") { stars } }',
        '{ repository(owner: "acme", name: "docs") { object(oid: "short") { ... on Blob { oid } } } }',
        '{ repository(owner: "acme", name: "docs") { object(oid: "' + "1" * 40 + '") } }',
        '{ repository(owner: "acme", name: "docs") { object(oid: "' + "1" * 40 + '") { ... on Blob { bytes } } } }',
        "query($a: String!) { repository(owner: $a, name: $b) { nameWithOwner } }",
        'query($unused: String) { repository(owner: "acme", name: "docs") { nameWithOwner } }',
        '{ repository(owner: "acme", name: "docs") { nameWithOwner } } trailing',
    ],
)
def test_what_is_no_query_is_told(forge: Forge, github_repo: HostedRepository, query: str) -> None:
    body = ask(forge, query)
    assert body["errors"]
    assert "data" not in body


def test_more_than_a_hundred_objects_are_refused(forge: Forge, github_repo: HostedRepository) -> None:
    oid = github_repo.git.files()["README.md"]
    assert len(blobs(forge, *[oid] * 100)) == 100
    objects = " ".join(f'b{n}: object(oid: "{oid}") {{ {BLOB} }}' for n in range(101))
    body = ask(forge, f'{{ repository(owner: "acme", name: "docs") {{ {objects} }} }}')
    assert "Resource limits" in body["errors"][0]["message"]


@pytest.mark.parametrize("body", [b"not json", b"[]", b'{"query": 5}', b'{"query": "{}", "extra": 1}'])
def test_a_body_that_is_no_query_is_400(forge: Forge, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {forge.token('acme')}"}
    assert requests.post(f"{forge.url}/graphql", data=body, headers=headers, timeout=10).status_code == 400


def test_nobody_may_ask(forge: Forge) -> None:
    assert requests.post(f"{forge.url}/graphql", json={"query": "{}"}, timeout=10).status_code == 401
    assert requests.post(f"{forge.url}/api/graphql", json={"query": "{}"}, timeout=10).status_code == 401
