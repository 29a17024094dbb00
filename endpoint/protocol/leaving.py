"""Clients that go before they are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.types import Receive

UNWATCHED = 0.05
"""Seconds in which nobody looks whether the client is still there: most requests are answered by then."""


class Gone(Exception):
    """The client closed the connection before it was answered."""


class Watch:
    """Of one request, whose body was read."""

    def __init__(self, receive: Receive, answered: Callable[[], bool]) -> None:
        self._receive = receive
        self._answered = answered
        self.gone = False
        """The client closed the connection, and `limit` is over because of that."""

    @contextmanager
    def until(self, limit: asyncio.Timeout) -> Iterator[None]:
        """Within, the time limit is over once the client has closed the connection."""
        loop = asyncio.get_running_loop()
        tasks: list[asyncio.Task[None]] = []
        starting = loop.call_later(UNWATCHED, lambda: tasks.append(loop.create_task(self._look(limit))))
        try:
            yield
        finally:
            starting.cancel()
            for task in tasks:
                task.cancel()

    async def _look(self, limit: asyncio.Timeout) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        # A server of HTTP says the same of a client that has its answer, and stays.
        if not (limit.expired() or self._answered()):
            self.gone = True
            limit.reschedule(asyncio.get_running_loop().time())
