"""A site crawled by Millrace, Scrapy and crawl4ai, twice: `python -m bench.crawl --write docs/performance.md`.

The local site of the tests is a process of its own and counts what is asked. Each crawler is one, too, and is timed
from its first request to its last; each obeys robots.txt and asks as many pages at the same moment as the others,
without a pause. Between the passes nothing changes. crawl4ai wants another snowballstemmer than Millrace, and so has
an environment of its own (`make .venv-bench-crawl4ai/.done`); without it, it is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.machine import describe
from bench.tables import replace_section

ROOT = Path(__file__).resolve().parent.parent
PASSES = ("first", "second")


@dataclass(frozen=True, slots=True)
class Subject:
    name: str
    command: tuple[str, ...]
    options: dict[str, Any]
    passes: tuple[str, ...] = PASSES


@dataclass(frozen=True, slots=True)
class Row:
    subject: Subject
    latency: float
    """Milliseconds."""
    which: str
    """Of PASSES."""
    seconds: float
    pages: int
    read: int
    """Pages whose body came: what would be indexed anew."""
    requests: int
    most: int
    """Requests for the page that was asked for most often."""
    peak: int

    @property
    def rate(self) -> float:
        return self.pages / self.seconds

    def cells(self) -> list[str]:
        ours = [f"{self.latency:g} ms", self.subject.name, self.which, f"{self.seconds:.2f}", f"{self.rate:,.0f}"]
        return [*ours, f"{self.requests:,}", f"{self.most}", f"{self.peak}", f"{self.read:,}"]


HEADINGS = (
    *("latency", "", "pass", "seconds", "pages a second", "requests", "most for one page", "at once", "bodies read"),
)


def subjects(crawl4ai: Path) -> list[Subject]:
    python = sys.executable
    ours, scrapy = (python, "-m", "bench.crawlers.ours"), (python, "bench/crawlers/peer_scrapy.py")
    found = [
        Subject("Millrace", ours, {}),
        Subject("Millrace, pages made into Markdown", ours, {"markdown": True}),
        Subject("Scrapy", scrapy, {"cache": False}, ("first",)),
        Subject("Scrapy, with its HTTP cache", scrapy, {"cache": True}),
    ]
    if crawl4ai.exists():
        found.append(Subject("crawl4ai, without a browser", (str(crawl4ai), "bench/crawlers/peer_crawl4ai.py"), {}))
    else:
        print(f"crawl4ai is left out: there is no {crawl4ai}.", file=sys.stderr)
    return found


@contextmanager
def serving(*, pages: int, latency: float) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.site", "--pages", str(pages), "--latency", str(latency)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield process.stdout.readline().split()[1]
    finally:
        process.terminate()
        process.wait(timeout=30)
        if process.stdout:
            process.stdout.close()


def told(url: str) -> dict[str, Any]:
    """What the site was asked since the last time."""
    with urllib.request.urlopen(f"{url}/.told") as answer:  # noqa: S310 - our own server
        found: dict[str, Any] = json.load(answer)
    return found


def measure(subject: Subject, url: str, *, pages: int, concurrency: int, latency: float) -> list[Row]:
    rows = []
    with tempfile.TemporaryDirectory(prefix="crawl-") as state:
        arguments = {"url": f"{url}/", "pages": pages, "concurrency": concurrency, "state": state, **subject.options}
        environment = {**os.environ, "HOME": state, "CRAWL4_AI_BASE_DIRECTORY": state}
        for which in subject.passes:
            told(url)
            done = subprocess.run(
                [*subject.command, json.dumps(arguments)],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            said, asked = json.loads(done.stdout.splitlines()[-1]), told(url)
            counts = {path: count for path, count in asked["counts"].items() if path != "/robots.txt"}
            rows.append(
                Row(
                    *(subject, latency, which, said["seconds"], min(said["pages"], pages), said["read"]),
                    *(sum(asked["counts"].values()), max(counts.values(), default=0), asked["peak"]),
                )
            )
    return rows


def quickest(rows: list[Row]) -> list[Row]:
    """Of several rounds: what a busy machine adds is nobody's."""
    best: dict[tuple[str, float, str], Row] = {}
    for row in rows:
        key = (row.subject.name, row.latency, row.which)
        if key not in best or row.seconds < best[key].seconds:
            best[key] = row
    return list(best.values())


def expectations(rows: list[Row], *, pages: int) -> list[tuple[str, bool]]:
    ours = [row for row in rows if row.subject.name.startswith("Millrace")]
    again = [row for row in ours if row.which == "second"]
    found = [
        ("Millrace visits every page", all(row.pages == pages for row in ours)),
        ("It asks for none twice", all(row.most == 1 for row in ours)),
        ("Its second pass asks for each page and reads none anew", all(row.read == 0 for row in again)),
    ]
    for latency in sorted({row.latency for row in rows}):
        for which in PASSES:
            same = [row for row in rows if (row.latency, row.which) == (latency, which)]
            mine = min(row.seconds for row in same if row.subject.name == "Millrace")
            theirs = [row.seconds for row in same if not row.subject.name.startswith("Millrace")]
            sentence = f"At {latency:g} ms the {which} pass is at least as quick as the quickest peer's"
            found.append((sentence, mine <= 1.02 * min(theirs)))
    return found


def table(rows: list[Row]) -> str:
    lines = [HEADINGS, ["---", "---", "---", *["--:"] * 6], *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.crawl", description=__doc__)
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument("--latency", type=float, nargs="+", default=[0, 50], metavar="MILLISECONDS")
    parser.add_argument("--concurrency", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--crawl4ai", type=Path, default=ROOT / ".venv-bench-crawl4ai/bin/python")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    rows = []
    for latency in options.latency:
        with serving(pages=options.pages, latency=latency) as url:
            for _ in range(options.rounds):
                for subject in subjects(options.crawl4ai):
                    rows += measure(subject, url, pages=options.pages, concurrency=options.concurrency, latency=latency)
    rows = sorted(quickest(rows), key=lambda row: (row.latency, PASSES.index(row.which)))
    held = expectations(rows, pages=options.pages)
    lines = [
        f"{describe('no database')}. {options.pages:,} pages, {options.concurrency} at once, "
        f"the quickest of {options.rounds} rounds.",
        table(rows),
        "\n".join(f"- {sentence}: {'held' if is_so else '**failed**'}." for sentence, is_so in held),
    ]
    text = "\n\n".join(lines)
    print(text)
    if options.write:
        replace_section(options.write, "bench.crawl", text)
    return 0 if all(is_so for _, is_so in held) else 1


if __name__ == "__main__":
    sys.exit(main())
