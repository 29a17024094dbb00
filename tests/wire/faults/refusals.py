"""Refusals, with the headers that tell them apart."""

from __future__ import annotations

import time

from tests.wire.faults.arming import Fault, instead
from tests.wire.messages import Proceed, Reply, Request, json_reply


def status(code: int, message: str = "Server Error", **headers: str) -> Fault:
    """Answer with a bare status; `times=2` with it is "fails twice, then works". `_` in header names becomes `-`."""
    return instead(lambda: json_reply({"message": message, "status": str(code)}, code, **headers))


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
    return instead(
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
