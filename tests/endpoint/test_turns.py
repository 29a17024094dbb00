"""Turns in threads: how many there are, which thread has the next one, and what becomes of those that nobody wants."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import pytest

from endpoint.protocol.turns import Threads, Turn

WHO: ContextVar[str] = ContextVar("who", default="nobody")


@pytest.fixture
def threads() -> Iterator[Threads]:
    found = Threads(2, "tested")
    yield found
    found.close()


def _thread() -> str:
    return threading.current_thread().name


def _slowly() -> str:
    time.sleep(0.01)
    return _thread()


@pytest.mark.parametrize("at_once", [0.0, 5.0])
def test_a_turn_gives_what_its_function_does_with_the_callers_context(threads: Threads, at_once: float) -> None:
    async def ask() -> tuple[str, str]:
        WHO.set("alice")
        said, failing = Turn(WHO.get), Turn(lambda: [0][1])
        threads.begin(said)
        threads.begin(failing)
        with pytest.raises(IndexError):
            await failing.result(at_once)
        return await said.result(at_once), WHO.get()

    assert asyncio.run(ask()) == ("alice", "alice")


def test_one_after_the_other_is_done_in_one_thread_and_at_once_in_two_at_most(threads: Threads) -> None:
    async def ask(*, together: int) -> set[str]:
        turns = [Turn(_slowly) for _ in range(together)]
        for turn in turns:
            threads.begin(turn)
        return {await turn.result() for turn in turns}

    async def work() -> tuple[set[str], set[str]]:
        return set().union(*[await ask(together=1) for _ in range(20)]), await ask(together=20)

    alone, crowd = asyncio.run(work())
    assert alone == {"tested_0"}
    assert crowd == {"tested_0", "tested_1"}


def test_the_loop_does_nothing_else_for_as_long_as_it_waits_on_the_spot_and_goes_on_then(threads: Threads) -> None:
    going_on = threading.Event()

    async def work() -> tuple[str, bool]:
        turn = Turn(lambda: going_on.wait(30) and _thread())
        threads.begin(turn)
        waiting = asyncio.ensure_future(turn.result(0.01))
        await asyncio.sleep(0)
        still = not waiting.done()  # the loop is here again, and the turn is not over
        going_on.set()
        return str(await waiting), still

    assert asyncio.run(work()) == ("tested_0", True)


def test_what_nobody_waits_for_before_its_turn_is_never_done(threads: Threads) -> None:
    hold, done = threading.Event(), list[int]()

    async def work() -> None:
        held = [Turn(lambda: hold.wait(30)) for _ in range(2)]
        late = Turn(lambda: done.append(1))
        for turn in held:
            threads.begin(turn)
        threads.begin(late)
        waiting = asyncio.ensure_future(late.result())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        hold.set()
        assert [await turn.result() for turn in held] == [True, True]
        after = Turn(_thread)
        threads.begin(after)
        await after.result()

    asyncio.run(work())
    assert done == []


def test_closing_ends_what_runs_cancels_what_waits_and_leaves_no_thread() -> None:
    threads, hold = Threads(1, "closing"), threading.Event()

    async def work() -> list[object]:
        turns: list[Turn[Any]] = [Turn(lambda: hold.wait(30)), Turn(_thread)]
        for turn in turns:
            threads.begin(turn)
        running, waiting = (asyncio.ensure_future(turn.result()) for turn in turns)
        closing = asyncio.ensure_future(asyncio.to_thread(threads.close))
        await asyncio.wait([waiting])  # which only closing ends: the one thread is held
        hold.set()
        await closing
        results: list[object] = await asyncio.gather(running, waiting, return_exceptions=True)
        return results

    ended, cancelled = asyncio.run(work())
    assert ended is True
    assert isinstance(cancelled, asyncio.CancelledError)
    with pytest.raises(RuntimeError):
        threads.begin(Turn(_thread))
    assert not [each for each in threading.enumerate() if each.name.startswith("closing")]


def test_thousands_of_turns_from_two_loops_each_have_their_own_result(threads: Threads) -> None:
    def many(start: int) -> list[int]:
        async def one(number: int) -> int:
            turn = Turn(lambda: number)
            threads.begin(turn)
            return await turn.result(0.001 if number % 3 else 0.0)

        async def work() -> list[int]:
            return list(await asyncio.gather(*(one(number) for number in range(start, start + 2_000))))

        return asyncio.run(work())

    found: dict[int, list[int]] = {}
    loops = [threading.Thread(target=lambda start=start: found.update({start: many(start)})) for start in (0, 10_000)]
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join(60)
    assert found == {start: list(range(start, start + 2_000)) for start in (0, 10_000)}
