"""GitLab's hooks: how they are kept, what they say, how that is signed, and when they stop."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.wire.conftest import Ask
from tests.wire.forge import Forge
from tests.wire.hooks import NO_COMMIT
from tests.wire.listener import Listener, listening
from tests.wire.world import HostedRepository

KEY = secrets.token_bytes(32)
Add = Callable[..., dict[str, Any]]
SIGNING_TOKEN = f"whsec_{base64.b64encode(KEY).decode()}"


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as heard:
        yield heard


@pytest.fixture
def docs(forge: Forge) -> HostedRepository:
    hosted = forge.repository("alice/docs", private=True)
    hosted.git.commit({"a.md": "a"}, "First commit")
    return hosted


@pytest.fixture
def token(forge: Forge) -> str:
    return forge.gitlab_token("alice")


@pytest.fixture
def add(ask: Ask, docs: HostedRepository, token: str, listener: Listener) -> Add:
    """`add(token="…")`: alice makes a hook that leads to the listener."""

    def make(**parameters: Any) -> dict[str, Any]:
        body = {"url": listener.url, **parameters}
        made = ask(f"/projects/{docs.id}/hooks", token=alice, method="POST", json=body)
        assert made.status_code == 201, made.text
        return made.json()  # type: ignore[no-any-return]

    alice = token
    return make


def test_secrets_go_in_and_never_come_out(add: Add, ask: Ask, docs: HostedRepository, token: str) -> None:
    made = add(
        token="plain-secret",
        signing_token=SIGNING_TOKEN,
        name="Millrace",
        custom_headers=[{"key": "X-Millrace", "value": "hidden-value"}],
    )
    address = f"/projects/{docs.id}/hooks/{made['id']}"
    shown = ask(address, token=token).text
    assert not [secret for secret in ("plain-secret", SIGNING_TOKEN, "hidden-value") if secret in shown]
    assert made["token_present"] is made["signing_token_present"] is True
    assert made["push_events"] is True
    assert made["tag_push_events"] is False
    assert made["alert_status"] == "executable"

    edited = ask(address, token=token, method="PUT", json={"url": made["url"], "tag_push_events": True}).json()
    assert (edited["tag_push_events"], edited["signing_token_present"], edited["name"]) == (True, True, "Millrace")
    moved = ask(address, token=token, method="PUT", json={"url": "https://elsewhere.example/in"}).json()
    assert moved["token_present"] is moved["signing_token_present"] is False

    assert ask(address, token=token, method="DELETE").status_code == 204
    assert ask(address, token=token).status_code == 404
    assert ask(f"/projects/{docs.id}/hooks", token=token).json() == []


def test_hooks_want_a_maintainer_and_the_api_scope(
    forge: Forge, ask: Ask, docs: HostedRepository, listener: Listener
) -> None:
    docs.roles["bob"] = "write"
    docs.roles["carol"] = "admin"
    address, body = f"/projects/{docs.id}/hooks", {"url": listener.url}
    assert ask(address, token=forge.gitlab_token("bob"), method="POST", json=body).status_code == 403
    assert ask(address, token=forge.gitlab_token("carol"), method="POST", json=body).status_code == 201
    reading = forge.gitlab_token("carol", scopes=["read_api"])
    assert ask(address, token=reading).status_code == 200
    refused = ask(address, token=reading, method="POST", json=body)
    assert (refused.status_code, refused.json()["error"]) == (403, "insufficient_scope")


def test_addresses_and_signing_tokens_are_checked(ask: Ask, docs: HostedRepository, token: str) -> None:
    address = f"/projects/{docs.id}/hooks"
    bad_url = ask(address, token=token, method="POST", json={"url": "ftp://example.org"})
    assert (bad_url.status_code, bad_url.json()) == (422, {"error": "Invalid url given"})
    for bad in ("plain", "whsec_c2hvcnQ=", base64.b64encode(KEY).decode()):
        body = {"url": "https://example.org/in", "signing_token": bad}
        assert ask(address, token=token, method="POST", json=body).status_code == 422


def test_a_push_is_delivered_and_signed(add: Add, forge: Forge, docs: HostedRepository, listener: Listener) -> None:
    add(token="plain-secret", signing_token=SIGNING_TOKEN)
    before = docs.git.tip("main")
    after = forge.push("alice/docs", {"b.md": "b", "a.md": "changed"}, "Add b")
    [heard] = listener.heard
    headers, said = heard.headers, json.loads(heard.body)
    assert headers["X-Gitlab-Event"] == "Push Hook"
    assert headers["X-Gitlab-Token"] == "plain-secret"
    assert headers["X-Gitlab-Instance"] == forge.url
    assert headers["Idempotency-Key"] == headers["webhook-id"]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + heard.body
    expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert (said["object_kind"], said["project_id"], said["ref"]) == ("push", docs.id, "refs/heads/main")
    assert (said["before"], said["after"], said["checkout_sha"]) == (before, after, after)
    assert said["project"]["path_with_namespace"] == "alice/docs"
    [commit] = said["commits"]
    assert (commit["added"], commit["modified"], said["total_commits_count"]) == (["b.md"], ["a.md"], 1)


def test_without_a_signing_token_there_is_no_signature(add: Add, forge: Forge, listener: Listener) -> None:
    add(token="plain-secret")
    forge.push("alice/docs", {"b.md": "b"})
    headers = listener.heard[0].headers
    assert "webhook-signature" not in headers
    assert headers["webhook-id"]
    assert headers["webhook-timestamp"]


def test_a_deleted_branch_is_all_zeros(add: Add, forge: Forge, docs: HostedRepository, listener: Listener) -> None:
    add()
    docs.git.branch("side")
    forge.delete_branch("alice/docs", "side")
    said = json.loads(listener.heard[0].body)
    assert (said["after"], said["checkout_sha"], said["commits"]) == (NO_COMMIT, None, [])


def test_a_tag_is_another_event(add: Add, forge: Forge, docs: HostedRepository, listener: Listener) -> None:
    add(tag_push_events=True, push_events=False)
    forge.push("alice/docs", {"b.md": "b"})
    forge.announce("tag", docs, branch="v1", after=docs.git.tip("main"))
    [heard] = listener.heard
    assert heard.headers["X-Gitlab-Event"] == "Tag Push Hook"
    assert json.loads(heard.body)["ref"] == "refs/tags/v1"


def test_a_project_hook_hears_nothing_of_names(add: Add, forge: Forge, listener: Listener) -> None:
    add()
    forge.rename("alice/docs", "alice/handbook")
    forge.delete("alice/handbook")
    assert listener.heard == []


@pytest.mark.parametrize(
    ("strategy", "pattern", "heard"),
    [
        ("wildcard", "release/*", ["release/1"]),
        ("regex", "^ma", ["main"]),
        ("all_branches", "x", ["main", "release/1"]),
    ],
)
def test_pushes_are_filtered_by_branch(
    add: Add, forge: Forge, listener: Listener, strategy: str, pattern: str, heard: list[str]
) -> None:
    add(push_events_branch_filter=pattern, branch_filter_strategy=strategy)
    for branch in ("main", "release/1"):
        forge.push("alice/docs", {"b.md": branch}, branch=branch)
    refs = [json.loads(request.body)["ref"] for request in listener.heard]
    assert refs == [f"refs/heads/{branch}" for branch in heard]


def test_a_hook_that_fails_rests_and_a_test_wakes_it(
    add: Add, forge: Forge, ask: Ask, docs: HostedRepository, token: str, listener: Listener
) -> None:
    made = add()
    address = f"/projects/{docs.id}/hooks/{made['id']}"
    listener.status = 500
    for n in range(6):
        forge.push("alice/docs", {"b.md": str(n)})
    assert len(listener.heard) == 4
    resting = ask(address, token=token).json()
    assert resting["alert_status"] == "temporarily_disabled"
    assert resting["disabled_until"]
    assert ask(f"{address}/test/push_events", token=token, method="POST").status_code == 422

    listener.status = 200
    assert ask(f"{address}/test/push_events", token=token, method="POST").json() == {"message": "201 Created"}
    assert ask(address, token=token).json()["alert_status"] == "executable"
    forge.push("alice/docs", {"b.md": "again"})
    assert len(listener.heard) == 7


def test_forty_failures_are_the_last(
    add: Add, forge: Forge, ask: Ask, docs: HostedRepository, token: str, listener: Listener
) -> None:
    made = add()
    forge.gitlab_caps.hook_rest = 0.0
    listener.status = 404
    for n in range(42):
        forge.push("alice/docs", {"b.md": str(n)})
    assert len(listener.heard) == 40
    hook = ask(f"/projects/{docs.id}/hooks/{made['id']}", token=token).json()
    assert (hook["alert_status"], hook["disabled_until"]) == ("disabled", None)
