"""Writing to Bitbucket: one upload is one commit, and pull requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.wire.forge import Forge
from tests.wire.repos import GitRepo, blob_id
from tests.wire.world import HostedRepository

Send = Callable[..., requests.Response]
SCOPES = [
    *("read:repository:bitbucket", "write:repository:bitbucket"),
    *("read:pullrequest:bitbucket", "write:pullrequest:bitbucket"),
]
SRC = "/repositories/acme/secret/src"
PULLS = "/repositories/acme/secret/pullrequests"


@pytest.fixture
def send(forge: Forge, session: requests.Session, private_repo: HostedRepository) -> Send:
    """`send("POST", path, data=…)` as acme, who may write, unless `scopes` or `login` differ."""

    def request(
        method: str, path: str, *, scopes: list[str] = SCOPES, login: str = "acme", **more: Any
    ) -> requests.Response:
        auth = (f"{login}@example.org", forge.bitbucket_token(login, scopes=scopes))
        return session.request(method, forge.bitbucket_url + path, auth=auth, allow_redirects=False, timeout=10, **more)

    return request


def uploaded(files: dict[str, bytes]) -> list[tuple[str, tuple[str, bytes]]]:
    return [(f"/{path}", ("file", data)) for path, data in files.items()]


def mode_of(git: GitRepo, path: str) -> str:
    tree = git.tree_of(git.tip("main") or "")
    assert tree
    return next(entry.mode for entry in git.tree(tree, recursive=True) if entry.path == path)


# -- commits -----------------------------------------------------------------------------------------------------------


def test_one_upload_is_one_commit(forge: Forge, private_repo: HostedRepository, send: Send) -> None:
    git = private_repo.git
    head, data = git.tip("main"), bytes(range(256)) + b"\r\n--x\r\n"
    answer = send(
        "POST",
        SRC,
        data=[
            ("message", "Several\n\nfiles"),
            ("author", "Bob B <bob@example.org>"),
            ("branch", "main"),
            ("parents", head or ""),
            ("files", "/docs/plan.md"),
        ],
        files=uploaded({"a/naïve.bin": data, "branch": b"a file of that name", "empty.txt": b""}),
    )
    assert answer.status_code == 201
    assert answer.content == b""
    made = git.tip("main")
    assert answer.headers["Location"] == f"{forge.bitbucket_url}/repositories/acme/secret/commit/{made}"
    files = git.files()
    assert files["a/naïve.bin"] == blob_id(data)
    assert files["branch"] == blob_id(b"a file of that name")
    assert files["empty.txt"] == blob_id(b"")
    assert "docs/plan.md" not in files
    assert "README.md" in files
    commit = git.read_commit(made or "")
    assert commit
    assert (commit.message, commit.author.name, commit.parents) == ("Several\n\nfiles", "Bob B", (head,))


def test_a_plain_form_uploads_text(forge: Forge, private_repo: HostedRepository, send: Send) -> None:
    form = {"/new.md": "n&w = ü", "other.md": "o", "/message": "a file", "message": "said", "files": "README.md"}
    assert send("POST", SRC, data=form).status_code == 201
    files = private_repo.git.files()
    assert files["new.md"] == blob_id("n&w = ü".encode())
    assert files["message"] == blob_id(b"a file")
    assert "README.md" not in files


def test_a_branch_that_moved_is_not_written_to(forge: Forge, private_repo: HostedRepository, send: Send) -> None:
    old = private_repo.git.tip("main")
    new = private_repo.git.commit({"meanwhile.md": "m"})
    answer = send("POST", SRC, data={"branch": "main", "parents": old, "/a.md": "a"})
    assert answer.status_code == 409
    assert private_repo.git.tip("main") == new


def test_a_new_branch_begins_at_its_parent_or_at_the_main_branch(
    forge: Forge, private_repo: HostedRepository, send: Send
) -> None:
    git = private_repo.git
    first = git.tip("main")
    git.commit({"later.md": "l"})
    assert send("POST", SRC, data={"branch": "from-first", "parents": first, "/a.md": "a"}).status_code == 201
    assert "later.md" not in git.files("from-first")
    assert send("POST", SRC, data={"branch": "from-main", "/a.md": "a"}).status_code == 201
    assert "later.md" in git.files("from-main")
    assert "a.md" not in git.files()
    assert send("POST", SRC, data={"branch": "x", "parents": "0" * 40, "/a.md": "a"}).status_code == 404


@pytest.mark.parametrize("branch", ["", "trunk"])
def test_an_empty_repository_gets_its_first_commit_and_its_main_branch(forge: Forge, send: Send, branch: str) -> None:
    hosted = forge.repository("acme/empty")
    form = {"/a.md": "a", "message": "First"} | ({"branch": branch} if branch else {})
    assert send("POST", "/repositories/acme/empty/src", data=form).status_code == 201
    assert hosted.git.files(branch or "main") == {"a.md": blob_id(b"a")}
    found = send("GET", "/repositories/acme/empty").json()
    assert found["mainbranch"]["name"] == (branch or "main")
    found = send("POST", "/repositories/acme/empty/src", data={"/b.md": "b"})
    assert set(hosted.git.files(branch or "main")) == {"a.md", "b.md"}


def test_an_executable_stays_one_only_if_it_is_said_again(
    forge: Forge, private_repo: HostedRepository, send: Send
) -> None:
    head = 'Content-Disposition: form-data; name="/run.sh"; filename="run.sh"'
    kind = {"Content-Type": "multipart/form-data; boundary=xyz"}
    body = f'--xyz\r\n{head}; x-attributes="executable"\r\n\r\n#!/bin/sh\n\r\n--xyz--\r\n'
    assert send("POST", SRC, data=body.encode(), headers=kind).status_code == 201
    assert mode_of(private_repo.git, "run.sh") == "100755"
    assert send("POST", SRC, files=uploaded({"run.sh": b"#!/bin/sh\ntrue\n"})).status_code == 201
    assert mode_of(private_repo.git, "run.sh") == "100644"


@pytest.mark.parametrize(
    "form",
    [
        {"/../outside": "x"},
        {"/.git/config": "x"},
        {"/a//b": "x"},
        {"files": "/never-there.md"},
        {"/a.md": "a", "author": "nobody"},
    ],
    ids=str,
)
def test_what_git_cannot_hold_is_refused(
    forge: Forge, private_repo: HostedRepository, send: Send, form: dict[str, str]
) -> None:
    head = private_repo.git.tip("main")
    assert send("POST", SRC, data=form).status_code == 400
    assert private_repo.git.tip("main") == head


def test_writing_takes_a_scope_a_role_and_a_branch_that_may_be_written(
    forge: Forge, private_repo: HostedRepository, send: Send
) -> None:
    private_repo.roles["bob"] = "read"
    assert send("POST", SRC, data={"/a.md": "a"}, scopes=["read:repository:bitbucket"]).status_code == 403
    assert send("POST", SRC, data={"/a.md": "a"}, login="bob").status_code == 403
    assert send("POST", SRC, data={"/a.md": "a"}, login="mallory").status_code == 404
    private_repo.protected_branches.add("main")
    assert send("POST", SRC, data={"/a.md": "a"}).status_code == 403
    assert send("POST", SRC, data={"/a.md": "a", "branch": "side"}).status_code == 201


def test_an_upload_is_a_push_that_hooks_hear_of(forge: Forge, private_repo: HostedRepository, send: Send) -> None:
    forge.world.hooks.add("bitbucket", private_repo, f"{forge.url}/nowhere", events=["repo:push"])
    head = private_repo.git.tip("main")
    send("POST", SRC, data={"/a.md": "a"})
    delivered = forge.world.hooks.last()
    (change,) = delivered.payload["push"]["changes"]
    assert (change["old"]["target"]["hash"], change["new"]["target"]["hash"]) == (head, private_repo.git.tip("main"))


# -- pull requests -----------------------------------------------------------------------------------------------------


def ends(source: str, destination: str = "main") -> dict[str, Any]:
    return {"source": {"branch": {"name": source}}, "destination": {"branch": {"name": destination}}}


def test_a_pull_request_is_opened_found_and_changed(forge: Forge, private_repo: HostedRepository, send: Send) -> None:
    private_repo.git.branch("side")
    private_repo.git.commit({"a.md": "a"}, branch="side")
    answer = send("POST", PULLS, json={"title": "Add a", "description": "Why", **ends("side")})
    assert answer.status_code == 201
    made = answer.json()
    assert (made["id"], made["title"], made["description"], made["state"]) == (1, "Add a", "Why", "OPEN")
    assert (made["source"]["branch"]["name"], made["destination"]["branch"]["name"]) == ("side", "main")
    assert made["links"]["html"]["href"] == f"{forge.url}/acme/secret/pull-requests/1"
    query = 'q=source.branch.name = "side" AND destination.branch.name = "main"&state=OPEN'
    assert [found["id"] for found in send("GET", f"{PULLS}?{query}").json()["values"]] == [1]
    assert send("GET", f'{PULLS}?q=source.branch.name = "other"').json()["values"] == []
    changed = send("PUT", f"{PULLS}/1", json={"title": "Add b", "description": ""}).json()
    assert (changed["title"], changed["description"]) == ("Add b", "")
    private_repo.pulls[0].state = "merged"
    assert send("PUT", f"{PULLS}/1", json={"title": "Late"}).status_code == 400
    assert send("GET", PULLS).json()["values"] == []
    assert len(send("GET", f"{PULLS}?state=OPEN&state=MERGED").json()["values"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"title": "Nothing new", **ends("main")},
        {"title": "No such branch", **ends("nowhere")},
        {"title": "", **ends("side")},
        {"title": "No source"},
    ],
    ids=lambda body: body["title"],
)
def test_a_pull_request_that_makes_no_sense_is_refused(
    forge: Forge, private_repo: HostedRepository, send: Send, body: dict[str, Any]
) -> None:
    private_repo.git.branch("side")
    private_repo.git.commit({"a.md": "a"}, branch="side")
    assert send("POST", PULLS, json=body).status_code == 400


def test_pull_requests_take_their_own_scope(forge: Forge, private_repo: HostedRepository, send: Send) -> None:
    reading = ["read:repository:bitbucket", "read:pullrequest:bitbucket"]
    assert send("GET", PULLS, scopes=reading[:1]).status_code == 403
    assert send("GET", PULLS, scopes=reading).status_code == 200
    assert send("POST", PULLS, scopes=reading, json={"title": "x", **ends("side")}).status_code == 403
    assert send("GET", f"{PULLS}?pagelen=51").status_code == 400


def test_a_property_that_nobody_documents_is_refused(
    forge: Forge, private_repo: HostedRepository, send: Send, bitbucket_contract: object
) -> None:
    if bitbucket_contract is None:
        pytest.skip("CONTRACTS_DIR is not set")
    assert send("POST", PULLS, json={"title": "x", "body": "y", **ends("side")}).status_code == 400
    assert "unknown property 'body'" in str(forge.violations.pop())
