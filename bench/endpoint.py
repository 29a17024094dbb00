"""How quick the MCP endpoint answers, and what it does when many ask: `python -m bench.endpoint`.

    python -m bench.endpoint [--sections 3000] [--clients 1,8,32] [--seconds 4] [--rounds 3] [--database postgres://…]
                             [--write docs/performance.md]
    python -m bench.endpoint --minute [--seconds 60] [--clients 200] …

An installation with two private servers full of documentation is asked for its tools, searches and documents with an
API key, beside a server of the SDK that knows the same answers by heart (the bound), and beside
mcp-contextforge-gateway where `make .venv-bench-contextforge/.done` has made an environment for it. All are one process
of uvicorn, are asked by the same clients on the same machine, and have their turns one after another, several times.

`--minute` asks both servers at once, with many clients, and looks for errors, for what belongs to the other server, at
the database's connections, and at the memory. Exit code 1 if an expectation fails.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench.databases import databases
from bench.endpoints import minute
from bench.endpoints.asking import Asked, Question, ask, question, result_of, tool
from bench.endpoints.bare import called
from bench.endpoints.expecting import Expectation
from bench.endpoints.gateway import PROGRAM, gateway
from bench.machine import describe
from bench.tables import replace_section
from tests.installation import ROOT, end, free_port, installation

LISTED, SEARCH, FETCH = "tools/list", "search", "fetch"
WARM_SECONDS = 1.5
MILLRACE, BARE, GATEWAY = "Millrace", "the SDK alone", "mcp-contextforge-gateway"
SETTINGS = {"MCP_RATE_KEY": "100000000", "MCP_RATE_ANONYMOUS": "100000000"}
"""As it comes but for the limit of requests a minute, which would be all that is measured."""

Questions = Mapping[str, Sequence[Question]]
"""What is asked, by what it is called in the table."""


def main() -> int:
    options = _options()
    (ROOT / "staticfiles").mkdir(exist_ok=True)  # as collectstatic does: without it each process warns
    with tempfile.TemporaryDirectory(prefix="bench_") as made, databases(options.database, Path(made, "db")) as db:
        folder = Path(made)
        with db.fresh() as database:
            served = installation(
                folder,
                rows="bench.endpoints.rows",
                arguments=(str(options.sections),),
                database=database,
                **SETTINGS,
            )
            with served as running:
                load = os.getloadavg()[0]
                if options.minute:
                    lines, expectations = minute.measure(running, database, options.clients[-1], options.seconds)
                else:
                    lines, expectations = _compared(running.url, running.said, folder, options)
        where = f"{describe(db.version)}. Load of the machine at the beginning: {load:.1f}."
        name = f"bench.endpoint{' minute' if options.minute else ''} {db.kind}"
    text = "\n".join([where, "", *lines, "", *(str(each) for each in expectations)])
    print(text)
    if options.write:
        replace_section(options.write, name, text)
    return 0 if all(each.held for each in expectations) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.endpoint", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sections", type=int, default=3_000, help="of each server's documentation")
    parser.add_argument("--clients", default="", help="how many ask at once, with commas: 1,8,32; 200 for --minute")
    parser.add_argument("--seconds", type=float, default=0.0, help="of each turn: 4; 60 for --minute")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each")
    parser.add_argument("--minute", action="store_true", help="many clients at once, for a minute")
    parser.add_argument("--database", default="", help="a PostgreSQL server's URL; without it SQLite in a new file")
    parser.add_argument("--write", type=Path, help="a Markdown file whose table of this database is replaced")
    options = parser.parse_args()
    options.seconds = options.seconds or (60.0 if options.minute else 4.0)
    options.clients = [int(each) for each in (options.clients or ("200" if options.minute else "1,8,32")).split(",")]
    return options


def _compared(
    url: str, said: dict[str, Any], folder: Path, options: argparse.Namespace
) -> tuple[list[str], list[Expectation]]:
    """Lines of the table, and what was expected."""
    first = said["servers"][0]
    at = f"{url}{first['path']}"
    ours = _questions(at, first, token=said["key"])
    calls = [(SEARCH, {"query": each}) for each in first["queries"]]
    calls += [(FETCH, {"path": each}) for each in first["files"]]
    answers = {
        "tools/list": result_of(ours[LISTED][0]),
        "tools/call": {
            called(*call): result_of(asked) for call, asked in zip(calls, [*ours[SEARCH], *ours[FETCH]], strict=True)
        },
    }
    with ExitStack() as stack:
        everyone: dict[str, Questions] = {MILLRACE: ours, BARE: stack.enter_context(_bare(folder, answers, first))}
        told = f"{GATEWAY} has no environment here, and was left out."
        if PROGRAM.exists():
            everyone[GATEWAY] = stack.enter_context(_peer(folder, answers))
            told = f"For {GATEWAY}, whose tools are at other servers, *fetch* is reading a resource that it keeps."
        seen = _in_turns(everyone, options)
    rows = [
        "| clients | | | answers a second | of the bound | p50, ms | p95, ms | p99, ms | bytes |",
        "| --: | --- | --- | --: | --: | --: | --: | --: | --: |",
    ]
    for clients in options.clients:
        for what in (LISTED, SEARCH, FETCH):
            bound = seen[BARE, what, clients].rate
            rows += [
                _row(who, what, seen[who, what, clients], bound) for who in everyone if (who, what, clients) in seen
            ]
    return [*rows, "", told], _expected(seen, options.clients)


def _questions(at: str, server: dict[str, Any], *, token: str = "") -> Questions:
    """The same for us and for who knows our answers."""
    mark = server["mark"]
    return {
        LISTED: [question(at, "tools/list", {}, token=token, marks=mark)],
        SEARCH: [tool(at, SEARCH, {"query": each}, token=token, marks=mark) for each in server["queries"]],
        FETCH: [tool(at, FETCH, {"path": each}, token=token, marks=mark) for each in server["files"]],
    }


@contextmanager
def _bare(folder: Path, answers: dict[str, Any], server: dict[str, Any]) -> Iterator[Questions]:
    port, file = free_port(), folder / "answers.json"
    file.write_text(json.dumps(answers))
    process = subprocess.Popen([sys.executable, "-m", "bench.endpoints.bare", str(port), str(file)], cwd=ROOT)
    questions = _questions(f"http://127.0.0.1:{port}/mcp", server)
    try:
        _wait_for(questions[LISTED][0])
        yield questions
    finally:
        end(process)


@contextmanager
def _peer(folder: Path, answers: dict[str, Any]) -> Iterator[Questions]:
    # As long as ours are on average. It refuses texts that look like code.
    fetched = [len(json.dumps(answer)) for call, answer in answers["tools/call"].items() if call.startswith(FETCH)]
    text = ("The millwheel turns. " * 50_000)[: sum(fetched) // len(fetched)]
    with gateway(folder, tools=answers["tools/list"]["tools"], text=text) as peer:
        read = question(peer.url, "resources/read", {"uri": peer.resource}, token=peer.token)
        yield {LISTED: [question(peer.url, "tools/list", {}, token=peer.token)], FETCH: [read]}


def _wait_for(asked: Question) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            result_of(asked)
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _in_turns(everyone: Mapping[str, Questions], options: argparse.Namespace) -> dict[tuple[str, str, int], Asked]:
    """By who, what and number of clients; one after another, so that what else the machine does meets all alike."""
    for questions in everyone.values():
        for asked in questions.values():
            ask(asked, clients=4, seconds=WARM_SECONDS)
    seen: dict[tuple[str, str, int], Asked] = {}
    for _ in range(options.rounds):
        for clients in options.clients:
            for what in (LISTED, SEARCH, FETCH):
                for who, questions in everyone.items():
                    if what in questions:
                        turn = ask(questions[what], clients=clients, seconds=options.seconds)
                        seen.setdefault((who, what, clients), Asked(clients)).add(turn)
    return seen


def _row(who: str, what: str, asked: Asked, bound: float) -> str:
    wrong = f" ({len(asked.wrong)} wrong)" if asked.wrong else ""
    cells = [
        str(asked.clients),
        what,
        f"{who}{wrong}",
        f"{asked.rate:,.0f}",
        f"{asked.rate / bound:.2f}",
        *(f"{asked.percentile(share):.1f}" for share in (0.50, 0.95, 0.99)),
        f"{asked.sizes // max(1, len(asked.latencies)):,}",
    ]
    return f"| {' | '.join(cells)} |"


def _expected(seen: Mapping[tuple[str, str, int], Asked], clients: Sequence[int]) -> list[Expectation]:
    wrong = [f"{who}, {what}: {asked.wrong[0]}" for (who, what, _), asked in seen.items() if asked.wrong]
    bound = {each: seen[MILLRACE, FETCH, each].rate / seen[BARE, FETCH, each].rate for each in clients}
    made = [
        Expectation("Every question is answered", not wrong, "; ".join(wrong)[:500] or "no error"),
        Expectation(
            "fetch at half of the bound's rate or more", min(bound.values()) >= 0.5, _by_clients(bound, "{:.2f}")
        ),
    ]
    if any(who == GATEWAY for who, _, _ in seen):
        times = {each: seen[MILLRACE, FETCH, each].rate / seen[GATEWAY, FETCH, each].rate for each in clients}
        held = min(times.values()) >= 10
        made.append(Expectation("fetch at ten times the gateway's rate or more", held, _by_clients(times, "{:.1f}×")))
    return made


def _by_clients(values: Mapping[int, float], form: str) -> str:
    return ", ".join(f"{form.format(value)} for {each}" for each, value in values.items())


if __name__ == "__main__":
    sys.exit(main())
