"""GitLab's merge requests, as far as somebody needs them who offers a change: find, make, edit, close.

https://docs.gitlab.com/api/merge_requests/. One whose commits arrived in its target branch is merged by itself.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from tests.wire import gitlab_shapes as shapes
from tests.wire.gitlab_routes import DEVELOPER, Call, Refused, missing, routes
from tests.wire.messages import Reply, json_reply
from tests.wire.objects import git
from tests.wire.world import Account, HostedRepository


@dataclass(slots=True)
class MergeRequest:
    id: int
    iid: int
    author: Account
    source: str
    target: str
    title: str
    description: str | None = None
    state: str = "opened"
    labels: list[str] = field(default_factory=list)
    squash: bool = False
    remove_source_branch: bool | None = None
    sha: str = ""
    made_at: float = field(default_factory=time.time)
    updated_at: float = field(default_factory=time.time)


def _shape(call: Call, hosted: HostedRepository, found: MergeRequest) -> shapes.Json:
    _look(hosted, found)
    merged = found.state == "merged"
    return {
        "id": found.id,
        "iid": found.iid,
        "project_id": hosted.id,
        "title": found.title,
        "description": found.description,
        "state": found.state,
        "created_at": shapes.moment(found.made_at),
        "updated_at": shapes.moment(found.updated_at),
        "merged_at": shapes.moment(found.updated_at) if merged else None,
        "closed_at": shapes.moment(found.updated_at) if found.state == "closed" else None,
        "target_branch": found.target,
        "source_branch": found.source,
        "author": shapes.person(found.author, call.web),
        "assignees": [],
        "assignee": None,
        "reviewers": [],
        "source_project_id": hosted.id,
        "target_project_id": hosted.id,
        "labels": found.labels,
        "draft": found.title.startswith("Draft:"),
        "milestone": None,
        "detailed_merge_status": "not_open" if found.state != "opened" else "mergeable",
        "sha": found.sha or None,
        "merge_commit_sha": None,
        "force_remove_source_branch": found.remove_source_branch,
        "reference": f"!{found.iid}",
        "references": {
            "short": f"!{found.iid}",
            "relative": f"!{found.iid}",
            "full": f"{hosted.full_name}!{found.iid}",
        },
        "web_url": f"{shapes.project_page(hosted, call.web)}/-/merge_requests/{found.iid}",
        "squash": found.squash,
    }


def _look(hosted: HostedRepository, found: MergeRequest) -> None:
    """Bring an open one up to date with its branches."""
    if found.state != "opened":
        return
    source, target = hosted.git.tip(found.source), hosted.git.tip(found.target)
    found.sha = source or found.sha
    if target and found.sha and not git(hosted.git.path, "rev-list", "-1", found.sha, f"^{target}").strip():
        found.state, found.updated_at = "merged", time.time()


def _all(call: Call, hosted: HostedRepository) -> list[MergeRequest]:
    found: list[MergeRequest] = call.hall.merge_requests[hosted.id]
    for one in found:
        _look(hosted, one)
    return found


def _one(call: Call, hosted: HostedRepository) -> MergeRequest:
    for one in _all(call, hosted):
        if str(one.iid) == call.path["merge_request_iid"]:
            return one
    raise missing()


def _writable(call: Call) -> HostedRepository:
    call.signed_in()
    hosted = call.hosted
    if call.level(hosted) < DEVELOPER or hosted.archived:
        raise Refused(403, "403 Forbidden")
    return hosted


@routes.on("GET /projects/:id/merge_requests")
def merge_requests(call: Call) -> Reply:
    hosted, values = call.hosted, call.values
    state = values.get("state", "all")
    found = [
        one
        for one in _all(call, hosted)
        if state in {"all", one.state}
        and values.get("source_branch", one.source) == one.source
        and values.get("target_branch", one.target) == one.target
    ]
    found.sort(key=lambda one: one.id, reverse=values.get("sort", "desc") == "desc")
    return call.paged(found, lambda one: _shape(call, hosted, one))


@routes.on("GET /projects/:id/merge_requests/:merge_request_iid")
def merge_request(call: Call) -> Reply:
    hosted = call.hosted
    return json_reply(_shape(call, hosted, _one(call, hosted)))


@routes.on("POST /projects/:id/merge_requests")
def create_merge_request(call: Call) -> Reply:
    hosted, values = _writable(call), call.values
    source, target = values["source_branch"], values["target_branch"]
    if source == target:
        raise Refused(422, ["You can't use same project/branch for source and target"], key="error")
    for branch, side in ((source, "source"), (target, "target")):
        if hosted.git.tip(branch) is None:
            raise Refused(400, {"base": [f'{side.title()} branch "{branch}" does not exist']})
    with call.hall.writing:
        known = _all(call, hosted)
        for one in known:
            if (one.source, one.target, one.state) == (source, target, "opened"):
                raise Refused(409, [f"Another open merge request already exists for this source branch: !{one.iid}"])
        author = call.signed_in().account
        made = MergeRequest(call.world.new_id(), len(known) + 1, author, source, target, values["title"])
        _edit(made, values)
        known.append(made)
    return json_reply(_shape(call, hosted, made), 201)


@routes.on("PUT /projects/:id/merge_requests/:merge_request_iid")
def update_merge_request(call: Call) -> Reply:
    hosted, values = _writable(call), call.values
    found = _one(call, hosted)
    if not values:
        raise Refused(400, "title, description, target_branch are missing, at least one parameter must be provided")
    found.title, found.target = values.get("title", found.title), values.get("target_branch", found.target)
    _edit(found, values)
    match values.get("state_event"), found.state:
        case "close", "opened":
            found.state = "closed"
        case "reopen", "closed":
            found.state = "opened"
    return json_reply(_shape(call, hosted, found))


def _edit(found: MergeRequest, values: dict[str, Any]) -> None:
    found.description = values.get("description", found.description)
    found.squash = values.get("squash", found.squash)
    found.remove_source_branch = values.get("remove_source_branch", found.remove_source_branch)
    if "labels" in values:
        found.labels = [label for label in values["labels"].split(",") if label]
    found.updated_at = time.time()
