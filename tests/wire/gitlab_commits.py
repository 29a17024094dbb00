"""GitLab's way to commit many files at once.

https://docs.gitlab.com/api/commits/#create-a-commit-with-multiple-files-and-actions

There is no compare-and-swap on a branch: `start_sha` starts another branch (or, with `force`, overwrites this one), and
`last_commit_id` compares the last commit of that one file, and nothing at all where the commit is unknown.
"""

from __future__ import annotations

import base64
import binascii
import posixpath
from dataclasses import dataclass, field
from typing import Any

from tests.wire.gitlab_comparing import detail
from tests.wire.gitlab_documented import ACTION
from tests.wire.gitlab_repository import may_push
from tests.wire.gitlab_routes import Call, Refused, routes
from tests.wire.hooks import NO_COMMIT, Change
from tests.wire.messages import Reply, json_reply
from tests.wire.objects import git
from tests.wire.repos import Executable, File, GitRepo, Symlink
from tests.wire.world import HostedRepository

REGULAR, EXECUTABLE = "100644", "100755"


def _wrong(message: str) -> Refused:
    return Refused(400, message)


@dataclass(slots=True)
class Draft:
    """The files of a branch while actions change them, one after the other."""

    git: GitRepo
    start: str | None
    """The commit that the new one comes after; None in an empty repository."""
    there: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Path -> mode and blob id, as it was."""
    changed: dict[str, tuple[str, bytes] | None] = field(default_factory=dict)
    """Path -> mode and bytes; None where it was deleted."""

    def __post_init__(self) -> None:
        tree = self.git.tree_of(self.start) if self.start else None
        listed = self.git.tree(tree, recursive=True) if tree else []
        self.there = {entry.path: (entry.mode, entry.oid) for entry in listed if entry.kind == "blob"}

    def has(self, path: str) -> bool:
        return self.changed[path] is not None if path in self.changed else path in self.there

    def read(self, path: str) -> tuple[str, bytes]:
        """Mode and bytes of a file that has to be there."""
        if not self.has(path):
            raise _wrong("A file with this name doesn't exist")
        if new := self.changed.get(path):
            return new
        mode, oid = self.there[path]
        return mode, self.git.blob(oid) or b""

    def make(self, path: str, mode: str, data: bytes) -> None:
        if self.has(path):
            raise _wrong("A file with this name already exists")
        if any(other.startswith(f"{path}/") and self.has(other) for other in (*self.there, *self.changed)):
            raise _wrong("A directory with this name already exists")
        self.changed[path] = (mode, data)

    @property
    def files(self) -> dict[str, File | None]:
        """Deletions first: a folder can take the place of a file."""
        ordered = sorted(self.changed.items(), key=lambda item: item[1] is not None)
        return {path: None if new is None else _as_file(*new) for path, new in ordered}


def _as_file(mode: str, data: bytes) -> File:
    match mode:
        case "100755":
            return Executable(data)
        case "120000":
            return Symlink(data.decode("utf-8", "surrogateescape"))
        case _:
            return data


def _apply(draft: Draft, action: dict[str, Any]) -> None:
    path = _path(action["file_path"])
    match action["action"]:
        case "create":
            draft.make(path, REGULAR, _content(action))
        case "update":
            _unless_changed(draft, path, action)
            mode, _ = draft.read(path)
            draft.changed[path] = (mode, _content(action))
        case "delete":
            _unless_changed(draft, path, action)
            draft.read(path)
            draft.changed[path] = None
        case "move":
            old = _path(action.get("previous_path") or "")
            _unless_changed(draft, old, action)
            mode, data = draft.read(old)
            draft.make(path, mode, _content(action) if "content" in action else data)
            draft.changed[old] = None
        case _:
            _, data = draft.read(path)
            draft.changed[path] = (EXECUTABLE if action.get("execute_filemode") else REGULAR, data)


def _path(path: str) -> str:
    parts = path.lower().split("/")
    if path.startswith("/") or posixpath.normpath(path) != path or {"", ".", "..", ".git"} & set(parts):
        raise Refused(400, "actions[0][file_path] should be a valid file path", key="error")
    return path


def _content(action: dict[str, Any]) -> bytes:
    text = str(action.get("content", ""))
    if action.get("encoding", "text") == "text":
        return text.encode()
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise _wrong("argument: content is not valid base64") from None


def _unless_changed(draft: Draft, path: str, action: dict[str, Any]) -> None:
    known = draft.git.resolve(action.get("last_commit_id") or "")
    if known is None or draft.start is None:
        return
    here, there = (_last_commit(draft.git, commit, path) for commit in (draft.start, known))
    if here and there and here != there:
        said = "that has changed since you started editing it."
        raise _wrong(f"You are attempting to {action['action']} a file `{path}` {said}")


def _last_commit(repo: GitRepo, commit: str, path: str) -> str:
    return git(repo.path, "rev-list", "-1", commit, "--", path).decode().strip()


def _start(hosted: HostedRepository, values: dict[str, Any]) -> str | None:
    """The commit to begin with; None for the first commit of all."""
    repo, branch, sha = hosted.git, values["branch"], values.get("start_sha")
    begins = values.get("start_branch", branch)
    if sha and "start_branch" in values:
        raise Refused(400, "start_branch, start_sha are mutually exclusive", key="error")
    if values.get("start_project", str(hosted.id)) not in {str(hosted.id), hosted.full_name}:
        raise Refused(403, f"403 Forbidden - Project is not included in the fork network for {hosted.full_name}")
    if repo.empty:
        return None
    found = repo.resolve(sha) if sha else repo.tip(begins)
    if found is None:
        raise (
            _wrong(f"Cannot find start_sha '{sha}'")
            if sha
            else _wrong("You can only create or edit files when you are on a branch")
        )
    if (sha or begins != branch) and repo.tip(branch) and not values.get("force"):
        raise _wrong(f"A branch called '{branch}' already exists. Switch to that branch in order to make changes")
    return found


@routes.on("POST /projects/:id/repository/commits")
def create_commit(call: Call) -> Reply:
    token, hosted, values = call.signed_in(), call.hosted, call.values
    branch = values["branch"]
    for action in values["actions"]:
        for complaint in ACTION.complaints({}, action) if isinstance(action, dict) else ["an action is no object"]:
            call.hall.complain(call.request, f"actions[]: {complaint}")
            raise Refused(400, f"actions[0]: {complaint}", key="error")
    if not values["actions"]:
        raise Refused(400, "400 Bad request - actions is required")
    if not may_push(call, hosted, branch):
        raise Refused(403, "403 Forbidden - You are not allowed to push into this branch")
    with call.hall.writing:
        start, before = _start(hosted, values), hosted.git.tip(branch)
        draft = Draft(hosted.git, start)
        for action in values["actions"]:
            _apply(draft, action)
        if start is not None and start != before:
            hosted.git.reset(branch, start)
        name, email = token.account.login.title(), f"{token.account.login}@example.org"
        author = (values.get("author_name", name), values.get("author_email", email))
        made = hosted.git.commit(draft.files, values["commit_message"], branch=branch, author=author)
    forced = before is not None and start != before
    call.world.hooks.happened(
        Change("push", hosted, branch, before or NO_COMMIT, made, forced=forced, actor=token.account.login)
    )
    return json_reply(detail(hosted, made, call.web, stats=values.get("stats", True)), 201)
