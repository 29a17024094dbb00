"""Tokens that are made when needed and kept in memory only: of a GitHub App's installation, of an OAuth consumer.

Each process keeps its own; of many that ask for one at the same moment, one asks the forge and the others wait for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from forges.clients.base import Credential
from forges.clients.oauth import Grant
from forges.renewing import renew_at

_MOST = 1000
"""Tokens kept; beyond, the one that was asked for first goes."""


@dataclass(slots=True)
class _Kept:
    token: str = field(default="", repr=False)
    renew_at: datetime | None = None
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def is_good(self, refused: str) -> bool:
        fresh = self.renew_at is None or timezone.now() < self.renew_at
        return bool(self.token) and self.token != refused and fresh


class Mint:
    def __init__(self) -> None:
        self._kept: dict[Hashable, _Kept] = {}
        self._lock = threading.Lock()

    def credential(self, key: Hashable, make: Callable[[], Grant], *, refused: str = "") -> Credential:
        """The token kept under `key`, or a new one where there is none, it is about to expire, or is the `refused` one.

        Raises what `make` does; nothing is kept then.
        """
        kept = self._entry(key)
        with kept.lock:
            if not kept.is_good(refused):
                kept.token, kept.renew_at = "", None
                grant = make()
                kept.token, kept.renew_at = grant.access_token, renew_at(grant.expires_at, timezone.now())
            return Credential(kept.token, oauth=True)

    def _entry(self, key: Hashable) -> _Kept:
        with self._lock:
            if key not in self._kept and len(self._kept) >= _MOST:
                self._kept.pop(next(iter(self._kept)))
            return self._kept.setdefault(key, _Kept())

    def forget(self) -> None:
        with self._lock:
            self._kept.clear()


mint = Mint()
"""This process's."""
