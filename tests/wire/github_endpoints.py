"""GitHub's reading endpoints over real repositories. Each names the page that documents it."""

from __future__ import annotations

import time
from typing import Any

from tests.wire import github_shapes as shapes
from tests.wire.github_changes import changed_files, commits_between, comparison, with_changes
from tests.wire.github_routes import Call, Refused, routes
from tests.wire.messages import Headers, Reply, json_reply, text_reply
from tests.wire.repos import FULL_ID, Commit
from tests.wire.world import Budget, HostedRepository

PAGES = ("per_page", "page")
BAD_SHA = "The sha parameter must be exactly 40 characters and contain only [0-9a-f]."


# https://docs.github.com/en/rest/users/users#get-the-authenticated-user
@routes.get("/user")
def user(call: Call) -> Reply:
    token = call.signed_in()
    return json_reply(
        shapes.private_user(token.account, call.base, repositories=len(call.world.visible(token))),
    )


# https://docs.github.com/en/rest/repos/repos#list-repositories-for-the-authenticated-user
@routes.get("/user/repos", "visibility", "affiliation", "type", "sort", "direction", *PAGES, "since", "before")
def user_repositories(call: Call) -> Reply:
    token = call.signed_in()
    query = call.request.query
    if "type" in query and ("visibility" in query or "affiliation" in query):
        raise Refused(422, "If you specify visibility or affiliation, you cannot specify type.")
    sort = query.get("sort", "full_name")
    found = [hosted for hosted in call.world.visible(token) if _wanted(hosted, token.account.login, query)]
    keys: dict[str, Any] = {"full_name": lambda hosted: hosted.full_name.lower(), "created": lambda hosted: hosted.id}
    descending = query.get("direction", "asc" if sort == "full_name" else "desc") == "desc"
    found.sort(key=keys.get(sort, lambda hosted: hosted.pushed_at), reverse=descending)
    return call.paged(found, lambda hosted: shapes.repository(hosted, call.base, token))


def _wanted(hosted: HostedRepository, login: str, query: dict[str, str]) -> bool:
    kind = query.get("type", "all")
    visibility = query.get("visibility", kind)
    owned = hosted.owner.login == login
    if {"private": not hosted.private, "public": hosted.private}.get(visibility, False):
        return False
    if {"owner": not owned, "member": owned}.get(kind, False):
        return False
    pushed = shapes.moment(hosted.pushed_at)
    if not query.get("since", "") <= pushed or not pushed <= query.get("before", "9"):
        return False
    affiliation = query.get("affiliation", "owner,collaborator,organization_member").split(",")
    shared = "organization_member" if hosted.owner.kind == "Organization" else "collaborator"
    return ("owner" if owned else shared) in affiliation


# https://docs.github.com/en/rest/rate-limit/rate-limit
@routes.get("/rate_limit")
def rate_limit(call: Call) -> Reply:
    def shape(budget: Budget) -> dict[str, int]:
        return {
            "limit": budget.limit,
            "used": budget.used,
            "remaining": budget.remaining,
            "reset": budget.reset_at,
        }

    core = shape(call.world.budget(call.token, "core"))
    search = {"limit": 30, "used": 0, "remaining": 30, "reset": int(time.time()) + 60}
    graphql = shape(call.world.budget(call.token, "graphql"))
    return json_reply({"resources": {"core": core, "search": search, "graphql": graphql}, "rate": core})


# https://docs.github.com/en/rest/repos/repos#get-a-repository
@routes.get("/repos/{owner}/{repo}")
def repository(call: Call) -> Reply:
    return json_reply(shapes.full_repository(call.hosted, call.base, call.token))


# https://docs.github.com/en/rest/branches/branches#list-branches
@routes.get("/repos/{owner}/{repo}/branches", "protected", *PAGES)
def branches(call: Call) -> Reply:
    hosted = call.readable
    wanted = call.request.query.get("protected")
    found = [
        pair
        for pair in hosted.git.branches().items()
        if wanted is None or (pair[0] in hosted.protected_branches) == (wanted == "true")
    ]
    return call.paged(found, lambda pair: shapes.short_branch(pair[0], pair[1], hosted, call.base))


# https://docs.github.com/en/rest/branches/branches#get-a-branch
@routes.get("/repos/{owner}/{repo}/branches/{branch}")
def branch(call: Call) -> Reply:
    hosted, name = call.readable, call.parameters["branch"]
    tip = hosted.git.tip(name)
    found = hosted.git.read_commit(tip) if tip else None
    if found is None:
        raise Refused(404, "Branch not found")
    return json_reply(shapes.branch(name, shapes.commit(found, hosted, call.base), hosted, call.base))


# https://docs.github.com/en/rest/commits/commits#list-commits
@routes.get("/repos/{owner}/{repo}/commits", "sha", "path", "author", "committer", "since", "until", *PAGES)
def commits(call: Call) -> Reply:
    hosted, query = call.filled, call.request.query
    start = hosted.git.resolve(query.get("sha", "HEAD"))
    if start is None:
        raise Refused(404, "Not Found")
    limits: dict[str, str] = {name: query[name] for name in ("author", "committer", "since", "until") if name in query}
    found = commits_between(hosted.git, start, path=query.get("path"), limits=limits)
    return call.paged(found, lambda oid: shapes.commit(_commit(hosted, oid), hosted, call.base))


# https://docs.github.com/en/rest/commits/commits#get-a-commit
@routes.get("/repos/{owner}/{repo}/commits/{ref}", *PAGES)
def commit(call: Call) -> Reply:
    hosted, ref = call.filled, call.parameters["ref"]
    oid = hosted.git.resolve(ref)
    if oid is None:
        raise Refused(422, f"No commit found for SHA: {ref}")
    if "application/vnd.github.sha" in call.accept or "application/vnd.github.v3.sha" in call.accept:
        return text_reply(oid, media_type="application/vnd.github.sha")
    found = _commit(hosted, oid)
    files, link = call.page(changed_files(hosted, found.parents[0] if found.parents else None, oid, call.base))
    reply = json_reply(with_changes(shapes.commit(found, hosted, call.base), files))
    if link:
        reply.headers["Link"] = link
    return reply


def _commit(hosted: HostedRepository, oid: str) -> Commit:
    found = hosted.git.read_commit(oid)
    if found is None:
        raise Refused(404, "Not Found")
    return found


# https://docs.github.com/en/rest/commits/commits#compare-two-commits
@routes.get("/repos/{owner}/{repo}/compare/{basehead}", *PAGES)
def compare(call: Call) -> Reply:
    hosted = call.readable
    base, dots, head = call.parameters["basehead"].partition("...")
    ends = hosted.git.resolve(base), hosted.git.resolve(head)
    if not dots or ends[0] is None or ends[1] is None:
        raise Refused(404, "Not Found")
    return json_reply(comparison(call, hosted, ends[0], ends[1]))


# https://docs.github.com/en/rest/git/commits#get-a-commit-object
@routes.get("/repos/{owner}/{repo}/git/commits/{commit_sha}")
def git_commit(call: Call) -> Reply:
    hosted = call.filled
    return json_reply(shapes.git_commit(_commit(hosted, call.parameters["commit_sha"]), hosted, call.base))


# https://docs.github.com/en/rest/git/refs#get-a-reference
@routes.get("/repos/{owner}/{repo}/git/ref/{ref}")
def git_ref(call: Call) -> Reply:
    hosted, name = call.filled, f"refs/{call.parameters['ref']}"
    found = hosted.git.objects.header(name)
    if found is None or not name.startswith(("refs/heads/", "refs/tags/")):
        raise Refused(404, "Not Found")
    return json_reply(shapes.git_ref(name, found.oid, found.kind, hosted, call.base))


# https://docs.github.com/en/rest/git/refs#list-matching-references
@routes.get("/repos/{owner}/{repo}/git/matching-refs/{ref}")
def matching_refs(call: Call) -> Reply:
    hosted = call.filled
    found = [
        shapes.git_ref(name, oid, "commit", hosted, call.base)
        for name, oid in hosted.git.refs(f"refs/{call.parameters['ref']}").items()
    ]
    return json_reply(found)


# https://docs.github.com/en/rest/git/trees#get-a-tree
@routes.get("/repos/{owner}/{repo}/git/trees/{tree_sha}", "recursive")
def git_tree(call: Call) -> Reply:
    hosted, asked = call.filled, call.parameters["tree_sha"]
    named = asked if FULL_ID.fullmatch(asked) else hosted.git.resolve(asked)
    tree = hosted.git.tree_of(named) if named else None
    if named is None or tree is None:
        raise Refused(404, "Not Found")
    # Any value of `recursive` counts, "0" and "false" too.
    entries = hosted.git.tree(tree, recursive="recursive" in call.request.query)
    kept = entries[: call.caps.tree_entries]
    return json_reply(
        {
            # Asked by a commit or a branch, GitHub says the commit's id here, not the tree's.
            "sha": named,
            "url": f"{shapes.repository_address(hosted, call.base)}/git/trees/{named}",
            "tree": [shapes.tree_entry(entry, hosted, call.base) for entry in kept],
            "truncated": len(kept) < len(entries),
        }
    )


# https://docs.github.com/en/rest/git/blobs#get-a-blob
@routes.get("/repos/{owner}/{repo}/git/blobs/{file_sha}")
def git_blob(call: Call) -> Reply:
    hosted, oid = call.filled, call.parameters["file_sha"]
    if not FULL_ID.fullmatch(oid):
        raise Refused(422, BAD_SHA)
    data = hosted.git.blob(oid)
    if data is None:
        raise Refused(404, "Not Found")
    if len(data) > call.caps.blob_bytes:
        raise Refused(403, "This API returns blobs up to 100 MB in size. The requested blob is too large.")
    if wants_raw(call):
        return raw_reply(data)
    return json_reply(shapes.blob(oid, data, hosted, call.base))


def wants_raw(call: Call) -> bool:
    # https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api#media-types
    return any(name in call.accept for name in ("application/vnd.github.raw", "application/vnd.github.v3.raw"))


def raw_reply(data: bytes) -> Reply:
    return Reply(200, data, Headers([("Content-Type", "application/vnd.github.raw; charset=utf-8")]))
