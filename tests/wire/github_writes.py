"""GitHub's git database and contents endpoints that write. What moves a branch is pushed to the hooks."""

from __future__ import annotations

import base64
import binascii
import re
import subprocess
from dataclasses import replace
from datetime import datetime
from typing import Any

from tests.wire import github_shapes as shapes
from tests.wire.github_contents import file_shape
from tests.wire.github_routes import Call, Refused, routes
from tests.wire.hooks import NO_COMMIT, Change
from tests.wire.messages import Reply, json_reply
from tests.wire.objects import git
from tests.wire.repos import FULL_ID, GitRepo, Person
from tests.wire.world import HostedRepository

GIT = "/repos/{owner}/{repo}/git"
BAD_PART = re.compile(r"^(\.|\.\.|\.git|)$", re.IGNORECASE)


def _writable(call: Call) -> HostedRepository:
    found = call.allowed("contents")
    if found.git.empty:
        raise Refused(409, "Git Repository is empty.")
    return found


# https://docs.github.com/en/rest/git/blobs#create-a-blob
@routes.on("POST", GIT + "/blobs")
def blob(call: Call) -> Reply:
    hosted, asked = _writable(call), call.body
    text = asked["content"]
    data = text.encode() if asked.get("encoding", "utf-8") == "utf-8" else _decoded(text)
    oid = hosted.git.write_object("blob", data)
    address = f"{shapes.repository_address(hosted, call.base)}/git/blobs/{oid}"
    return json_reply({"sha": oid, "url": address}, 201, Location=address)


# https://docs.github.com/en/rest/git/trees#create-a-tree
@routes.on("POST", GIT + "/trees")
def tree(call: Call) -> Reply:
    hosted, asked = _writable(call), call.body
    if not asked["tree"]:
        raise Refused(422, "Invalid tree info")
    files: dict[str, tuple[str, str]] = {}
    if base := asked.get("base_tree"):
        found = hosted.git.objects.header(base) if FULL_ID.fullmatch(base) else None
        if found is None or found.kind != "tree":
            raise Refused(422, "base_tree is not a valid tree oid")
        files = _files(hosted.git, base)
    for entry in asked["tree"]:
        _change(hosted.git, files, entry)
    oid = hosted.git.write_tree(files)
    address = f"{shapes.repository_address(hosted, call.base)}/git/trees/{oid}"
    entries = [shapes.tree_entry(entry, hosted, call.base) for entry in hosted.git.tree(oid)]
    return json_reply({"sha": oid, "url": address, "tree": entries, "truncated": False}, 201, Location=address)


def _files(repo: GitRepo, tree: str) -> dict[str, tuple[str, str]]:
    return {e.path: (e.mode, e.oid) for e in repo.tree(tree, recursive=True) if e.kind != "tree"}


def _change(repo: GitRepo, files: dict[str, tuple[str, str]], entry: dict[str, Any]) -> None:
    path, mode = entry.get("path", ""), entry.get("mode", "")
    if any(BAD_PART.fullmatch(part) for part in path.split("/")):
        raise Refused(422, "tree.path contains a malformed path component")
    below = [name for name in files if name.startswith(f"{path}/")]
    if "sha" in entry and entry["sha"] is None:
        if path not in files and not below:
            raise Refused(422, "GitRPC::BadObjectState")
        for name in {path, *below} & files.keys():
            del files[name]
        return
    if not mode or ("sha" in entry) == ("content" in entry):
        raise Refused(422, "Must supply either tree.sha or tree.content, and tree.mode")
    parents = ["/".join(path.split("/")[:depth]) for depth in range(1, path.count("/") + 1)]
    for name in {path, *below, *parents} & files.keys():
        del files[name]
    if "content" in entry:
        files[path] = (mode, repo.write_object("blob", entry["content"].encode()))
        return
    kind = {"040000": "tree", "160000": "commit"}.get(mode, "blob")
    found = repo.objects.header(entry["sha"])
    if kind != "commit" and (found is None or found.kind != kind):
        raise Refused(422, f"tree.sha {entry['sha']} is not a valid {kind}")
    if kind == "tree":
        files |= {f"{path}/{name}": inside for name, inside in _files(repo, entry["sha"]).items()}
    else:
        files[path] = (mode, entry["sha"])


# https://docs.github.com/en/rest/git/commits#create-a-commit
@routes.on("POST", GIT + "/commits")
def commit(call: Call) -> Reply:
    hosted, asked = _writable(call), call.body
    repo = hosted.git
    found = repo.objects.header(asked["tree"])
    if found is None or found.kind != "tree":
        raise Refused(422, "Tree SHA does not exist")
    parents = asked.get("parents", [])
    if any(not FULL_ID.fullmatch(parent) or repo.read_commit(parent) is None for parent in parents):
        raise Refused(422, "Parent SHA does not exist or is not a commit object")
    author = _person(call, repo, asked.get("author"))
    committer = _person(call, repo, asked["committer"]) if "committer" in asked else author
    oid = repo.commit_tree(asked["tree"], parents, asked["message"], author=author, committer=committer)
    made = repo.read_commit(oid)
    assert made
    shape = shapes.git_commit(made, hosted, call.base)
    return json_reply(shape, 201, Location=shape["url"])


def _person(call: Call, repo: GitRepo, asked: dict[str, str] | None) -> Person:
    assert call.token
    login = call.token.account.login
    given = asked or {}
    when = given.get("date")
    at = int(datetime.fromisoformat(when).timestamp()) if when else repo.tick()
    return Person(given.get("name", login), given.get("email", f"{login}@users.noreply.example.org"), at)


# https://docs.github.com/en/rest/git/refs#create-a-reference
@routes.on("POST", GIT + "/refs")
def create_ref(call: Call) -> Reply:
    hosted, asked = _writable(call), call.body
    name = asked["ref"]
    if not name.startswith("refs/") or name.count("/") < 2:
        raise Refused(422, "Reference name must start with refs and have at least two slashes.")
    if hosted.git.objects.header(name):
        raise Refused(422, "Reference already exists")
    _move(call, hosted, name, NO_COMMIT, asked["sha"])
    shape = shapes.git_ref(name, asked["sha"], "commit", hosted, call.base)
    return json_reply(shape, 201, Location=shape["url"])


# https://docs.github.com/en/rest/git/refs#update-a-reference
@routes.on("PATCH", GIT + "/refs/{ref}")
def update_ref(call: Call) -> Reply:
    hosted, asked, name = _writable(call), call.body, f"refs/{call.parameters['ref']}"
    before = hosted.git.objects.header(name)
    if before is None:
        raise Refused(422, "Reference does not exist")
    if name.removeprefix("refs/heads/") in hosted.protected_branches:
        raise Refused(
            422, f"Protected branch update failed for {name}.\n\nChanges must be made through a pull request."
        )
    forced = not _descends(hosted.git, asked["sha"], before.oid)
    if forced and not asked.get("force", False):
        raise Refused(422, "Update is not a fast forward")
    _move(call, hosted, name, before.oid, asked["sha"], forced=forced)
    return json_reply(shapes.git_ref(name, asked["sha"], "commit", hosted, call.base))


# https://docs.github.com/en/rest/git/refs#delete-a-reference
@routes.on("DELETE", GIT + "/refs/{ref}")
def delete_ref(call: Call) -> Reply:
    hosted, name = _writable(call), f"refs/{call.parameters['ref']}"
    before = hosted.git.objects.header(name)
    if before is None:
        raise Refused(422, "Reference does not exist")
    branch = name.removeprefix("refs/heads/")
    if branch in hosted.protected_branches:
        raise Refused(422, f"Protected branch update failed for {name}.\n\nCannot delete this branch.")
    git(hosted.git.path, "update-ref", "-d", name, before.oid)
    if branch != name:
        _tell(call, Change("branch_deleted", hosted, branch=branch, before=before.oid))
    return Reply(204)


def _descends(repo: GitRepo, commit: str, ancestor: str) -> bool:
    try:
        git(repo.path, "merge-base", "--is-ancestor", ancestor, commit)
    except subprocess.CalledProcessError:
        return False
    return True


def _move(call: Call, hosted: HostedRepository, name: str, before: str, after: str, *, forced: bool = False) -> None:
    """Let a ref point to a commit, unless somebody else moved it meanwhile, and say so without listing commits."""
    if not FULL_ID.fullmatch(after) or hosted.git.read_commit(after) is None:
        raise Refused(422, "Object does not exist")
    try:
        git(hosted.git.path, "update-ref", name, after, before)
    except subprocess.CalledProcessError:
        raise Refused(409, "Reference cannot be updated") from None
    if name.startswith("refs/heads/"):
        branch = name.removeprefix("refs/heads/")
        change = Change("push", hosted, branch=branch, before=before, after=after, forced=forced, with_commits=False)
        _tell(call, change)


def _tell(call: Call, change: Change) -> None:
    assert call.token
    call.world.hooks.happened(replace(change, actor=call.token.account.login))


# https://docs.github.com/en/rest/repos/contents#create-or-update-file-contents
@routes.on("PUT", "/repos/{owner}/{repo}/contents/{path}")
def put_contents(call: Call) -> Reply:
    hosted, asked, path = call.allowed("contents"), call.body, call.parameters["path"]
    repo = hosted.git
    branch = asked.get("branch", repo.default_branch)
    before = repo.tip(branch)
    if before is None and not (repo.empty and branch == repo.default_branch):
        raise Refused(404, f"Branch {branch} not found")
    if branch in hosted.protected_branches:
        raise Refused(409, "Repository rule violations found\n\nChanges must be made through a pull request.")
    if any(BAD_PART.fullmatch(part) for part in path.split("/")):
        raise Refused(422, "path contains a malformed path component")
    files = _files(repo, repo.tree_of(before) or "") if before else {}
    known = files.get(path, ("", ""))[1]
    if known and "sha" not in asked:
        raise Refused(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    if asked.get("sha", "") != known:
        raise Refused(409, f"{path} does not match {asked.get('sha', '')}")
    _change(repo, files, {"path": path, "mode": "100644", "sha": repo.write_object("blob", _decoded(asked["content"]))})
    author = _person(call, repo, asked.get("author"))
    committer = _person(call, repo, asked["committer"]) if "committer" in asked else author
    parents = [before] if before else []
    oid = repo.commit_tree(repo.write_tree(files), parents, asked["message"], author=author, committer=committer)
    git(repo.path, "update-ref", f"refs/heads/{branch}", oid, before or NO_COMMIT)
    _tell(call, Change("push", hosted, branch=branch, before=before or NO_COMMIT, after=oid))
    made = repo.read_commit(oid)
    assert made
    content = file_shape(call, hosted, branch, path)
    return json_reply({"content": content, "commit": shapes.git_commit(made, hosted, call.base)}, 200 if known else 201)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error:
        raise Refused(422, "content is not valid Base64") from None
