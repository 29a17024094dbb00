"""Pull requests within one repository: https://docs.github.com/en/rest/pulls/pulls."""

from __future__ import annotations

from typing import Any

from tests.wire import github_shapes as shapes
from tests.wire.github_changes import changed_files, commits_between
from tests.wire.github_routes import Call, Refused, routes
from tests.wire.messages import Reply, json_reply
from tests.wire.world import HostedRepository, PullRequest

PULLS = "/repos/{owner}/{repo}/pulls"
PULL = PULLS + "/{pull_number}"
NOBODY: dict[str, Any] = {
    "assignee": None,
    "assignees": [],
    "requested_reviewers": [],
    "requested_teams": [],
    "labels": [],
}


# https://docs.github.com/en/rest/pulls/pulls#list-pull-requests
@routes.get(PULLS, "state", "head", "base", "sort", "direction", "per_page", "page")
def pulls(call: Call) -> Reply:
    hosted, query = _readable(call), call.request.query
    wanted = query.get("state", "open")
    head = query.get("head", "").removeprefix(f"{hosted.owner.login}:")
    found = [
        pull
        for pull in reversed(hosted.pulls)
        if pull.forge == "github"
        and (wanted == "all" or (pull.state == "open") == (wanted == "open"))
        and head in {"", pull.head}
        and query.get("base", pull.base) == pull.base
    ]
    return call.paged(found, lambda pull: _simple(call, hosted, pull))


# https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request
@routes.get(PULL)
def pull(call: Call) -> Reply:
    hosted = _readable(call)
    return json_reply(_full(call, hosted, _found(call, hosted)))


# https://docs.github.com/en/rest/pulls/pulls#create-a-pull-request
@routes.on("POST", PULLS)
def create(call: Call) -> Reply:
    hosted, asked = call.allowed("pull_requests", role="read"), call.body
    assert call.token
    head, base = asked["head"].removeprefix(f"{hosted.owner.login}:"), asked["base"]
    if not asked.get("title"):
        raise _invalid("title", "missing_field", "")
    for field, name in (("head", head), ("base", base)):
        if hosted.git.tip(name) is None:
            raise _invalid(field, "invalid", "")
    if any((p.head, p.base, p.state, p.forge) == (head, base, "open", "github") for p in hosted.pulls):
        raise _invalid("", "custom", f"A pull request already exists for {hosted.owner.login}:{head}.")
    if not commits_between(hosted.git, f"refs/heads/{head}", without=f"refs/heads/{base}"):
        raise _invalid("", "custom", f"No commits between {base} and {head}")
    made = PullRequest(
        number=len(hosted.pulls) + 1,
        forge="github",
        author=call.token.account,
        title=asked["title"],
        head=head,
        base=base,
        body=asked.get("body") or "",
        draft=asked.get("draft", False),
    )
    hosted.pulls.append(made)
    shape = _full(call, hosted, made)
    return json_reply(shape, 201, Location=shape["url"])


# https://docs.github.com/en/rest/pulls/pulls#update-a-pull-request
@routes.on("PATCH", PULL)
def update(call: Call) -> Reply:
    hosted = call.allowed("pull_requests", role="write")
    found = _found(call, hosted)
    if call.body.get("state", found.state) != found.state and found.state == "merged":
        raise _invalid("state", "invalid", "")
    for name in call.body.keys() & {"title", "body", "state", "base"}:
        setattr(found, name, call.body[name])
    return json_reply(_full(call, hosted, found))


def _readable(call: Call) -> HostedRepository:
    hosted = call.hosted
    token = call.token
    if hosted.private and token and token.scopes is None and not token.may("pull_requests"):
        raise Refused(403, "Resource not accessible by personal access token")
    return hosted


def _found(call: Call, hosted: HostedRepository) -> PullRequest:
    number = call.parameters["pull_number"]
    found = next((p for p in hosted.pulls if str(p.number) == number and p.forge == "github"), None)
    if found is None:
        raise Refused(404, "Not Found")
    return found


def _invalid(field: str, code: str, message: str) -> Refused:
    named = {"field": field} if field else {}
    said = {"message": message} if message else {}
    return Refused(422, "Validation Failed", errors=[{"resource": "PullRequest", "code": code, **named, **said}])


def _side(call: Call, hosted: HostedRepository, branch: str) -> dict[str, Any]:
    return {
        "label": f"{hosted.owner.login}:{branch}",
        "ref": branch,
        "sha": hosted.git.tip(branch) or "0" * 40,
        "user": shapes.simple_user(hosted.owner, call.base),
        "repo": shapes.repository(hosted, call.base, call.token),
    }


def _simple(call: Call, hosted: HostedRepository, found: PullRequest) -> dict[str, Any]:
    api = f"{shapes.repository_address(hosted, call.base)}/pulls/{found.number}"
    issue = f"{shapes.repository_address(hosted, call.base)}/issues/{found.number}"
    page = f"{shapes.origin_of(call.base)}/{hosted.full_name}/pull/{found.number}"
    head = _side(call, hosted, found.head)
    statuses = f"{shapes.repository_address(hosted, call.base)}/statuses/{head['sha']}"
    at = "2026-01-01T00:00:00Z"
    links = {
        "self": api,
        "html": page,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{api}/comments",
        "review_comment": f"{shapes.repository_address(hosted, call.base)}/pulls/comments{{/number}}",
        "commits": f"{api}/commits",
        "statuses": statuses,
    }
    return {
        "id": hosted.id * 1000 + found.number,
        "node_id": shapes.node_id("PullRequest", hosted.id, found.number),
        "number": found.number,
        "state": "open" if found.state == "open" else "closed",
        "locked": False,
        "title": found.title,
        "body": found.body or None,
        "user": shapes.simple_user(found.author, call.base),
        "draft": found.draft,
        "url": api,
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": issue,
        "commits_url": links["commits"],
        "comments_url": links["comments"],
        "review_comments_url": links["review_comments"],
        "review_comment_url": links["review_comment"],
        "statuses_url": statuses,
        "created_at": at,
        "updated_at": at,
        "closed_at": None if found.state == "open" else at,
        "merged_at": at if found.state == "merged" else None,
        "merge_commit_sha": None,
        "milestone": None,
        "auto_merge": None,
        "active_lock_reason": None,
        "author_association": "OWNER" if found.author == hosted.owner else "COLLABORATOR",
        "head": head,
        "base": _side(call, hosted, found.base),
        "_links": {name: {"href": address} for name, address in links.items()},
        **NOBODY,
    }


def _full(call: Call, hosted: HostedRepository, found: PullRequest) -> dict[str, Any]:
    head, base = hosted.git.tip(found.head), hosted.git.tip(found.base)
    files = changed_files(hosted, base, head, call.base) if head and base else []
    return {
        **_simple(call, hosted, found),
        "merged": found.state == "merged",
        "mergeable": True,
        "mergeable_state": "clean",
        "merged_by": None,
        "comments": 0,
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": len(commits_between(hosted.git, head, without=base)) if head else 0,
        "additions": sum(file["additions"] for file in files),
        "deletions": sum(file["deletions"] for file in files),
        "changed_files": len(files),
    }
