"""How fast a repository's files come in, side by side with git itself and with a loader that asks file by file.

    python -m bench.import [--sizes 200,2000] [--latency 50] [--database postgres://…] [--write docs/performance.md]

On a local forge that makes every request wait, for each size:

- Millrace: first import, refresh with nothing changed, refresh with one file in a hundred changed. It is the code that
  a worker runs, from the request for the Run to its end.
- `git clone --depth 1` over the same server into memory, so that a slow disk does not flatter us, and the plain inserts
  of what was cloned (a blob and a content row a file): together the bound for the first import.
- LangChain's GithubFileLoader, at up to 200 files: it makes one request a file.

Each is measured in a process of its own, started and loaded before the clock runs; the forge is another process. All is
done three times, and the run whose time is the median is shown. Exit code 1 if an expectation fails.
"""

# ruff: noqa: N999 - run by this name, never imported

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import forge, repositories
from bench.databases import Databases, databases
from bench.machine import describe
from bench.measuring import Measurement, measure, typical
from bench.tables import Expectation, Row, markdown, replace_section, summary

LANGCHAIN_FILES = 200
"""The most that LangChain is measured with: its time grows with the files, and so does the patience it takes."""
ROUNDS = 3
"""Of an odd number the median is one that was measured."""
MAX_PEAK = 200 << 20
"""Bytes that Millrace may hold, whatever the number of files."""
FIRST_REQUESTS = 4
"""The head, the tree, the archive, and the address that the forge sends one to for it."""
MAX_RATIO = 2.0
"""The first import may take so many times as long as the clone and the inserts."""

FIRST, UNCHANGED, CHANGED = "first import", "refresh, nothing changed", "refresh, 1 % changed"
CLONE, INSERT, LANGCHAIN = "git clone --depth 1", "plain inserts", "LangChain GithubFileLoader"


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="bench_") as folder, databases(options.database, Path(folder, "db")) as db:
        measured = {size: _measure_size(size, db, Path(folder), latency=options.latency) for size in options.sizes}
        machine = describe(db.version)
    expectations = _expectations(measured)
    rows = [row for size, work in measured.items() for row in _rows(size, work)]
    text = "\n".join(
        [
            f"{machine}. {options.latency:g} ms added to every request.",
            "",
            markdown(rows),
            "",
            *(f"- {expectation}" for expectation in expectations),
            "",
            summary(expectations),
        ]
    )
    print(text)
    if options.write:
        replace_section(options.write, f"bench.import {db.kind}", text)
    return 0 if all(expectation.held for expectation in expectations) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.import", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", type=_sizes, default=[200, 2000, 20_000], help="numbers of files, with commas")
    parser.add_argument("--latency", type=float, default=50.0, help="milliseconds added to every request")
    parser.add_argument("--database", default="", help="a PostgreSQL server's URL; without it SQLite in a new file")
    parser.add_argument("--write", type=Path, help="a Markdown file whose table of this database is replaced")
    return parser.parse_args()


def _sizes(text: str) -> list[int]:
    return sorted(int(part) for part in text.split(","))


Work = dict[str, Measurement]


def _measure_size(size: int, databases: Databases, folder: Path, *, latency: float) -> Work:
    made = repositories.make(folder / str(size), files=size)
    gathered = [_measure_once(made, databases, latency=latency) for _ in range(ROUNDS)]
    return {name: typical([each[name] for each in gathered]) for name in gathered[0]}


def _measure_once(made: repositories.Repositories, databases: Databases, *, latency: float) -> Work:
    work: Work = {}
    port = forge.free_port()
    with databases.fresh() as database, _memory() as clone:
        with forge.serving(made.before, port=port, latency=latency) as served:
            measure("connect", database=database, **served.named)
            work[FIRST] = _told("first import", made.files, measure("refresh", database=database), "added")
            work[UNCHANGED] = _told("unchanged", made.files, measure("refresh", database=database), "unchanged")
            work[CLONE] = _told("clone", made.files, measure("clone", url=served.clone_url, into=clone), "files")
            with databases.fresh() as another:
                work[INSERT] = _told("inserts", made.files, measure("insert", database=another, folder=clone), "files")
            if made.files <= LANGCHAIN_FILES:
                work[LANGCHAIN] = _told("LangChain", made.files, measure("langchain", **served.named), "files")
        with forge.serving(made.after, port=port, latency=latency) as served:
            measure("connect", database=database, **served.named)  # the new process knows another token
            work[CHANGED] = _told("changed", made.changed, measure("refresh", database=database), "changed")
    return work


def _memory() -> tempfile.TemporaryDirectory[str]:
    """A folder in memory where the system has one with room, else on the disk."""
    shared = Path("/dev/shm")  # noqa: S108 - a new folder in it, not a known name
    roomy = shared.is_dir() and shutil.disk_usage(shared).free > 1 << 30
    return tempfile.TemporaryDirectory(prefix="bench_", dir=shared if roomy else None)


def _told(work: str, expected: int, measured: Measurement, what: str) -> Measurement:
    """A measurement that did what it should: a fast one of nothing proves nothing."""
    if measured.said.get(what) != expected:
        sys.exit(f"The {work} should have told of {expected:,} files ({what}), and said {measured.said}.")
    return measured


def _rows(size: int, work: Work) -> list[Row]:
    bound = work[CLONE].seconds + work[INSERT].seconds
    rows = [
        Row(size, "Millrace", FIRST, work[FIRST], work[FIRST].seconds / bound),
        Row(size, "Millrace", UNCHANGED, work[UNCHANGED], work[UNCHANGED].seconds / bound),
        Row(size, "Millrace", CHANGED, work[CHANGED], work[CHANGED].seconds / bound),
        Row(size, "bound", f"{CLONE} + {INSERT}", _sum(work[CLONE], work[INSERT]), 1.0),
        Row(size, "", CLONE, work[CLONE], work[CLONE].seconds / bound),
        Row(size, "", INSERT, work[INSERT], work[INSERT].seconds / bound),
    ]
    if LANGCHAIN in work:
        rows.append(Row(size, "peer", LANGCHAIN, work[LANGCHAIN], work[LANGCHAIN].seconds / bound))
    return rows


def _sum(first: Measurement, second: Measurement) -> Measurement:
    return Measurement(
        first.seconds + second.seconds,
        first.requests + second.requests,
        max(first.peak_bytes, second.peak_bytes),
        max(first.longest_transaction, second.longest_transaction),
    )


def _expectations(measured: dict[int, Work]) -> list[Expectation]:
    def each(number: Callable[[int, Work], float]) -> dict[int, float]:
        return {size: number(size, work) for size, work in measured.items()}

    first = each(lambda _, work: work[FIRST].requests)
    ratio = each(lambda _, work: work[FIRST].seconds / (work[CLONE].seconds + work[INSERT].seconds))
    unchanged = each(lambda _, work: work[UNCHANGED].requests)
    # The head, the tree, and the changed files by the hundred.
    changed = each(lambda _, work: work[CHANGED].requests)
    allowed = each(lambda _, work: 2 + -(-work[CHANGED].said["changed"] // 100))
    peak = each(lambda _, work: max(work[name].peak_bytes for name in (FIRST, UNCHANGED, CHANGED)) / (1 << 20))
    return [
        Expectation(
            f"The first import takes a constant number of requests, at most {FIRST_REQUESTS}",
            all(value <= FIRST_REQUESTS for value in first.values()),
            first,
        ),
        Expectation(
            f"The first import takes at most {MAX_RATIO:g} times as long as the clone and the inserts",
            all(value <= MAX_RATIO for value in ratio.values()),
            ratio,
            "{:.2f}×",
        ),
        Expectation(
            "A refresh with nothing changed takes one request",
            all(value == 1 for value in unchanged.values()),
            unchanged,
        ),
        Expectation(
            "A refresh with k files changed takes two requests and one for each hundred of k",
            changed == allowed,
            changed,
        ),
        Expectation(
            f"Millrace holds less than {MAX_PEAK >> 20} MB at any time",
            all(value < MAX_PEAK >> 20 for value in peak.values()),
            peak,
            "{:.0f} MB",
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())
