"""GitLab's endpoints for a project's hooks: https://docs.gitlab.com/api/project_webhooks/

They want a Maintainer. Secrets go in and never come out; another address lets GitLab forget them.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tests.wire import gitlab_shapes as shapes
from tests.wire.gitlab_documented import HOOK_EVENTS
from tests.wire.gitlab_events import push, signing_key
from tests.wire.gitlab_routes import Call, Refused, missing, routes
from tests.wire.hooks import NO_COMMIT, Change, HostedHook
from tests.wire.messages import Reply, json_reply
from tests.wire.world import HostedRepository

KEPT = {
    "name": None,
    "description": None,
    "push_events_branch_filter": None,
    "branch_filter_strategy": "wildcard",
    "enable_ssl_verification": True,
    "custom_webhook_template": None,
}
"""What else GitLab keeps of a hook, with what it is at first."""
EVENT_OF = {"push_events": "Push Hook", "tag_push_events": "Tag Push Hook"}


def _shape(call: Call, hook: HostedHook) -> shapes.Json:
    until = call.hall.events.rests_until(hook)
    return {
        "id": hook.id,
        "url": hook.url,
        "project_id": hook.repository_id,
        "created_at": shapes.moment(hook.made_at),
        **{name: hook.options.get(name, default) for name, default in KEPT.items()},
        **{name: name in hook.events for name in HOOK_EVENTS.split()},
        "repository_update_events": False,
        "alert_status": call.hall.events.status(hook),
        "disabled_until": None if until is None else shapes.moment(until),
        "url_variables": [],
        "custom_headers": [{"key": key} for key in hook.options.get("custom_headers", {})],
        "token_present": bool(hook.secret),
        "signing_token_present": bool(hook.signing_token),
    }


def _found(call: Call, hosted: HostedRepository) -> HostedHook:
    number = call.path["hook_id"]
    hook = call.world.hooks.find(int(number)) if number.isdigit() else None
    if hook is None or hook.forge != "gitlab" or hook.repository_id != hosted.id:
        raise missing()
    return hook


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a hook that GitLab keeps under the same name."""
    address = urlsplit(values["url"])
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise Refused(422, "Invalid url given", key="error")
    if values.get("signing_token") and signing_key(values["signing_token"]) is None:
        raise Refused(422, {"signing_token": ["must be in the format whsec_<base64> with a 32-byte key"]})
    kept = {name: values[name] for name in KEPT if name in values}
    if "custom_headers" in values:
        kept["custom_headers"] = {header["key"]: header["value"] for header in values["custom_headers"]}
    return kept


@routes.on("GET /projects/:id/hooks")
def hooks(call: Call) -> Reply:
    hosted = call.administered()
    return call.paged(call.world.hooks.of(hosted, "gitlab"), lambda hook: _shape(call, hook))


@routes.on("GET /projects/:id/hooks/:hook_id")
def hook(call: Call) -> Reply:
    return json_reply(_shape(call, _found(call, call.administered())))


@routes.on("POST /projects/:id/hooks")
def add_hook(call: Call) -> Reply:
    hosted, values = call.administered(), call.values
    made = call.world.hooks.add(
        "gitlab",
        hosted,
        values["url"],
        secret=values.get("token", ""),
        signing_token=values.get("signing_token", ""),
        events=[name for name in HOOK_EVENTS.split() if values.get(name, name == "push_events")],
        **_checked(values),
    )
    return json_reply(_shape(call, made), 201)


@routes.on("PUT /projects/:id/hooks/:hook_id")
def edit_hook(call: Call) -> Reply:
    values, found = call.values, _found(call, call.administered())
    options = {**found.options, **_checked(values)}
    forgotten = found.url != values["url"]
    chosen = {name for name in HOOK_EVENTS.split() if values.get(name, name in found.events)}
    call.world.hooks.update(
        found,
        url=values["url"],
        secret=values.get("token", "" if forgotten else found.secret),
        signing_token=values.get("signing_token", "" if forgotten else found.signing_token),
        events=frozenset(chosen),
        options=options,
    )
    return json_reply(_shape(call, found))


@routes.on("DELETE /projects/:id/hooks/:hook_id")
def delete_hook(call: Call) -> Reply:
    call.world.hooks.remove(_found(call, call.administered()))
    return Reply(204)


@routes.on("POST /projects/:id/hooks/:hook_id/test/:trigger")
def try_hook(call: Call) -> Reply:
    """Deliver a sample, also to a hook that is switched off: an answer of 2xx switches it on again."""
    hosted = call.administered()
    found, trigger = _found(call, hosted), call.path["trigger"]
    if trigger not in EVENT_OF:
        raise Refused(400, "trigger does not have a valid value", key="error")
    branch = hosted.git.default_branch
    tip = hosted.git.tip(branch)
    if tip is None:
        raise Refused(422, "Ensure the project has at least one commit.")
    commit = hosted.git.read_commit(tip)
    before = commit.parents[0] if commit and commit.parents else NO_COMMIT
    change = Change("push" if trigger == "push_events" else "tag", hosted, branch, before, tip)
    delivered = call.world.hooks.deliver(found, EVENT_OF[trigger], push(change, hosted, call.world, call.web))
    if delivered is not None and not 200 <= delivered.status < 300:
        raise Refused(422, f"Hook executed successfully but returned HTTP {delivered.status}")
    return json_reply({"message": "201 Created"}, 201)
