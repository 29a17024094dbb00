"""How long sources take to be indexed, the first time and again: seconds, requests, and what was written.

    python -m bench.indexing [--latency 50] [--database postgres://…] [--write docs/performance.md]

On a local forge and a local site in the same process, which make every request wait: a repository of 500 files, three
small sources one after another (a site of 30 pages, a repository of 40 files, 20 files of the server's own), and a site
of 300 pages. It is the code that a worker runs. Exit code 1 if an expectation fails.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.databases import databases
from bench.machine import describe
from bench.measuring import ROOT, environment
from bench.tables import replace_section

if TYPE_CHECKING:
    from catalog.models import Server
    from indexing.models import Source
    from tests.wire.forge import Forge

REPOSITORY, SMALL, SITE = "a repository of 500 files", "three small sources", "a site of 300 pages"
MOST_SECONDS = {REPOSITORY: 30.0, SMALL: 60.0, SITE: 120.0}
FIRST, AGAIN = "first", "again"


@dataclass(frozen=True, slots=True)
class Indexed:
    what: str
    which: str
    seconds: float
    requests: int
    pages: int
    chunks: int
    texts: int
    """Written by it."""


def main() -> int:
    options = _options()
    if options.scene:
        print(json.dumps([asdict(each) for each in _play(options.latency / 1000)]))
        return 0
    with tempfile.TemporaryDirectory(prefix="bench_") as folder, databases(options.database, Path(folder, "db")) as db:
        rows = [Indexed(**each) for each in _said(db.fresh, options)]
        machine = describe(db.version)
    checks = _expectations(rows)
    held = [f"- {sentence}: {'held' if is_held else '**failed**'}." for sentence, is_held in checks.items()]
    text = "\n".join([f"{machine}. {options.latency:g} ms added to every request.", "", *_table(rows), "", *held])
    print(text)
    if options.write:
        replace_section(options.write, f"bench.indexing {db.kind}", text)
    return 0 if all(checks.values()) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.indexing", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--latency", type=float, default=50.0, help="milliseconds added to every request")
    parser.add_argument("--database", default="", help="a PostgreSQL server's URL; without it SQLite in a new file")
    parser.add_argument("--write", type=Path, help="a Markdown file whose table of this database is replaced")
    parser.add_argument("--scene", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _said(fresh: Callable[[], AbstractContextManager[str]], options: argparse.Namespace) -> list[dict[str, Any]]:
    """In a process of its own that has the database to itself."""
    command = [sys.executable, "-m", "bench.indexing", "--scene", f"--latency={options.latency}"]
    with fresh() as database:
        settings = environment(database, MILLRACE_ROLE="worker", EGRESS_ALLOW_HOSTS="127.0.0.1")
        done = subprocess.run(command, cwd=ROOT, env=settings, stdout=subprocess.PIPE, text=True, check=True)
    said: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return said


def _table(rows: list[Indexed]) -> list[str]:
    lines = [
        "| | | seconds | requests | pages | chunks | texts written |",
        "| --- | --- | --: | --: | --: | --: | --: |",
    ]
    for each in rows:
        numbers = f"{each.seconds:.2f} | {each.requests:,} | {each.pages:,} | {each.chunks:,} | {each.texts:,}"
        lines.append(f"| {each.what} | {each.which} | {numbers} |")
    return lines


def _expectations(rows: list[Indexed]) -> dict[str, bool]:
    first = [each for each in rows if each.which == FIRST]
    again = {each.what: each for each in rows if each.which == AGAIN}
    return {
        f"{what} within {most:g} s": all(each.seconds <= most for each in first if each.what == what)
        for what, most in MOST_SECONDS.items()
    } | {
        "Nothing is indexed again where nothing changed": all(each.texts == 0 for each in again.values()),
        "An unchanged repository is one request": again[REPOSITORY].requests == 1,
    }


# -- the scene ---------------------------------------------------------------------------------------------------------


def _play(latency: float) -> Iterator[Indexed]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from tests import factories
    from tests.site import Site
    from tests.wire.forge import Forge

    server = factories.server(factories.organization("Acme"), "Docs")
    with (
        tempfile.TemporaryDirectory(prefix="bench_") as folder,
        Forge(Path(folder), latency=latency) as forge,
        Site(300, sitemap=True, latency=latency) as large,
        Site(30, sitemap=True, latency=latency) as small,
    ):

        def asked() -> int:
            return len(forge.requests) + sum(large.counts.values()) + sum(small.counts.values())

        scenes = {
            REPOSITORY: [_repository(server, forge, "octo/large", files=500)],
            SMALL: [_site(server, small.url), _repository(server, forge, "octo/small", files=40), _own(server)],
            SITE: [_site(server, large.url)],
        }
        for what, sources in scenes.items():
            for which in (FIRST, AGAIN):
                yield _measured(what, which, sources, asked)


def _measured(what: str, which: str, sources: list[Source], asked: Callable[[], int]) -> Indexed:
    from indexing.models import Source, Text
    from indexing.requesting import request_index
    from jobs.execution import execute
    from jobs.models import Status, Trigger

    texts, requests = Text.objects.count(), asked()
    started = time.perf_counter()
    for source in sources:
        run = request_index(source, trigger=Trigger.SCHEDULE)
        execute(str(run.pk))
        run.refresh_from_db()
        assert run.status == Status.SUCCEEDED, (run.status, run.error_text)
    took = time.perf_counter() - started
    found = Source.objects.filter(pk__in=[source.pk for source in sources]).values_list("pages", "chunks")
    pages, chunks = (sum(numbers) for numbers in zip(*found, strict=True))
    return Indexed(what, which, took, asked() - requests, pages, chunks, Text.objects.count() - texts)


def _site(server: Server, url: str) -> Source:
    from indexing.models import Source
    from tests import factories

    return factories.source(server, Source.Kind.SITE, url=f"{url}/")


def _repository(server: Server, forge: Forge, name: str, *, files: int) -> Source:
    from indexing.models import Source
    from indexing.recognising import repository_url
    from tests import factories
    from tests.wire import samples

    hosted = forge.repository(name)
    hosted.git.commit(samples.many(files, words=300), "Write the documentation")
    return factories.source(
        server,
        Source.Kind.REPOSITORY,
        url=repository_url("github", forge.url, name),
        forge="github",
        base_url=forge.url,
        repository=name,
    )


def _own(server: Server) -> Source:
    from indexing.contents import source_of_content
    from tests import factories

    for number in range(20):
        factories.content(
            server, f"guide/{number}.md", f"# Guide {number}\n\n" + f"How to do it, {number} times.\n" * 30
        )
    return source_of_content(server)


if __name__ == "__main__":
    sys.exit(main())
