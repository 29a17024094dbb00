"""Writing through GitHub's API: one commit of many files, an empty repository's first, and pull requests."""

from __future__ import annotations

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.wire.forge import Forge
from tests.wire.listener import listening
from tests.wire.objects import git
from tests.wire.repos import blob_id
from tests.wire.world import HostedRepository

Ask = Callable[..., requests.Response]
AUTHOR = {"name": "Ada", "email": "ada@example.org", "date": "2026-05-04T10:00:00Z"}


@pytest.fixture
def ask(forge: Forge, session: requests.Session) -> Ask:
    """`ask("POST", "/git/trees", …fields)`: one request about `acme/docs`, as its owner unless told otherwise."""
    owner = forge.token("acme", scopes=["repo"])

    def send(method: str, path: str, *, token: str = owner, **fields: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        address = f"{forge.url}/repos/acme/docs{path}"
        return session.request(method, address, headers=headers, json=fields or None, timeout=10)

    return send


@pytest.fixture
def docs(forge: Forge) -> HostedRepository:
    hosted = forge.repository("acme/docs")
    hosted.git.commit({"a.md": "a", "folder/b.md": "b", "folder/deep/c.md": "c"})
    return hosted


def tip(hosted: HostedRepository, branch: str = "main") -> str:
    found = hosted.git.tip(branch)
    assert found
    return found


def commit(ask: Ask, hosted: HostedRepository, *entries: dict[str, Any], on: str = "", message: str = "Write") -> str:
    """A tree and a commit on top of a commit (the branch's, where none is named); the commit's id."""
    parent = on or tip(hosted)
    tree = ask("POST", "/git/trees", base_tree=hosted.git.tree_of(parent), tree=entries)
    assert tree.status_code == 201, tree.text
    made = ask("POST", "/git/commits", message=message, tree=tree.json()["sha"], parents=[parent], author=AUTHOR)
    assert made.status_code == 201, made.text
    oid: str = made.json()["sha"]
    return oid


def text(path: str, content: str, mode: str = "100644") -> dict[str, str]:
    return {"path": path, "mode": mode, "type": "blob", "content": content}


def gone(path: str) -> dict[str, Any]:
    return {"path": path, "mode": "100644", "type": "blob", "sha": None}


def test_many_files_are_one_commit_with_its_author(docs: HostedRepository, ask: Ask) -> None:
    binary = ask("POST", "/git/blobs", content=base64.b64encode(b"\0\xff").decode(), encoding="base64").json()["sha"]
    changes = [text("folder/b.md", "changed"), text("new/d.md", "d"), gone("a.md")]
    made = commit(ask, docs, *changes, {"path": "bin", "mode": "100755", "type": "blob", "sha": binary})
    assert ask("PATCH", "/git/refs/heads/main", sha=made).status_code == 200
    assert docs.git.files() == {
        "bin": blob_id(b"\0\xff"),
        "folder/b.md": blob_id(b"changed"),
        "folder/deep/c.md": blob_id(b"c"),
        "new/d.md": blob_id(b"d"),
    }
    found = docs.git.read_commit(made)
    assert found
    assert (found.author.name, found.author.at, found.committer) == ("Ada", 1_777_888_800, found.author)
    assert git(docs.git.path, "fsck", "--strict") == b""


def test_a_folder_goes_and_a_file_takes_its_place(docs: HostedRepository, ask: Ask) -> None:
    made = commit(ask, docs, gone("folder/deep"), text("a.md/inside.md", "below what was a file"))
    ask("PATCH", "/git/refs/heads/main", sha=made)
    assert set(docs.git.files()) == {"a.md/inside.md", "folder/b.md"}
    made = commit(ask, docs, text("folder", "now a file"))
    ask("PATCH", "/git/refs/heads/main", sha=made)
    assert set(docs.git.files()) == {"a.md/inside.md", "folder"}
    assert git(docs.git.path, "fsck", "--strict") == b""


@pytest.mark.parametrize(
    "entry",
    [
        text("../outside.md", "x"),
        text(".git/config", "x"),
        text("/absolute.md", "x"),
        gone("missing.md"),
        {"path": "x.md", "mode": "100644", "type": "blob", "sha": "1" * 40},
        {"path": "x.md", "mode": "100644", "type": "blob"},
    ],
)
def test_a_wrong_entry_is_refused(docs: HostedRepository, ask: Ask, entry: dict[str, Any]) -> None:
    answer = ask("POST", "/git/trees", base_tree=docs.git.tree_of(tip(docs)), tree=[entry])
    assert answer.status_code == 422


def test_what_does_not_exist_cannot_be_built_on(docs: HostedRepository, ask: Ask) -> None:
    nothing, tree = "1" * 40, docs.git.tree_of(tip(docs))
    assert ask("POST", "/git/trees", base_tree=nothing, tree=[text("x.md", "x")]).status_code == 422
    assert ask("POST", "/git/commits", message="x", tree=nothing, parents=[tip(docs)]).status_code == 422
    assert ask("POST", "/git/commits", message="x", tree=tree, parents=[nothing]).status_code == 422
    assert ask("POST", "/git/refs", ref="refs/heads/x", sha=nothing).status_code == 422
    assert ask("PATCH", "/git/refs/heads/missing", sha=tip(docs)).status_code == 422


def test_a_branch_moves_forward_only_unless_it_is_forced(docs: HostedRepository, ask: Ask) -> None:
    first = tip(docs)
    mine = commit(ask, docs, text("mine.md", "m"), on=first)
    docs.git.commit({"theirs.md": "t"})
    refused = ask("PATCH", "/git/refs/heads/main", sha=mine)
    assert (refused.status_code, refused.json()["message"]) == (422, "Update is not a fast forward")
    assert ask("PATCH", "/git/refs/heads/main", sha=mine, force=True).status_code == 200
    assert tip(docs) == mine


def test_of_many_who_move_a_branch_at_once_one_wins(docs: HostedRepository, forge: Forge, ask: Ask) -> None:
    made = [commit(ask, docs, text(f"{number}.md", "x")) for number in range(6)]
    token = forge.token("acme")

    def move(oid: str) -> int:
        address = f"{forge.url}/repos/acme/docs/git/refs/heads/main"
        headers = {"Authorization": f"Bearer {token}"}
        return requests.patch(address, json={"sha": oid}, headers=headers, timeout=10).status_code

    with ThreadPoolExecutor(6) as pool:
        codes = list(pool.map(move, made))
    assert codes.count(200) == 1
    assert set(codes) <= {200, 409, 422}
    assert tip(docs) == made[codes.index(200)]


def test_a_protected_branch_is_not_moved(docs: HostedRepository, ask: Ask) -> None:
    docs.protected_branches.add("main")
    before = tip(docs)
    made = commit(ask, docs, text("x.md", "x"))
    refused = ask("PATCH", "/git/refs/heads/main", sha=made)
    assert refused.status_code == 422
    assert refused.json()["message"].startswith("Protected branch update failed for refs/heads/main.")
    put = ask("PUT", "/contents/y.md", message="Write", content=base64.b64encode(b"y").decode())
    assert put.status_code == 409
    assert tip(docs) == before


def test_a_branch_is_made_and_deleted(docs: HostedRepository, ask: Ask) -> None:
    assert ask("POST", "/git/refs", ref="refs/heads/next/one", sha=tip(docs)).status_code == 201
    assert docs.git.tip("next/one") == tip(docs)
    assert ask("POST", "/git/refs", ref="refs/heads/next/one", sha=tip(docs)).status_code == 422
    assert ask("POST", "/git/refs", ref="next", sha=tip(docs)).status_code == 422
    assert ask("DELETE", "/git/refs/heads/next/one").status_code == 204
    assert docs.git.tip("next/one") is None


def test_an_empty_repository_takes_its_first_commit_by_the_contents_alone(forge: Forge, ask: Ask) -> None:
    hosted = forge.repository("acme/docs")
    assert ask("POST", "/git/blobs", content="x").status_code == 409
    assert ask("POST", "/git/trees", tree=[text("x.md", "x")]).status_code == 409
    assert ask("POST", "/git/refs", ref="refs/heads/main", sha="1" * 40).status_code == 409
    first = ask("PUT", "/contents/x.md", message="Begin", content=base64.b64encode(b"x").decode(), author=AUTHOR)
    assert (first.status_code, first.json()["commit"]["parents"]) == (201, [])
    assert hosted.git.files() == {"x.md": blob_id(b"x")}


def test_a_file_is_changed_only_by_who_knows_it(docs: HostedRepository, ask: Ask) -> None:
    new = {"message": "Change", "content": base64.b64encode(b"changed").decode()}
    assert ask("PUT", "/contents/a.md", **new).status_code == 422
    assert ask("PUT", "/contents/a.md", **new, sha="1" * 40).status_code == 409
    changed = ask("PUT", "/contents/a.md", **new, sha=blob_id(b"a"))
    assert (changed.status_code, changed.json()["content"]["sha"]) == (200, blob_id(b"changed"))
    assert ask("PUT", "/contents/x.md", **new, branch="missing").status_code == 404


def test_writes_are_pushed_to_hooks(forge: Forge, docs: HostedRepository, ask: Ask) -> None:
    with listening() as inbox:
        forge.world.hooks.add("github", docs, inbox.url, secret="s", events=["push"], content_type="json")
        before = tip(docs)
        made = commit(ask, docs, text("x.md", "x"))
        assert inbox.heard == []
        ask("PATCH", "/git/refs/heads/main", sha=made)
        moved = inbox.heard[-1].json()
        assert (moved["before"], moved["after"], moved["commits"]) == (before, made, [])
        assert moved["pusher"]["name"] == "acme"
        ask("PUT", "/contents/y.md", message="Write", content=base64.b64encode(b"y").decode())
        assert len(inbox.heard[-1].json()["commits"]) == 1
        ask("POST", "/git/refs", ref="refs/heads/next", sha=made)
        assert inbox.heard[-1].json()["created"]
        ask("DELETE", "/git/refs/heads/next")
        assert inbox.heard[-1].json()["deleted"]


def test_only_who_may_write_writes(forge: Forge, docs: HostedRepository, ask: Ask) -> None:
    docs.roles["bob"] = "write"
    docs.collaborators.add("carol")
    assert ask("POST", "/git/blobs", token=forge.token("bob"), content="x").status_code == 201
    for token in (forge.token("carol"), forge.token("mallory"), forge.token("acme", scopes=["read:user"])):
        assert ask("POST", "/git/blobs", token=token, content="x").status_code == 404
    reading = forge.token("acme", fine_grained=True, permissions=["metadata", "contents"])
    refused = ask("POST", "/git/blobs", token=reading, content="x")
    assert (refused.status_code, refused.headers["X-Accepted-GitHub-Permissions"]) == (403, "contents=write")
    writing = forge.token("acme", fine_grained=True, permissions=["metadata", "contents:write"])
    assert ask("POST", "/git/blobs", token=writing, content="x").status_code == 201
    assert ask("POST", "/git/blobs", token="", content="x").status_code == 401
    docs.archived = True
    assert ask("POST", "/git/blobs", content="x").status_code == 403


def test_a_renamed_repository_sends_writers_on(forge: Forge, docs: HostedRepository, session: requests.Session) -> None:
    forge.world.rename("acme/docs", "acme/book")
    headers = {"Authorization": f"Bearer {forge.token('acme')}"}
    address = f"{forge.url}/repos/acme/docs/git/blobs"
    moved = session.post(address, json={"content": "x"}, headers=headers, allow_redirects=False, timeout=10)
    assert moved.status_code == 307
    assert (
        session.post(moved.headers["Location"], json={"content": "x"}, headers=headers, timeout=10).status_code == 201
    )


# -- pull requests -----------------------------------------------------------------------------------------------------


@pytest.fixture
def proposal(docs: HostedRepository) -> HostedRepository:
    docs.git.branch("next")
    docs.git.commit({"new.md": "new"}, branch="next")
    return docs


def test_a_pull_request_is_opened_found_changed_and_closed(proposal: HostedRepository, ask: Ask) -> None:
    made = ask("POST", "/pulls", title="Add a page", head="next", base="main", body="Please")
    assert (made.status_code, made.json()["number"], made.json()["changed_files"]) == (201, 1, 1)
    assert made.json()["head"]["sha"] == tip(proposal, "next")
    again = ask("POST", "/pulls", title="Again", head="acme:next", base="main")
    assert again.status_code == 422
    assert again.json()["errors"][0]["message"] == "A pull request already exists for acme:next."
    assert [pull["number"] for pull in ask("GET", "/pulls?head=acme:next&base=main").json()] == [1]
    changed = ask("PATCH", "/pulls/1", title="Add one page")
    assert (changed.json()["title"], changed.json()["body"]) == ("Add one page", "Please")
    assert ask("PATCH", "/pulls/1", state="closed").json()["closed_at"]
    assert ask("GET", "/pulls").json() == []
    assert ask("GET", "/pulls?state=all").json()[0]["state"] == "closed"
    assert ask("POST", "/pulls", title="Once more", head="next", base="main").json()["number"] == 2
    assert ask("GET", "/pulls/2").json()["title"] == "Once more"
    assert ask("GET", "/pulls/3").status_code == 404


@pytest.mark.parametrize(("head", "base"), [("missing", "main"), ("next", "missing"), ("main", "next")])
def test_a_pull_request_needs_two_branches_and_a_difference(
    proposal: HostedRepository, ask: Ask, head: str, base: str
) -> None:
    assert ask("POST", "/pulls", title="Nothing", head=head, base=base).status_code == 422


def test_a_pull_request_needs_its_permission(forge: Forge, proposal: HostedRepository, ask: Ask) -> None:
    fields = {"title": "Add a page", "head": "next", "base": "main"}
    without = forge.token("acme", fine_grained=True, permissions=["metadata", "contents:write"])
    assert ask("POST", "/pulls", token=without, **fields).status_code == 403
    with_it = forge.token("acme", fine_grained=True, permissions=["metadata", "pull_requests:write"])
    assert ask("POST", "/pulls", token=with_it, **fields).status_code == 201
