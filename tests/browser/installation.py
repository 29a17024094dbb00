"""Millrace as it runs in production: uvicorn and a worker in processes of their own, on a database of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from django.contrib.contenttypes.models import ContentType
from django.db import connection
from pytest_django import DjangoDbBlocker

from tests.databases import Databases

PATIENCE = 180.0
"""Seconds that a process may take to start or to stop; the machine may be busy with other tests."""


class Installation:
    """Start it as a context manager: then `url` answers, and the ORM of this process speaks to its database."""

    def __init__(
        self, folder: Path, static: Path, databases: Databases, blocker: DjangoDbBlocker, *, name: str, worker: bool
    ) -> None:
        """`static` holds the collected static files; they are collected where it is not there yet."""
        self.folder = folder
        self._static = static
        self.url = f"http://127.0.0.1:{_free_port()}"
        self._databases = databases
        self._blocker = blocker
        self._with_worker = worker
        self._processes: list[subprocess.Popen[bytes]] = []
        self._cleanup = contextlib.ExitStack()
        self._name = f"browser_{name}"

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            database = stack.enter_context(self._databases.new(self.folder, self._name))
            self._environment = {
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "tests.browser.settings",
                "DATABASE_URL": database,
                "BASE_URL": self.url,
                "BROWSER_STATIC_ROOT": str(self._static),
                "JOB_WORKERS": "1",
            }
            del self._environment["MILLRACE_ROLE"]  # each process takes its own
            if not self._static.exists():
                self._manage("collectstatic", "--no-input")
            stack.callback(self._stop)
            port = self.url.rpartition(":")[2]
            self._start("-m", "uvicorn", "config.asgi:application", "--port", port, "--log-level", "warning")
            if self._with_worker:
                self._start("manage.py", "worker")
            stack.enter_context(self._as_ours(database))
            self._wait_until_it_answers(int(port))
            self._cleanup = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    @property
    def log(self) -> str:
        """What the processes wrote."""
        return "\n".join(file.read_text() for file in sorted(self.folder.glob("*.log")))

    def _manage(self, *arguments: str) -> None:
        subprocess.run([sys.executable, "manage.py", *arguments, "--verbosity=0"], check=True, env=self._environment)

    def _start(self, *arguments: str) -> None:
        with (self.folder / f"{len(self._processes)}.log").open("wb") as log:
            self._processes.append(
                subprocess.Popen([sys.executable, *arguments], stdout=log, stderr=log, env=self._environment)
            )

    def _stop(self) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=30)

    def _wait_until_it_answers(self, port: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while not _answers(port):
            assert all(process.poll() is None for process in self._processes), self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)

    @contextlib.contextmanager
    def _as_ours(self, database: str) -> Iterator[None]:
        """Let the ORM of the tests speak to this database, so that they can make things and look at them."""
        former = connection.settings_dict["NAME"]
        with self._blocker.unblock():
            connection.close()
            connection.settings_dict["NAME"] = database.rpartition(":///" if "sqlite" in database else "/")[2]
            ContentType.objects.clear_cache()  # the same model has another id there
            try:
                yield
            finally:
                connection.close()
                connection.settings_dict["NAME"] = former
                ContentType.objects.clear_cache()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
