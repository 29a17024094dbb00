"""The line between client and forge: slow, cut; and moments to act in."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

from tests.wire.faults.arming import Fault
from tests.wire.messages import CutConnection, Proceed, Reply, Request, json_reply


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


def cut_request(after: int = 1000) -> Fault:
    """The line drops when `after` bytes of what is sent have arrived: the forge sees these, and nobody its reply."""

    def fault(request: Request, proceed: Proceed) -> Reply:
        reply = proceed(dataclasses.replace(request, body=request.body[:after]))
        if reply.close:
            reply.close()
        raise CutConnection

    return fault


def fail_after_work(code: int = 500) -> Fault:
    """The forge does what was asked, and then says that it failed."""

    def fault(request: Request, proceed: Proceed) -> Reply:
        reply = proceed(request)
        if reply.close:
            reply.close()
        return json_reply({"message": "Server Error", "status": str(code)}, code)

    return fault


def cut_body(after: int = 1000) -> Fault:
    """The connection closes when `after` bytes of the body were sent, in the middle of an archive for one."""

    def fault(request: Request, proceed: Proceed) -> Reply:
        reply = proceed(request)
        reply.cut_after = after
        return reply

    return fault


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
