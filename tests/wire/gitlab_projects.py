"""GitLab's endpoints about who calls and which projects there are."""

from __future__ import annotations

from typing import Any

from tests.wire import gitlab_shapes as shapes
from tests.wire.gitlab_routes import Call, Refused, routes
from tests.wire.messages import Reply, json_reply
from tests.wire.world import HostedRepository

SORTED_BY = {
    "id": lambda hosted: hosted.id,
    "created_at": lambda hosted: hosted.id,
    "name": lambda hosted: hosted.name.lower(),
    "path": lambda hosted: hosted.name.lower(),
    "updated_at": lambda hosted: hosted.pushed_at,
    "last_activity_at": lambda hosted: hosted.pushed_at,
    "star_count": lambda hosted: hosted.id,
    "similarity": lambda hosted: hosted.id,
}


@routes.on("GET /user", "read_user")
def user(call: Call) -> Reply:
    token = call.signed_in()
    return json_reply(shapes.user(token.account, call.web, bot=token.kind == "access"))


@routes.on("GET /personal_access_tokens/self", *("read_user", "read_repository", "write_repository"))
def personal_access_token(call: Call) -> Reply:
    """What the token says of itself, whatever its scopes; one of OAuth is no personal one."""
    token = call.signed_in()
    if token.kind == "oauth":
        raise Refused(400, "400 Bad request - This endpoint requires token type to be a personal access token")
    return json_reply(shapes.access_token(token))


@routes.on("GET /projects")
def projects(call: Call) -> Reply:
    values = call.values
    found = [hosted for hosted in list(call.world.repositories.values()) if hosted.seen_by(call.token)]
    found = [hosted for hosted in found if _wanted(call, hosted)]
    order, descending = values.get("order_by", "created_at"), values.get("sort", "desc") == "desc"
    found.sort(key=lambda hosted: (SORTED_BY[order](hosted), hosted.id), reverse=descending)
    if values.get("pagination") != "keyset":
        return call.paged(found, lambda hosted: _project(call, hosted))
    if order != "id":
        raise Refused(405, "Keyset pagination is not yet available for this type of request", key="error")
    token = "id_before" if descending else "id_after"
    return call.keyset(found, lambda hosted: _project(call, hosted), lambda hosted: (token, str(hosted.id)))


def _wanted(call: Call, hosted: HostedRepository) -> bool:
    values, level = call.values, call.level(hosted)
    if call.token and call.token.repositories is not None and hosted.id not in call.token.repositories:
        return False
    visibility = "private" if hosted.private else "public"
    searched = hosted.full_name if values.get("search_namespaces") else hosted.name
    return (
        (level > 0 or not values.get("membership"))
        and (level == 50 or not values.get("owned"))
        and not values.get("starred")
        and level >= values.get("min_access_level", 0)
        and hosted.archived == values.get("archived", hosted.archived)
        and hosted.archived != values.get("active", not hosted.archived)
        and visibility == values.get("visibility", visibility)
        and all(word in f"{searched} {hosted.description or ''}".lower() for word in _words(values))
        and values.get("id_after", 0) < hosted.id < values.get("id_before", 1 << 62)
    )


def _words(values: dict[str, Any]) -> list[str]:
    return str(values.get("search", "")).lower().split()


def _project(call: Call, hosted: HostedRepository) -> dict[str, Any]:
    if call.token is None or call.values.get("simple"):
        return shapes.simple_project(hosted, call.web)
    return shapes.project(hosted, call.web, level=call.level(hosted))


@routes.on("GET /projects/:id")
def project(call: Call) -> Reply:
    return json_reply(_project(call, call.hosted))
