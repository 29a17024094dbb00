"""Turns in a few threads, each waited for by an event loop. Pure.

Only one thread at a time runs Python. Where a turn is short, handing the interpreter to and fro takes longer than the
turn: each time that it asks the database, and once more when the loop is told. So whoever wants a turn may wait for it
on the spot for some milliseconds, in which the loop does nothing else; then it costs two changes of thread. The thread
that ended its turn last has the next one: its connection and its caches are warm, and of most others there is none.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Thread
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Turn(Generic[T]):
    """Something to be done once, in a thread, with the context variables of whoever wants it."""

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._context = contextvars.copy_context()
        self._open = Lock()
        self._open.acquire()
        self._tell: Callable[[], None] | None = None
        self._given_up = False
        self._result: T
        self._error: BaseException | None = None

    def take(self) -> None:
        """Do it, unless nobody waits for it any more; in a thread."""
        if self._given_up:
            return
        try:
            self._result = self._context.run(self._function)
        except BaseException as error:  # for whoever wanted it
            self._error = error

    def end(self, error: BaseException | None = None) -> None:
        """Whoever waits has it now, or the reason why it was never taken; in any thread."""
        self._error = error or self._error
        self._open.release()
        # Looked at after that: whoever asks to be told looks afterwards whether it is over.
        if self._tell is not None:
            self._tell()

    async def result(self, at_once: float = 0.0) -> T:
        """What it gave, or raised. The loop waits for it without doing anything else for `at_once` seconds at most.

        Cancelled before its turn, it is never done.
        """
        try:
            if not self._is_over(at_once):
                await self._told()
            if self._error is not None:
                raise self._error
            return self._result
        except asyncio.CancelledError:
            self._given_up = True
            raise
        finally:
            self._error = None  # which holds the frames that hold this

    async def _told(self) -> None:
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()

        def tell() -> None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(lambda: None if over.done() else over.set_result(None))

        self._tell = tell
        if not self._is_over():
            await over

    def _is_over(self, seconds: float = 0.0) -> bool:
        return self._open.acquire(timeout=seconds)


class Threads:
    """At most so many, each begun when all others are busy."""

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._changing = Lock()
        self._waiting: deque[Turn[Any]] = deque()
        self._idle: list[_Worker] = []
        self._all: list[_Worker] = []
        self._closed = False

    def begin(self, turn: Turn[Any]) -> None:
        """Let it be taken as soon as a thread is free. Raises RuntimeError once they are closed."""
        with self._changing:
            if self._closed:
                raise RuntimeError("These threads have ended.")
            if self._idle:
                worker = self._idle.pop()
            elif len(self._all) < self._size:
                worker = _Worker(f"{self._name}_{len(self._all)}", self._following)
                self._all.append(worker)
            else:
                self._waiting.append(turn)
                return
        worker.give(turn)

    def close(self) -> None:
        """End them when they have done what they are at; what waits for its turn is cancelled."""
        with self._changing:
            self._closed = True
            waiting, self._waiting = list(self._waiting), deque()
            idle, self._idle = self._idle, []
        for turn in waiting:
            turn.end(asyncio.CancelledError())
        for worker in idle:
            worker.give(None)
        for worker in self._all:
            worker.join()

    def _following(self, worker: _Worker) -> Turn[Any] | None:
        """The next turn of one that has done its own; None to wait for one, or to end."""
        with self._changing:
            if self._waiting:
                return self._waiting.popleft()
            if self._closed:
                worker.give(None)
            else:
                self._idle.append(worker)
            return None


class _Worker:
    """A thread, and the turn that it is given while it is idle."""

    def __init__(self, name: str, following: Callable[[_Worker], Turn[Any] | None]) -> None:
        self._following = following
        self._turn: Turn[Any] | None = None
        self._given = Lock()
        self._given.acquire()
        self._thread = Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def give(self, turn: Turn[Any] | None) -> None:
        """Only to one that is idle; None ends it."""
        self._turn = turn
        self._given.release()

    def join(self) -> None:
        self._thread.join()

    def _work(self) -> None:
        while True:
            self._given.acquire()
            turn, self._turn = self._turn, None
            if turn is None:
                return
            while turn is not None:
                turn.take()
                # Idle before anybody knows that this one is over: who wants another has it from this thread again.
                following = self._following(self)
                turn.end()
                turn = following
