"""What can go wrong between a client and a forge, on demand.

A fault is a function `(request, proceed) -> reply`: it may answer itself, act before it proceeds, alter the true reply,
or raise `CutConnection`. Arm one with `server.fault(...)`::

    with forge.fault(faults.status(502), on="GET */git/trees/*", times=2):
        ...

Replies that a fault made or altered are not checked against the contract: they are what a forge should not send.
"""

from __future__ import annotations

import dataclasses
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.wire.messages import CutConnection, Headers, Proceed, Reply, Request, json_reply

Fault = Callable[[Request, Proceed], Reply]


class ArmedFault:
    """A fault with the requests it is meant for. `hits` counts those it was let loose on."""

    def __init__(self, fault: Fault, on: str, *, skip: int, times: int | None) -> None:
        self.hits = 0
        self._fault, self._on, self._skip, self._times = fault, on, skip, times
        self._seen = 0
        self._lock = threading.Lock()

    def before(self, proceed: Proceed) -> Proceed:
        def guarded(request: Request) -> Reply:
            return self._fault(request, proceed) if self._takes(request) else proceed(request)

        return guarded

    def _takes(self, request: Request) -> bool:
        if not request.matches(self._on):
            return False
        with self._lock:
            self._seen += 1
            if self._seen <= self._skip or (self._times is not None and self.hits >= self._times):
                return False
            self.hits += 1
            return True


def _instead(make: Callable[[], Reply]) -> Fault:
    """A fault that never asks for the true reply."""

    def fault(request: Request, proceed: Proceed) -> Reply:
        return make()

    return fault


# -- refusals ----------------------------------------------------------------------------------------------------------


def status(code: int, message: str = "Server Error", **headers: str) -> Fault:
    """Answer with a bare status; `times=2` with it is "fails twice, then works". `_` in header names becomes `-`."""
    return _instead(lambda: json_reply({"message": message, "status": str(code)}, code, **headers))


def unauthorized() -> Fault:
    """The token is no longer good, although it was a moment ago."""
    return status(401, "Bad credentials")


def not_found() -> Fault:
    return status(404, "Not Found")


def missing_scope(needed: str = "repo") -> Fault:
    """403 that is not about rates: plenty left, but the token lacks a scope or permission."""

    def fault(request: Request, proceed: Proceed) -> Reply:
        reply = json_reply({"message": "Resource not accessible by personal access token", "status": "403"}, 403)
        reply.headers["X-Accepted-OAuth-Scopes"] = needed
        reply.headers["X-OAuth-Scopes"] = ""
        return _with_rate(reply, remaining=4000, reset_in=1800)

    return fault


def rate_limited(*, reset_in: int = 600) -> Fault:
    """403 of the hourly limit: nothing remaining, and when it resets (seconds from now)."""
    return _instead(
        lambda: _with_rate(
            json_reply({"message": "API rate limit exceeded for user ID 1001.", "status": "403"}, 403),
            remaining=0,
            reset_in=reset_in,
        )
    )


def secondary_limited(*, retry_after: int | None = 60, code: int = 429) -> Fault:
    """403 or 429 of the secondary limit: plenty remaining, only Retry-After (seconds) says when; None leaves it out."""

    def fault(request: Request, proceed: Proceed) -> Reply:
        message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
        reply = json_reply({"message": message, "status": str(code)}, code)
        if retry_after is not None:
            reply.headers["Retry-After"] = str(retry_after)
        return _with_rate(reply, remaining=4000, reset_in=1800)

    return fault


def _with_rate(reply: Reply, *, remaining: int, reset_in: int) -> Reply:
    reply.headers["X-RateLimit-Limit"] = "5000"
    reply.headers["X-RateLimit-Remaining"] = str(remaining)
    reply.headers["X-RateLimit-Used"] = str(5000 - remaining)
    reply.headers["X-RateLimit-Reset"] = str(int(time.time()) + reset_in)
    reply.headers["X-RateLimit-Resource"] = "core"
    return reply


# -- the line ----------------------------------------------------------------------------------------------------------


def slow(seconds: float) -> Fault:
    """Answer, but only after a while."""

    def fault(request: Request, proceed: Proceed) -> Reply:
        request.pause(seconds)
        return proceed(request)

    return fault


def slow_body(*, pause: float, piece: int = 64) -> Fault:
    """Answer at once, then trickle: `piece` bytes, a pause of so many seconds, and so on."""

    def trickle(request: Request, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for whole in pieces:
            for start in range(0, len(whole), piece):
                yield whole[start : start + piece]
                request.pause(pause)

    def fault(request: Request, proceed: Proceed) -> Reply:
        reply = proceed(request)
        reply.body = trickle(request, iter([reply.body]) if isinstance(reply.body, bytes) else reply.body)
        return reply

    return fault


def cut_before_reply() -> Fault:
    """The connection closes before a byte of the reply."""

    def fault(request: Request, proceed: Proceed) -> Reply:
        raise CutConnection

    return fault


def cut_after_work() -> Fault:
    """The forge does what was asked, but its reply never arrives."""

    def fault(request: Request, proceed: Proceed) -> Reply:
        reply = proceed(request)
        if reply.close:
            reply.close()
        raise CutConnection

    return fault


def cut_body(after: int = 1000) -> Fault:
    """The connection closes when `after` bytes of the body were sent, in the middle of an archive for one."""

    def fault(request: Request, proceed: Proceed) -> Reply:
        reply = proceed(request)
        reply.cut_after = after
        return reply

    return fault


# -- moments -----------------------------------------------------------------------------------------------------------


def first(action: Callable[[], object]) -> Fault:
    """Do something just before the request is answered, such as a force-push between listing and fetching::

    forge.fault(faults.first(lambda: repo.git.force_push({"a.md": "other"})), on="GET */tarball/*", times=1)
    """

    def fault(request: Request, proceed: Proceed) -> Reply:
        action()
        return proceed(request)

    return fault


def afterwards(action: Callable[[], object]) -> Fault:
    """Do something when the reply is made but not yet sent: a push right after the head was read."""

    def fault(request: Request, proceed: Proceed) -> Reply:
        reply = proceed(request)
        action()
        return reply

    return fault


# -- lies --------------------------------------------------------------------------------------------------------------


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
    return _instead(lambda: Reply(code, page, Headers([("Content-Type", "text/html; charset=utf-8")])))


def redirect(to: str, code: int = 302) -> Fault:
    """Send the client elsewhere: another host, a private address. The token must not follow."""
    return _instead(lambda: Reply(code, b"", Headers([("Location", to)])))


# -- paging that lies --------------------------------------------------------------------------------------------------


def pages_without_end() -> Fault:
    """Each page says that there is a next one, for ever, with the same items under new page numbers."""

    def fault(request: Request, proceed: Proceed) -> Reply:
        page = int(request.query.get("page", "1"))
        first_page = dataclasses.replace(request, query={**request.query, "page": "1"})
        reply = proceed(first_page)
        reply.headers["Link"] = f'<{request.base}{request.path}?page={page + 1}>; rel="next"'
        return reply

    return fault


def page_that_is_its_own_next() -> Fault:
    """The next page is this page."""

    def fault(request: Request, proceed: Proceed) -> Reply:
        reply = proceed(request)
        reply.headers["Link"] = f'<{request.origin}{request.target}>; rel="next"'
        return reply

    return fault


def next_page_on(host: str) -> Fault:
    """The next page is at another host (`http://host:port`). The token must not follow."""

    def fault(request: Request, proceed: Proceed) -> Reply:
        reply = proceed(request)
        reply.headers["Link"] = f'<{host}{request.target}>; rel="next"'
        return reply

    return fault


def pages_with_holes(drop: int = 1) -> Fault:
    """Each page lacks its last `drop` items and says nothing of it."""
    return alter_json(lambda items: items[:-drop])


# -- archives ----------------------------------------------------------------------------------------------------------


def archive_bomb(*, megabytes: int | None = None, path: str = "bomb-0000000/big.md") -> Fault:
    """A tar.gz of one file of zeros that unpacks to so many megabytes (None: no end) at a thousandth of that sent."""

    def zeros() -> Iterator[bytes]:
        packer = zlib.compressobj(9, wbits=31)
        size = (megabytes or 7_000) << 20
        head = packer.compress(_tar_header(path, size))
        yield head
        block = bytes(1 << 20)
        sent = 0
        while megabytes is None or sent < megabytes:
            if piece := packer.compress(block):
                yield piece
            sent += 1
        yield packer.compress(bytes(1024)) + packer.flush()

    return _instead(lambda: Reply(200, zeros(), Headers([("Content-Type", "application/x-gzip")])))


def hostile_archive(*names: str, prefix: str = "hostile-0000000/") -> Fault:
    """A tar.gz whose members have exactly these names (after the prefix), with the text `hostile`."""

    def members() -> Iterator[bytes]:
        packer = zlib.compressobj(wbits=31)
        for name in names:
            yield packer.compress(_tar_header(prefix + name, 8) + b"hostile\n".ljust(512, b"\0"))
        yield packer.compress(bytes(1024)) + packer.flush()

    return _instead(lambda: Reply(200, members(), Headers([("Content-Type", "application/x-gzip")])))


def _tar_header(path: str, size: int) -> bytes:
    name = path.encode("utf-8", "surrogateescape")[:100]
    fields = [
        name.ljust(100, b"\0"),
        b"0000644\0",
        b"0000000\0" * 2,
        b"%011o\0" % size,
        b"%011o\0" % 1_767_225_600,
        b" " * 8,
        b"0",
        bytes(100),
        b"ustar\x0000",
        bytes(247),
    ]
    header = b"".join(fields)[:512].ljust(512, b"\0")
    return header[:148] + b"%06o\0 " % sum(header) + header[156:]
