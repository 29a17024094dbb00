"""What deliveries of each forge say, and that nothing which anybody can post is taken for more than it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from forges.clients.webhooks import BranchChange, Event, Refused, parse

A, B, NONE = "a" * 40, "b" * 40, "0" * 40
UUID = "{c0ffee00-1234-4abc-8def-0123456789ab}"


def github(event: str, **data: Any) -> Event:
    return parse("github", {"X-GitHub-Event": event}, json.dumps({"repository": GITHUB_REPOSITORY} | data).encode())


def gitlab(hook: str = "Push Hook", **data: Any) -> Event:
    return parse("gitlab", {"X-Gitlab-Event": hook}, json.dumps(data).encode())


def bitbucket(event: str, **data: Any) -> Event:
    repository = {"uuid": UUID.upper(), "full_name": "Acme/docs", "name": "Docs"}
    return parse("bitbucket", {"X-Event-Key": event}, json.dumps({"repository": repository} | data).encode())


GITHUB_REPOSITORY: dict[str, Any] = {"id": 42, "full_name": "Acme/Docs", "name": "Docs"}
PUSH: dict[str, Any] = {"ref": "refs/heads/main", "before": A, "after": B, "deleted": False, "commits": []}
GITLAB_PUSH: dict[str, Any] = {
    "object_kind": "push",
    "event_name": "push",
    "ref": "refs/heads/main",
    "before": A,
    "after": B,
    "project_id": 15,
    "project": {"id": 15, "path_with_namespace": "Group/sub/Docs"},
}
MAIN = (BranchChange("main", A, B),)


def branch(name: str, commit: str = B, kind: str = "branch") -> dict[str, Any]:
    return {"type": kind, "name": name, "target": {"hash": commit, "type": "commit"}}


def test_a_push_names_repository_branch_and_commits() -> None:
    found = github("push", **PUSH, installation={"id": 7})
    assert found == Event(
        "push", "push", repository_id="42", repository="acme/docs", installation_id="7", branches=MAIN
    )
    assert (found.branch, found.before, found.after) == ("main", A, B)
    assert gitlab(**GITLAB_PUSH) == Event(
        "push", "Push Hook", repository_id="15", repository="group/sub/docs", branches=MAIN
    )
    assert bitbucket("repo:push", push={"changes": [{"old": branch("main", A), "new": branch("main")}]}) == Event(
        "push", "repo:push", repository_id=UUID, repository="acme/docs", branches=MAIN
    )


@pytest.mark.parametrize("name", ["feature/ünïcode", "release-1.0", "a" * 250, "dependabot/npm/x@1"])
def test_branches_have_any_name_that_git_allows(name: str) -> None:
    assert github("push", **PUSH | {"ref": f"refs/heads/{name}"}).branch == name
    assert gitlab(**GITLAB_PUSH | {"ref": f"refs/heads/{name}"}).branch == name
    assert bitbucket("repo:push", push={"changes": [{"old": None, "new": branch(name)}]}).branch == name


def test_a_new_branch_has_no_commit_before() -> None:
    new = (BranchChange("next", "", B),)
    assert github("push", **PUSH | {"ref": "refs/heads/next", "before": NONE}).branches == new
    assert gitlab(**GITLAB_PUSH | {"ref": "refs/heads/next", "before": NONE}).branches == new
    assert bitbucket("repo:push", push={"changes": [{"old": None, "new": branch("next")}]}).branches == new


def test_a_deleted_branch_is_told_as_such() -> None:
    gone = (BranchChange("main", A, ""),)
    for found in (
        github("push", **PUSH | {"after": NONE, "deleted": True}),
        gitlab(**GITLAB_PUSH | {"after": NONE}),
        bitbucket("repo:push", push={"changes": [{"old": branch("main", A), "new": None}]}),
    ):
        assert (found.kind, found.branches) == ("branch_deleted", gone)
    found = github("delete", ref="old", ref_type="branch")
    assert (found.kind, found.branches) == ("branch_deleted", (BranchChange("old"),))


def test_tags_are_nothing_to_look_at() -> None:
    for found in (
        github("push", **PUSH | {"ref": "refs/tags/v1"}),
        github("delete", ref="v1", ref_type="tag"),
        gitlab("Tag Push Hook", **GITLAB_PUSH | {"event_name": "tag_push", "ref": "refs/tags/v1"}),
        bitbucket("repo:push", push={"changes": [{"old": None, "new": branch("v1", kind="tag")}]}),
        bitbucket("repo:push", push={"changes": []}),
    ):
        assert (found.kind, found.branches) == ("ignored", ())
        assert found.repository_id


def test_one_push_to_bitbucket_moves_several_branches() -> None:
    changes = [
        {"old": branch("old", A), "new": None},
        {"old": branch("main", A), "new": branch("main", B)},
        {"old": None, "new": branch("v1", kind="tag")},
        {"old": None, "new": branch("next", A)},
    ]
    found = bitbucket("repo:push", push={"changes": changes})
    assert found.kind == "push"
    assert found.branches == (*MAIN, BranchChange("next", "", A), BranchChange("old", A, ""))


@pytest.mark.parametrize("name", ["-rf", "a b", "a..b", "a\0b", "\ud800", "b" * 300, "b" * 5000, "", "refs/heads/x"])
def test_a_branch_that_nobody_can_choose_is_left_out(name: str) -> None:
    changes = [{"old": None, "new": branch(name)}, {"old": branch("main", A), "new": branch("main", B)}]
    assert bitbucket("repo:push", push={"changes": changes}).branches == MAIN
    assert github("push", **PUSH | {"ref": f"refs/heads/{name}"}).kind == "ignored"


def test_renamed_transferred_and_deleted_repositories_are_told_by_their_id() -> None:
    renamed = github("repository", action="renamed", changes={"repository": {"name": {"from": "Manual"}}})
    assert renamed == Event(
        "renamed", "repository.renamed", repository_id="42", repository="acme/docs", old_name="acme/manual"
    )
    for owner in ({"user": {"login": "Bob"}}, {"organization": {"login": "Bob"}}):
        moved = github("repository", action="transferred", changes={"owner": {"from": owner}})
        assert (moved.kind, moved.old_name, moved.repository) == ("transferred", "bob/docs", "acme/docs")
    assert github("repository", action="deleted").kind == "deleted"
    assert github("repository", action="edited").kind == "ignored"

    names = {"project_id": 15, "path_with_namespace": "group/new", "old_path_with_namespace": "group/old"}
    for event, kind in (("project_rename", "renamed"), ("project_transfer", "transferred")):
        found = gitlab("System Hook", event_name=event, **names)
        assert found == Event(
            kind,  # type: ignore[arg-type]  # one of them
            "System Hook",
            repository_id="15",
            repository="group/new",
            old_name="group/old",
        )
    assert gitlab("System Hook", event_name="project_destroy", **names).kind == "deleted"

    def names_of(old: str, new: str) -> dict[str, Any]:
        return {"full_name": {"old": old, "new": new}, "name": {"old": "x", "new": "y"}}

    found = bitbucket("repo:updated", changes=names_of("acme/Docs", "acme/Book"))
    assert (found.kind, found.old_name, found.repository) == ("renamed", "acme/docs", "acme/book")
    assert bitbucket("repo:updated", changes=names_of("acme/docs", "bob/docs")).kind == "transferred"
    assert bitbucket("repo:updated", changes={"description": {"old": "", "new": "x"}}).kind == "ignored"
    assert bitbucket("repo:transfer").kind == "transferred"
    assert bitbucket("repo:deleted").kind == "deleted"


@pytest.mark.parametrize(
    ("event", "action", "kind"),
    [
        ("installation", "created", "ignored"),
        ("installation", "deleted", "uninstalled"),
        ("installation", "suspend", "suspended"),
        ("installation", "unsuspend", "unsuspended"),
        ("installation", "new_permissions_accepted", "repositories_changed"),
        ("installation_repositories", "added", "repositories_changed"),
        ("installation_repositories", "removed", "repositories_changed"),
    ],
)
def test_an_apps_installation_tells_what_became_of_it(event: str, action: str, kind: str) -> None:
    body = json.dumps({"action": action, "installation": {"id": 7}}).encode()
    assert parse("github", {"x-github-event": event}, body) == Event(
        kind,  # type: ignore[arg-type]  # one of them
        f"{event}.{action}",
        installation_id="7",
    )


def test_what_is_not_listened_to_is_ignored_and_still_found_by_its_repository() -> None:
    assert github("issues", action="opened").kind == "ignored"
    assert github("star", action="created").repository_id == "42"
    found = gitlab("Issue Hook", object_kind="issue", project={"id": 15, "path_with_namespace": "g/p"})
    assert (found.kind, found.repository_id) == ("ignored", "15")
    assert bitbucket("pullrequest:created").repository_id == UUID
    assert github("ping", zen="…", hook_id=1).kind == "ping"


def test_a_hook_that_sends_forms_is_understood() -> None:
    headers = {"X-GitHub-Event": "push", "Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode({"payload": json.dumps(PUSH | {"repository": GITHUB_REPOSITORY})}).encode()
    assert parse("github", headers, body).branches == MAIN
    for wrong in (b"", b"payload=", b"payload=%FF", b"other=1", b"payload={}&payload={}", b"&" * 1000, b"payload=[]"):
        with pytest.raises(Refused, match="not one that this forge sends"):
            parse("github", headers, wrong)


BAD_BODIES = [
    b"",
    b"null",
    b"[]",
    b'"push"',
    b"{",
    b'{"ref": }',
    b"\xff\xfe",
    json.dumps(PUSH).encode("utf-16"),
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"id": ' + b"9" * 100_000 + b"}",
]


@pytest.mark.parametrize("forge", ["github", "gitlab", "bitbucket", "git"])
@pytest.mark.parametrize("body", BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_a_body_that_is_no_object_is_malformed(forge: str, body: bytes) -> None:
    headers = {"X-GitHub-Event": "push", "X-Gitlab-Event": "Push Hook", "X-Event-Key": "repo:push"}
    with pytest.raises(Refused) as caught:
        parse(forge, headers, body)
    assert caught.value.code == "malformed"


ODD = [None, True, 0, -1, 1.5, 10**30, "", "x" * 600, "a\0b", "\ud800", [], {}, [1], {"id": 1}]
ODD_NAMES = [*ODD, "no-owner", "a//b", "../b", "a/..", "a/b c", "a/<b>", "/a/b", "a/b/"]


@pytest.mark.parametrize("odd", [*ODD, "42"], ids=repr)
def test_an_id_that_is_none_is_malformed(odd: object) -> None:
    asks: list[Callable[[], Event]] = [
        lambda: github("push", **PUSH, repository=GITHUB_REPOSITORY | {"id": odd}),
        lambda: github("installation", action="deleted", installation={"id": odd}),
        lambda: gitlab(**GITLAB_PUSH | {"project_id": odd}),
        lambda: bitbucket("repo:push", push={"changes": []}, repository={"uuid": odd, "full_name": "a/b"}),
    ]
    for ask in asks:
        with pytest.raises(Refused):
            ask()


@pytest.mark.parametrize("odd", ODD_NAMES, ids=lambda odd: repr(odd)[:20])
def test_a_name_that_is_none_is_malformed(odd: object) -> None:
    asks: list[Callable[[], Event]] = [
        lambda: github("push", **PUSH, repository={"id": 1, "full_name": odd}),
        lambda: gitlab(**GITLAB_PUSH | {"project": {"id": 15, "path_with_namespace": odd}}),
        lambda: bitbucket("repo:deleted", repository={"uuid": UUID, "full_name": odd}),
    ]
    for ask in asks:
        with pytest.raises(Refused):
            ask()


@pytest.mark.parametrize("odd", [*ODD, "a b", "../x", "/x"], ids=lambda odd: repr(odd)[:20])
def test_a_former_name_that_is_none_is_malformed(odd: object) -> None:
    with pytest.raises(Refused):
        github("repository", action="renamed", changes={"repository": {"name": {"from": odd}}})
    with pytest.raises(Refused):
        github("repository", action="transferred", changes={"owner": {"from": {"user": {"login": odd}}}})


@pytest.mark.parametrize("odd", [*ODD, "a" * 39, "A" * 40, "a" * 64, "../../etc"], ids=lambda odd: repr(odd)[:20])
def test_a_commit_that_is_none_is_malformed(odd: object) -> None:
    asks: list[Callable[[], Event]] = [
        lambda: github("push", **PUSH | {"after": odd}),
        lambda: gitlab(**GITLAB_PUSH | {"before": odd}),
        lambda: bitbucket("repo:push", push={"changes": [{"old": None, "new": branch("main", odd)}]}),  # type: ignore[arg-type]
    ]
    for ask in asks:
        with pytest.raises(Refused):
            ask()


@pytest.mark.parametrize(
    "headers", [{}, {"X-GitHub-Event": ""}, {"X-GitHub-Event": "x" * 81}, {"X-GitHub-Event": "\0"}]
)
def test_an_event_without_a_name_is_malformed(headers: dict[str, str]) -> None:
    with pytest.raises(Refused):
        parse("github", headers, json.dumps(PUSH | {"repository": GITHUB_REPOSITORY}).encode())


KEYS = st.sampled_from(
    [
        *("repository", "installation", "id", "full_name", "ref", "ref_type", "before", "after", "changes", "action"),
        *("event_name", "object_kind", "project", "project_id", "path_with_namespace", "old_path_with_namespace"),
        *("push", "old", "new", "type", "name", "target", "hash", "uuid", "owner", "from", "user", "login"),
    ]
)
VALUES = st.sampled_from(
    [A, NONE, "refs/heads/main", "branch", "renamed", "transferred", "deleted", "project_rename", "push", "a/b", UUID]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=8),
    max_leaves=25,
)
EVENTS = st.sampled_from(
    ["push", "delete", "repository", "installation", "installation_repositories", "repo:push", "repo:updated", "x"]
)


@given(st.sampled_from(["github", "gitlab", "bitbucket", "git"]), EVENTS | st.text(), JSON | st.binary())
@example("bitbucket", "repo:push", {"repository": {"uuid": UUID, "full_name": "a/b"}, "push": {"changes": [{}]}})
@settings(deadline=None, max_examples=300)
def test_nothing_but_refused_is_raised_by_what_anybody_can_post(forge: str, event: str, data: Any) -> None:
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    headers = {"X-GitHub-Event": event, "X-Gitlab-Event": event, "X-Event-Key": event}
    try:
        found = parse(forge, headers, body)
    except Refused:
        return
    assert len(found.name) <= 80
    assert all(len(change.branch) <= 250 for change in found.branches)
