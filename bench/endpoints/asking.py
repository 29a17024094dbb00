"""Clients that ask over and over, each on a connection that it keeps, and what that was like.

No HTTP library: it would take longer for a request than some of those that are measured.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlsplit

REVISION = "2025-06-18"
"""The newest that all who are measured speak; without sessions, so that each request stands for itself."""
PATIENCE = 60.0
"""Seconds for one answer."""


@dataclass(frozen=True, slots=True)
class Question:
    """One message to one address, as it goes over the wire."""

    host: str
    port: int
    wire: bytes
    marks: str = ""
    """What the answer has to hold."""


@dataclass(slots=True)
class Asked:
    """What so many clients saw in so many seconds."""

    clients: int
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    sizes: int = 0
    """Bytes of all answers' bodies."""
    wrong: list[str] = field(default_factory=list)
    """What was not answered, or with something else."""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        """Milliseconds."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")

    def add(self, other: Asked) -> None:
        self.seconds += other.seconds
        self.latencies += other.latencies
        self.sizes += other.sizes
        self.wrong += other.wrong


def question(url: str, method: str, params: dict[str, Any], *, token: str = "", marks: str = "") -> Question:
    parts = urlsplit(url)
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    heading = [
        f"POST {parts.path} HTTP/1.1",
        f"Host: {parts.netloc}",
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        f"MCP-Protocol-Version: {REVISION}",
        f"Content-Length: {len(body)}",
        *([f"Authorization: Bearer {token}"] if token else []),
    ]
    wire = "\r\n".join(heading).encode() + b"\r\n\r\n" + body
    assert parts.hostname
    assert parts.port
    return Question(parts.hostname, parts.port, wire, marks)


def tool(url: str, name: str, arguments: dict[str, Any], *, token: str = "", marks: str = "") -> Question:
    return question(url, "tools/call", {"name": name, "arguments": arguments}, token=token, marks=marks)


def ask(questions: Sequence[Question], *, clients: int, seconds: float) -> Asked:
    """Each client asks the next question as soon as it has its answer."""
    numbers = count()
    return asyncio.run(_asked(lambda _: questions[next(numbers) % len(questions)], clients, seconds))


async def _asked(choose: Callable[[int], Question], clients: int, seconds: float) -> Asked:
    asked = Asked(clients)
    began = time.perf_counter()
    end = began + seconds
    await asyncio.gather(*(client(choose, number, asked, end) for number in range(clients)))
    asked.seconds = time.perf_counter() - began
    return asked


async def client(choose: Callable[[int], Question], number: int, asked: Asked, end: float) -> None:
    """One client: `choose` is given its number, and says what it asks next. All questions are of one host."""
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    while time.perf_counter() < end:
        this = choose(number)
        try:
            if connection is None:
                connection = await asyncio.open_connection(this.host, this.port)
            began = time.perf_counter()
            async with asyncio.timeout(PATIENCE):
                status, body = await _exchange(*connection, this.wire)
            asked.latencies.append(time.perf_counter() - began)
            asked.sizes += len(body)
            if problem := _problem(status, body, this):
                asked.wrong.append(problem)
        except (OSError, TimeoutError, EOFError, ValueError) as error:
            asked.wrong.append(f"{type(error).__name__} {error}")
            if connection is not None:
                connection[1].close()
            connection = None
            await asyncio.sleep(0.05)
    if connection is not None:
        connection[1].close()


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wire: bytes) -> tuple[int, bytes]:
    writer.write(wire)
    heading = await reader.readuntil(b"\r\n\r\n")
    lowered = heading.lower()
    at = lowered.find(b"content-length:")
    if at >= 0:
        length = int(lowered[at + 15 : lowered.index(b"\r\n", at)])
        return int(heading[9:12]), await reader.readexactly(length) if length else b""
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return int(heading[9:12]), body


def _problem(status: int, body: bytes, asked: Question) -> str:
    if status != 200:
        return f"status {status}: {body[:200]!r}"
    if b'"error"' in body[:60] or b'"isError":true' in body:
        return f"an error: {body[:200]!r}"
    if asked.marks and asked.marks.encode() not in body:
        return f"without {asked.marks!r}: {body[:200]!r}"
    return ""


def result_of(asked: Question) -> Any:
    """The result of one question. Raises AssertionError where there is none."""

    async def once() -> tuple[int, bytes]:
        reader, writer = await asyncio.open_connection(asked.host, asked.port)
        async with asyncio.timeout(PATIENCE):
            answer = await _exchange(reader, writer, asked.wire)
        writer.close()
        return answer

    status, body = asyncio.run(once())
    problem = _problem(status, body, asked)
    assert not problem, problem
    return json.loads(body)["result"]
