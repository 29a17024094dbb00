"""Writing to Bitbucket Cloud: webhooks, commits and pull requests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from forges.clients.answers import commit_of
from forges.clients.base import Author, PullRequest, RemoteHook
from forges.clients.bitbucket_answers import EVENTS, Refusal, hook_of, link_of
from forges.clients.bitbucket_names import check_uuid
from forges.clients.bitbucket_requests import Api, Params, in_quotes
from forges.clients.errors import Forbidden, ForgeError, InvalidName, Moved, NotFound, Protected
from forges.clients.names import check_branch, check_commit

_RESTRICTIONS = ("restrict", "protected", "permission denied to update branch", "not allowed to push")
"""Words with which Bitbucket refuses a commit for the sake of its branch, in lower case."""

_ASK_TO_WRITE = "Let its account write to the repository, or take the credential of one that may."

_PULLS = 50
"""The longest page of pull requests."""

# -- webhooks ----------------------------------------------------------------------------------------------------------


class Hooks:
    """The webhooks of one repository."""

    def __init__(self, api: Api, name: str) -> None:
        self._api = api
        self._name = name
        self._path = f"/repositories/{name}/hooks"

    # https://developer.atlassian.com/cloud/bitbucket/rest/api-group-repositories/#api-repositories-workspace-repo-slug-hooks-get
    def all(self) -> tuple[RemoteHook, ...]:
        with self._api.understood(self._what):
            return tuple(hook_of(data) for data in self._api.pages(self._path, self._what, judge=self._judge))

    # https://developer.atlassian.com/cloud/bitbucket/rest/api-group-repositories/#api-repositories-workspace-repo-slug-hooks-post
    def create(self, *, url: str, secret: str) -> RemoteHook:
        return self._save("POST", self._path, url, secret)

    # https://developer.atlassian.com/cloud/bitbucket/rest/api-group-repositories/#api-repositories-workspace-repo-slug-hooks-uid-put
    def update(self, hook_id: str, *, url: str, secret: str) -> RemoteHook:
        return self._save("PUT", self._one(hook_id), url, secret)

    # https://developer.atlassian.com/cloud/bitbucket/rest/api-group-repositories/#api-repositories-workspace-repo-slug-hooks-uid-delete
    def delete(self, hook_id: str) -> None:
        with suppress(NotFound):
            self._api.send("DELETE", self._one(hook_id), self._what, judge=self._judge)

    def _save(self, method: str, path: str, url: str, secret: str) -> RemoteHook:
        body = {
            "description": "Millrace",
            "url": url,
            "active": True,
            "events": EVENTS,
            "secret": secret,
            "skip_cert_verification": False,
        }
        with self._api.understood(self._what):
            return hook_of(self._api.json(self._api.send(method, path, self._what, judge=self._judge, json=body)))

    @property
    def _what(self) -> str:
        return f"the webhooks of {self._name}"

    def _one(self, hook_id: str) -> str:
        return f"{self._path}/{quote(check_uuid(hook_id))}"

    def _judge(self, status: int, _said: Refusal) -> ForgeError | None:
        if status != 403:
            return None
        return Forbidden(
            f"{self._api.host} does not let this credential manage {self._what}. It takes the scope “webhook”, and "
            "administering the repository."
        )


# -- commits -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """What one commit does: see `Client.commit`."""

    branch: str
    parent: str
    changes: Mapping[str, bytes | None]
    message: str
    author: Author

    def moved(self, name: str) -> Moved:
        return Moved(f"The branch {self.branch} of {name} is not where it was when this was to be written to it.")


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-source/#api-repositories-workspace-repo-slug-src-post
def commit_to(api: Api, name: str, change: Change) -> str:
    """The new commit's id; Moved when the branch has another head than the parent, NotFound when there is no such one.

    Bitbucket compares and moves the branch in one step, and makes it where there is none.
    """
    what = f"a commit to the branch {change.branch} of {name}"
    fields = [
        ("message", change.message),
        ("author", _signature(change.author)),
        ("branch", check_branch(change.branch)),
    ]
    if change.parent:
        fields.append(("parents", check_commit(change.parent)))
    if any('"' in path for path in change.changes):
        raise InvalidName("The path of a file holds a quotation mark, by which Bitbucket takes no file.")
    # Paths begin with a slash, which keeps a file named “branch” apart from the field. A path that is named in `files`
    # and has no field of its own is deleted.
    fields += [("files", f"/{path}") for path, data in change.changes.items() if data is None]
    files = [(f"/{path}", ("file", data)) for path, data in change.changes.items() if data is not None]

    def judge(status: int, said: Refusal) -> ForgeError | None:
        if status in (400, 403, 409) and any(word in said.message for word in _RESTRICTIONS):
            return Protected(
                f"A branch restriction at {api.host} keeps this credential from committing to {change.branch}."
            )
        if status == 403:
            return Forbidden(f"{api.host} does not let this credential write to {name}.", advice=_ASK_TO_WRITE)
        return change.moved(name) if status == 409 else None

    with api.understood(what):
        response = api.send("POST", f"/repositories/{name}/src", what, judge=judge, data=fields, files=files)
        return commit_of(response.headers["Location"].rstrip("/").rpartition("/")[2])


def _signature(author: Author) -> str:
    # What is special in git's own line of a commit cannot be in a name.
    return " ".join(f"{_plain(author.name)} <{_plain(author.email)}>".split())


def _plain(text: str) -> str:
    return re.sub(r"[<>\x00-\x1f\x7f]", "", text)


# -- pull requests -----------------------------------------------------------------------------------------------------


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/
def pull_request(api: Api, name: str, *, source: str, target: str, title: str, body: str) -> PullRequest:
    """Open one of branch `source` into `target`, or update the open one."""
    what = f"the pull requests of {name}"
    path = f"/repositories/{name}/pullrequests"
    wanted: dict[str, Any] = {"title": title, "description": body}

    def judge(status: int, _said: Refusal) -> ForgeError | None:
        if status != 403:
            return None
        return Forbidden(f"{api.host} does not let this credential open {what}.", advice=_ASK_TO_WRITE)

    with api.understood(what):
        found = _open_one(api, name, source, target)
        if found is None:
            wanted |= {"source": {"branch": {"name": source}}, "destination": {"branch": {"name": target}}}
            response = api.send("POST", path, what, judge=judge, json=wanted)
        else:
            response = api.send("PUT", f"{path}/{found.number}", what, judge=judge, json=wanted)
        return _request_of(api.json(response))


def find_pull_request(api: Api, name: str, *, source: str, target: str) -> PullRequest | None:
    with api.understood(f"the pull requests of {name}"):
        return _open_one(api, name, source, target)


def _open_one(api: Api, name: str, source: str, target: str) -> PullRequest | None:
    query = f"source.branch.name = {in_quotes(source)} AND destination.branch.name = {in_quotes(target)}"
    params: Params = {"state": "OPEN", "q": query, "pagelen": _PULLS}
    for found in api.pages(f"/repositories/{name}/pullrequests", f"the pull requests of {name}", params=params):
        # A fork can have a branch of the same name.
        if (found["source"].get("repository") or {}).get("full_name", "").lower() == name:
            return _request_of(found)
    return None


def _request_of(data: Any) -> PullRequest:
    return PullRequest(number=str(int(data["id"])), url=link_of(data, "html"))
