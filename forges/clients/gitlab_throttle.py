"""GitLab hands out few archives a minute: whoever would ask for one more waits here, or learns when to come back.

https://docs.gitlab.com/administration/settings/import_and_export_settings/ and
https://docs.gitlab.com/api/repositories/#get-file-archive: five a minute for each user.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta

from forges.clients.base import Credential
from forges.clients.errors import RateLimited
from lib import egress

ARCHIVES, PERIOD = 5, 60.0
"""Archives that one credential gets in so many seconds."""
_PATIENCE = 3.0
"""Seconds that are waited for here; a longer wait is the caller's, who holds a worker or keeps a person waiting."""


class Turns:
    """At most `most` in any `period` seconds for each key. Pure: the clock is handed in. Safe among threads."""

    def __init__(self, most: int, period: float) -> None:
        self._most, self._period = most, period
        self._taken: dict[Hashable, deque[float]] = {}
        self._lock = threading.Lock()

    def take(self, key: Hashable, now: float) -> float:
        """0.0 and a turn is taken, or the seconds until there is one."""
        with self._lock:
            self._forget(now)
            taken = self._taken.setdefault(key, deque(maxlen=self._most))
            if len(taken) == self._most:
                return taken[0] + self._period - now
            taken.append(now)
            return 0.0

    def _forget(self, now: float) -> None:
        for key, taken in list(self._taken.items()):
            while taken and taken[0] + self._period <= now:
                taken.popleft()
            if not taken:
                del self._taken[key]


_TURNS = Turns(ARCHIVES, PERIOD)


def await_archive(
    base_url: str,
    credential: Credential,
    *,
    end: float,
    turns: Turns = _TURNS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Returns once this process may ask the server for an archive; RateLimited where that is not soon, or after `end`.

    For those who have a token: without one GitLab counts for each project, and allows many more. No token is kept, only
    its digest.
    """
    origin = egress.origin(base_url)
    key = origin, hashlib.sha256(credential.token.encode()).digest()
    while wait := turns.take(key, clock()):
        if wait > _PATIENCE or clock() + wait >= end:
            raise RateLimited(
                f"{origin[1]} hands out {ARCHIVES} archives a minute, and they are used up.",
                reset_at=datetime.now(UTC) + timedelta(seconds=wait),
            )
        sleep(wait)
