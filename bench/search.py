"""How quick a search is, and how good: `python -m bench.search`.

    python -m bench.search [--chunks 10000,100000] [--servers 50] [--corpus DIR] [--judged DIR …]
                           [--database postgres://…] [--write docs/performance.md]

Fills a new database with chunks of made documentation (or of the files in DIR) over fifty servers, the way a Run does,
and asks it questions: words that follow each other in some chunk. Prints how quick the index was built, its size,
and how long an answer takes: of the engine within one server and over all, and of a whole `search()` with what is read
to show its hits; from one process, and from eight at once. `--judged` takes folders as BEIR has them and prints nDCG@10
beside bm25s. Exit code 1 if an expectation fails.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.databases import databases
from bench.machine import describe
from bench.measuring import ROOT, environment
from bench.tables import replace_section

CLIENTS = 8
QUESTIONS = 1_000
SECONDS = 8.0
"""For which eight clients ask."""
WORK = {
    "one": "engine, one server",
    "all": "engine, all servers",
    "search": "`search()`, one server",
}
LARGE = 100_000
MOST_MS = {"sqlite": 10.0, "postgresql": 5.0}
"""The 95th percentile within one server of LARGE chunks on fifty."""
LEAST_RATE = {"postgresql": 2_500.0}
"""Answers a second to eight clients, the same."""
BELOW_REFERENCE = 0.01
MB = 1 << 20


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of single answers, and how many there were a second."""

    p50: float
    p95: float
    p99: float
    rate: float


@dataclass(frozen=True, slots=True)
class Built:
    chunks: int
    rate: float
    index: int
    everything: int
    maintained: float
    alone: Mapping[str, Times]
    together: Mapping[str, Times]


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="bench_") as folder, databases(options.database, Path(folder, "db")) as db:
        built = []
        for size in map(int, filter(None, options.chunks.split(","))):
            with db.fresh() as database:
                built.append(_measured(database, size, options))
        judged = []
        for judgements in options.judged:
            with db.fresh() as database:
                judged.append(_done("judge", database, folder=str(judgements.resolve())))
        machine = describe(db.version)
    checks = _expectations(db.kind, built, judged)
    note = f" {options.note}" if options.note else ""
    text = "\n\n".join(
        [
            f"{machine}.{note}",
            *(["\n".join(_built_table(built)), "\n".join(_times_table(built))] if built else []),
            *(["\n".join(_judged_table(judged))] if judged else []),
            "\n".join(f"- {sentence}: {'held' if held else '**failed**'}." for sentence, held in checks.items()),
        ]
    )
    print(text)
    if options.write:
        replace_section(options.write, f"bench.search {db.kind}", text)
    return 0 if all(checks.values()) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.search", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--chunks", default="10000,100000", help="numbers of chunks, with commas; empty for none")
    parser.add_argument("--servers", type=int, default=50)
    parser.add_argument("--corpus", type=Path, help="a folder of Markdown, reStructuredText, AsciiDoc and text files")
    parser.add_argument("--judged", type=Path, nargs="*", default=[], help="folders as BEIR has them")
    parser.add_argument("--database", default="", help="a PostgreSQL server's URL; without it SQLite in a new file")
    parser.add_argument("--write", type=Path, help="a Markdown file whose tables of this database are replaced")
    parser.add_argument("--note", default="", help="a sentence to put beside the machine: what else ran on it")
    return parser.parse_args()


def _measured(database: str, size: int, options: argparse.Namespace) -> Built:
    corpus = str(options.corpus.resolve()) if options.corpus else ""
    told = _done("build", database, chunks=size, servers=options.servers, corpus=corpus)
    alone = {what: _times([_asked(database, what, 0.0, 1)]) for what in WORK}
    together = {what: _together(database, what) for what in WORK}
    return Built(
        chunks=told["chunks"],
        rate=told["rate"],
        index=told["index"],
        everything=told["everything"],
        maintained=told["maintained"],
        alone=alone,
        together=together,
    )


def _together(database: str, what: str) -> Times:
    """Eight processes, told to begin when all are ready."""
    clients = [_client(database, what, SECONDS, seed) for seed in range(2, CLIENTS + 2)]
    for client in clients:
        _wait_until_ready(client)
    for client in clients:
        _begin(client)
    return _times([_result(client) for client in clients])


def _asked(database: str, what: str, seconds: float, seed: int) -> dict[str, Any]:
    client = _client(database, what, seconds, seed)
    _wait_until_ready(client)
    _begin(client)
    return _result(client)


def _client(database: str, what: str, seconds: float, seed: int) -> subprocess.Popen[str]:
    questions = QUESTIONS if what == "one" else QUESTIONS // 4
    return _start("ask", database, what=what, questions=questions, seconds=seconds, seed=seed)


def _start(work: str, database: str, **arguments: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.searching", work, json.dumps(arguments)]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment(database), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def _wait_until_ready(client: subprocess.Popen[str]) -> None:
    assert client.stdout is not None
    if client.stdout.readline() != "ready\n":
        raise SystemExit("A client ended before it was ready.")


def _begin(client: subprocess.Popen[str]) -> None:
    assert client.stdin is not None
    client.stdin.write("\n")
    client.stdin.flush()


def _result(client: subprocess.Popen[str]) -> dict[str, Any]:
    out, _ = client.communicate()
    if client.returncode:
        raise SystemExit(client.returncode)
    said: dict[str, Any] = json.loads(out.splitlines()[-1])
    return said


def _done(work: str, database: str, **arguments: Any) -> dict[str, Any]:
    return _result(_start(work, database, **arguments))


def _times(clients: list[dict[str, Any]]) -> Times:
    taken = sorted(1000 * each for client in clients for each in client["taken"])

    def percentile(share: float) -> float:
        return float(taken[min(len(taken) - 1, math.ceil(share * len(taken)) - 1)])

    rate = sum(len(client["taken"]) / client["seconds"] for client in clients)
    return Times(percentile(0.5), percentile(0.95), percentile(0.99), rate)


def _expectations(kind: str, built: list[Built], judged: list[dict[str, Any]]) -> dict[str, bool]:
    checks = {}
    for each in built:
        if each.chunks < LARGE * 0.95:
            continue
        p95, rate = each.alone["one"].p95, each.together["one"].rate
        sentence = f"Within one server the engine's p95 is at most {MOST_MS[kind]:g} ms ({p95:.1f} ms)"
        checks[sentence] = p95 <= MOST_MS[kind]
        if kind in LEAST_RATE:
            least = LEAST_RATE[kind]
            checks[f"Eight clients get at least {least:,.0f} answers a second ({rate:,.0f})"] = rate >= least
    for one in judged:
        if one["reference"] is not None:
            below = one["reference"] - one["ndcg"]
            checks[f"{one['name']}: nDCG@10 is at most {BELOW_REFERENCE} below bm25s"] = below <= BELOW_REFERENCE
    return checks


def _built_table(built: list[Built]) -> list[str]:
    return [
        "| chunks | stored a second | index, MB | database, MB | upkeep, s |",
        "| --: | --: | --: | --: | --: |",
        *(
            f"| {each.chunks:,} | {each.rate:,.0f} | {each.index / MB:,.0f} | {each.everything / MB:,.0f} "
            f"| {each.maintained:.1f} |"
            for each in built
        ),
    ]


def _times_table(built: list[Built]) -> list[str]:
    lines = [
        "| chunks | | p50, ms | p95, ms | p99, ms | 8 clients: p50, ms | p95, ms | answers a second |",
        "| --: | --- | --: | --: | --: | --: | --: | --: |",
    ]
    for each in built:
        for what, name in WORK.items():
            alone, together = each.alone[what], each.together[what]
            lines.append(
                f"| {each.chunks:,} | {name} | {alone.p50:.2f} | {alone.p95:.2f} | {alone.p99:.2f} "
                f"| {together.p50:.2f} | {together.p95:.2f} | {together.rate:,.0f} |"
            )
    return lines


def _judged_table(judged: list[dict[str, Any]]) -> list[str]:
    return [
        "| judged | documents | queries | nDCG@10 | bm25s |",
        "| --- | --: | --: | --: | --: |",
        *(
            f"| {each['name']} | {each['documents']:,} | {each['queries']:,} | {each['ndcg']:.3f} "
            f"| {'–' if each['reference'] is None else format(each['reference'], '.3f')} |"
            for each in judged
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())
