"""From the buffer into the database: by a thread of the web process each second, and at its end."""

from __future__ import annotations

import atexit
import logging
import os
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from threading import Event as Signal
from threading import Lock, Thread
from uuid import UUID

from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, close_old_connections, connections

from endpoint.recording.buffer import Buffer
from endpoint.recording.events import Event, cleaned
from endpoint.recording.writing import write
from lib.database import release_connections

logger = logging.getLogger(__name__)

CAPACITY = 20_000
"""Events that wait for the database, at most: some tens of megabytes."""
BATCH = 500
"""Events in one transaction: SQLite lets nobody else write meanwhile."""
EVERY = 1.0
"""Seconds between two flushes."""
PATIENCE = 5.0
"""Seconds that the end of the process waits for the last one."""

buffer = Buffer(CAPACITY)
_writing = Lock()
_starting = Lock()
_stop = Signal()
_thread: Thread | None = None
_process = 0
"""The process whose thread it is: one that was forked has none."""


class Tally:
    """Requests of this process by target and month, recorded and written: what a quota adds to the database's count."""

    def __init__(self) -> None:
        self._recorded: Counter[tuple[UUID, int, int]] = Counter()
        self._written: Counter[tuple[UUID, int, int]] = Counter()
        self._lock = Lock()

    def recorded(self, event: Event) -> None:
        self._add(self._recorded, [event])

    def written(self, events: Sequence[Event]) -> None:
        """Also those that were lost: they wait for nothing any more."""
        self._add(self._written, events)

    def _add(self, numbers: Counter[tuple[UUID, int, int]], events: Sequence[Event]) -> None:
        with self._lock:
            for event in events:
                if event.target is not None and event.answered:
                    at = event.at.astimezone(UTC)
                    numbers[event.target, at.year, at.month] += 1

    def numbers(self, target: UUID, month: datetime) -> tuple[int, int]:
        """(recorded, written) since the process began."""
        with self._lock:
            at = (target, month.year, month.month)
            return self._recorded[at], self._written[at]

    def forget_before(self, month: datetime) -> None:
        with self._lock:
            for numbers in (self._recorded, self._written):
                for at in [at for at in numbers if at[1:] < (month.year, month.month)]:
                    del numbers[at]


tally = Tally()


def record(event: Event) -> None:
    """Note a request: from any thread, without waiting for the database. Never raises for what an event holds."""
    try:
        event = cleaned(event)
    except Exception:
        logger.exception("A request could not be noted")
        buffer.count_lost(1)
        return
    tally.recorded(event)
    buffer.put(event)
    if settings.ROLE == "web":
        start()


def flush() -> int:
    """Write what is in the buffer; how many events. DatabaseError if the database cannot be reached: they stay.

    An event that the database refuses by itself is lost, and does not stop those behind it.
    """
    number = 0
    with _writing:
        while events := buffer.take(BATCH):
            parts = [events]
            try:
                while parts:
                    number += _write_first(parts)
            except BaseException:
                buffer.give_back([event for part in parts for event in part])
                raise
    return number


def _write_first(parts: list[list[Event]]) -> int:
    """The first part, gone from the list once it is written, or in two halves there if something in it is refused."""
    part = parts[0]
    try:
        write(part)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        half = len(part) // 2
        parts[:1] = [part[:half], part[half:]] if half else []
        if not half:
            logger.warning("A request could not be logged: %s", type(error).__name__)
            buffer.count_lost(1)
            tally.written(part)
        return 0
    parts.pop(0)
    tally.written(part)
    return len(part)


def start() -> None:
    """Begin to flush each second, unless this process does so already."""
    global _thread, _process
    if _thread is not None and _process == os.getpid() and _thread.is_alive():
        return
    with _starting:
        if _thread is not None and _process == os.getpid() and _thread.is_alive():
            return
        if _process != os.getpid():
            atexit.register(stop)
        _stop.clear()
        _process = os.getpid()
        _thread = Thread(target=_keep_flushing, name="request-log", daemon=True)
        _thread.start()


def stop() -> None:
    """Flush a last time and end the thread. What cannot be written within some seconds is lost, and said so."""
    global _thread
    thread, _thread = _thread, None
    if thread is None or _process != os.getpid():
        return
    _stop.set()
    thread.join(PATIENCE)
    if left := len(buffer):
        logger.warning("%s requests are not in the request log: the database did not take them in time", left)


def _keep_flushing() -> None:
    pause = EVERY
    while True:
        last = _stop.wait(pause)
        try:
            close_old_connections()
            flush()
            pause = EVERY
        except Error as error:
            logger.warning("The request log cannot be written (%s): %s wait", type(error).__name__, len(buffer))
            pause = min(pause * 2, 30.0)
            connections.close_all()
        except Exception:
            logger.exception("The request log cannot be written: %s wait", len(buffer))
            pause = min(pause * 2, 30.0)
        finally:
            release_connections()
        if last:
            connections.close_all()
            return
