"""What Bitbucket tells its webhooks, and how it signs it.

https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/ and, for the signature,
https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/#Secure-webhooks
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from tests.wire import bitbucket_shapes as shapes
from tests.wire.github_changes import commits_between
from tests.wire.hooks import NO_COMMIT, Change, HookServer, HostedHook, Message
from tests.wire.repos import File
from tests.wire.world import Account, HostedRepository, World, uuid_of

ATTEMPTS = 3
LARGEST_PAYLOAD = 256 << 10
MOST_COMMITS = 5


def register(hooks: HookServer) -> None:
    hooks.dress["bitbucket"] = dress
    hooks.payloads["bitbucket"] = lambda change, _hook, origin: messages(hooks.world, change, f"{origin}/2.0")
    hooks.tries["bitbucket"] = ATTEMPTS
    hooks.largest["bitbucket"] = LARGEST_PAYLOAD


def dress(hook: HostedHook, event: str, body: bytes, name: str, attempt: int) -> dict[str, str]:
    """The headers of a delivery; signed where the hook has a secret."""
    fields = {
        "Content-Type": "application/json",
        "User-Agent": "Bitbucket-Webhooks/2.0",
        "X-Event-Key": event,
        "X-Hook-UUID": uuid_of(hook.id).strip("{}"),
        "X-Request-UUID": name,
        "X-Attempt-Number": str(attempt),
    }
    if hook.secret:
        fields["X-Hub-Signature"] = f"sha256={hmac.new(hook.secret.encode(), body, hashlib.sha256).hexdigest()}"
    return fields


def messages(world: World, change: Change, base: str) -> list[Message]:
    hosted = change.hosted
    if hosted is None:
        return []
    actor = world.account(change.actor) if change.actor else hosted.owner
    match change.kind:
        case "push" | "branch_deleted":
            return [push([change], hosted, actor, base)]
        case "renamed":
            return [_message("repo:updated", hosted, actor, base, changes=_renamed(hosted, change.old_name, base))]
        case "transferred":
            former = world.account(change.old_name.rpartition("/")[0])
            return [_message("repo:transfer", hosted, actor, base, previous_workspace=shapes.workspace(former, base))]
        case "deleted":
            return [_message("repo:deleted", hosted, actor, base)]
    return []


def push(changes: list[Change], hosted: HostedRepository, actor: Account, base: str) -> Message:
    """One push of any number of branches."""
    return _message("repo:push", hosted, actor, base, push={"changes": [_moved(change, base) for change in changes]})


def push_branches(world: World, hosted: HostedRepository, branches: Mapping[str, Mapping[str, File | None]]) -> None:
    """Commit to several branches and deliver all of it as one push, as Bitbucket alone does."""
    git = hosted.git
    changes = []
    for name, files in branches.items():
        before = git.tip(name) or NO_COMMIT
        changes.append(Change("push", hosted, branch=name, before=before, after=git.commit(files, branch=name)))
    said = push(changes, hosted, hosted.owner, f"{world.hooks.origin}/2.0")
    for hook in world.hooks.of(hosted, "bitbucket"):
        if hook.active and said.listens in hook.events:
            world.hooks.deliver(hook, said.event, said.payload)


def _message(event: str, hosted: HostedRepository, actor: Account, base: str, **more: Any) -> Message:
    who = {"actor": shapes.account(actor, base), "repository": _repository(hosted, base)}
    return Message(event, event, {**more, **who})


def _repository(hosted: HostedRepository, base: str) -> shapes.Json:
    """A repository as payloads have it; one that was deleted has no branches to look at any more."""
    return {
        **shapes.short_repository(hosted, base),
        "scm": "git",
        "website": None,
        "is_private": hosted.private,
        "owner": shapes.account(hosted.owner, base),
        "workspace": shapes.workspace(hosted.owner, base),
    }


def _moved(change: Change, base: str) -> shapes.Json:
    hosted = change.hosted
    assert hosted
    before, after = (None if oid == NO_COMMIT else oid for oid in (change.before, change.after))
    commits: list[str] = []
    if after and change.with_commits:
        known = hosted.git.read_commit(before) if before else None
        commits = commits_between(hosted.git, after, without=before if known else None)
    ends = f"{after or before}..{before or after}"
    return {
        "old": _ref(change.branch, before, hosted, base),
        "new": _ref(change.branch, after, hosted, base),
        "created": before is None,
        "closed": after is None,
        "forced": change.forced,
        "truncated": len(commits) > MOST_COMMITS,
        "commits": [_commit(oid, hosted, base) for oid in commits[:MOST_COMMITS]],
        "links": {
            "html": shapes.link(f"{shapes.page(hosted, base)}/branches/compare/{ends}"),
            "diff": shapes.link(f"{shapes.address(hosted, base)}/diff/{ends}"),
            "commits": shapes.link(f"{shapes.address(hosted, base)}/commits?include={after or before}"),
        },
    }


def _ref(name: str, oid: str | None, hosted: HostedRepository, base: str) -> shapes.Json | None:
    return None if oid is None else shapes.branch(name, _commit(oid, hosted, base), hosted, base)


def _commit(oid: str, hosted: HostedRepository, base: str) -> shapes.Json:
    found = hosted.git.read_commit(oid)
    return shapes.commit(found, hosted, base) if found else shapes.short_commit(oid, hosted, base)


def _renamed(hosted: HostedRepository, old_name: str, base: str) -> shapes.Json:
    former = old_name.rpartition("/")[2]
    web = shapes.origin_of(base)
    return {
        "name": {"old": former, "new": hosted.name},
        "slug": {"old": former.lower(), "new": shapes.slug_of(hosted)},
        "full_name": {"old": old_name.lower(), "new": shapes.full_name(hosted)},
        "links": {
            "old": {
                "self": shapes.link(f"{base}/repositories/{old_name.lower()}"),
                "html": shapes.link(f"{web}/{old_name.lower()}"),
            },
            "new": shapes.short_repository(hosted, base)["links"],
        },
    }
