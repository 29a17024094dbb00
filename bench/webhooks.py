"""How the inbox of webhooks stands a burst: the web process itself, over the line, with every delivery another one.

    python -m bench.webhooks [--count 10000] [--clients 4] [--database postgres://…] [--write docs/performance.md]

Signed pushes of one branch that an integration follows are posted to one webhook, by a process of their own with so
many lines at once as forges have for one receiver. The clock of each begins with its request and ends with the last
byte of the answer. The same lines then ask for /healthz: what the web process needs to answer anything at all.

Exit code 1 if an expectation fails.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from bench.databases import databases
from bench.forge import free_port
from bench.machine import describe
from bench.measuring import ROOT, SECRETS, measure
from bench.tables import replace_section

BOUND = 0.100
"""Seconds in which 95 of 100 deliveries have their answer."""
ROWS = 75
"""Deliveries that are kept, at the most."""
PROBES = 2000
"""Times that /healthz is asked for."""


@dataclass(frozen=True, slots=True)
class Burst:
    what: str
    seconds: float
    times: list[float]
    wrong: int
    """Answers with another status than expected."""

    def at(self, share: float) -> float:
        """Seconds within which that share had its answer."""
        return sorted(self.times)[min(len(self.times) - 1, int(share * len(self.times)))]

    def cells(self) -> list[str]:
        milliseconds = [f"{1000 * self.at(share):.1f}" for share in (0.5, 0.95, 0.99)]
        number = len(self.times)
        return [
            f"{number:,}",
            self.what,
            f"{number / self.seconds:,.0f}",
            *milliseconds,
            f"{self.at(0.95) / BOUND:.2f}×",
        ]


HEADINGS = ["requests", "", "a second", "half within, ms", "95 % within, ms", "99 % within, ms", "of the bound"]


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="bench_") as folder, databases(options.database, Path(folder, "db")) as db:
        with db.fresh() as database:
            hook = measure("webhook", database=database).said
            log = Path(folder, "web.log")
            with _serving(database, log) as url:
                deliveries = _burst("deliveries", options, url, lambda numbers: _posting(hook, numbers), options.count)
                probes = _burst("/healthz", options, url, _probing, PROBES)
            if deliveries.wrong + probes.wrong:
                sys.exit(f"{deliveries.wrong} deliveries and {probes.wrong} probes failed:\n{log.read_text()[-4000:]}")
            kept = measure("delivered", database=database).said
        machine = describe(db.version)
    bound = f"95 of 100 deliveries are answered within {1000 * BOUND:g} ms"
    expectations = [
        (bound, deliveries.at(0.95) <= BOUND, f"{1000 * deliveries.at(0.95):.1f} ms"),
        (f"No more than {ROWS} rows of them are kept", kept["rows"] <= ROWS, f"{kept['rows']}"),
        ("They ask for one Run", kept["runs"] == 1, f"{kept['runs']}"),
    ]
    text = "\n".join(
        [
            f"{machine}. {options.clients} lines at once.",
            "",
            *_table([deliveries, probes]),
            "",
            *(f"- {what}: {'held' if held else '**failed**'} ({seen})." for what, held, seen in expectations),
        ]
    )
    print(text)
    if options.write:
        replace_section(options.write, f"bench.webhooks {db.kind}", text)
    return 0 if all(held for _, held, _ in expectations) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.webhooks", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=10_000, help="deliveries")
    parser.add_argument("--clients", type=int, default=4, help="lines that post at once")
    parser.add_argument("--database", default="", help="a PostgreSQL server's URL; without it SQLite in a new file")
    parser.add_argument("--write", type=Path, help="a Markdown file whose table of this database is replaced")
    return parser.parse_args()


def _table(bursts: list[Burst]) -> list[str]:
    lines = [HEADINGS, ["--:", "---", *["--:"] * 5], *(burst.cells() for burst in bursts)]
    return [f"| {' | '.join(cells)} |" for cells in lines]


Ask = Callable[[http.client.HTTPConnection], int]
Asking = Callable[[Iterator[int]], Ask]
"""Makes what one line asks, over and over; it returns 1 for an answer of the wrong status."""


def _burst(what: str, options: argparse.Namespace, url: str, asking: Asking, number: int) -> Burst:
    numbers = count()
    host, port = urlsplit(url).hostname or "", urlsplit(url).port

    def line(times: int) -> tuple[list[float], int]:
        ask, taken, wrong = asking(numbers), [], 0
        connection = http.client.HTTPConnection(host, port, timeout=60)
        for _ in range(times):
            began = time.perf_counter()
            wrong += ask(connection)
            taken.append(time.perf_counter() - began)
        connection.close()
        return taken, wrong

    shares = [number // options.clients + (each < number % options.clients) for each in range(options.clients)]
    with ThreadPoolExecutor(options.clients) as pool:
        began = time.perf_counter()
        done = list(pool.map(line, shares))
        seconds = time.perf_counter() - began
    return Burst(what, seconds, [each for taken, _ in done for each in taken], sum(wrong for _, wrong in done))


def _posting(hook: dict[str, str], numbers: Iterator[int]) -> Ask:
    def ask(connection: http.client.HTTPConnection) -> int:
        body = _push(next(numbers))
        signature = hmac.new(hook["secret"].encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "push",
            "X-Hub-Signature-256": f"sha256={signature}",
        }
        connection.request("POST", hook["path"], body, headers)
        answer = connection.getresponse()
        answer.read()
        return int(answer.status != 202)

    return ask


def _probing(_numbers: Iterator[int]) -> Ask:
    def ask(connection: http.client.HTTPConnection) -> int:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        answer.read()
        return int(answer.status != 200)

    return ask


def _push(number: int) -> bytes:
    """About as long as GitHub's push of a few commits."""
    commit = {
        "id": f"{number:040x}",
        "message": "Change the guide " * 8,
        "added": [],
        "modified": ["docs/guide.md"] * 5,
    }
    return json.dumps(
        {
            "ref": "refs/heads/main",
            "before": f"{number:040x}",
            "after": f"{number + 1:040x}",
            "repository": {"id": 1296269, "full_name": "acme/docs"},
            "commits": [commit] * 20,
        }
    ).encode()


@contextmanager
def _serving(database: str, log: Path) -> Iterator[str]:
    """The web process as it runs in production, one of it; what it has to say is in `log`."""
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "GIT_"))},
        **SECRETS,
        "MILLRACE_ENV_FILE": "",
        "DATABASE_URL": database,
        "BASE_URL": f"http://127.0.0.1:{port}",
        "LOG_LEVEL": "WARNING",
    }
    environment.pop("MILLRACE_ROLE", None)
    command = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--port", str(port), "--no-access-log"]
    with log.open("wb") as file:
        process = subprocess.Popen([*command, "--log-level", "warning"], cwd=ROOT, env=environment, stderr=file)
    try:
        _wait(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(port: int) -> None:
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The web process did not come up.")


if __name__ == "__main__":
    sys.exit(main())
