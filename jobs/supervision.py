"""Keeping the workers alive: `manage.py worker` runs a `Supervisor` around django-q2's cluster.

The cluster replaces a worker that dies, but not in every case: one that is killed while it waits for work dies with
the queue's lock in its hands, and the others wait for ever, without an error. Hence a watchdog. A cluster shows life
through its own queue (`sweeper.tick`) and while it works (`leases.Heart`); one that does neither is replaced.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import FrameType

from django.conf import settings
from django.db import close_old_connections, connections
from django.utils import timezone

from jobs import heartbeats, outbox, queue, schedules, sweeper
from jobs.context import STOP_VARIABLE

logger = logging.getLogger("jobs.worker")

QCLUSTER = (sys.executable, "-m", "django", "qcluster")
QUICK = 10.0
"""A cluster that ends within so many seconds of its start did not really start."""
QUICK_DEATHS = 5
LOOK_EVERY = 0.25
ASK_EVERY = 2.0
"""Seconds between two looks at the database."""
WEDGED_PATIENCE = 5.0
"""Seconds that a cluster which shows no life is given to end by itself."""


class Supervisor:
    """Starts the cluster, replaces it when it dies or shows no life for `stale` seconds, ends it when asked to."""

    def __init__(self, *, stale: float, patience: float, command: Sequence[str] = QCLUSTER, pause: float = 1.0) -> None:
        self.stale = stale
        self.patience = patience
        self.command = command
        self.pause = pause  # seconds before the second try to start, doubled for each further one
        self.name = f"{heartbeats.WORKER}:{socket.gethostname()[:40]}:{os.getpid()}"
        self._stop = threading.Event()
        self._insist = threading.Event()
        self._cluster: subprocess.Popen[bytes] | None = None
        self._alive_at = 0.0
        self._asked_at = 0.0
        self._probed_at = 0.0

    def run(self) -> int:
        """Returns the exit code: 0 when it was asked to stop, 1 when the cluster cannot be kept running."""
        before = {number: signal.signal(number, self._asked_to_stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            return self._keep_running()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _keep_running(self) -> int:
        deaths = 0
        with tempfile.TemporaryDirectory(prefix="millrace-worker-") as folder:
            stop_file = Path(folder) / "stop"
            while True:
                self._start(stop_file)
                began = time.monotonic()
                why = self._watch()
                stop_file.touch()
                self._end(self.patience if self._stop.is_set() else WEDGED_PATIENCE)
                stop_file.unlink()
                if self._stop.is_set():
                    logger.info("Worker stopped")
                    return 0
                deaths = deaths + 1 if time.monotonic() - began < QUICK else 0
                if deaths >= QUICK_DEATHS:
                    logger.critical("Worker gives up: its cluster ended %s times right after its start", deaths)
                    return 1
                logger.error("Worker restarts its cluster: %s", why)
                self._stop.wait(self.pause * 2 ** (deaths - 1) if deaths else 0)

    def _asked_to_stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self._stop.is_set():  # asked twice
            self._insist.set()
        self._stop.set()

    def _start(self, stop_file: Path) -> None:
        self._sweep_first()
        self._cluster = subprocess.Popen(
            self.command,
            cwd=settings.BASE_DIR,
            env={
                **os.environ,
                "MILLRACE_ROLE": "worker",
                heartbeats.NAME_VARIABLE: self.name,
                STOP_VARIABLE: str(stop_file),
            },
            # A session of its own: Ctrl-C reaches us alone, and all that the cluster starts can be ended together.
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
        self._alive_at = self._asked_at = self._probed_at = time.monotonic()
        where = "in the database" if queue.in_database() else "at the broker"
        logger.info("Worker %s started: %s processes, queue %s", self.name, settings.JOB_WORKERS, where)

    def _sweep_first(self) -> None:
        """What was queued while nothing ran, or fetched by the cluster before, begins within seconds."""
        try:
            schedules.ensure()
            sweeper.sweep(after_restart=True)
            queue.enqueue_tick()
        except Exception as error:
            self._excuse(error)
        connections.close_all()

    def _watch(self) -> str:
        """Returns when the cluster has to be ended or has ended: why."""
        assert self._cluster is not None  # noqa: S101  # for the type checker
        while not self._stop.wait(LOOK_EVERY):
            code = self._cluster.poll()
            if code is not None:
                return f"it ended with code {code}"
            if time.monotonic() - self._asked_at >= min(ASK_EVERY, self.stale / 6):
                self._asked_at = time.monotonic()
                self._ask_for_life()
            silent = time.monotonic() - self._alive_at
            if silent > self.stale:
                return f"it has shown no life for {silent:.0f} seconds"
        return "asked to stop"

    def _ask_for_life(self) -> None:
        """Look when the cluster last showed life; when that is a while ago, or something is due, send it a tick. Ask
        for what apps have noted, too."""
        try:
            close_old_connections()
            beat = heartbeats.last_beat(self.name)
            if beat is not None:
                age = max(timezone.now() - beat, timedelta()).total_seconds()
                self._alive_at = max(self._alive_at, time.monotonic() - age)
            quiet = time.monotonic() - self._alive_at > self.stale / 3
            outbox.post_due()
            if (quiet or sweeper.needed()) and time.monotonic() - self._probed_at > self.stale / 12:
                self._probed_at = time.monotonic()
                queue.enqueue_tick()
        except Exception as error:
            self._excuse(error)

    def _excuse(self, error: Exception) -> None:
        """Without the database or the broker (whose client has errors of its own) nobody can show life: that is not
        the cluster's fault."""
        logger.warning("Worker cannot reach the database or the queue: %s", type(error).__name__)
        self._alive_at = time.monotonic()
        connections.close_all()

    def _end(self, patience: float) -> None:
        """Ask the cluster to finish what it does, wait for so many seconds, then end all that is left of it."""
        cluster = self._cluster
        assert cluster is not None  # noqa: S101  # for the type checker
        if cluster.poll() is None:
            cluster.terminate()
            deadline = time.monotonic() + patience
            while cluster.poll() is None and time.monotonic() < deadline and not self._insist.is_set():
                time.sleep(0.1)
            if cluster.poll() is None:
                logger.warning("Worker ends its cluster by force; what it was doing is taken up again")
        with suppress(ProcessLookupError):
            os.killpg(cluster.pid, signal.SIGKILL)
        cluster.wait()


def _end_with_parent() -> None:
    """Linux: should the supervisor be killed, the cluster is told to stop (prctl(2), PR_SET_PDEATHSIG)."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
