"""GitHub's hooks: who may make them, what they hear, how it is signed, and that it can be sent again."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests

from tests.wire.forge import Forge
from tests.wire.hooks import NO_COMMIT
from tests.wire.listener import Listener, listening
from tests.wire.messages import Request
from tests.wire.world import HostedRepository

SECRET = "correct horse battery staple"
Ask = Callable[..., requests.Response]


@pytest.fixture
def inbox() -> Iterator[Listener]:
    with listening() as heard:
        yield heard


@pytest.fixture
def ask(forge: Forge, session: requests.Session) -> Ask:
    """`ask("POST", "/hooks", json=…)`: one request about `acme/docs`, as its owner unless told otherwise."""
    owner = forge.token("acme", scopes=["admin:repo_hook"])

    def send(method: str, path: str, *, token: str = owner, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return session.request(method, f"{forge.url}/repos/acme/docs{path}", headers=headers, timeout=10, **more)

    return send


def make(ask: Ask, inbox: Listener, *events: str, **config: str) -> dict[str, Any]:
    wanted = {"url": inbox.url, "content_type": "json", "secret": SECRET, **config}
    answer = ask("POST", "/hooks", json={"name": "web", "active": True, "events": events or ["push"], "config": wanted})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def is_signed(heard: Request, secret: str = SECRET) -> bool:
    digest = hmac.new(secret.encode(), heard.body, hashlib.sha256).hexdigest()
    return heard.headers["X-Hub-Signature-256"] == f"sha256={digest}"


def test_a_new_hook_is_pinged_and_its_secret_never_told(
    github_repo: HostedRepository, ask: Ask, inbox: Listener
) -> None:
    made = make(ask, inbox)
    assert made["config"]["secret"] == "********"
    assert SECRET not in ask("GET", "/hooks").text + ask("GET", f"/hooks/{made['id']}").text
    (heard,) = inbox.heard
    assert heard.headers["X-GitHub-Event"] == "ping"
    assert heard.headers["X-GitHub-Hook-ID"] == str(made["id"])
    assert heard.headers["User-Agent"].startswith("GitHub-Hookshot/")
    assert heard.json()["repository"]["id"] == github_repo.id
    assert is_signed(heard)


def test_a_push_is_told_with_both_ends(forge: Forge, github_repo: HostedRepository, ask: Ask, inbox: Listener) -> None:
    make(ask, inbox)
    before = github_repo.git.tip("main")
    after = forge.push("acme/docs", {"new.md": "# New"}, "Write")
    heard = inbox.heard[-1]
    said = heard.json()
    assert (said["ref"], said["before"], said["after"]) == ("refs/heads/main", before, after)
    assert (said["created"], said["deleted"], said["forced"]) == (False, False, False)
    assert [commit["id"] for commit in said["commits"]] == [after]
    assert (said["repository"]["id"], said["repository"]["full_name"]) == (github_repo.id, "acme/docs")
    assert is_signed(heard)


def test_a_new_branch_a_forced_push_and_a_moved_ref(
    forge: Forge, github_repo: HostedRepository, ask: Ask, inbox: Listener
) -> None:
    make(ask, inbox)
    forge.push("acme/docs", {"a.md": "a"}, branch="next")
    created = inbox.heard[-1].json()
    assert (created["created"], created["before"]) == (True, NO_COMMIT)
    forge.push("acme/docs", {"a.md": "b"}, branch="next", force=True, with_commits=False)
    forced = inbox.heard[-1].json()
    assert (forced["forced"], forced["before"], forced["commits"]) == (True, created["after"], [])


def test_a_deleted_branch_is_two_events(forge: Forge, github_repo: HostedRepository, ask: Ask, inbox: Listener) -> None:
    make(ask, inbox, "push", "delete")
    github_repo.git.branch("next")
    forge.delete_branch("acme/docs", "next")
    assert inbox.events == ["ping", "push", "delete"]
    pushed, deleted = inbox.heard[1].json(), inbox.heard[2].json()
    assert (pushed["deleted"], pushed["after"], pushed["head_commit"]) == (True, NO_COMMIT, None)
    assert (deleted["ref"], deleted["ref_type"]) == ("next", "branch")


def test_a_repository_keeps_its_id_and_its_hook_through_rename_transfer_and_deletion(
    forge: Forge, github_repo: HostedRepository, ask: Ask, inbox: Listener
) -> None:
    make(ask, inbox, "repository")
    forge.rename("acme/docs", "acme/book")
    forge.rename("acme/book", "initech/book")
    forge.delete("initech/book")
    renamed, transferred, deleted = (request.json() for request in inbox.heard[1:])
    assert [said["action"] for said in (renamed, transferred, deleted)] == ["renamed", "transferred", "deleted"]
    assert {said["repository"]["id"] for said in (renamed, transferred, deleted)} == {github_repo.id}
    assert renamed["changes"] == {"repository": {"name": {"from": "docs"}}}
    assert transferred["changes"]["owner"]["from"]["user"]["login"] == "acme"
    assert transferred["repository"]["full_name"] == "initech/book"


def test_a_hook_hears_only_what_it_asked_for(
    forge: Forge, github_repo: HostedRepository, ask: Ask, inbox: Listener
) -> None:
    made = make(ask, inbox, "repository")
    forge.push("acme/docs", {"a.md": "a"})
    assert inbox.events == ["ping"]
    ask("PATCH", f"/hooks/{made['id']}", json={"add_events": ["push"]})
    forge.push("acme/docs", {"a.md": "b"})
    assert inbox.events == ["ping", "push"]
    ask("PATCH", f"/hooks/{made['id']}", json={"active": False})
    forge.push("acme/docs", {"a.md": "c"})
    forge.repository("acme/other").git.commit({"a.md": "a"})
    forge.push("acme/other", {"a.md": "b"})
    assert inbox.events == ["ping", "push"]


def test_a_new_configuration_replaces_the_secret_or_drops_it(
    forge: Forge, github_repo: HostedRepository, ask: Ask, inbox: Listener
) -> None:
    number = make(ask, inbox)["id"]
    ask("PATCH", f"/hooks/{number}", json={"config": {"url": inbox.url, "content_type": "json", "secret": "new"}})
    forge.push("acme/docs", {"a.md": "a"})
    assert is_signed(inbox.heard[-1], "new")
    changed = ask("PATCH", f"/hooks/{number}", json={"config": {"url": inbox.url, "content_type": "json"}})
    assert "secret" not in changed.json()["config"]
    forge.push("acme/docs", {"a.md": "b"})
    assert "X-Hub-Signature-256" not in inbox.heard[-1].headers


def test_a_hook_that_does_not_ask_for_json_gets_a_form(
    forge: Forge, github_repo: HostedRepository, ask: Ask, inbox: Listener
) -> None:
    answer = ask("POST", "/hooks", json={"config": {"url": inbox.url, "secret": SECRET}})
    assert answer.json()["config"]["content_type"] == "form"
    (heard,) = inbox.heard
    assert json.loads(parse_qs(heard.body.decode())["payload"][0])["hook_id"] == answer.json()["id"]
    assert is_signed(heard)


def test_a_redelivery_has_the_same_id_and_body(
    forge: Forge, github_repo: HostedRepository, ask: Ask, inbox: Listener
) -> None:
    number = make(ask, inbox)["id"]
    inbox.status = 503
    forge.push("acme/docs", {"a.md": "a"})
    failed = ask("GET", f"/hooks/{number}/deliveries", params={"status": "failure"}).json()
    assert [(one["event"], one["status_code"], one["redelivery"]) for one in failed] == [("push", 503, False)]
    inbox.status = 202
    assert ask("POST", f"/hooks/{number}/deliveries/{failed[0]['id']}/attempts").status_code == 202
    first, again = inbox.heard[-2:]
    assert again.body == first.body
    assert again.headers["X-GitHub-Delivery"] == first.headers["X-GitHub-Delivery"] == failed[0]["guid"]
    listed = ask("GET", f"/hooks/{number}/deliveries").json()
    assert [(one["event"], one["status_code"], one["redelivery"]) for one in listed[:2]] == [
        ("push", 202, True),
        ("push", 503, False),
    ]
    detail = ask("GET", f"/hooks/{number}/deliveries/{listed[0]['id']}").json()
    assert detail["request"]["payload"]["after"] == first.json()["after"]
    assert ask("GET", f"/hooks/{number}").json()["last_response"]["code"] == 202


def test_what_was_held_comes_out_of_order(
    forge: Forge, github_repo: HostedRepository, ask: Ask, inbox: Listener
) -> None:
    make(ask, inbox)
    forge.world.hooks.hold()
    commits = [forge.push("acme/docs", {"a.md": text}) for text in "abc"]
    assert inbox.events == ["ping"]
    assert forge.world.hooks.held
    forge.world.hooks.held.reverse()
    forge.world.hooks.release()
    assert [request.json()["after"] for request in inbox.heard[1:]] == commits[::-1]


def test_a_hook_nobody_answers_is_a_delivery_that_failed(
    forge: Forge, github_repo: HostedRepository, ask: Ask, inbox: Listener
) -> None:
    make(ask, inbox, url="http://127.0.0.1:1/inbox")
    delivered = forge.world.hooks.last()
    assert (delivered.status, delivered.hook.failures) == (0, 1)


def test_a_ping_can_be_asked_for_and_a_hook_removed(
    forge: Forge, github_repo: HostedRepository, ask: Ask, inbox: Listener
) -> None:
    number = make(ask, inbox)["id"]
    assert ask("POST", f"/hooks/{number}/pings").status_code == 204
    assert inbox.events == ["ping", "ping"]
    assert ask("DELETE", f"/hooks/{number}").status_code == 204
    assert ask("GET", f"/hooks/{number}").status_code == 404
    forge.push("acme/docs", {"a.md": "a"})
    assert inbox.events == ["ping", "ping"]


@pytest.mark.parametrize(
    "body",
    [
        {"config": {"url": "ftp://example.org/inbox"}},
        {"config": {"content_type": "json"}},
        {"config": {"url": "https://example.org/inbox"}, "events": ["no_such_event"]},
        {"config": {"url": "https://example.org/inbox"}, "name": "email"},
    ],
)
def test_a_wrong_hook_is_refused(github_repo: HostedRepository, ask: Ask, body: dict[str, Any]) -> None:
    assert ask("POST", "/hooks", json=body).status_code == 422


def test_the_same_hook_is_made_once(github_repo: HostedRepository, ask: Ask, inbox: Listener) -> None:
    make(ask, inbox)
    again = ask("POST", "/hooks", json={"config": {"url": inbox.url, "content_type": "json"}})
    assert again.status_code == 422
    assert again.json()["errors"][0]["message"] == "Hook already exists on this repository"


def test_a_body_that_is_not_described_is_a_violation(
    forge: Forge, github_repo: HostedRepository, ask: Ask, inbox: Listener
) -> None:
    answer = ask("POST", "/hooks", json={"config": {"url": inbox.url}, "signed": True})
    if forge.contracts["github"]:
        assert answer.status_code == 422
        assert "signed" in str(forge.violations.pop())


def test_only_who_may_make_hooks_sees_them(forge: Forge, github_repo: HostedRepository, ask: Ask) -> None:
    github_repo.roles["bob"] = "write"
    for token in (
        forge.token("acme", scopes=["read:user"]),
        forge.token("bob", scopes=["repo"]),
        forge.token("mallory", scopes=["repo"]),
    ):
        assert ask("GET", "/hooks", token=token).status_code == 404
    fine = forge.token("acme", fine_grained=True, permissions=["metadata", "contents", "repository_hooks"])
    assert ask("GET", "/hooks", token=fine).status_code == 200
    refused = ask("POST", "/hooks", token=fine, json={"config": {"url": "https://example.org"}})
    assert (refused.status_code, refused.json()["message"]) == (
        403,
        "Resource not accessible by personal access token",
    )
    assert ask("GET", "/hooks", token="").status_code == 401


# -- an App's hook -----------------------------------------------------------------------------------------------------


def test_an_apps_hook_hears_where_it_is_installed(forge: Forge, github_repo: HostedRepository, inbox: Listener) -> None:
    forge.repository("acme/other").git.commit({"a.md": "a"})
    app = forge.world.github_app(webhook_url=inbox.url, webhook_secret=SECRET)
    number = forge.world.install(app, "acme", ["acme/docs"])
    forge.push("acme/docs", {"a.md": "a"})
    forge.push("acme/other", {"a.md": "b"})
    assert inbox.events == ["installation", "push"]
    pushed = inbox.heard[1]
    assert pushed.json()["installation"]["id"] == number
    assert pushed.headers["X-GitHub-Hook-Installation-Target-Type"] == "integration"
    assert is_signed(pushed)


def test_an_app_is_told_of_its_installations(forge: Forge, github_repo: HostedRepository, inbox: Listener) -> None:
    other = forge.repository("acme/other")
    app = forge.world.github_app(webhook_url=inbox.url, webhook_secret=SECRET)
    number = forge.world.install(app, "acme", ["acme/docs"])
    forge.world.apps.choose(number, ["acme/docs", "acme/other"])
    forge.world.apps.choose(number, ["acme/other"])
    forge.world.apps.suspend(number)
    forge.push("acme/docs", {"a.md": "a"})
    forge.world.apps.suspend(number, suspended=False)
    forge.world.apps.uninstall(number)
    said = [(event, request.json()) for event, request in zip(inbox.events, inbox.heard, strict=True)]
    assert [(event, payload["action"]) for event, payload in said] == [
        ("installation", "created"),
        ("installation_repositories", "added"),
        ("installation_repositories", "removed"),
        ("installation", "suspend"),
        ("installation", "unsuspend"),
        ("installation", "deleted"),
    ]
    assert said[1][1]["repositories_added"][0]["id"] == other.id
    assert said[2][1]["repositories_removed"][0]["id"] == github_repo.id
    assert {payload["installation"]["id"] for _, payload in said} == {number}
