"""What GitLab tells a project's hooks, how it signs that, and when it stops.

https://docs.gitlab.com/user/project/integrations/webhooks/ and …/webhook_events/. A project hook hears of pushes and
tags; projects that are renamed, transferred or deleted are news for system hooks alone, which a server has and no
project. A push of more than three branches at once is told to nobody; here each branch is a push of its own.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
import re
import time
import uuid

from tests.wire import gitlab_shapes as shapes
from tests.wire.gitlab_routes import Caps
from tests.wire.hooks import NO_COMMIT, Change, HostedHook, Message
from tests.wire.objects import git
from tests.wire.world import HostedRepository, World

LISTED_COMMITS = 20
LARGEST_BODY = 25 << 20
PATIENT_FAILURES, LAST_FAILURE = 4, 40
LONGEST_REST = 86_400.0
KEY_BYTES = 32


def signing_key(token: str) -> bytes | None:
    """The key in a signing token, `whsec_` and the base64 of 32 bytes; None for anything else."""
    try:
        key = base64.b64decode(token.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        return None
    return key if token.startswith("whsec_") and len(key) == KEY_BYTES else None


def signature(token: str, id: str, timestamp: str, body: bytes) -> str:  # noqa: A002 - the word of the specification
    """https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"""
    key = signing_key(token)
    assert key, "a hook's signing token was checked when it was given"
    signed = hmac.new(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"


class GitLabEvents:
    """What `world.hooks` asks about hooks of GitLab."""

    def __init__(self, world: World, caps: Caps) -> None:
        self.world = world
        self.caps = caps
        world.hooks.largest["gitlab"] = LARGEST_BODY
        world.hooks.dress["gitlab"] = self.dress
        world.hooks.payloads["gitlab"] = self.payloads

    def dress(self, hook: HostedHook, event: str, body: bytes, id: str, _attempt: int) -> dict[str, str]:  # noqa: A002
        """`webhook-id` and `webhook-timestamp` come with every delivery, the signature with a signing token alone."""
        timestamp = str(int(time.time()))
        headers = {
            **hook.options.get("custom_headers", {}),
            "Content-Type": "application/json",
            "User-Agent": "GitLab/19.1.0",
            "Idempotency-Key": id,
            "X-Gitlab-Event": event,
            "X-Gitlab-Webhook-UUID": str(uuid.uuid5(uuid.NAMESPACE_OID, str(hook.id))),
            "X-Gitlab-Instance": self.world.hooks.origin,
            "X-Gitlab-Event-UUID": str(uuid.uuid5(uuid.NAMESPACE_OID, id)),
            "webhook-id": id,
            "webhook-timestamp": timestamp,
        }
        if hook.secret:
            headers["X-Gitlab-Token"] = hook.secret
        if hook.signing_token:
            headers["webhook-signature"] = signature(hook.signing_token, id, timestamp, body)
        return headers

    def payloads(self, change: Change, hook: HostedHook, origin: str) -> list[Message]:
        hosted = change.hosted
        if hosted is None or self.status(hook) != "executable":
            return []
        match change.kind:
            case "push" | "branch_deleted":
                if not _filtered(hook, change.branch):
                    return []
                return [Message("Push Hook", "push_events", push(change, hosted, self.world, origin))]
            case "tag":
                return [Message("Tag Push Hook", "tag_push_events", push(change, hosted, self.world, origin))]
        return []

    # -- hooks that fail -----------------------------------------------------------------------------------------------

    def rests_until(self, hook: HostedHook) -> float | None:
        """When a hook that failed is tried again; None for one that is not switched off for a time.

        https://docs.gitlab.com/user/project/integrations/webhooks/#auto-disabled-webhooks
        """
        if not PATIENT_FAILURES <= hook.failures < LAST_FAILURE:
            return None
        rest = min(self.caps.hook_rest * 2 ** (hook.failures - PATIENT_FAILURES), LONGEST_REST)
        until = self.world.hooks.last(hook).at + rest
        return until if until > time.time() else None

    def status(self, hook: HostedHook) -> str:
        if hook.failures >= LAST_FAILURE:
            return "disabled"
        return "executable" if self.rests_until(hook) is None else "temporarily_disabled"


def _filtered(hook: HostedHook, branch: str) -> bool:
    """https://docs.gitlab.com/user/project/integrations/webhooks/#filter-push-events-by-branch"""
    pattern = hook.options.get("push_events_branch_filter") or ""
    match hook.options.get("branch_filter_strategy", "wildcard"):
        case "regex":
            return bool(re.search(pattern, branch))
        case "wildcard":
            return not pattern or fnmatch.fnmatchcase(branch, pattern)
        case _:
            return True


def push(change: Change, hosted: HostedRepository, world: World, web: str) -> shapes.Json:
    """A branch or a tag that was made, moved or (all zeros after) deleted."""
    who = world.account(change.actor) if change.actor else hosted.owner
    tag = change.kind == "tag"
    new = _commits(change, hosted) if change.with_commits and not tag else []
    kind = "tag_push" if tag else "push"
    return {
        "object_kind": kind,
        "event_name": kind,
        "before": change.before,
        "after": change.after,
        "ref": f"refs/{'tags' if tag else 'heads'}/{change.branch}",
        "ref_protected": change.branch in hosted.protected_branches,
        "checkout_sha": None if change.after == NO_COMMIT else change.after,
        "message": None,
        "user_id": who.id,
        "user_name": who.login.title(),
        "user_username": who.login,
        "user_email": "",
        "user_avatar": None,
        "project_id": hosted.id,
        "project": _project(hosted, web),
        "commits": [_commit(oid, hosted, web) for oid in new[-LISTED_COMMITS:]],
        "total_commits_count": len(new),
        "push_options": {},
        "repository": _repository(hosted, web),
    }


def _commits(change: Change, hosted: HostedRepository) -> list[str]:
    """What is new, the oldest first; of a new branch what the default branch does not have."""
    if change.after == NO_COMMIT:
        return []
    known = change.before
    if known == NO_COMMIT and change.branch != hosted.git.default_branch:
        known = hosted.git.tip(hosted.git.default_branch) or NO_COMMIT
    without = [] if known == NO_COMMIT else [f"^{known}"]
    return git(hosted.git.path, "rev-list", "--reverse", change.after, *without).decode().split()


def _commit(oid: str, hosted: HostedRepository, web: str) -> shapes.Json:
    found = hosted.git.read_commit(oid)
    assert found, f"{oid} is a commit"
    listed = git(hosted.git.path, "diff-tree", "-r", "-z", "--root", "--no-commit-id", "--name-status", oid)
    fields = listed.decode("utf-8", "replace").split("\0")
    changed = list(zip(fields[::2], fields[1::2], strict=False))
    return {
        "id": oid,
        "message": f"{found.message}\n",
        "title": found.message.partition("\n")[0],
        "timestamp": shapes.commit_moment(found.author.at),
        "url": f"{shapes.project_page(hosted, web)}/-/commit/{oid}",
        "author": {"name": found.author.name, "email": "[REDACTED]"},
        "added": [path for status, path in changed if status == "A"],
        "modified": [path for status, path in changed if status in "MT"],
        "removed": [path for status, path in changed if status == "D"],
    }


def _repository(hosted: HostedRepository, web: str) -> shapes.Json:
    simple = shapes.simple_project(hosted, web)
    return {
        "name": hosted.name,
        "url": simple["ssh_url_to_repo"],
        "description": hosted.description,
        "homepage": simple["web_url"],
        "git_http_url": simple["http_url_to_repo"],
        "git_ssh_url": simple["ssh_url_to_repo"],
        "visibility_level": 0 if hosted.private else 20,
    }


def _project(hosted: HostedRepository, web: str) -> shapes.Json:
    about = _repository(hosted, web)
    return {
        **about,
        "id": hosted.id,
        "web_url": about["homepage"],
        "avatar_url": None,
        "namespace": hosted.owner.login.rpartition("/")[2].title(),
        "path_with_namespace": hosted.full_name,
        "default_branch": hosted.git.default_branch,
        "ci_config_path": None,
        "ssh_url": about["git_ssh_url"],
        "http_url": about["git_http_url"],
    }
