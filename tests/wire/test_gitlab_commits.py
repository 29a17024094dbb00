"""Commits and merge requests through GitLab's API."""

from __future__ import annotations

import base64
from typing import Any

import gitlab
import pytest
import requests

from tests.wire.conftest import Ask
from tests.wire.forge import Forge
from tests.wire.repos import Executable
from tests.wire.world import HostedRepository


@pytest.fixture
def docs(forge: Forge) -> HostedRepository:
    """`alice/docs`, where bob is a Developer and carol reads."""
    hosted = forge.repository("alice/docs", private=True)
    hosted.roles |= {"bob": "write", "carol": "read"}
    hosted.git.commit({"a.md": "a", "run.sh": Executable(b"#!/bin/sh\n"), "old/b.md": "b"}, "First commit")
    return hosted


class Committer:
    """Commits as bob (or somebody else) with GitLab's words."""

    def __init__(self, forge: Forge, ask: Ask, docs: HostedRepository) -> None:
        self.forge, self.ask, self.docs = forge, ask, docs

    def __call__(self, *actions: dict[str, Any], login: str = "bob", **more: Any) -> requests.Response:
        body = {"branch": "main", "commit_message": "Change files", "actions": list(actions), **more}
        token = self.forge.gitlab_token(login)
        return self.ask(f"/projects/{self.docs.id}/repository/commits", token=token, method="POST", json=body)

    def read(self, path: str, branch: str = "main") -> bytes | None:
        oid = self.docs.git.files(branch).get(path)
        return self.docs.git.blob(oid) if oid else None


@pytest.fixture
def commit(forge: Forge, ask: Ask, docs: HostedRepository) -> Committer:
    return Committer(forge, ask, docs)


def create(path: str, content: str = "new") -> dict[str, str]:
    return {"action": "create", "file_path": path, "content": content}


def update(path: str, content: str = "new", **more: str) -> dict[str, str]:
    return {"action": "update", "file_path": path, "content": content, **more}


def message(reply: requests.Response) -> str:
    assert reply.status_code == 400, reply.text
    return str(reply.json()["message"])


def test_one_commit_changes_many_files(commit: Committer, docs: HostedRepository) -> None:
    before = docs.git.tip("main")
    made = commit(
        create("c/d.md"),
        {"action": "create", "file_path": "bin", "content": base64.b64encode(b"\0\xff").decode(), "encoding": "base64"},
        update("run.sh", "#!/bin/bash\n"),
        {"action": "move", "file_path": "new/b.md", "previous_path": "old/b.md"},
        {"action": "delete", "file_path": "a.md"},
        {"action": "chmod", "file_path": "c/d.md", "execute_filemode": True},
        author_name="Dora",
        author_email="dora@example.org",
    )
    assert made.status_code == 201, made.text
    assert (made.json()["id"], made.json()["parent_ids"]) == (docs.git.tip("main"), [before])
    assert (made.json()["author_name"], made.json()["author_email"]) == ("Dora", "dora@example.org")
    assert set(docs.git.files()) == {"c/d.md", "bin", "run.sh", "new/b.md"}
    assert commit.read("bin") == b"\0\xff"
    assert commit.read("new/b.md") == b"b"
    tree = docs.git.tree(docs.git.tree_of(docs.git.tip("main") or "") or "", recursive=True)
    assert {entry.path for entry in tree if entry.mode == "100755"} == {"run.sh", "c/d.md"}


def test_files_have_to_be_as_the_action_says(commit: Committer, docs: HostedRepository) -> None:
    before = docs.git.tip("main")
    assert message(commit(create("x.md"), create("a.md"))) == "A file with this name already exists"
    assert message(commit(create("old"))) == "A directory with this name already exists"
    assert message(commit(update("gone.md"))) == "A file with this name doesn't exist"
    assert message(commit({"action": "delete", "file_path": "gone.md"})) == "A file with this name doesn't exist"
    assert "actions is required" in message(commit())
    assert commit(create("../out.md")).status_code == 400
    assert docs.git.tip("main") == before


def test_a_file_that_changed_since_is_refused_where_the_commit_is_known(
    commit: Committer, docs: HostedRepository
) -> None:
    known = docs.git.tip("main") or ""
    docs.git.commit({"a.md": "theirs"})
    assert "has changed since" in message(commit(update("a.md", "ours", last_commit_id=known)))
    assert commit.read("a.md") == b"theirs"
    assert commit(update("run.sh", "ours", last_commit_id=known)).status_code == 201
    assert commit(update("a.md", "ours", last_commit_id="0" * 40)).status_code == 201
    assert commit.read("a.md") == b"ours"


def test_a_start_makes_another_branch_and_never_swaps_this_one(commit: Committer, docs: HostedRepository) -> None:
    first = docs.git.tip("main") or ""
    docs.git.commit({"a.md": "theirs"})
    assert "already exists" in message(commit(create("x.md"), start_sha=first))
    assert commit(create("x.md"), branch="side", start_sha=first).json()["parent_ids"] == [first]
    assert commit.read("a.md", "side") == b"a"
    assert commit(create("y.md"), branch="other", start_branch="main").status_code == 201
    assert message(commit(create("z.md"), branch="third")) == (
        "You can only create or edit files when you are on a branch"
    )
    assert "Cannot find start_sha" in message(commit(create("z.md"), branch="third", start_sha="0" * 40))
    assert docs.git.tip("third") is None
    assert commit(create("x.md"), start_sha=first, force=True).json()["parent_ids"] == [first]


def test_an_empty_repository_takes_its_first_commit(forge: Forge, ask: Ask) -> None:
    empty = Committer(forge, ask, forge.repository("bob/empty"))
    assert empty(create("a.md")).json()["parent_ids"] == []
    assert empty.read("a.md") == b"new"


def test_who_may_not_push_is_told_so(forge: Forge, commit: Committer, docs: HostedRepository) -> None:
    assert commit(create("x.md"), login="carol").status_code == 403
    docs.protected_branches.add("main")
    refused = commit(create("x.md"))
    assert refused.json() == {"message": "403 Forbidden - You are not allowed to push into this branch"}
    assert commit(create("x.md"), branch="side", start_branch="main").status_code == 201
    docs.archived = True
    assert commit(create("y.md"), branch="side").status_code == 403
    forge.gitlab_caps.body_bytes = 100
    assert commit(create("x.md", "x" * 200), branch="side").status_code == 413


def test_an_action_that_is_not_documented_is_kept(forge: Forge, commit: Committer) -> None:
    assert commit({**create("x.md"), "mode": "100755"}).status_code == 400
    assert "unknown parameter 'mode'" in str(forge.violations.pop())


def test_a_commit_reaches_those_who_listen(forge: Forge, commit: Committer, docs: HostedRepository) -> None:
    hook = forge.world.hooks.add("gitlab", docs, "http://127.0.0.1:9/in", events=["push_events"])
    made = commit(create("x.md")).json()
    said = forge.world.hooks.last(hook).payload
    assert (said["after"], said["user_username"], said["commits"][0]["added"]) == (made["id"], "bob", ["x.md"])


def test_a_merge_request_is_made_once_and_found_again(
    forge: Forge, ask: Ask, commit: Committer, docs: HostedRepository
) -> None:
    commit(create("x.md"), branch="side", start_branch="main")
    token, address = forge.gitlab_token("bob"), f"/projects/{docs.id}/merge_requests"
    body = {"source_branch": "side", "target_branch": "main", "title": "Add x"}
    made = ask(address, token=token, method="POST", json=body)
    assert (made.status_code, made.json()["iid"], made.json()["sha"]) == (201, 1, docs.git.tip("side"))
    again = ask(address, token=token, method="POST", json=body)
    assert again.status_code == 409
    assert again.json() == {"message": ["Another open merge request already exists for this source branch: !1"]}
    found = ask(f"{address}?source_branch=side&target_branch=main&state=opened", token=token).json()
    assert [one["web_url"] for one in found] == [f"{forge.url}/alice/docs/-/merge_requests/1"]
    edited = ask(f"{address}/1", token=token, method="PUT", json={"description": "Why"}).json()
    assert (edited["description"], edited["title"]) == ("Why", "Add x")
    assert ask(address, token=forge.gitlab_token("carol"), method="POST", json=body).status_code == 403


def test_a_merge_request_whose_commits_arrived_is_merged(
    forge: Forge, ask: Ask, commit: Committer, docs: HostedRepository
) -> None:
    commit(create("x.md"), branch="side", start_branch="main")
    token, address = forge.gitlab_token("bob"), f"/projects/{docs.id}/merge_requests"
    body = {"source_branch": "side", "target_branch": "main", "title": "Add x"}
    ask(address, token=token, method="POST", json=body)
    docs.git.reset("main", docs.git.tip("side") or "")
    assert ask(f"{address}?state=opened", token=token).json() == []
    assert ask(f"{address}/1", token=token).json()["state"] == "merged"

    commit(create("y.md"), branch="side")
    ask(address, token=token, method="POST", json=body)
    assert ask(f"{address}/2", token=token, method="PUT", json={"state_event": "close"}).json()["state"] == "closed"


def test_python_gitlab_writes_it(forge: Forge, docs: HostedRepository) -> None:
    project = gitlab.Gitlab(forge.url, private_token=forge.gitlab_token("alice")).projects.get("alice/docs")
    made = project.commits.create(
        {"branch": "side", "start_branch": "main", "commit_message": "Add x", "actions": [create("x.md")]}
    )
    assert made.id == docs.git.tip("side")
    offered = project.mergerequests.create({"source_branch": "side", "target_branch": "main", "title": "Add x"})
    assert [one.iid for one in project.mergerequests.list(state="opened", iterator=True)] == [offered.iid]
    hook = project.hooks.create({"url": "http://127.0.0.1:9/in", "push_events": True, "token": "secret"})
    hook.description = "For Millrace"
    hook.url = "http://127.0.0.1:9/other"
    hook.save()
    assert project.hooks.get(hook.id).description == "For Millrace"
    hook.delete()
    assert project.hooks.list(iterator=False, get_all=True) == []
