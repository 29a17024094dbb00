"""Bitbucket's webhooks of a repository, and the events there are. Each endpoint names the page that documents it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from tests.wire import bitbucket_shapes as shapes
from tests.wire.bitbucket_auth import require
from tests.wire.bitbucket_routes import PAGES, REPOSITORY, Call, Refused, routes
from tests.wire.hooks import HostedHook
from tests.wire.messages import Reply, json_reply
from tests.wire.world import HostedRepository, uuid_of

REPOSITORY_EVENTS = sorted(
    [
        *(f"repo:{name}" for name in ("created", "deleted", "fork", "imported", "push", "transfer", "updated")),
        *(f"repo:commit_{name}" for name in ("comment_created", "status_created", "status_updated")),
        *(f"issue:{name}" for name in ("comment_created", "created", "updated")),
        *(f"pullrequest:{name}" for name in ("approved", "created", "fulfilled", "push", "rejected", "unapproved")),
        *(f"pullrequest:{name}" for name in ("comment_created", "comment_deleted", "comment_updated", "updated")),
    ]
)
LARGEST_SECRET = 128


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-webhooks/#api-hook-events-get
@routes.add("GET", "/hook_events")
def subject_types(call: Call) -> Reply:
    names = ("repository", "workspace")
    return json_reply({name: {"events": shapes.link(f"{call.base}/hook_events/{name}")} for name in names})


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-webhooks/#api-hook-events-subject-type-get
@routes.add("GET", "/hook_events/{subject_type}", *PAGES)
def hook_events(call: Call) -> Reply:
    if call.parameters["subject_type"] not in {"repository", "workspace"}:
        raise Refused(404, f"Unknown subject type: {call.parameters['subject_type']}")
    return call.paged(
        (
            {"event": event, "category": event.partition(":")[0], "label": event.partition(":")[2], "description": ""}
            for event in REPOSITORY_EVENTS
        ),
        default=30,
    )


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-webhooks/#api-repositories-workspace-repo-slug-hooks-get
@routes.add("GET", f"{REPOSITORY}/hooks", *PAGES, scopes="webhook", api="read:webhook:bitbucket")
def hooks(call: Call) -> Reply:
    hosted = call.administered
    return call.paged(_shape(call, hosted, hook) for hook in call.world.hooks.of(hosted, "bitbucket"))


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-webhooks/#api-repositories-workspace-repo-slug-hooks-post
@routes.add("POST", f"{REPOSITORY}/hooks", scopes="webhook", api="read:webhook:bitbucket write:webhook:bitbucket")
def create_hook(call: Call) -> Reply:
    hosted, sent = call.administered, _read(call)
    for name in ("url", "events"):
        if name not in sent:
            raise Refused(400, "Bad request", detail=f"{name} is required")
    made = call.world.hooks.add(
        "bitbucket",
        hosted,
        sent["url"],
        secret=sent.get("secret") or "",
        events=sent["events"],
        active=sent.get("active", False),
        description=sent.get("description", ""),
        skip_cert_verification=sent.get("skip_cert_verification", False),
    )
    shape = _shape(call, hosted, made)
    return json_reply(shape, 201, Location=shape["links"]["self"]["href"])


HOOK = f"{REPOSITORY}/hooks/{{uid}}"


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-webhooks/#api-repositories-workspace-repo-slug-hooks-uid-get
@routes.add("GET", HOOK, scopes="webhook", api="read:webhook:bitbucket")
def hook(call: Call) -> Reply:
    hosted = call.administered
    return json_reply(_shape(call, hosted, _find(call, hosted)))


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-webhooks/#api-repositories-workspace-repo-slug-hooks-uid-put
@routes.add("PUT", HOOK, scopes="webhook", api="read:webhook:bitbucket write:webhook:bitbucket")
def update_hook(call: Call) -> Reply:
    hosted = call.administered
    found, sent = _find(call, hosted), _read(call)
    changes: dict[str, Any] = {name: sent[name] for name in ("url", "active") if name in sent}
    if "events" in sent:
        changes["events"] = frozenset(sent["events"])
    if "secret" in sent:  # left out, the secret stays; null removes it
        changes["secret"] = sent["secret"] or ""
    kept = {name: sent[name] for name in ("description", "skip_cert_verification") if name in sent}
    call.world.hooks.update(found, options={**found.options, **kept}, **changes)
    return json_reply(_shape(call, hosted, found))


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-webhooks/#api-repositories-workspace-repo-slug-hooks-uid-delete
@routes.add("DELETE", HOOK, scopes="webhook", api="delete:webhook:bitbucket")
def delete_hook(call: Call) -> Reply:
    call.world.hooks.remove(_find(call, call.administered))
    return Reply(204)


def _find(call: Call, hosted: HostedRepository) -> HostedHook:
    asked = call.parameters["uid"].strip("{}").lower()
    for known in call.world.hooks.of(hosted, "bitbucket"):
        if uuid_of(known.id).strip("{}") == asked:
            return known
    raise Refused(404, "Webhook not found")


def _read(call: Call) -> dict[str, Any]:
    sent = call.body
    address = urlsplit(sent.get("url", "http://unchanged.example"))
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise Refused(400, "Bad request", detail="url is not a web address")
    events = sent.get("events", ["repo:push"])
    if not events or set(events) - set(REPOSITORY_EVENTS):
        raise Refused(400, "Bad request", detail="events has to name events of a repository")
    if len(sent.get("secret") or "") > LARGEST_SECRET:
        raise Refused(400, "Bad request", detail=f"secret is longer than {LARGEST_SECRET} characters")
    if "events" in sent and call.token and call.token.kind != "personal":
        # To hear of something takes the scope that reads it.
        subjects = {"repo": "repository", "issue": "issue", "pullrequest": "pullrequest"}
        require(call.token, frozenset({"webhook", *(subjects[event.partition(":")[0]] for event in events)}))
    return sent


def _shape(call: Call, hosted: HostedRepository, hook: HostedHook) -> shapes.Json:
    """The secret is never told, only that there is one."""
    uuid = uuid_of(hook.id)
    return {
        "type": "webhook_subscription",
        "uuid": uuid,
        "url": hook.url,
        "description": hook.options.get("description", ""),
        "subject_type": "repository",
        "subject": shapes.short_repository(hosted, call.base),
        "active": hook.active,
        "created_at": datetime.fromtimestamp(hook.made_at, UTC).isoformat(),
        "events": sorted(hook.events),
        "secret_set": bool(hook.secret),
        "skip_cert_verification": hook.options.get("skip_cert_verification", False),
        "links": {"self": shapes.link(f"{shapes.address(hosted, call.base)}/hooks/{quote(uuid)}")},
    }
