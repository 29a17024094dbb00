"""Bitbucket's webhooks: made over the API, delivered for real, signed, tried again."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.wire.bitbucket_events import push_branches
from tests.wire.forge import Forge
from tests.wire.hooks import NO_COMMIT
from tests.wire.listener import Listener, listening
from tests.wire.world import HostedRepository, uuid_of

Ask = Callable[..., requests.Response]
ALL = ["read:webhook:bitbucket", "write:webhook:bitbucket", "delete:webhook:bitbucket"]
PLACE = "/repositories/acme/secret/hooks"


@pytest.fixture
def inbox() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


@pytest.fixture
def ask(forge: Forge, session: requests.Session, private_repo: HostedRepository) -> Ask:
    """`ask("POST", path, json=…)`: as acme, who may do everything with webhooks, unless `scopes` or `login` differ."""

    def send(method: str, path: str, *, scopes: list[str] = ALL, login: str = "acme", **more: Any) -> requests.Response:
        auth = (f"{login}@example.org", forge.bitbucket_token(login, scopes=scopes))
        return session.request(method, forge.bitbucket_url + path, auth=auth, timeout=10, **more)

    return send


@pytest.fixture
def hook(ask: Ask, inbox: Listener) -> dict[str, Any]:
    """A hook that listens to all that concerns a repository."""
    events = ["repo:push", "repo:updated", "repo:transfer", "repo:deleted"]
    sent = {"url": inbox.url, "description": "Millrace", "active": True, "events": events, "secret": "s3cret"}
    made: dict[str, Any] = ask("POST", PLACE, json=sent).json()
    return made


def test_a_hook_is_made_listed_changed_and_removed(
    forge: Forge, ask: Ask, hook: dict[str, Any], inbox: Listener
) -> None:
    assert hook["url"] == inbox.url
    assert hook["secret_set"] is True
    assert "secret" not in hook
    own = f"{PLACE}/{quote(hook['uuid'])}"
    assert ask("GET", PLACE).json()["values"] == [hook]
    assert ask("GET", own).json() == hook
    assert ask("GET", f"{PLACE}/{hook['uuid'].strip('{}')}").json() == hook
    changed = ask("PUT", own, json={"active": False, "events": ["repo:push"]}).json()
    assert (changed["active"], changed["events"], changed["secret_set"]) == (False, ["repo:push"], True)
    assert changed["description"] == "Millrace"
    assert ask("PUT", own, json={"secret": None}).json()["secret_set"] is False
    assert ask("DELETE", own).status_code == 204
    assert ask("GET", own).status_code == 404


@pytest.mark.parametrize(
    "wrong", [{"events": []}, {"events": ["push"]}, {"url": "nowhere"}, {"secret": "s" * 129}], ids=str
)
def test_a_hook_that_makes_no_sense_is_refused(forge: Forge, ask: Ask, inbox: Listener, wrong: dict[str, Any]) -> None:
    sent = {"url": inbox.url, "events": ["repo:push"], **wrong}
    assert ask("POST", PLACE, json=sent).status_code == 400
    assert ask("GET", PLACE).json()["values"] == []
    forge.violations.clear()  # the description knows of most of it, too


def test_hooks_take_their_own_scope_and_an_administrator(
    forge: Forge, ask: Ask, private_repo: HostedRepository, session: requests.Session
) -> None:
    private_repo.roles["bob"] = "write"
    assert ask("GET", PLACE, scopes=["read:repository:bitbucket"]).status_code == 403
    assert ask("GET", PLACE, login="bob").status_code == 403
    sent = {"url": "http://127.0.0.1/", "events": ["repo:push"]}
    assert ask("POST", PLACE, json=sent, scopes=["read:webhook:bitbucket"]).status_code == 403
    token = forge.bitbucket_token("acme", kind="repository", repository="acme/secret", scopes=["webhook"])
    headers = {"Authorization": f"Bearer {token}"}
    assert session.get(forge.bitbucket_url + PLACE, headers=headers, timeout=10).status_code == 200
    answer = session.post(forge.bitbucket_url + PLACE, json=sent, headers=headers, timeout=10)
    assert answer.json()["error"]["detail"]["required"] == ["repository", "webhook"]


def test_a_push_arrives_signed(
    forge: Forge, hook: dict[str, Any], inbox: Listener, private_repo: HostedRepository
) -> None:
    before = private_repo.git.tip("main")
    after = forge.push("acme/secret", {"new.md": "new"})
    (heard,) = inbox.heard
    assert heard.headers["X-Hub-Signature"] == f"sha256={hmac.new(b's3cret', heard.body, hashlib.sha256).hexdigest()}"
    assert heard.headers["X-Event-Key"] == "repo:push"
    assert f"{{{heard.headers['X-Hook-UUID']}}}" == hook["uuid"]
    assert heard.headers["X-Attempt-Number"] == "1"
    assert heard.headers["User-Agent"] == "Bitbucket-Webhooks/2.0"
    payload = forge.world.hooks.last().payload
    (change,) = payload["push"]["changes"]
    assert payload["repository"]["uuid"] == uuid_of(private_repo.id)
    assert (change["old"]["target"]["hash"], change["new"]["target"]["hash"]) == (before, after)
    assert (change["new"]["name"], change["created"], change["closed"], change["forced"]) == (
        "main",
        False,
        False,
        False,
    )
    assert [commit["hash"] for commit in change["commits"]] == [after]


def test_one_push_can_move_several_branches(
    forge: Forge, hook: dict[str, Any], inbox: Listener, private_repo: HostedRepository
) -> None:
    push_branches(forge.world, private_repo, {"main": {"a.md": "a"}, "next": {"b.md": "b"}})
    assert len(inbox.heard) == 1
    changes = forge.world.hooks.last().payload["push"]["changes"]
    assert [(change["new"]["name"], change["created"]) for change in changes] == [("main", False), ("next", True)]
    assert changes[1]["old"] is None


def test_force_pushes_and_deleted_branches_are_told_apart(
    forge: Forge, hook: dict[str, Any], private_repo: HostedRepository
) -> None:
    forge.push("acme/secret", {"only.md": "only"}, force=True)
    assert forge.world.hooks.last().payload["push"]["changes"][0]["forced"] is True
    private_repo.git.branch("side")
    forge.delete_branch("acme/secret", "side")
    (change,) = forge.world.hooks.last().payload["push"]["changes"]
    assert (change["closed"], change["new"], change["old"]["name"]) == (True, None, "side")


def test_renames_transfers_and_deletions_are_told(
    forge: Forge, hook: dict[str, Any], private_repo: HostedRepository
) -> None:
    forge.rename("acme/secret", "acme/book")
    renamed = forge.world.hooks.last()
    assert renamed.event == "repo:updated"
    assert renamed.payload["changes"]["full_name"] == {"old": "acme/secret", "new": "acme/book"}
    forge.rename("acme/book", "team/book")
    transferred = forge.world.hooks.last()
    assert transferred.event == "repo:transfer"
    assert transferred.payload["repository"]["full_name"] == "team/book"
    assert transferred.payload["previous_workspace"]["slug"] == "acme"
    forge.delete("team/book")
    assert forge.world.hooks.last().event == "repo:deleted"
    assert {made.payload["repository"]["uuid"] for made in forge.world.hooks.deliveries} == {uuid_of(private_repo.id)}


@pytest.mark.parametrize(("status", "attempts"), [(500, ["1", "2", "3"]), (404, ["1"]), (202, ["1"])])
def test_what_the_other_side_could_not_take_comes_twice_more(
    forge: Forge, hook: dict[str, Any], inbox: Listener, status: int, attempts: list[str]
) -> None:
    inbox.status = status
    forge.push("acme/secret", {"new.md": "new"})
    assert [heard.headers["X-Attempt-Number"] for heard in inbox.heard] == attempts
    assert len({(heard.headers["X-Request-UUID"], heard.body) for heard in inbox.heard}) == 1


def test_a_payload_that_is_too_large_is_silently_not_sent(forge: Forge, hook: dict[str, Any], inbox: Listener) -> None:
    forge.push("acme/secret", {"a.md": "a"}, message="m" * (256 << 10))
    assert inbox.heard == []
    assert forge.world.hooks.deliveries == []


def test_a_hook_hears_only_what_it_listens_to(forge: Forge, ask: Ask, hook: dict[str, Any], inbox: Listener) -> None:
    own = f"{PLACE}/{quote(hook['uuid'])}"
    ask("PUT", own, json={"events": ["repo:deleted"]})
    forge.push("acme/secret", {"new.md": "new"})
    ask("PUT", own, json={"events": ["repo:push"], "active": False})
    forge.push("acme/secret", {"new.md": "newer"})
    assert inbox.heard == []


def test_the_events_that_there_are_can_be_asked(forge: Forge, ask: Ask) -> None:
    subjects = ask("GET", "/hook_events").json()
    assert subjects["repository"]["events"]["href"] == f"{forge.bitbucket_url}/hook_events/repository"
    listed = ask("GET", "/hook_events/repository?pagelen=100").json()["values"]
    assert {"repo:push", "repo:updated", "repo:transfer", "repo:deleted"} <= {event["event"] for event in listed}


def test_an_unsigned_delivery_is_announced_without_a_secret(forge: Forge, ask: Ask, inbox: Listener) -> None:
    ask("POST", PLACE, json={"url": inbox.url, "active": True, "events": ["repo:push"]})
    hosted = forge.world.find("acme/secret")
    assert hosted
    forge.announce("push", hosted, branch="main", before=NO_COMMIT, after=hosted.git.tip("main"))
    (heard,) = inbox.heard
    assert "X-Hub-Signature" not in heard.headers
