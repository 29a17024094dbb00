"""Bitbucket's pull requests within one repository. Each endpoint names the page that documents it."""

from __future__ import annotations

from typing import Any

from tests.wire import bitbucket_shapes as shapes
from tests.wire.bitbucket_routes import PAGES, REPOSITORY, Call, Refused, routes
from tests.wire.github_changes import commits_between
from tests.wire.messages import Reply, json_reply
from tests.wire.world import HostedRepository, PullRequest

PULLS = f"{REPOSITORY}/pullrequests"
STATES = {"open": "OPEN", "merged": "MERGED", "closed": "DECLINED"}
SEE = {"scopes": "pullrequest", "api": "read:pullrequest:bitbucket"}
CHANGE = {"scopes": "pullrequest:write", "api": "read:pullrequest:bitbucket write:pullrequest:bitbucket"}


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-get
@routes.add("GET", PULLS, "state", "q", "sort", *PAGES, **SEE)
def pull_requests(call: Call) -> Reply:
    hosted, states = call.hosted, set(call.listed("state")) or {"OPEN"}
    if unknown := states - {*STATES.values(), "SUPERSEDED"}:
        raise Refused(400, f"Unknown state: {', '.join(sorted(unknown))}")
    listed = [pull for pull in reversed(_all(hosted)) if STATES[pull.state] in states]
    return call.paged((_shape(call, hosted, pull) for pull in listed), largest=50)


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-post
@routes.add("POST", PULLS, **CHANGE)
def create(call: Call) -> Reply:
    hosted, sent = call.hosted, call.body
    if call.role(hosted) is None:
        raise Refused(403, "Access denied. You must have write or admin access.")
    source = _branch(hosted, sent, "source") or ""
    destination = _branch(hosted, sent, "destination") or hosted.git.default_branch
    if not sent.get("title"):
        raise Refused(400, "Bad request", detail="title: this field is required")
    _check_ends(hosted, source, destination)
    if any((p.head, p.base, p.state) == (source, destination, "open") for p in _all(hosted)):
        raise Refused(400, "Bad request", detail="There is an open pull request for these branches already.")
    made = PullRequest(
        number=len(_all(hosted)) + 1,
        forge="bitbucket",
        author=call.signed_in().account,
        title=sent["title"],
        head=source,
        base=destination,
        body=sent.get("description") or "",
        draft=sent.get("draft", False),
    )
    hosted.pulls.append(made)
    shape = _shape(call, hosted, made)
    return json_reply(shape, 201, Location=shape["links"]["self"]["href"])


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-pull-request-id-get
@routes.add("GET", f"{PULLS}/{{pull_request_id}}", **SEE)
def pull_request(call: Call) -> Reply:
    hosted = call.hosted
    return json_reply(_shape(call, hosted, _find(call, hosted)))


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-pull-request-id-put
@routes.add("PUT", f"{PULLS}/{{pull_request_id}}", **CHANGE)
def update(call: Call) -> Reply:
    hosted, sent = call.hosted, call.body
    found = _find(call, hosted)
    if call.signed_in().account != found.author and call.role(hosted) not in {"write", "admin"}:
        raise Refused(403, "Access denied. You must have write or admin access.")
    if found.state != "open":
        raise Refused(400, "Bad request", detail="Only open pull requests can be changed.")
    source = _branch(hosted, sent, "source") or found.head
    destination = _branch(hosted, sent, "destination") or found.base
    _check_ends(hosted, source, destination)
    found.head, found.base = source, destination
    found.title = sent.get("title") or found.title
    found.body = sent.get("description", found.body)
    found.draft = sent.get("draft", found.draft)
    return json_reply(_shape(call, hosted, found))


def _all(hosted: HostedRepository) -> list[PullRequest]:
    """Oldest first."""
    return [pull for pull in hosted.pulls if pull.forge == "bitbucket"]


def _find(call: Call, hosted: HostedRepository) -> PullRequest:
    number = call.parameters["pull_request_id"]
    found = next((pull for pull in _all(hosted) if str(pull.number) == number), None)
    if found is None:
        raise Refused(404, f"Pull request {number} not found")
    return found


def _branch(hosted: HostedRepository, sent: dict[str, Any], end: str) -> str | None:
    """The branch that one end names; None where it names none."""
    if end not in sent:
        return None
    try:
        name = str(sent[end]["branch"]["name"])
    except (KeyError, TypeError):
        raise Refused(400, "Bad request", detail=f"{end}: a branch with a name is required") from None
    if hosted.git.tip(name) is None:
        raise Refused(400, "Bad request", detail=f"{end}: branch not found")
    return name


def _check_ends(hosted: HostedRepository, source: str, destination: str) -> None:
    head, base = hosted.git.tip(source), hosted.git.tip(destination)
    if head is None or base is None:
        raise Refused(400, "Bad request", detail="source: branch not found")
    if not commits_between(hosted.git, head, without=base):
        raise Refused(400, "There are no changes to be pulled")


def _end(call: Call, hosted: HostedRepository, branch: str) -> shapes.Json:
    tip = hosted.git.tip(branch)
    shape: shapes.Json = {"branch": {"name": branch}, "repository": shapes.short_repository(hosted, call.base)}
    return {**shape, "commit": {"hash": tip[:12]}} if tip else shape


def _shape(call: Call, hosted: HostedRepository, pull: PullRequest) -> shapes.Json:
    own = f"{shapes.address(hosted, call.base)}/pullrequests/{pull.number}"
    text = {"raw": pull.body, "markup": "markdown", "html": ""}
    return {
        "type": "pullrequest",
        "id": pull.number,
        "title": pull.title,
        "description": pull.body,
        "summary": text,
        "state": STATES[pull.state],
        "draft": pull.draft,
        "author": shapes.account(pull.author, call.base),
        "source": _end(call, hosted, pull.head),
        "destination": _end(call, hosted, pull.base),
        "reviewers": [],
        "participants": [],
        "close_source_branch": False,
        "comment_count": 0,
        "task_count": 0,
        "reason": "",
        "created_on": shapes.moment(hosted.pushed_at),
        "updated_on": shapes.moment(hosted.pushed_at),
        "links": {
            "self": shapes.link(own),
            "html": shapes.link(f"{shapes.page(hosted, call.base)}/pull-requests/{pull.number}"),
            "commits": shapes.link(f"{own}/commits"),
            "diffstat": shapes.link(f"{own}/diffstat"),
        },
    }
