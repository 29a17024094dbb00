"""One measurement in a process of its own, so that its peak memory is its own and nothing is warm."""

from __future__ import annotations

import base64
import http.client
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SECRETS = {"SECRET_KEY": "x" * 50, "ENCRYPTION_KEYS": "bench:" + base64.b64encode(b"k" * 32).decode()}


@dataclass(slots=True)
class Measurement:
    """What one piece of work cost."""

    seconds: float = 0.0
    requests: int = 0
    peak_bytes: int = 0
    """The most memory that the process ever held: interpreter, libraries and all."""
    longest_transaction: float = 0.0
    """Seconds; on SQLite nobody else can write for so long."""
    said: dict[str, Any] = field(default_factory=dict)
    """What the work itself reports, such as how many files it brought."""


def environment(database: str, **settings: str) -> dict[str, str]:
    """Of a process that runs our code on the given database, with further settings."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "GIT_"))},
        **SECRETS,
        "MILLRACE_ENV_FILE": "",
        "MILLRACE_ROLE": "worker",
        "DATABASE_URL": database or "sqlite://:memory:",
        "EGRESS_ALLOW_NETWORKS": "127.0.0.1/32",
        "LOG_LEVEL": "WARNING",
        **settings,
    }


def measure(work: str, *, database: str = "", **arguments: Any) -> Measurement:
    """Run a function of `bench.work` in a new process, on the given database, and return what it cost."""
    command = [sys.executable, "-m", "bench.work", work, json.dumps(arguments)]
    done = subprocess.run(command, cwd=ROOT, env=environment(database), stdout=subprocess.PIPE, text=True, check=True)
    return Measurement(**json.loads(done.stdout.splitlines()[-1]))


def typical(measurements: list[Measurement]) -> Measurement:
    """The one whose time is the median."""
    times = [each.seconds for each in measurements]
    return min(measurements, key=lambda each: abs(each.seconds - median(times)))


@contextmanager
def measuring() -> Iterator[Measurement]:
    """Time the block, and count the HTTP requests that Python code makes in it, redirects included."""
    measured = Measurement()
    send = http.client.HTTPConnection.putrequest

    def counted(connection: http.client.HTTPConnection, *args: Any, **kwargs: Any) -> None:
        measured.requests += 1
        send(connection, *args, **kwargs)

    http.client.HTTPConnection.putrequest = counted  # type: ignore[method-assign,assignment]
    started = time.perf_counter()
    try:
        yield measured
    finally:
        measured.seconds = time.perf_counter() - started
        http.client.HTTPConnection.putrequest = send  # type: ignore[method-assign]
        measured.peak_bytes = peak_bytes()


def peak_bytes() -> int:
    """The most memory this process has held so far.

    Linux tells it in /proc: the number of getrusage(2) counts the parent's too, from which the process was forked.
    """
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM"))


def report(measured: Measurement) -> None:
    print(json.dumps(asdict(measured)))
