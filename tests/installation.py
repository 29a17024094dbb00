"""A running installation for tests and benchmarks that ask from outside: `uvicorn config.asgi:application`, with its
own settings and database. ::

    with installation(folder, rows="tests.conformance.rows", EGRESS_ALLOW_NETWORKS="127.0.0.1/32") as running:
        running.url      # http://127.0.0.1:…
        running.said     # what `rows` printed last, as JSON
        running.process  # the web process
"""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 60.0
"""Seconds for the web process to answer, and again for it to end."""


@dataclass(frozen=True, slots=True)
class Installation:
    url: str
    said: Any
    process: subprocess.Popen[bytes]
    environment: dict[str, str]
    log: Path


def environment(folder: Path, database: str = "", **settings: str) -> dict[str, str]:
    """Of processes of an installation that keeps its things in `folder`; SQLite there unless a database is named."""
    foreign = ("DJANGO_", "MILLRACE_", "TEST_")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "MILLRACE_ENV_FILE": "",
        "SECRET_KEY": "only-for-tests-" + "x" * 50,
        "ENCRYPTION_KEYS": "test:" + base64.b64encode(b"k" * 32).decode(),
        "DATABASE_URL": database or f"sqlite:///{folder / 'millrace.sqlite3'}",
        "EMAIL_URL": "memorymail://",
        "LOG_LEVEL": "WARNING",
        "SEARCH_ELSEWHERE_SECONDS": "0",
        **settings,
    }


@contextmanager
def installation(
    folder: Path,
    *,
    rows: str,
    arguments: tuple[str, ...] = (),
    application: str = "config.asgi:application",
    database: str = "",
    **settings: str,
) -> Iterator[Installation]:
    """Migrate, let the module `rows` fill the database (run as `python -m`), and serve until the block ends.

    `application` is another one for uvicorn, around that of the installation. Raises RuntimeError, with the end of its
    log, when it does not come up.
    """
    shared = environment(folder, database, **settings)
    filling = {**shared, "MILLRACE_ROLE": "worker"}
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], cwd=ROOT, env=filling, check=True)
    made = subprocess.run(
        [sys.executable, "-m", rows, *arguments], cwd=ROOT, env=filling, check=True, stdout=subprocess.PIPE, text=True
    )
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = folder / "web.log"
    command = [sys.executable, "-m", "uvicorn", application, f"--port={port}", "--no-access-log"]
    command += ["--log-level=warning", "--timeout-graceful-shutdown=2"]
    with log.open("ab") as out:
        web = subprocess.Popen(
            command, cwd=ROOT, env={**shared, "MILLRACE_ROLE": "web", "BASE_URL": url}, stdout=out, stderr=out
        )
    try:
        _wait_for(web, f"{url}/healthz", log)
        yield Installation(url, json.loads(made.stdout.splitlines()[-1]), web, shared, log)
    finally:
        end(web)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, and insist where it does not."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(PATIENCE)


def free_port() -> int:
    """One that nobody listens at, at this moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _wait_for(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(URLError, OSError), urlopen(url, timeout=5):  # noqa: S310  # our own, on this machine
            return
        time.sleep(0.1)
    raise RuntimeError(f"Nothing answers at {url}. The log ends with:\n{log.read_text()[-4000:]}")
