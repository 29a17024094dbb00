"""Paging that lies."""

from __future__ import annotations

import dataclasses

from tests.wire.faults.arming import Fault
from tests.wire.faults.lies import alter_json
from tests.wire.messages import Proceed, Reply, Request


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
