"""Bitbucket's endpoints about whoever asks, and their workspaces. Each names the page that documents it."""

from __future__ import annotations

from typing import Any

from tests.wire import bitbucket_shapes as shapes
from tests.wire.bitbucket_routes import PAGES, Call, Refused, routes
from tests.wire.messages import Reply, json_reply
from tests.wire.world import Account, HostedRepository

ROLES = {"admin": "owner", "write": "member", "read": "member"}
"""What a person may do in all repositories of a workspace -> their role in it."""
WORKSPACE = "/user/workspaces/{workspace}"


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-users/#api-user-get
@routes.add("GET", "/user", scopes="account", api="read:user:bitbucket")
def user(call: Call) -> Reply:
    token = call.signed_in()
    if token.kind == "access":
        return json_reply(shapes.access_token_user(token.account.id + 700_000, "Access token", call.base))
    return json_reply(shapes.current_user(token.account, call.base))


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-users/#api-user-emails-get
@routes.add("GET", "/user/emails", *PAGES, scopes="email", api="read:user:bitbucket")
def emails(call: Call) -> Reply:
    token = call.person()
    address = token.email or f"{token.account.login.lower()}@example.org"
    own = f"{call.base}/user/emails/{address}"
    email = {"type": "email", "email": address, "is_primary": True, "is_confirmed": True}
    return call.paged([{**email, "links": {"self": shapes.link(own)}}])


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-workspaces/#api-user-workspaces-get
@routes.add(
    "GET", "/user/workspaces", "sort", "q", "administrator", *PAGES, scopes="account", api="read:workspace:bitbucket"
)
def workspaces(call: Call) -> Reply:
    call.signed_in()
    listed: list[dict[str, Any]] = [
        {
            "type": "workspace_access",
            "administrator": role == "owner",
            "workspace": shapes.workspace_base(owner, call.base),
            "slug": owner.login.lower(),
        }
        for owner, role in _memberships(call)
    ]
    if "administrator" in call.query:
        listed = [access for access in listed if access["administrator"] == call.flag("administrator", default=True)]
    if call.query.get("sort", "slug").lstrip("-") != "slug":
        raise Refused(400, "Only slug can be sorted by.")
    reply = call.paged(listed, default=25)
    body = reply.json()
    for access in body["values"]:
        del access["slug"]  # what lists are filtered and sorted by, without being a part of the reply
    return reply.replace_json(body)


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-workspaces/#api-user-workspaces-workspace-permission-get
@routes.add("GET", f"{WORKSPACE}/permission", scopes="account", api="read:workspace:bitbucket")
def workspace_permission(call: Call) -> Reply:
    owner, role = _membership(call)
    shape = {
        "type": "workspace_membership",
        "permission": role,
        "user": shapes.account(call.person().account, call.base),
        "workspace": shapes.workspace(owner, call.base),
        "links": {"self": shapes.link(f"{call.base}{call.request.path}")},
    }
    return json_reply(shape)


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-repositories/#api-user-workspaces-workspace-permissions-repositories-get
@routes.add(
    "GET",
    f"{WORKSPACE}/permissions/repositories",
    "q",
    "sort",
    *PAGES,
    scopes="account repository",
    api="read:repository:bitbucket",
)
def repository_permissions(call: Call) -> Reply:
    owner, _ = _membership(call)
    who = shapes.account(call.person().account, call.base)
    granted = [(hosted, role) for hosted in repositories_of(call, owner) if (role := call.role(hosted))]
    return call.paged(
        {
            "type": "repository_permission",
            "permission": role,
            "user": who,
            "repository": {**shapes.short_repository(hosted, call.base), "slug": shapes.slug_of(hosted)},
        }
        for hosted, role in granted
    )


def repositories_of(call: Call, owner: Account) -> list[HostedRepository]:
    """The repositories of a workspace that the caller sees, in the order they were made."""
    hosted = sorted(call.world.repositories.values(), key=lambda repository: repository.id)
    return [repository for repository in hosted if repository.owner == owner and call.sees(repository)]


def _memberships(call: Call) -> list[tuple[Account, str]]:
    """The workspaces that the caller belongs to, with their role: owner, member or collaborator (of a repository)."""
    token = call.signed_in()
    login = token.account.login.lower()
    if token.kind == "access":
        return [(token.account, "member")]
    found = []
    for owner in call.world.accounts():
        members = call.world.members.get(owner.login.lower(), {})
        if owner == token.account:
            found.append((owner, "owner"))
        elif login in members:
            found.append((owner, ROLES[members[login]]))
        elif any(h.owner == owner and h.role(token.account.login) for h in list(call.world.repositories.values())):
            found.append((owner, "collaborator"))
    return sorted(found, key=lambda membership: membership[0].login.lower())


def _membership(call: Call) -> tuple[Account, str]:
    """The workspace in the path and the caller's role in it; Refused (403) where they have none."""
    call.person()
    slug = call.parameters["workspace"].lower()
    for owner, role in _memberships(call):
        if owner.login.lower() == slug:
            return owner, role
    raise Refused(403, "You do not have access to view this workspace.")
