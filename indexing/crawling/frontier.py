"""What is still to be asked in a crawl. `Crawler` calls it in the thread of whoever iterates over it, in no other."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Protocol

from indexing.crawling.model import Known


class Frontier(Protocol):
    """The addresses of one crawl, first in, first out. All of them canonical, at most 2048 characters long."""

    def add(self, urls: Sequence[str], depth: int) -> int:
        """Note these as reached in this crawl, in their order; returns how many were not before.

        The crawler asks for an address only once while it runs, but after a crash it finds the same ones again.
        """
        ...

    def take(self) -> tuple[str, int] | None:
        """An address that was not taken since this object was made, nor visited in this crawl before; None: none now.

        What is taken and not visited is to be taken again by the next object, after a crash or a HeldUp.
        """
        ...

    def known(self, url: str) -> Known | None:
        """What the last answer with a body came with, where that body is still in the index: asked conditionally."""
        ...

    @property
    def reached(self) -> int:
        """Addresses reached in this crawl, visited ones included."""
        ...


class MemoryFrontier:
    """A frontier that lives as long as its crawl. `before` is what an earlier one was told."""

    def __init__(self, before: Mapping[str, Known] | None = None) -> None:
        self._before = before or {}
        self._depths: dict[str, int] = {}
        self._waiting: deque[str] = deque()

    def add(self, urls: Sequence[str], depth: int) -> int:
        fresh = [url for url in dict.fromkeys(urls) if url not in self._depths]
        self._depths.update(dict.fromkeys(fresh, depth))
        self._waiting.extend(fresh)
        return len(fresh)

    def take(self) -> tuple[str, int] | None:
        if not self._waiting:
            return None
        url = self._waiting.popleft()
        return url, self._depths[url]

    def known(self, url: str) -> Known | None:
        return self._before.get(url)

    @property
    def reached(self) -> int:
        return len(self._depths)
