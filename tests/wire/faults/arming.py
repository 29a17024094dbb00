"""What a fault is, and when it strikes."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tests.wire.messages import Proceed, Reply, Request

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


def instead(make: Callable[[], Reply]) -> Fault:
    """A fault that never asks for the true reply."""

    def fault(request: Request, proceed: Proceed) -> Reply:
        return make()

    return fault
