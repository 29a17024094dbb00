"""One commit for many files by GitLab's commits API, and merge requests.

GitLab makes a commit on whatever the branch's head is when it comes to it; a client cannot say which one it must be.
What is done about a push in between, from the surest to the least:

- a branch that is made anew begins at `start_sha`, and GitLab refuses the commit if the branch is there by then;
- creating a file that is there is refused, and so is changing or deleting one that changed since `last_commit_id`;
- the head is read before, and the parent of what was made is looked at after.

So what slips through the last gap is a push that touches none of our files, and our commit then stands on top of it:
Moved is raised, nobody's work is lost, and whoever compares anew finds our files as they should be. `last_commit_id`
costs the server a look at the history of each file, and commits of more than `_GUARDED` files go without it: of them a
change to the same file in the same moment is overwritten, and stays in the history.

https://docs.gitlab.com/api/commits/#create-a-commit-with-multiple-files-and-actions
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from posixpath import commonpath, dirname
from typing import Any
from urllib.parse import quote

from forges.clients.answers import commit_of, id_of, page_of
from forges.clients.base import Author, Entry, PullRequest, blob_id
from forges.clients.errors import Conflict, Forbidden, ForgeError, Moved, NotFound, Protected, TooLarge
from forges.clients.gitlab_session import GitLabSession, Judge
from forges.clients.names import check_branch

_GUARDED = 100
"""Files changed or deleted in a commit up to which each is guarded by `last_commit_id`."""
_ASK_FOR_ROLE = "Use a token of somebody who may, or ask a Maintainer of the project to let this one."


# https://docs.gitlab.com/user/permissions/#repository-members-permissions
_DEVELOPER = 30
"""The least role that pushes."""


# https://docs.gitlab.com/api/projects/#get-a-single-project, https://docs.gitlab.com/api/branches/
def check_push(session: GitLabSession, project: str, name: str, branch: str) -> None:
    """See `Client.check_push`; a branch that is not there is asked nothing about."""
    with session.understood(f"the project {name}") as what:
        found = session.get(project, what)
        given = [each["access_level"] for each in (found.get("permissions") or {}).values() if each]
        if found.get("archived") is True:
            raise Forbidden(f"The project {name} is archived, so that nobody can push to it.", advice="Unarchive it.")
        tip: Mapping[str, Any] = {}
        if branch:
            try:
                tip = session.get(f"{project}/repository/branches/{quote(check_branch(branch), safe='')}", what)
            except NotFound:
                tip = {}
        if tip.get("can_push") is True:
            return
        if max(given, default=0) < _DEVELOPER:
            raise Forbidden(
                f"{session.host} does not let this credential push to {name}: that takes the role Developer.",
                advice=_ASK_FOR_ROLE,
            )
        if tip.get("can_push") is False:
            raise Protected(f"{session.host} protects the branch {branch} of {name} from this credential.")


def shared_folder(paths: Mapping[str, object]) -> str:
    """The deepest folder that holds all of them; "" for the root."""
    return commonpath([dirname(path) for path in paths]) if paths else ""


def present(
    listed: Callable[[str], tuple[dict[str, Entry], str]], parent: str, changes: Mapping[str, bytes | None]
) -> dict[str, str]:
    """The blob ids of what there is in the parent's tree where something is to be written, with as few pages as that
    takes.

    `listed` is asked what lies below a folder, and why that is not all of it.
    """
    if not parent:
        return {}
    try:
        found, reason = listed(shared_folder(changes))
    except NotFound:
        return {}  # No such folder, or no such commit, which the head tells before anything is written.
    if reason:
        raise TooLarge(f"What is there cannot be compared with what is to be written. {reason}")
    return {path: entry.oid for path, entry in found.items()}


def actions_of(changes: Mapping[str, bytes | None], present: Mapping[str, str], parent: str) -> list[dict[str, str]]:
    """What GitLab is to do, compared with what is `present` in the parent's tree; nothing for what is so already."""
    actions: list[dict[str, str]] = []
    for path, data in changes.items():
        oid = present.get(path)
        if data is None:
            if oid is not None:
                actions.append({"action": "delete", "file_path": path})
        elif oid != blob_id(data):
            action = "create" if oid is None else "update"
            content = base64.b64encode(data).decode()
            actions.append({"action": action, "file_path": path, "content": content, "encoding": "base64"})
    guarded = [action for action in actions if action["action"] != "create"]
    if len(guarded) <= _GUARDED:
        for one in guarded:
            one["last_commit_id"] = parent
    return actions


def commit(
    session: GitLabSession,
    project: Any,
    name: str,
    *,
    branch: str,
    parent: str,
    tip: Callable[[], str | None],
    actions: list[dict[str, str]],
    message: str,
    author: Author,
) -> str:
    """See `Client.commit`. `tip()` is the branch's head now: None where there is none, "" in an empty project."""
    what = f"the commit to {branch} of {name}"
    data: dict[str, Any] = {"branch": branch, "commit_message": message, "actions": actions, "stats": False}
    if author.name and author.email:
        data |= {"author_name": author.name, "author_email": author.email}
    before = tip()
    if before is None and parent:
        data["start_sha"] = parent
    elif before != parent:
        raise _moved(name, branch)
    with session.understood(what, _judge_push(session, name, branch)):
        try:
            made = project.commits.create(data).attributes
        except Moved:
            raise
        except Conflict:
            if tip() != before:
                raise _moved(name, branch) from None
            raise
        new, parents = commit_of(made["id"]), made["parent_ids"]
    if parents != ([parent] if parent else []):
        raise _moved(name, branch)
    return new


def _judge_push(session: GitLabSession, name: str, branch: str) -> Judge:
    where = f"{branch} of {name}"

    def judge(status: int, reasons: frozenset[str]) -> ForgeError | None:
        if status == 403 or reasons & {"not allowed to push", "protected branch"}:
            return Protected(
                f"{session.host} does not let this credential push to {where}: the branch is protected, or the"
                " credential's role there is lower than Developer.",
                advice="Switch to pull requests, or ask a Maintainer of the project to let this account push.",
            )
        if reasons & {"pre-receive", "gitlab:"}:
            return Forbidden(f"A rule or hook of {name} at {session.host} refuses this commit.", advice=_ASK_FOR_ROLE)
        if "start_sha" in reasons:
            return Moved(f"{name} does not have the commit any more that {branch} is to begin at.")
        return None

    return judge


def _moved(name: str, branch: str) -> Moved:
    return Moved(f"Somebody pushed to {branch} of {name} meanwhile.")


# https://docs.gitlab.com/api/merge_requests/#list-project-merge-requests
# https://docs.gitlab.com/api/merge_requests/#create-mr
# https://docs.gitlab.com/api/merge_requests/#update-mr
def open_merge_request(
    session: GitLabSession, project: Any, name: str, *, source: str, target: str, title: str, body: str
) -> PullRequest:
    texts = {"title": title, "description": body}

    def judge(status: int, _reasons: frozenset[str]) -> ForgeError | None:
        if status != 403:
            return None
        return Forbidden(
            f"{session.host} does not let this credential open a merge request in {name}.", advice=_ASK_FOR_ROLE
        )

    with session.understood(f"the merge request of {source} in {name}", judge):
        found = _open_one(project, source, target)
        try:
            if found is None:
                made = project.mergerequests.create({"source_branch": source, "target_branch": target, **texts})
                return _request_of(made.attributes)
        except Conflict:
            found = _open_one(project, source, target)  # somebody was quicker
            if found is None:
                raise
        if {key: found.get(key) for key in texts} != texts:
            found = project.mergerequests.update(id_of(found["iid"]), texts)
        return _request_of(found)


# https://docs.gitlab.com/api/merge_requests/#list-project-merge-requests
def find_merge_request(
    session: GitLabSession, project: Any, name: str, *, source: str, target: str
) -> PullRequest | None:
    with session.understood(f"the merge requests of {source} in {name}"):
        found = _open_one(project, source, target)
        return _request_of(found) if found else None


def _open_one(project: Any, source: str, target: str) -> dict[str, Any] | None:
    listed = project.mergerequests.list(state="opened", source_branch=source, target_branch=target, get_all=False)
    found = (one.attributes for one in listed)
    # Forks can have a branch of the same name.
    own = (one for one in found if one["source_project_id"] == one["target_project_id"])
    return next(own, None)


def _request_of(found: Mapping[str, Any]) -> PullRequest:
    return PullRequest(number=id_of(found["iid"]), url=page_of(found["web_url"]))
