"""What GitHub says to hooks, and how it dresses it: https://docs.github.com/en/webhooks/webhook-events-and-payloads."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

from tests.wire import github_shapes as shapes
from tests.wire.hooks import NO_COMMIT, Change, HookServer, HostedHook, Message
from tests.wire.installations import Installation
from tests.wire.repos import Commit
from tests.wire.world import Account, HostedRepository, World

Json = dict[str, Any]
MOST_COMMITS = 2048
INSTALLATION_ACTIONS = {
    "installed": "created",
    "uninstalled": "deleted",
    "suspended": "suspend",
    "unsuspended": "unsuspend",
}


def register(hooks: HookServer) -> None:
    hooks.dress["github"] = dress
    hooks.encode["github"] = encode
    hooks.payloads["github"] = lambda change, hook, origin: payloads(hooks.world, change, hook, origin)


def encode(hook: HostedHook, payload: Json) -> bytes:
    """JSON, or that JSON in a form's field `payload`, which is what hooks get that do not ask for JSON."""
    text = json.dumps(payload, separators=(",", ":"))
    return text.encode() if hook.options.get("content_type") == "json" else urlencode({"payload": text}).encode()


def dress(hook: HostedHook, event: str, body: bytes, guid: str, _attempt: int) -> dict[str, str]:
    """https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers"""
    as_json = hook.options.get("content_type") == "json"
    headers = {
        "Accept": "*/*",
        "Content-Type": "application/json" if as_json else "application/x-www-form-urlencoded",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Delivery": guid,
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": str(hook.id),
        "X-GitHub-Hook-Installation-Target-ID": str(hook.app_id or hook.repository_id),
        "X-GitHub-Hook-Installation-Target-Type": "integration" if hook.app_id else "repository",
    }
    if hook.secret:
        key = hook.secret.encode()
        headers["X-Hub-Signature"] = f"sha1={hmac.new(key, body, hashlib.sha1).hexdigest()}"
        headers["X-Hub-Signature-256"] = f"sha256={hmac.new(key, body, hashlib.sha256).hexdigest()}"
    return headers


def ping(hook: HostedHook, hosted: HostedRepository, hook_shape: Json, base: str) -> Json:
    return {
        "zen": "Keep it logically awesome.",
        "hook_id": hook.id,
        "hook": hook_shape,
        "repository": shapes.full_repository(hosted, base, None),
        "sender": shapes.simple_user(hosted.owner, base),
    }


def payloads(world: World, change: Change, hook: HostedHook, base: str) -> list[Message]:
    """What this hook is told; nothing where it is an App's that has no business there."""
    if change.hosted is None:
        return _of_installation(change, hook, base)
    installation = _covering(world, hook, change) if hook.app_id else None
    if hook.app_id and installation is None:
        return []
    common: Json = {"sender": shapes.simple_user(world.account(change.actor or change.hosted.owner.login), base)}
    if installation:
        common["installation"] = _short(installation)
    messages = _of_repository(world, change, change.hosted, base)
    return [Message(event, event, {**payload, **common}) for event, payload in messages]


def _covering(world: World, hook: HostedHook, change: Change) -> Installation | None:
    assert change.hosted
    owners = {change.hosted.owner.login.lower(), change.old_name.rpartition("/")[0].lower()}
    for found in world.apps.installations.values():
        chosen = found.repositories is None or change.hosted.id in found.repositories
        if found.app.app_id == hook.app_id and not found.suspended and chosen and found.account.login.lower() in owners:
            return found
    return None


def _of_repository(world: World, change: Change, hosted: HostedRepository, base: str) -> list[tuple[str, Json]]:
    """The events that a change is, with their payloads; a deleted branch is two."""
    repository = shapes.full_repository(hosted, base, None)
    match change.kind:
        case "push":
            return [("push", _push(world, change, hosted, base))]
        case "branch_deleted":
            gone = {"ref": change.branch, "ref_type": "branch", "pusher_type": "user", "repository": repository}
            return [("push", _push(world, change, hosted, base)), ("delete", gone)]
        case "renamed":
            was: Json = {"repository": {"name": {"from": change.old_name.rpartition("/")[2]}}}
            return [("repository", {"action": "renamed", "changes": was, "repository": repository})]
        case "transferred":
            owner = world.account(change.old_name.rpartition("/")[0])
            was = {"owner": {"from": {owner.kind.lower(): shapes.simple_user(owner, base)}}}
            return [("repository", {"action": "transferred", "changes": was, "repository": repository})]
        case "deleted":
            return [("repository", {"action": "deleted", "repository": repository})]
        case _:
            return []


def _push(world: World, change: Change, hosted: HostedRepository, base: str) -> Json:
    """https://docs.github.com/en/webhooks/webhook-events-and-payloads#push"""
    address = shapes.origin_of(base) + f"/{hosted.full_name}"
    actor = world.account(change.actor or hosted.owner.login)
    head = hosted.git.read_commit(change.after)
    listed = [_commit(found, actor, hosted, base) for found in _pushed(change, hosted)] if change.with_commits else []
    return {
        "ref": f"refs/heads/{change.branch}",
        "before": change.before,
        "after": change.after,
        "created": change.before == NO_COMMIT,
        "deleted": change.after == NO_COMMIT,
        "forced": change.forced,
        "base_ref": None,
        "compare": f"{address}/compare/{change.before[:12]}...{change.after[:12]}",
        "commits": listed,
        "head_commit": _commit(head, actor, hosted, base) if head else None,
        "repository": {
            **shapes.full_repository(hosted, base, None),
            "owner": {**shapes.simple_user(hosted.owner, base), "name": hosted.owner.login},
            "created_at": 1_767_225_600,
            "pushed_at": hosted.pushed_at,
            "master_branch": hosted.git.default_branch,
        },
        "pusher": {"name": actor.login, "email": f"{actor.login}@example.org"},
    }


def _pushed(change: Change, hosted: HostedRepository) -> list[Commit]:
    """The new commits on the way from `before`, oldest first."""
    found: list[Commit] = []
    at = hosted.git.read_commit(change.after)
    while at and at.oid != change.before and len(found) < MOST_COMMITS:
        found.insert(0, at)
        at = hosted.git.read_commit(at.parents[0]) if at.parents else None
    return found


def _commit(found: Commit, actor: Account, hosted: HostedRepository, base: str) -> Json:
    who = {"name": found.author.name, "email": found.author.email, "username": actor.login}
    return {
        "id": found.oid,
        "tree_id": found.tree,
        "distinct": True,
        "message": found.message,
        "timestamp": shapes.moment(found.committer.at),
        "url": f"{shapes.origin_of(base)}/{hosted.full_name}/commit/{found.oid}",
        "author": who,
        "committer": who,
        "added": [],
        "removed": [],
        "modified": [],
    }


def _of_installation(change: Change, hook: HostedHook, base: str) -> list[Message]:
    """Every App gets these, asked or not: https://docs.github.com/en/webhooks/webhook-events-and-payloads#installation"""
    found = change.installation
    if found is None or found.app.app_id != hook.app_id:
        return []
    common: Json = {
        "installation": {**_short(found), **_facts(found, base)},
        "sender": shapes.simple_user(found.account, base),
    }
    if action := INSTALLATION_ACTIONS.get(change.kind):
        return [Message("installation", "", {"action": action, "repositories": [], "requester": None, **common})]
    selection = "all" if found.repositories is None else "selected"
    lists = {
        "repository_selection": selection,
        "repositories_added": [_named(hosted) for hosted in change.added],
        "repositories_removed": [_named(hosted) for hosted in change.removed],
        "requester": None,
    }
    action = "added" if change.added else "removed"
    return [Message("installation_repositories", "", {"action": action, **lists, **common})]


def _short(found: Installation) -> Json:
    return {"id": found.id, "node_id": shapes.node_id("IntegrationInstallation", found.id)}


def _facts(found: Installation, base: str) -> Json:
    return {
        "account": shapes.simple_user(found.account, base),
        "app_id": found.app.app_id,
        "app_slug": found.app.slug,
        "client_id": found.app.client_id,
        "target_id": found.account.id,
        "target_type": found.account.kind,
        "permissions": found.permissions,
        "events": list(found.app.events),
        "repository_selection": "all" if found.repositories is None else "selected",
        "suspended_at": shapes.moment(found.created_at) if found.suspended else None,
    }


def _named(hosted: HostedRepository) -> Json:
    return {
        "id": hosted.id,
        "node_id": shapes.node_id("Repository", hosted.id),
        "name": hosted.name,
        "full_name": hosted.full_name,
        "private": hosted.private,
    }
