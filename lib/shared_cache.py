"""The cache that several processes share: a Redis, named by CACHE_URL. While it is away each process has its own.

Nothing is lost with what is in a cache: it saves work, and counts who asks too often. So nobody's request fails for it.
While Redis cannot be reached each process does as it does where no cache is shared: rates are still kept, by each
process for itself. Redis is tried again every few seconds, by one request, which waits no longer than `SECONDS`.
"""

from __future__ import annotations

import logging
import re
import time
from functools import cached_property, partialmethod
from threading import Lock
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

SECONDS = 1.0
"""That Redis has to take a connection, and again to answer."""
AGAIN = 5.0
"""Seconds until one that did not answer is tried again."""
TELL = 60.0
"""Seconds between two lines in the log that say so."""


class _Standing:
    """Of one Redis, in this process."""

    def __init__(self, client: RedisCacheClient) -> None:
        self.client = client
        """One for all threads, with its connections: Django would make another one, and connect, for each request."""
        self.away = False
        self._told = False
        self._again = self._tell = 0.0
        self._lock = Lock()

    def is_asked(self) -> bool:
        """Whether to ask Redis now; who is told so while it is away tries for all others."""
        if not self.away:
            return True
        now = time.monotonic()
        if now < self._again:
            return False
        self._again = now + AGAIN
        return True

    def failed(self, error: Exception) -> None:
        with self._lock:
            now = time.monotonic()
            self.away, self._again = True, now + AGAIN
            if now < self._tell:
                return
            self._told, self._tell = True, now + TELL
        logger.warning(
            "The cache of CACHE_URL does not answer (%s). Until it does, each process counts rates and keeps answers "
            "by itself.",
            error,
        )

    def answered(self) -> None:
        if not self.away:
            return
        with self._lock:
            self.away, told, self._told = False, self._told, False
        if told:
            logger.warning("The cache of CACHE_URL answers again.")


_standings: dict[tuple[str, ...], _Standing] = {}
"""By where they are. An instance of a cache lives as long as a request."""


class SharedCache(RedisCache):
    """Django's, with a time limit, and LocMemCache in its place while Redis is away."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._where = tuple(re.split("[;,]", server) if isinstance(server, str) else server)
        self._how = {"socket_connect_timeout": SECONDS, "socket_timeout": SECONDS, **params.get("OPTIONS", {})}
        self._own = LocMemCache("shared-cache-away", {**params, "OPTIONS": {"MAX_ENTRIES": 100_000}})

    @cached_property
    def _cache(self) -> RedisCacheClient:
        return self._standing.client

    @cached_property
    def _standing(self) -> _Standing:
        found = _standings.get(self._where)
        return found or _standings.setdefault(self._where, _Standing(RedisCacheClient([*self._where], **self._how)))

    def answers(self) -> bool:
        """Whether Redis does, as far as was seen in the last seconds."""
        self.get("shared-cache-answers")
        return not self._standing.away

    def _ask(self, method: str, *args: Any, **kwargs: Any) -> Any:
        standing = self._standing
        if standing.is_asked():
            try:
                found = getattr(RedisCache, method)(self, *args, **kwargs)
            except (RedisError, OSError) as error:
                standing.failed(error)
            else:
                standing.answered()
                return found
        return getattr(self._own, method)(*args, **kwargs)

    add = partialmethod(_ask, "add")
    get = partialmethod(_ask, "get")
    set = partialmethod(_ask, "set")
    touch = partialmethod(_ask, "touch")
    delete = partialmethod(_ask, "delete")
    get_many = partialmethod(_ask, "get_many")
    has_key = partialmethod(_ask, "has_key")
    incr = partialmethod(_ask, "incr")
    set_many = partialmethod(_ask, "set_many")
    delete_many = partialmethod(_ask, "delete_many")
    clear = partialmethod(_ask, "clear")


def answers() -> bool:
    """Whether the cache of this installation does; one that is each process's own always does."""
    shared = caches["default"]
    return shared.answers() if isinstance(shared, SharedCache) else True
