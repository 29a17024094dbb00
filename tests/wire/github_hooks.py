"""A repository's hooks: https://docs.github.com/en/rest/repos/webhooks."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.wire import github_shapes as shapes
from tests.wire.github_payloads import ping
from tests.wire.github_routes import Call, Refused, routes
from tests.wire.hooks import Delivered, HostedHook
from tests.wire.messages import Reply, json_reply
from tests.wire.world import HostedRepository

HOOKS = "/repos/{owner}/{repo}/hooks"
HOOK = HOOKS + "/{hook_id}"
PAGES = ("per_page", "page")
MOST_HOOKS = 20
"""Of one event; https://docs.github.com/en/webhooks/about-webhooks."""
KNOWN_EVENTS = {"*", "push", "ping", "repository", "delete", "create", "pull_request", "member", "public", "release"}
NO_SECRET = "********"  # what stands for a secret in every reply


def _hosted(call: Call) -> HostedRepository:
    scopes = {"repo", "admin:repo_hook", "write:repo_hook"}
    if call.request.method in {"GET", "HEAD"}:
        scopes |= {"read:repo_hook"}
    return call.allowed("repository_hooks", role="admin", scopes=scopes)


def _found(call: Call) -> HostedHook:
    hosted, number = _hosted(call), call.parameters["hook_id"]
    hook = call.world.hooks.find(int(number)) if number.isdecimal() else None
    if hook is None or hook.repository_id != hosted.id or hook.forge != "github":
        raise Refused(404, "Not Found")
    return hook


@routes.get(HOOKS, *PAGES)
def hooks(call: Call) -> Reply:
    hosted = _hosted(call)
    return call.paged(call.world.hooks.of(hosted, "github"), lambda hook: _shape(call, hook, hosted))


@routes.on("POST", HOOKS)
def create(call: Call) -> Reply:
    hosted, asked = _hosted(call), call.body
    if asked.get("name", "web") != "web":
        raise _invalid("name", "must be web")
    config, events = _config(asked.get("config", {})), asked.get("events", ["push"])
    _check_events(events)
    others = call.world.hooks.of(hosted, "github")
    if any(hook.url == config["url"] and hook.events & set(events) for hook in others):
        raise Refused(422, "Validation Failed", errors=[_error("Hook already exists on this repository")])
    if any(sum(event in hook.events for hook in others) >= MOST_HOOKS for event in events):
        raise Refused(
            422, "Validation Failed", errors=[_error(f"The {events[0]!r} event cannot have more than 20 hooks")]
        )
    hook = call.world.hooks.add(
        "github",
        hosted,
        config["url"],
        secret=config.get("secret", ""),
        events=events,
        active=asked.get("active", True),
        content_type=config.get("content_type", "form"),
        insecure_ssl=str(config.get("insecure_ssl", "0")),
    )
    _ping(call, hook, hosted)
    shape = _shape(call, hook, hosted)
    return json_reply(shape, 201, Location=shape["url"])


@routes.get(HOOK)
def hook(call: Call) -> Reply:
    return json_reply(_shape(call, _found(call), call.hosted))


@routes.on("PATCH", HOOK)
def update(call: Call) -> Reply:
    found, asked = _found(call), call.body
    events = (set(asked.get("events", found.events)) | set(asked.get("add_events", ()))) - set(
        asked.get("remove_events", ())
    )
    _check_events(sorted(events))
    changes: dict[str, Any] = {"events": frozenset(events), "active": asked.get("active", found.active)}
    if "config" in asked:
        # What a new configuration leaves out is gone, the secret too.
        config = _config(asked["config"])
        changes |= {"url": config["url"], "secret": config.get("secret", "")}
        kept = {
            "content_type": config.get("content_type", "form"),
            "insecure_ssl": str(config.get("insecure_ssl", "0")),
        }
        changes |= {"options": kept}
    call.world.hooks.update(found, **changes)
    return json_reply(_shape(call, found, call.hosted))


@routes.on("DELETE", HOOK)
def delete(call: Call) -> Reply:
    call.world.hooks.remove(_found(call))
    return Reply(204)


@routes.on("POST", HOOK + "/pings")
def pings(call: Call) -> Reply:
    _ping(call, _found(call), call.hosted)
    return Reply(204)


# https://docs.github.com/en/rest/repos/webhooks#list-deliveries-for-a-repository-webhook
@routes.get(HOOK + "/deliveries", "per_page", "cursor", "status")
def deliveries(call: Call) -> Reply:
    found, query = _found(call), call.request.query
    made = [d for d in reversed(call.world.hooks.deliveries) if d.hook is found]
    made = [d for d in made if d.number < int(query.get("cursor", 1 << 60))]
    wanted = query.get("status")
    made = [d for d in made if wanted is None or (wanted == "success") == (200 <= d.status < 300)]
    size = int(query.get("per_page", 30))
    reply = json_reply([_item(d) for d in made[:size]])
    if len(made) > size:
        address = f"{call.base}{call.request.path}?per_page={size}&cursor={made[size - 1].number}"
        reply.headers["Link"] = f'<{address}>; rel="next"'
    return reply


# https://docs.github.com/en/rest/repos/webhooks#get-a-delivery-for-a-repository-webhook
@routes.get(HOOK + "/deliveries/{delivery_id}")
def delivery(call: Call) -> Reply:
    found = _delivered(call)
    request = {"headers": dict(found.headers), "payload": _payload(found)}
    response = {"headers": {}, "payload": found.answer.decode("utf-8", "replace")}
    return json_reply({**_item(found), "url": found.hook.url, "request": request, "response": response})


# https://docs.github.com/en/rest/repos/webhooks#redeliver-a-delivery-for-a-repository-webhook
@routes.on("POST", HOOK + "/deliveries/{delivery_id}/attempts")
def redeliver(call: Call) -> Reply:
    call.world.hooks.redeliver(_delivered(call))
    return json_reply({}, 202)


def _delivered(call: Call) -> Delivered:
    found, number = _found(call), call.parameters["delivery_id"]
    made = next((d for d in call.world.hooks.deliveries if d.hook is found and str(d.number) == number), None)
    if made is None:
        raise Refused(404, "Not Found")
    return made


def _ping(call: Call, hook: HostedHook, hosted: HostedRepository) -> None:
    call.world.hooks.deliver(hook, "ping", ping(hook, hosted, _shape(call, hook, hosted), call.base))


def _config(asked: dict[str, Any]) -> dict[str, Any]:
    parts = urlsplit(asked.get("url", ""))
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise _invalid("url", "URL is not valid")
    return asked


def _check_events(events: list[str]) -> None:
    if not events or not set(events) <= KNOWN_EVENTS:
        raise _invalid("events", f"The listed events are not available: {sorted(set(events) - KNOWN_EVENTS)}")


def _invalid(field: str, message: str) -> Refused:
    return Refused(422, "Validation Failed", errors=[{**_error(message), "field": field}])


def _error(message: str) -> dict[str, str]:
    return {"resource": "Hook", "code": "custom", "message": message}


def _shape(call: Call, hook: HostedHook, hosted: HostedRepository) -> dict[str, Any]:
    address = f"{shapes.repository_address(hosted, call.base)}/hooks/{hook.id}"
    last = next((d for d in reversed(call.world.hooks.deliveries) if d.hook is hook), None)
    at = shapes.moment(int(hook.made_at))
    return {
        "type": "Repository",
        "id": hook.id,
        "name": "web",
        "active": hook.active,
        "events": sorted(hook.events),
        "config": {"url": hook.url, **hook.options, **({"secret": NO_SECRET} if hook.secret else {})},
        "created_at": at,
        "updated_at": at,
        "url": address,
        "test_url": f"{address}/test",
        "ping_url": f"{address}/pings",
        "deliveries_url": f"{address}/deliveries",
        "last_response": {
            "code": last.status if last else None,
            "status": "unused" if last is None else "active",
            "message": None if last is None else "OK",
        },
    }


def _item(found: Delivered) -> dict[str, Any]:
    payload = _payload(found)
    return {
        "id": found.number,
        "guid": found.id,
        "delivered_at": shapes.moment(int(found.at)),
        "redelivery": found.attempt > 1,
        "duration": round(found.took, 2),
        "status": "OK"
        if 200 <= found.status < 300
        else "Invalid HTTP Response"
        if found.status
        else "failed to connect",
        "status_code": found.status,
        "event": found.event,
        "action": payload.get("action"),
        "installation_id": payload.get("installation", {}).get("id"),
        "repository_id": found.hook.repository_id,
        "throttled_at": None,
    }


def _payload(found: Delivered) -> dict[str, Any]:
    as_form = not found.body.startswith(b"{")
    read = json.loads(parse_qs(found.body.decode())["payload"][0] if as_form else found.body)
    assert isinstance(read, dict)
    return read
