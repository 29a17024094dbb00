"""What the payloads of webhooks say, as far as anything follows from it. Pure.

What a delivery says of a repository is never acted on without asking the forge. So an `Event` holds ids and names,
checked like any other answer of a forge, and nothing of the commits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qs

from forges.clients.names import COMMIT_ID, UNSTORABLE, is_branch

Kind = Literal[
    "push",
    "ping",
    "branch_deleted",
    "renamed",
    "transferred",
    "deleted",
    "uninstalled",
    "suspended",
    "unsuspended",
    "repositories_changed",
    "ignored",
]
_OF_REPOSITORIES: set[Kind] = {"push", "branch_deleted", "renamed", "transferred", "deleted"}
OF_INSTALLATIONS: frozenset[Kind] = frozenset({"uninstalled", "suspended", "unsuspended", "repositories_changed"})
"""What becomes of the GitHub App's installation on an account, and not of a repository."""

_MAX_TEXT, _MAX_EVENT = 512, 80
"""Characters of a repository's name and of an event's; what is stored of them has room for no more."""
_MOST_BRANCHES = 1000
"""Of one push. Who looks now and then finds what happened to the others."""
_LARGEST = 1 << 63
_HEADS = "refs/heads/"
_PATH = re.compile(r"[\w.~+-]+(?:/[\w.~+-]+)+", re.ASCII)
_UUID = re.compile(r"\{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}")


@dataclass(frozen=True, slots=True)
class BranchChange:
    """A branch that moved; `before` is "" for a new one, `after` for a deleted one."""

    branch: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A delivery. What it does not say is ""."""

    kind: Kind
    name: str
    """The forge's own name of the event, with GitHub's action: `repository.renamed`, `Push Hook`, `repo:push`."""
    repository_id: str = ""
    repository: str = ""
    """Its full name now, in lower case."""
    old_name: str = ""
    """Its full name before, where it was renamed or transferred and the forge tells it."""
    installation_id: str = ""
    """Of the GitHub App."""
    branches: tuple[BranchChange, ...] = ()
    """All that a push or deletion is about, deleted ones last: Bitbucket tells of several at once."""

    @property
    def branch(self) -> str:
        return self.branches[0].branch if self.branches else ""

    @property
    def before(self) -> str:
        return self.branches[0].before if self.branches else ""

    @property
    def after(self) -> str:
        return self.branches[0].after if self.branches else ""


def read_payload(forge: str, headers: Mapping[str, str], body: bytes) -> Event:
    """`headers` by lower-case name. AttributeError, LookupError, RecursionError, TypeError or ValueError for a body
    that the forge would not send."""
    text = body.decode()
    if forge == "github" and headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        # A choice in the page of a hook that a person adds: the same JSON in a field of a form.
        (text,) = parse_qs(text, max_num_fields=4, strict_parsing=True)["payload"]
    data = json.loads(text)
    if not isinstance(data, dict):
        raise TypeError("no object")
    return {"github": _github, "gitlab": _gitlab, "bitbucket": _bitbucket}[forge](headers, data)


# https://docs.github.com/en/webhooks/webhook-events-and-payloads
def _github(headers: Mapping[str, str], data: dict[str, Any]) -> Event:
    event, action = _text(headers["x-github-event"]), _text(data.get("action") or "")
    kind = _GITHUB_KINDS.get((event, action), "ignored")
    where = {"name": _event_name(f"{event}.{action}" if action else event)}
    if kind in OF_INSTALLATIONS or data.get("installation") is not None:
        where["installation_id"] = _number(data["installation"]["id"])
    if kind in _OF_REPOSITORIES or data.get("repository") is not None:
        where["repository_id"] = _number(data["repository"]["id"])
        where["repository"] = _path(data["repository"]["full_name"])
    if kind == "push":
        return _pushed(where, _ref_change(data))
    if kind == "branch_deleted":
        return _pushed(where, [BranchChange(_branch(data["ref"]))] if data["ref_type"] == "branch" else [])
    if kind in ("renamed", "transferred"):
        owner, _, name = where["repository"].partition("/")
        if kind == "renamed":
            name = data["changes"]["repository"]["name"]["from"]
        else:
            former = data["changes"]["owner"]["from"]
            owner = (former.get("user") or former["organization"])["login"]
        where["old_name"] = _path(f"{_text(owner)}/{_text(name)}")
    return _event(kind, where)


_GITHUB_KINDS: dict[tuple[str, str], Kind] = {
    ("ping", ""): "ping",
    ("push", ""): "push",
    ("delete", ""): "branch_deleted",
    ("repository", "renamed"): "renamed",
    ("repository", "transferred"): "transferred",
    ("repository", "deleted"): "deleted",
    ("installation", "deleted"): "uninstalled",
    ("installation", "suspend"): "suspended",
    ("installation", "unsuspend"): "unsuspended",
    ("installation", "new_permissions_accepted"): "repositories_changed",
    ("installation_repositories", "added"): "repositories_changed",
    ("installation_repositories", "removed"): "repositories_changed",
}


# https://docs.gitlab.com/user/project/integrations/webhook_events/#push-events
# https://docs.gitlab.com/administration/system_hooks/: only these tell of projects renamed, transferred, deleted.
def _gitlab(headers: Mapping[str, str], data: dict[str, Any]) -> Event:
    event = _text(data.get("event_name") or data.get("object_kind") or "")
    kind = _GITLAB_KINDS.get(event, "ignored")
    where = {"name": _event_name(_text(headers.get("x-gitlab-event") or event))}
    project = data if "path_with_namespace" in data else data.get("project") or {}
    number = data.get("project_id", project.get("id"))
    if kind in _OF_REPOSITORIES or number is not None:
        where["repository_id"] = _number(number)
    if kind in _OF_REPOSITORIES:
        where["repository"] = _path(project["path_with_namespace"])
    if kind == "push":
        return _pushed(where, _ref_change(data))
    if kind in ("renamed", "transferred"):
        where["old_name"] = _path(data["old_path_with_namespace"])
    return _event(kind, where)


_GITLAB_KINDS: dict[str, Kind] = {
    "push": "push",
    "project_rename": "renamed",
    "project_transfer": "transferred",
    "project_destroy": "deleted",
}


# https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/
def _bitbucket(headers: Mapping[str, str], data: dict[str, Any]) -> Event:
    event = _text(headers["x-event-key"])
    kind = _BITBUCKET_KINDS.get(event, "ignored")
    where = {"name": _event_name(event)}
    if kind in _OF_REPOSITORIES or data.get("repository") is not None:
        where["repository_id"] = _uuid(data["repository"]["uuid"])
        where["repository"] = _path(data["repository"]["full_name"])
    if kind == "push":
        return _pushed(where, [change for item in data["push"]["changes"] for change in _bitbucket_change(item)])
    if kind == "renamed":
        name = data["changes"].get("full_name")
        if name is None:
            return _event("ignored", where)  # Its description or its language was changed.
        where |= {"old_name": _path(name["old"]), "repository": _path(name["new"])}
        if where["old_name"].partition("/")[0] != where["repository"].partition("/")[0]:
            kind = "transferred"
    return _event(kind, where)


_BITBUCKET_KINDS: dict[str, Kind] = {
    "repo:push": "push",
    "repo:updated": "renamed",
    "repo:transfer": "transferred",
    "repo:deleted": "deleted",
}


def _bitbucket_change(item: dict[str, Any]) -> list[BranchChange]:
    old, new = item["old"], item["new"]
    if (new or old)["type"] != "branch":
        return []
    before, after = (_commit(side["target"]["hash"]) if side else "" for side in (old, new))
    return [BranchChange(_branch((new or old)["name"]), before, after)]


def _ref_change(data: dict[str, Any]) -> list[BranchChange]:
    """GitHub's and GitLab's push: one ref, forty zeros for a commit that is not there."""
    ref = _branch(data["ref"])
    before, after = _commit(data["before"]), _commit(data["after"])
    return [BranchChange(ref.removeprefix(_HEADS), before, after)] if ref.startswith(_HEADS) else []


def _pushed(where: Mapping[str, str], changes: Sequence[BranchChange]) -> Event:
    # Tags, and branches with names that nobody can choose here, are nothing to look at.
    branches = [change for change in changes if is_branch(change.branch)]
    kind: Kind = "push" if any(change.after for change in branches) else "branch_deleted" if branches else "ignored"
    return _event(kind, where, sorted(branches, key=lambda change: not change.after)[:_MOST_BRANCHES])


def _event(kind: Kind, where: Mapping[str, str], branches: Sequence[BranchChange] = ()) -> Event:
    return Event(
        kind,
        where["name"],
        repository_id=where.get("repository_id", ""),
        repository=where.get("repository", ""),
        old_name=where.get("old_name", ""),
        installation_id=where.get("installation_id", ""),
        branches=tuple(branches),
    )


def _branch(value: object) -> str:
    """Of any length and form: `_pushed` leaves out what is no branch, and the others of the same push stay."""
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    if len(value) > _MAX_TEXT or UNSTORABLE.search(value):
        raise ValueError("no name is like this")
    return value


def _event_name(name: str) -> str:
    if not 0 < len(name) <= _MAX_EVENT:
        raise ValueError("no event is named like this")
    return name


def _path(value: object) -> str:
    path = _text(value).lower()
    if not _PATH.fullmatch(path) or {".", ".."} & set(path.split("/")):
        raise ValueError("no repository is named like this")
    return path


def _number(value: object) -> str:
    if type(value) is not int or not 0 < value < _LARGEST:
        raise ValueError("no id is like this")
    return str(value)


def _uuid(value: object) -> str:
    uuid = _text(value).lower()
    if not _UUID.fullmatch(uuid):
        raise ValueError("no id is like this")
    return uuid


def _commit(value: object) -> str:
    commit = _text(value)
    if not COMMIT_ID.fullmatch(commit):
        raise ValueError("no commit is named like this")
    return commit if commit.strip("0") else ""
