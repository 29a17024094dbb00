"""Deliveries as the three forges send them, signed by their rules, and posted through the whole site."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from django.test import Client

from catalog.models import Server
from forges.clients import webhooks
from forges.models import Hook, HookStatus
from integrations.models import Integration
from orgs.models import Organization
from tests import factories

FORGES = ("github", "gitlab", "bitbucket")
BASE_URLS = {
    "github": "https://api.github.com",
    "gitlab": "https://gitlab.com/api/v4",
    "bitbucket": "https://api.bitbucket.org/2.0",
}
IDS = {"github": "1296269", "gitlab": "15", "bitbucket": "{673a6070-3421-46c9-9d48-90745f7bfe8e}"}
OTHER_IDS = {"github": "7", "gitlab": "8", "bitbucket": "{00000000-3421-46c9-9d48-90745f7bfe8e}"}
OLD, NEW, NONE = "a" * 40, "b" * 40, "0" * 40

Answer = Any


def hook_of(organization: Organization, forge: str = "github", **fields: Any) -> Hook:
    """A webhook that works, of the repository acme/docs."""
    hook = Hook(
        organization=organization,
        forge=forge,
        base_url=fields.pop("base_url", BASE_URLS[forge]),
        repository_id=fields.pop("repository_id", IDS[forge]),
        repository=fields.pop("repository", "acme/docs"),
        **{"status": HookStatus.ACTIVE, "remote_id": "1", **fields},
    )
    hook.secret = webhooks.new_secret(forge)
    hook.save()
    return hook


def following(server: Server, forge: str = "github", branch: str = "main", **fields: Any) -> Integration:
    """An integration of that server that refreshes when the branch is pushed."""
    return factories.integration(
        server,
        "acme/docs",
        forge=forge,
        base_url=fields.pop("base_url", BASE_URLS[forge]),
        repository_id=IDS[forge],
        branch=branch,
        on_push=True,
        **fields,
    )


def address(hook: Hook) -> str:
    return f"/hooks/{hook.forge}/{hook.pk}"


def push(forge: str, branch: str = "main", *, repository: str = "", after: str = NEW, **more: Any) -> bytes:
    """A push of one branch; `after=NONE` deletes it. `more` makes the body another one."""
    number = repository or IDS[forge]
    if forge == "bitbucket":
        old, new = ({"type": "branch", "name": branch, "target": {"hash": commit}} for commit in (OLD, after))
        data: dict[str, Any] = {
            "repository": {"uuid": number, "full_name": "acme/docs"},
            "push": {"changes": [{"old": old, "new": None if after == NONE else new}]},
        }
    else:
        data = {"ref": f"refs/heads/{branch}", "before": OLD, "after": after}
        if forge == "github":
            data["repository"] = {"id": int(number), "full_name": "Acme/Docs"}
        else:
            project = {"id": int(number), "path_with_namespace": "acme/docs"}
            data |= {"object_kind": "push", "event_name": "push", "project_id": int(number), "project": project}
    return json.dumps({**data, **more}).encode()


def event(forge: str, name: str, **data: Any) -> tuple[bytes, dict[str, str]]:
    """Another event: its body, about the same repository, and the header that names it."""
    if forge == "gitlab":
        body = {"object_kind": name, "project": {"id": int(IDS[forge]), "path_with_namespace": "acme/docs"}, **data}
    elif forge == "github":
        body = {"repository": {"id": int(IDS[forge]), "full_name": "acme/docs"}, **data}
    else:
        body = {"repository": {"uuid": IDS[forge], "full_name": "acme/docs"}, **data}
    return json.dumps(body).encode(), _named(forge, name)


PUSHES = {"github": "push", "gitlab": "Push Hook", "bitbucket": "repo:push"}


def _named(forge: str, name: str) -> dict[str, str]:
    header = {"github": "X-GitHub-Event", "gitlab": "X-Gitlab-Event", "bitbucket": "X-Event-Key"}[forge]
    return {header: name}


def signed(forge: str, secret: str, body: bytes, *, at: float | None = None, **_: Any) -> dict[str, str]:
    """The headers that sign a body. GitLab's is the newer way, with the time in it."""
    if forge == "gitlab":
        moment = str(int(time.time() if at is None else at))
        key = base64.b64decode(secret.removeprefix("whsec_"))
        digest = hmac.digest(key, f"msg_1.{moment}.".encode() + body, "sha256")
        signature = f"v1,{base64.b64encode(digest).decode()}"
        return {"webhook-id": "msg_1", "webhook-timestamp": moment, "webhook-signature": signature}
    name = "X-Hub-Signature-256" if forge == "github" else "X-Hub-Signature"
    return {name: f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"}


def post(path: str, body: bytes, headers: dict[str, str], *, content_type: str = "application/json") -> Answer:
    """As a forge does: with no cookie, and with the protection against forged forms switched on."""
    return Client(enforce_csrf_checks=True).generic("POST", path, body, content_type=content_type, headers=headers)


def deliver(
    hook: Hook,
    body: bytes | None = None,
    *,
    path: str = "",
    secret: str = "",
    at: float | None = None,
    named: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    content_type: str = "application/json",
) -> Answer:
    """Post a push (or `body`) to a webhook, signed with its secret unless told otherwise."""
    forge = hook.forge
    body = push(forge) if body is None else body
    sent = {
        **(named or _named(forge, PUSHES[forge])),
        **signed(forge, secret or hook.secret, body, at=at),
        **(headers or {}),
    }
    return post(path or address(hook), body, sent, content_type=content_type)
