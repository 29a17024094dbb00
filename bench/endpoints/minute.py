"""Many clients at once, on two servers, for a minute: errors, what is mixed up, connections, memory."""

from __future__ import annotations

import asyncio
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from bench.endpoints.asking import Asked, Question, client, question, tool
from bench.endpoints.expecting import Expectation
from tests.installation import Installation

MOST_CONNECTIONS = 10
"""DATABASE_POOL_SIZE as it comes: what one web process may hold on PostgreSQL."""
MOST_GROWTH = 1.10
"""Of the memory, from a quarter of the time to its end."""
LOOK_EVERY = 0.25


@dataclass(slots=True)
class Watched:
    """What the web process held, at each look."""

    memory: list[int] = field(default_factory=list)
    """Bytes."""
    connections: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)


def measure(running: Installation, database: str, clients: int, seconds: float) -> tuple[list[str], list[Expectation]]:
    asked = Asked(clients)
    questions = [_questions(running.url, each, running.said["key"]) for each in running.said["servers"]]
    _for(questions, Asked(clients), 3.0)  # threads, connections and caches are made
    with _watching(running.process.pid, database) as watched:
        _for(questions, asked, seconds)
    mixed = [each for each in asked.wrong if each.startswith("without")]
    memory = [each / (1 << 20) for each in watched.memory]
    start, middle, last = memory[0], memory[len(memory) // 2], memory[-1]
    growth = last / memory[len(memory) // 4]
    most = max(watched.connections)
    log = running.log.read_text().strip()
    cells = [
        str(clients),
        f"{asked.seconds:.0f}",
        f"{len(asked.latencies):,}",
        f"{asked.rate:,.0f}",
        *(f"{asked.percentile(share):.0f}" for share in (0.50, 0.95, 0.99)),
        *(str(each) for each in (len(asked.wrong), len(mixed), most, max(watched.threads))),
        *(f"{each:.0f}" for each in (start, middle, last)),
    ]
    lines = [
        "| clients | seconds | answers | a second | p50, ms | p95, ms | p99, ms | wrong | mixed up | connections, most "
        "| threads, most | memory, MB: start | middle | end |",
        f"| {' | '.join(['--:'] * 14)} |",
        f"| {' | '.join(cells)} |",
    ]
    return lines, [
        Expectation("No error", not asked.wrong, "; ".join(asked.wrong[:3])[:500] or "none"),
        Expectation("Nothing of one server is in an answer of the other", not mixed, f"{len(mixed)} answers"),
        Expectation("The web process writes nothing into its log", not log, log[-300:] or "empty"),
        Expectation(f"At most {MOST_CONNECTIONS} connections to the database", most <= MOST_CONNECTIONS, str(most)),
        Expectation("The memory stays as it is once all are at it", growth <= MOST_GROWTH, f"{growth:.2f}×"),
    ]


def _questions(url: str, server: dict[str, Any], key: str) -> list[Question]:
    """Lists, searches and documents of one server; each answer holds its mark."""
    at, mark = f"{url}{server['path']}", server["mark"]
    return [
        *(question(at, "tools/list", {}, token=key, marks=mark) for _ in range(20)),
        *(tool(at, "search", {"query": each}, token=key, marks=mark) for each in server["queries"][:100]),
        *(tool(at, "fetch", {"path": each}, token=key, marks=mark) for each in server["files"][:200]),
    ]


def _for(questions: list[list[Question]], asked: Asked, seconds: float) -> None:
    """Each client asks one server or the other, as it comes."""
    chance = random.Random(1)

    async def together() -> None:
        began = time.perf_counter()
        choose = lambda _: chance.choice(questions[chance.randrange(len(questions))])  # noqa: E731
        await asyncio.gather(*(client(choose, each, asked, began + seconds) for each in range(asked.clients)))
        asked.seconds = time.perf_counter() - began

    asyncio.run(together())


@contextmanager
def _watching(process: int, database: str) -> Iterator[Watched]:
    watched, done = Watched(), threading.Event()

    def look() -> None:
        while True:
            status = Path(f"/proc/{process}/status").read_text().splitlines()
            said = {name: value.split() for name, _, value in (line.partition(":") for line in status)}
            watched.memory.append(int(said["VmRSS"][0]) << 10)
            watched.threads.append(int(said["Threads"][0]))
            watched.connections.append(_connections(process, database))
            if done.wait(LOOK_EVERY):
                return

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield watched
    finally:
        done.set()
        thread.join()


def _connections(process: int, database: str) -> int:
    """Of everybody to the PostgreSQL database; on SQLite the process's open files of it."""
    if database.startswith("postgres"):
        with psycopg.connect(database) as looking:
            row = looking.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchone()
        return int(row[0]) if row else 0
    file = database.removeprefix("sqlite:///")
    found = 0
    for each in Path(f"/proc/{process}/fd").iterdir():
        try:
            found += os.readlink(each) == file
        except OSError:  # closed meanwhile
            continue
    return found
