"""How long a client may still take: one end for everything that it does, whatever each request may take by itself."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from forges.clients.errors import OutOfTime, Unavailable


class Clock:
    """`seconds` from `start` on; None for a client that nobody waits for."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = math.inf if seconds is None else seconds
        self._end = math.inf
        self.start()

    def start(self) -> None:
        self._end = time.monotonic() + self._seconds

    def end(self) -> float:
        """On the clock of time.monotonic(); infinity without one."""
        return self._end

    def check(self, host: str) -> None:
        """OutOfTime once the end has come."""
        if time.monotonic() >= self._end:
            raise OutOfTime(f"{host} did not answer in time.")

    @contextmanager
    def running(self, host: str) -> Iterator[None]:
        """Around a request: none begins after the end, and one that was cut short by it says so."""
        self.check(host)
        try:
            yield
        except Unavailable:
            self.check(host)
            raise
