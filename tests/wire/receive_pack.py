"""Pushing over git's own HTTP: who may, which branches take it, and who hears of it.

The work is git's `receive-pack`; a protected branch is kept by a real hook. Stricter than forges are: every object is
checked, and a body has to come with its length (https://git-scm.com/docs/http-protocol leaves both to the server).
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.wire.hooks import NO_COMMIT, Change
from tests.wire.messages import Reply, Request, text_reply
from tests.wire.world import ROLES, HostedRepository, Token, World

SETTINGS = {"http.receivepack": "true", "receive.fsckObjects": "true", "receive.maxInputSize": str(50 << 20)}
SCOPES = {
    "github": {"repo", "public_repo"},
    "gitlab": {"api", "write_repository"},
    "bitbucket": {"repository:write", "repository:admin", "write:repository:bitbucket", "admin:repository:bitbucket"},
}
"""Any of these lets a token with scopes push."""

_HOOK = """#!/bin/sh
branch=${1#refs/heads/}
case "$WIRE_PROTECTED" in
*"[$branch]"*)
    echo "error: GH006: Protected branch update failed for $1." >&2
    echo "error: Changes must be made through a pull request." >&2
    exit 1 ;;
esac
"""


def refusal(request: Request, hosted: HostedRepository, token: Token | None) -> Reply | None:
    """Why this request may not push; the caller has seen that the repository may be read."""
    if token is None:
        return text_reply("Authentication required.", 401)
    if hosted.archived:
        return text_reply("This repository was archived so it is read-only.", 403)
    if ROLES.index(hosted.role(token.account.login) or "read") < ROLES.index("write") or not _may_write(hosted, token):
        return text_reply(f"Permission to {hosted.full_name}.git denied to {token.account.login}.", 403)
    if "Content-Length" not in request.headers and request.method == "POST":
        return text_reply("Length Required", 411)
    if request.method == "POST" and request.headers.get("Content-Type") != "application/x-git-receive-pack-request":
        return text_reply("Unsupported Media Type", 415)
    return None


def _may_write(hosted: HostedRepository, token: Token) -> bool:
    if token.repositories is not None and hosted.id not in token.repositories:
        return False
    if token.scopes is None:
        return token.may("contents", write=True)
    return bool(token.scopes & (SCOPES[token.forge] - ({"public_repo"} if hosted.private else set())))


def environment(world: World, hosted: HostedRepository) -> dict[str, str]:
    """Of git for a push: with a hook that refuses protected branches, where there are some."""
    if not hosted.protected_branches:
        return {}
    hook = _hooks(world.folder) / "update"
    if not hook.exists():
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(_HOOK)
        hook.chmod(0o755)
    return {"WIRE_PROTECTED": "".join(f"[{name}]" for name in hosted.protected_branches)}


def settings(world: World, hosted: HostedRepository) -> dict[str, str]:
    hooks = {"core.hooksPath": os.fspath(_hooks(world.folder))} if hosted.protected_branches else {}
    return {**SETTINGS, **hooks}


def _hooks(folder: Path) -> Path:
    return folder / "hooks-of-protected-branches"


def tell(world: World, hosted: HostedRepository, token: Token, request: Request) -> None:
    """Deliver what a push changed to every hook that listens."""
    for old, new, ref in commands(request.body):
        branch = ref.removeprefix("refs/heads/")
        if branch == ref or (hosted.git.tip(branch) or NO_COMMIT) != new:
            continue
        kind = "branch_deleted" if new == NO_COMMIT else "push"
        world.hooks.happened(Change(kind, hosted, branch, old, new, actor=token.account.login))


def commands(body: bytes) -> list[tuple[str, str, str]]:
    """(old id, new id, ref) of each ref that a push is to change: https://git-scm.com/docs/gitprotocol-pack"""
    found = []
    while (length := int(body[:4] or b"0", 16)) > 4:
        line, body = body[4:length], body[length:]
        old, new, ref = line.partition(b"\0")[0].decode().split(" ", 2)
        found.append((old, new, ref.strip()))
    return found
