"""How quickly a site is asked: so many at once, so long between two, and not at all while it wants to be left alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime

from indexing.crawling.model import Limits


class Stopped(Exception):
    """The crawl is over; nothing more is asked."""


class Pace:
    """Shared by the threads of one crawl."""

    def __init__(self, limits: Limits) -> None:
        self.delay = limits.delay
        self._most = self._width = max(1, limits.concurrency)
        self._busy = 0
        self._next = self._held_until = 0.0
        self._answers = 0
        self._stopped = False
        self._changed = threading.Condition()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Around one request: begins when it may be sent. Raises Stopped."""
        with self._changed:
            while True:
                if self._stopped:
                    raise Stopped
                full = self._busy >= self._width
                wait = max(self._next, self._held_until) - time.monotonic()
                if not full and wait <= 0:
                    break
                self._changed.wait(None if full else wait)
            self._busy += 1
            self._next = time.monotonic() + self.delay
        try:
            yield
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def hold(self, seconds: float) -> None:
        """Nobody asks for so long, and half as many at once afterwards."""
        with self._changed:
            now = time.monotonic()
            if now >= self._held_until:  # of several told at the same moment the first counts
                self._width = max(1, self._width // 2)
            self._held_until = max(self._held_until, now + seconds)

    def answered(self) -> None:
        """A page came: after ten of them one more at once is tried again."""
        with self._changed:
            self._answers += 1
            if self._width < self._most and self._answers % 10 == 0:
                self._width += 1
                self._changed.notify_all()

    @property
    def answers(self) -> int:
        """How many pages came so far."""
        return self._answers

    def sleep(self, seconds: float) -> None:
        """Of one thread. Raises Stopped."""
        end = time.monotonic() + seconds
        with self._changed:
            while not self._stopped and (left := end - time.monotonic()) > 0:
                self._changed.wait(left)
            if self._stopped:
                raise Stopped

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()


_SURELY_A_MOMENT = 1_000_000_000.0
"""Seconds since the epoch (2001): no limit is for so long."""


def retry_after(value: str) -> float | None:
    """Seconds from now that a Retry-After header asks for (RFC 9110, 10.2.3); None for none, or one that is none."""
    text = value.strip()
    if text.isdecimal() and text.isascii():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError, OSError):
        return None


def reset_after(value: str) -> float | None:
    """Seconds from now that an X-RateLimit-Reset names: since the epoch, as at GitHub, or from now, as elsewhere."""
    text = value.strip()
    if not (text.isdecimal() and text.isascii()):
        return None
    number = float(text[:11])
    return number if number < _SURELY_A_MOMENT else max(0.0, number - time.time())
