"""Replies that look right and are not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.wire.faults.arming import Fault, instead
from tests.wire.messages import Headers, Proceed, Reply, Request


def truncated_tree(keep: int = 3) -> Fault:
    """Recursive trees say `truncated` and hold `keep` entries; trees asked for folder by folder are complete."""

    def fault(request: Request, proceed: Proceed) -> Reply:
        reply = proceed(request)
        if reply.status != 200 or "recursive" not in request.query:
            return reply
        tree = reply.json()
        return reply.replace_json({**tree, "tree": tree["tree"][:keep], "truncated": True})

    return fault


def inject_entries(*entries: Mapping[str, Any]) -> Fault:
    """Add entries to a tree's reply, whatever they say; see `entry` and `HOSTILE_PATHS`."""

    def fault(request: Request, proceed: Proceed) -> Reply:
        reply = proceed(request)
        if reply.status != 200:
            return reply
        tree = reply.json()
        return reply.replace_json({**tree, "tree": [*tree["tree"], *entries]})

    return fault


def entry(path: str, oid: str = "0" * 40, *, size: int = 5, mode: str = "100644") -> dict[str, Any]:
    """A tree entry for `inject_entries`."""
    return {"path": path, "mode": mode, "type": "blob", "sha": oid, "size": size}


HOSTILE_PATHS: tuple[str, ...] = (
    "",
    ".",
    "..",
    "../outside.md",
    "docs/../../outside.md",
    "docs/./here.md",
    "docs//double.md",
    "docs/",
    "/etc/passwd.md",
    "\\\\server\\share.md",
    "docs\\..\\..\\outside.md",
    "C:/windows.md",
    ".git/config",
    "nul\0byte.md",
    "line\nbreak.md",
    "bell\x07.md",
    "right-to-left\u202e.md",
    "lone\ud800surrogate.md",
    "d" * 4000 + ".md",
)
"""Paths that no reader should let near its content or its disk."""


def alter_json(change: Callable[[Any], Any]) -> Fault:
    """Replace the reply's JSON by what `change` makes of it."""

    def fault(request: Request, proceed: Proceed) -> Reply:
        reply = proceed(request)
        return reply.replace_json(change(reply.json())) if reply.status < 300 else reply

    return fault


def wrong_blob(text: str = "not what was asked for\n") -> Fault:
    """Blobs come with another text than their id stands for, by REST and by GraphQL alike."""

    def fault(request: Request, proceed: Proceed) -> Reply:
        reply = proceed(request)
        if reply.media_type != "application/json":
            reply.body = text.encode()
            return reply
        body = reply.json()
        if "content" in body:
            body.update(content=text, encoding="utf-8")
        for blob in ((body.get("data") or {}).get("repository") or {}).values():
            if isinstance(blob, dict) and blob.get("text") is not None:
                blob["text"] = text
        return reply.replace_json(body)

    return fault


def malformed_json() -> Fault:
    """A reply whose JSON ends too early, with a right length and a good status."""

    def fault(request: Request, proceed: Proceed) -> Reply:
        reply = proceed(request)
        assert isinstance(reply.body, bytes)
        reply.body = reply.body[: len(reply.body) // 2] or b"{"
        return reply

    return fault


def web_page(code: int = 200) -> Fault:
    """A web page where JSON or an archive was asked for, as proxies and maintenance pages do."""
    page = b"<!doctype html><title>Maintenance</title><p>Back soon."
    return instead(lambda: Reply(code, page, Headers([("Content-Type", "text/html; charset=utf-8")])))


def redirect(to: str, code: int = 302) -> Fault:
    """Send the client elsewhere: another host, a private address. The token must not follow."""
    return instead(lambda: Reply(code, b"", Headers([("Location", to)])))
