"""A real worker that is killed in the middle of a crawl: the next one goes on where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests.databases import Databases
from tests.jobs.test_worker import Cluster
from tests.site import Site

CHAPTERS = 100


@pytest.fixture
def cluster(tmp_path: Path, databases: Databases, django_db_blocker: DjangoDbBlocker) -> Iterator[Cluster]:
    with databases.new(tmp_path, "crawls") as url, django_db_blocker.unblock():
        cluster = Cluster(tmp_path, url)
        cluster.start()
        yield cluster
        if cluster.supervisor is not None and cluster.supervisor.poll() is None:
            cluster.stop()
        cluster.database.close()


def in_index(cluster: Cluster) -> set[str]:
    with cluster.database.cursor() as cursor:
        cursor.execute("SELECT path FROM indexing_page WHERE text_id IS NOT NULL AND fetched = 1")
        return {path for (path,) in cursor.fetchall()}


def test_a_crawl_whose_worker_is_killed_loses_nothing_and_asks_for_nothing_twice(cluster: Cluster) -> None:
    with Site(CHAPTERS, latency=0.2) as site:
        command = [sys.executable, "-m", "tests.system.crawl_asked_for", f"{site.url}/"]
        subprocess.run(command, check=True, env=cluster.environment)
        cluster.wait_for(lambda: len(in_index(cluster)) > 10)
        os.kill(cluster.workers()[-1], signal.SIGKILL)
        site.reset()
        before = in_index(cluster)
        site.latency = 0.0
        cluster.wait_for(lambda: cluster.run()["status"] == "succeeded")
        assert cluster.run()["lost_leases"] == 1
        assert 10 < len(before) < CHAPTERS
        # The first page is asked for by each attempt.
        assert not (before - {"/"}) & set(site.counts)
        assert in_index(cluster) == set(site.pages)
    assert cluster.stop() == 0
