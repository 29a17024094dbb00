"""Many clients at once, each of whom looks whether what it is told is meant for it."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.endpoint.live import HANDSHAKE, MODERN, heading, message


@dataclass(frozen=True, slots=True)
class Expected:
    """What is at an address, and nowhere else."""

    path: str
    title: str
    instructions: str
    uri: str
    """Of its only resource."""
    text: str
    """Of that resource."""
    key: str = ""


@dataclass(slots=True)
class Seen:
    requests: int = 0
    wrong: Counter[str] = field(default_factory=Counter)


async def crowd(url: str, expected: list[Expected], *, clients: int, rounds: int) -> Seen:
    """Let that many clients ask at once, in both revisions in turn, for so many rounds."""
    seen = Seen()
    limits = httpx2.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx2.AsyncClient(base_url=url, limits=limits, timeout=60, trust_env=False) as http:

        async def client(number: int) -> None:
            it, era = expected[number % len(expected)], (HANDSHAKE, MODERN)[number // len(expected) % 2]
            for _ in range(rounds):
                await _round(http, it, era, seen)

        await asyncio.gather(*(client(number) for number in range(clients)))
    return seen


async def _round(http: httpx2.AsyncClient, it: Expected, era: str, seen: Seen) -> None:
    async def ask(method: str, params: dict[str, Any] | None = None) -> Any:
        try:
            answer = await http.post(
                it.path, json=message(method, params, era=era), headers=heading(method, params, era, it.key)
            )
            found = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            seen.wrong[f"{method}: {type(error).__name__}"] += 1
            return {}
        finally:
            seen.requests += 1
        if answer.status_code != 200 or "result" not in found:
            seen.wrong[f"{method}: {answer.status_code} {str(found)[:120]}"] += 1
            return {}
        return found["result"]

    def hold(what: str, is_it: bool) -> None:
        if not is_it:
            seen.wrong[f"{what} of another one"] += 1

    if era == HANDSHAKE:
        client_info = {"name": "crowd", "version": "1"}
        hello = await ask("initialize", {"protocolVersion": HANDSHAKE, "capabilities": {}, "clientInfo": client_info})
        hold("title", hello.get("serverInfo", {}).get("title") == it.title)
    else:
        hello = await ask("server/discover")
        hold("title", it.title in str(hello.get("_meta")))
    hold("instructions", hello.get("instructions") == it.instructions)
    listed = await ask("resources/list")
    hold("list", [each["uri"] for each in listed.get("resources", [])] == [it.uri])
    read = await ask("resources/read", {"uri": it.uri})
    hold("text", [each["text"] for each in read.get("contents", [])] == [it.text])
