"""Events on their way to the database: as many as there is room for, taken in batches. Pure, for many threads.

When it is full the oldest go: whoever looks wants to know what happens now. How many went is counted and told.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from threading import Lock

from endpoint.recording.events import Event


class Buffer:
    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.lost = 0
        """Events that were never written, since the process began."""
        self._events: deque[Event] = deque()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._events)

    def put(self, event: Event) -> None:
        with self._lock:
            if len(self._events) >= self.capacity:
                self._events.popleft()
                self.lost += 1
            self._events.append(event)

    def take(self, most: int) -> list[Event]:
        """The oldest, no more than `most`."""
        with self._lock:
            return [self._events.popleft() for _ in range(min(most, len(self._events)))]

    def give_back(self, events: Sequence[Event]) -> None:
        """What could not be written, in front again; of it, what finds no room any more is lost."""
        with self._lock:
            room = max(self.capacity - len(self._events), 0)
            kept = events[len(events) - min(room, len(events)) :]
            self.lost += len(events) - len(kept)
            self._events.extendleft(reversed(kept))

    def count_lost(self, number: int) -> None:
        with self._lock:
            self.lost += number
