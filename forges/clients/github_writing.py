"""Commits and pull requests at GitHub, in a number of requests that does not grow with the files.

One tree with the texts inside it, one commit with its author, and the branch moved without force: GraphQL's
`createCommitOnBranch` would be one call, and takes no author.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from forges.clients.answers import commit_of, id_of, page_of
from forges.clients.base import Author, PullRequest
from forges.clients.errors import Conflict, EmptyRepository, Forbidden, ForgeError, Moved, NotFound, Protected
from forges.clients.github_api import GitHubApi
from forges.clients.names import check_branch, check_commit

_MAX_INLINE_BYTES = 10 << 20
"""Of texts in one tree request; those beyond it become blobs first."""


class GitHubWriter:
    """`head` is the client's: (full name, branch) -> commit id."""

    def __init__(self, api: GitHubApi, head: Callable[[str, str], str]) -> None:
        self._api = api
        self._head = head

    def commit(
        self,
        name: str,
        *,
        branch: str,
        parent: str,
        changes: Mapping[str, bytes | None],
        message: str,
        people: Mapping[str, Author],
    ) -> str:
        """`people` are the commit's by GitHub's names for them: its `author`, and its `committer` if not the same."""
        check_branch(branch)
        facts = {"message": message, **{role: _person(person) for role, person in people.items()}}
        with self._api.understood(f"a commit to {name}"):
            if not parent:
                return self._first_commit(name, branch, changes, facts)
            tree = self._tree_at(name, branch, check_commit(parent))
            return self._add_commit(name, branch, parent, changes, facts, tree=tree)

    # https://docs.github.com/en/rest/branches/branches#get-a-branch
    def _tree_at(self, name: str, branch: str, parent: str) -> str:
        """The id of the parent's tree, "" if there is no such branch; Moved if its head is not `parent`."""
        address = f"{self._api.path(name)}/branches/{quote(branch, safe='/')}"
        try:
            found = self._api.get(address, f"the branch {branch} of {name}")
        except NotFound:
            return ""
        # A branch that was renamed answers under its old name, too.
        if found["name"] != branch:
            return ""
        if found["commit"]["sha"] != parent:
            raise _moved(name, branch)
        return commit_of(found["commit"]["commit"]["tree"]["sha"])

    # https://docs.github.com/en/rest/repos/contents#create-or-update-file-contents
    def _first_commit(
        self, name: str, branch: str, changes: Mapping[str, bytes | None], facts: Mapping[str, Any]
    ) -> str:
        """Nothing else takes a first commit. It holds one file; the others follow in a second one."""
        try:
            self._head(name, branch)
        except EmptyRepository:
            pass
        except NotFound:
            self._api.get(self._api.path(name), f"the repository {name}")
            raise _moved(name, branch) from None
        else:
            raise _moved(name, branch)
        files = {path: data for path, data in changes.items() if data is not None}
        if not files:
            raise Conflict(f"There is nothing to commit to {name}.")
        path, data = files.popitem()
        body = {**facts, "content": _base64(data), "branch": branch}
        answer = self._write(name, "PUT", f"/contents/{quote(path, safe='/')}", body, branch=branch)
        first = commit_of(answer["commit"]["sha"])
        if not files:
            return first
        tree = commit_of(answer["commit"]["tree"]["sha"])
        return self._add_commit(name, branch, first, files, facts, tree=tree)

    def _add_commit(
        self,
        name: str,
        branch: str,
        parent: str,
        changes: Mapping[str, bytes | None],
        facts: Mapping[str, Any],
        *,
        tree: str,
    ) -> str:
        """`tree` is the parent's, "" where the branch is to be made."""
        base = tree or self._tree_of(name, parent)
        # https://docs.github.com/en/rest/git/trees#create-a-tree
        wanted = {"base_tree": base, "tree": self._entries(name, changes)}
        tree_id = commit_of(self._write(name, "POST", "/git/trees", wanted)["sha"])
        # https://docs.github.com/en/rest/git/commits#create-a-commit
        commit = {**facts, "tree": tree_id, "parents": [parent]}
        made = commit_of(self._write(name, "POST", "/git/commits", commit)["sha"])
        # https://docs.github.com/en/rest/git/refs
        if tree:
            ref = f"/git/refs/heads/{quote(branch, safe='/')}"
            self._write(name, "PATCH", ref, {"sha": made, "force": False}, branch=branch)
        else:
            self._write(name, "POST", "/git/refs", {"ref": f"refs/heads/{branch}", "sha": made}, branch=branch)
        return made

    # https://docs.github.com/en/rest/git/commits#get-a-commit-object
    def _tree_of(self, name: str, commit: str) -> str:
        try:
            found = self._api.get(f"{self._api.path(name)}/git/commits/{commit}", f"the commit {commit[:10]} of {name}")
        except EmptyRepository:
            raise Moved(f"{name} has no commit any more.") from None
        except NotFound:
            self._api.gone(name, commit)
        return commit_of(found["tree"]["sha"])

    def _entries(self, name: str, changes: Mapping[str, bytes | None]) -> list[dict[str, Any]]:
        entries = []
        left = _MAX_INLINE_BYTES
        for path, data in changes.items():
            entry: dict[str, Any] = {"path": path, "mode": "100644", "type": "blob"}
            text = None if data is None or len(data) > left else _text_of(data)
            if data is None:
                entry["sha"] = None
            elif text is None:
                # https://docs.github.com/en/rest/git/blobs#create-a-blob
                blob = {"content": _base64(data), "encoding": "base64"}
                entry["sha"] = commit_of(self._write(name, "POST", "/git/blobs", blob)["sha"])
            else:
                left -= len(data)
                entry["content"] = text
            entries.append(entry)
        return entries

    # https://docs.github.com/en/rest/pulls/pulls
    def pull_request(self, name: str, *, source: str, target: str, title: str, body: str) -> PullRequest:
        check_branch(source)
        check_branch(target)
        with self._api.understood(f"the pull requests of {name}"):
            if (found := self._open_request(name, source, target)) is None:
                try:
                    wanted = {"title": title, "body": body, "head": source, "base": target}
                    return _pull_request(self._write(name, "POST", "/pulls", wanted))
                except Moved:
                    # Somebody opened one in between.
                    if (found := self._open_request(name, source, target)) is None:
                        raise
            path = f"/pulls/{found.number}"
            return _pull_request(self._write(name, "PATCH", path, {"title": title, "body": body}))

    def find_pull_request(self, name: str, *, source: str, target: str) -> PullRequest | None:
        check_branch(source)
        check_branch(target)
        with self._api.understood(f"the pull requests of {name}"):
            return self._open_request(name, source, target)

    def _open_request(self, name: str, source: str, target: str) -> PullRequest | None:
        path = self._api.path(name)
        owner = path.split("/")[2]
        query = urlencode({"state": "open", "head": f"{owner}:{source}", "base": target, "per_page": 100})
        for found in self._api.get(f"{path}/pulls?{query}", f"the pull requests of {name}"):
            # A filter with an owner of another name is not applied, and forks can have a branch of the same name.
            head, base = found["head"], found["base"]
            if (head["ref"], base["ref"]) == (source, target) and _same_repository(head, base):
                return _pull_request(found)
        return None

    def _write(self, name: str, method: str, path: str, body: Mapping[str, Any], *, branch: str = "") -> Any:
        api = self._api

        def judge(status: int, message: str) -> ForgeError | None:
            return _judge(api.host, name, branch, status, message)

        what = f"a change to {name}"
        return api.json(api.send(method, api.path(name) + path, what, body=body, ok=(200, 201), judge=judge))


_OF_PROTECTION = ("protected", "rule violation", "ruleset", "required status", "must be made through", "gh006", "gh013")
_OF_RACES = ("fast forward", "already exists", "does not exist", "wasn't supplied")


def _judge(host: str, name: str, branch: str, status: int, message: str) -> ForgeError | None:
    """What a refused write means. GitHub's own words hold addresses to unblock it, and are not repeated."""
    where = f"the branch {branch} of {name}" if branch else name
    if "secret" in message and ("detected" in message or "contain" in message):
        return Forbidden(
            f"{host} found a secret in what was to be committed to {name}, and refused it.",
            advice="Take the secret out, then try again.",
        )
    if "archived" in message:
        return Forbidden(
            f"{name} is archived at {host}, so that nothing can be committed to it.",
            advice="Unarchive it there, or choose another repository.",
        )
    if any(words in message for words in _OF_PROTECTION):
        return Protected(f"{host} protects {where}: what is to change there goes by a pull request.")
    if status == 404 and "branch" in message:
        return Conflict(f"{name} has no commit yet, and its first one goes to its default branch.")
    if status in (403, 404):
        return Forbidden(
            f"{host} does not let this credential write to {name}: that takes the permission to write its contents "
            "and pull requests (repo), and an account that may.",
            advice="Give the credential that permission, then try again.",
        )
    if any(words in message for words in _OF_RACES) or (status == 409 and branch):
        return _moved(name, branch) if branch else Moved(f"{name} changed meanwhile.")
    if "no commits between" in message:
        return Conflict(f"There is nothing to open a pull request for in {name}: both branches are the same.")
    return None


def _moved(name: str, branch: str) -> Moved:
    return Moved(f"The branch {branch} of {name} moved meanwhile.")


def _text_of(data: bytes) -> str | None:
    """For a tree that holds it; None for what is no text, and for nothing, which would be no content."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return text if text and "\0" not in text else None


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _person(author: Author) -> dict[str, str]:
    return {"name": author.name, "email": author.email}


def _same_repository(head: Any, base: Any) -> bool:
    return bool(head["repo"]) and head["repo"]["id"] == base["repo"]["id"]


def _pull_request(data: Any) -> PullRequest:
    return PullRequest(number=id_of(data["number"]), url=page_of(data["html_url"]))
