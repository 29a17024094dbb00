"""Where what a request needs of the database and of others is done: in two bounded sets of threads.

The protocol runs on the event loop, the ORM does not. *Quick* threads only ask the database; *patient* ones may wait
for an upstream API. A thread holds at most one database connection, so the two bounds bound the connections, too, and
while all patient threads wait for a slow upstream, searching and reading go on in the quick ones (ADR 0018).
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar
from uuid import UUID
from weakref import WeakValueDictionary

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection, connections

from endpoint.protocol.turns import Threads, Turn

P = ParamSpec("P")
T = TypeVar("T")

AT_ONCE = 0.005
"""Seconds that the event loop waits on the spot for what a quick thread does, where the database is a file."""

_sets: dict[bool, Threads] = {}
_making = threading.Lock()
_turns: WeakValueDictionary[tuple[int, UUID], asyncio.Semaphore] = WeakValueDictionary()
"""Of an event loop and a target, for as long as somebody has one or waits."""

here: contextvars.ContextVar[bool] = contextvars.ContextVar("millrace_here", default=False)
"""Set where synchronous code asks (`inside.py`): then everything is done in its own thread, and transaction."""


async def run(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `function` returns or raises, done in a quick thread. Cancelled before its turn, it is never done."""
    return await _run(False, partial(function, *args, **kwargs))


async def run_shortly(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same of what mostly takes less than AT_ONCE. With a database elsewhere the loop does not wait for it."""
    return await _run(False, partial(function, *args, **kwargs), AT_ONCE if connection.vendor == "sqlite" else 0.0)


async def run_patiently(of: UUID, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same in a patient thread, for the server or toolkit `of`: `function` may wait for others.

    One target has half of these threads at most, so that its slow upstream is not the others' as well. A thread cannot
    be interrupted: when the request is cancelled meanwhile nobody waits for the function any more, and it ends by its
    own time limit (CALL_TOTAL_TIMEOUT).
    """
    if here.get():
        return await _run(True, partial(function, *args, **kwargs))
    key = (id(asyncio.get_running_loop()), of)
    turns = _turns.get(key)
    if turns is None:
        turns = _turns[key] = asyncio.Semaphore(max(settings.MCP_PATIENT_THREADS // 2, 1))
    async with turns:
        return await _run(True, partial(function, *args, **kwargs))


def close() -> None:
    """Let the threads end, when they have done what they are at."""
    with _making:
        ending = list(_sets.values())
        _sets.clear()
    for each in ending:
        each.close()


async def _run(patient: bool, function: Callable[[], T], at_once: float = 0.0) -> T:
    if here.get():
        return await sync_to_async(function, thread_sensitive=True)()
    turn = Turn(partial(_done_with_the_database, function, patient))
    _threads(patient).begin(turn)
    return await turn.result(at_once)


def _threads(patient: bool) -> Threads:
    with _making:
        if patient not in _sets:
            size = settings.MCP_PATIENT_THREADS if patient else settings.MCP_THREADS
            _sets[patient] = Threads(size, "mcp-patient" if patient else "mcp-quick")
        return _sets[patient]


def _done_with_the_database(function: Callable[[], T], patient: bool) -> T:
    try:
        return function()
    finally:
        for connection in connections.all(initialized_only=True):
            # SQLite's connections take ten times as long to open as to be asked something, and nothing limits them.
            # The few quick threads keep theirs; as each may have a cache of 32 MB, the many patient ones do not.
            if connection.vendor != "sqlite" or patient:
                connection.close()
