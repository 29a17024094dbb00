"""`manage.py worker` over real processes and a database of its own: whatever is killed, the work gets done."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import environ
import pytest
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from jobs.supervision import Supervisor
from tests.databases import Databases

T = TypeVar("T")
PATIENCE = 45.0


class Cluster:
    """A supervised cluster of one worker process, what it wrote, and a look into its database."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.jobs.cluster.settings",
            "TEST_DATABASE_URL": database_url,
            "JOB_WORKERS": "1",
            "JOB_LEASE": "2",
            "JOB_STALE": "8",
            "JOB_STOP_SECONDS": "10",
        }
        database = {**environ.Env.db_url_config(database_url), "OPTIONS": {}}
        self.database = ConnectionHandler({"default": database})["default"]
        self.log_file = folder / "log"
        self.supervisor: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log_file.open("ab") as log:
            self.supervisor = subprocess.Popen(
                [sys.executable, "manage.py", "worker"], stdout=log, stderr=log, env=self.environment
            )

    def stop(self) -> int:
        assert self.supervisor is not None
        self.supervisor.send_signal(signal.SIGTERM)
        return self.supervisor.wait(timeout=PATIENCE)

    def request(self, until: Path) -> None:
        subprocess.run(
            [sys.executable, "-m", "tests.jobs.cluster.request", str(until)], check=True, env=self.environment
        )

    def run(self) -> dict[str, Any]:
        """The one Run that there is."""
        with self.database.cursor() as cursor:
            cursor.execute("SELECT status, stage, attempts, lost_leases FROM jobs_run")
            row = cursor.fetchone()
        return dict(zip(("status", "stage", "attempts", "lost_leases"), row, strict=True)) if row else {}

    @property
    def log(self) -> str:
        return self.log_file.read_text() if self.log_file.exists() else ""

    def workers(self) -> list[int]:
        """The worker processes that were started, the newest last."""
        return [int(number) for number in re.findall(r"ready for work at (\d+)", self.log)]

    def busy_worker(self) -> int:
        return self.wait_for(lambda: int((re.findall(r"in process (\d+)", self.run().get("stage", "")) or [0])[0]))

    def wait_for(self, sight: Callable[[], T]) -> T:
        deadline = time.monotonic() + PATIENCE
        while not (seen := sight()):
            assert time.monotonic() < deadline, f"{self.run()}\n{self.log[-8000:]}"
            time.sleep(0.1)
        return seen


@pytest.fixture
def cluster(tmp_path: Path, databases: Databases, django_db_blocker: DjangoDbBlocker) -> Iterator[Cluster]:
    with databases.new(tmp_path, "cluster") as url, django_db_blocker.unblock():
        cluster = Cluster(tmp_path, url)
        cluster.start()
        yield cluster
        if cluster.supervisor is not None and cluster.supervisor.poll() is None:
            cluster.stop()
        cluster.database.close()


def test_a_run_whose_busy_worker_is_killed_is_taken_up_again(cluster: Cluster, tmp_path: Path) -> None:
    end = tmp_path / "end"
    cluster.request(until=end)
    os.kill(cluster.busy_worker(), signal.SIGKILL)
    cluster.wait_for(lambda: cluster.run()["attempts"] == 2)
    end.touch()
    cluster.wait_for(lambda: cluster.run()["status"] == "succeeded")
    assert cluster.run()["lost_leases"] == 1
    assert cluster.stop() == 0


def test_a_cluster_wedged_by_the_killing_of_an_idle_worker_is_replaced(cluster: Cluster, tmp_path: Path) -> None:
    end = tmp_path / "end"
    end.touch()
    cluster.wait_for(cluster.workers)
    time.sleep(1)  # the worker now waits for work, with the queue's lock in its hands
    os.kill(cluster.workers()[-1], signal.SIGKILL)
    cluster.request(until=end)
    cluster.wait_for(lambda: cluster.run()["status"] == "succeeded")
    assert "shown no life" in cluster.log
    assert cluster.stop() == 0


def test_a_stopping_worker_gives_its_run_back_and_leaves_no_process(cluster: Cluster, tmp_path: Path) -> None:
    cluster.request(until=tmp_path / "never")
    busy = cluster.busy_worker()
    assert cluster.stop() == 0
    run = cluster.run()  # another worker of the cluster may have taken it, and given it back, before it stopped as well
    assert (run["status"], run["stage"], run["lost_leases"]) == ("queued", "Waiting for the next worker", 0)
    assert not Path(f"/proc/{busy}").exists()


def test_a_cluster_whose_heart_is_killed_is_replaced_with_all_its_processes(cluster: Cluster, tmp_path: Path) -> None:
    end = tmp_path / "end"
    cluster.request(until=end)
    busy = cluster.busy_worker()
    assert cluster.supervisor is not None
    heart = int(Path(f"/proc/{busy}/stat").read_text().rsplit(")", 1)[1].split()[1])  # the sentinel is its parent
    os.kill(heart, signal.SIGKILL)
    end.touch()
    cluster.wait_for(lambda: cluster.run()["status"] == "succeeded")
    assert cluster.stop() == 0


def test_a_cluster_whose_supervisor_is_killed_stops_as_well(cluster: Cluster, tmp_path: Path) -> None:
    cluster.request(until=tmp_path / "never")
    busy = cluster.busy_worker()
    assert cluster.supervisor is not None
    cluster.supervisor.kill()
    cluster.supervisor.wait(timeout=PATIENCE)
    (tmp_path / "never").touch()
    cluster.wait_for(lambda: not Path(f"/proc/{busy}").exists())


@pytest.mark.django_db
def test_a_cluster_that_never_stays_up_is_given_up_with_an_error(caplog: pytest.LogCaptureFixture) -> None:
    supervisor = Supervisor(stale=60, patience=1, command=[sys.executable, "-c", "raise SystemExit(3)"], pause=0.01)
    assert supervisor.run() == 1
    assert "it ended with code 3" in caplog.text
    assert "gives up" in caplog.text
