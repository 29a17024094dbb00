"""Several processes write the same hours at the same moment, and one is killed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from django.conf import settings

from tests.databases import Databases

SERVER, OTHER = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"
BATCHES, SIZE, PROCESSES = 5, 60, 2
COUNTED = {"hour": "calls", "latencyhour": "calls", "queryhour": "times"}

BEGIN = """
    import django; django.setup()
    import sys, time
    from datetime import UTC, datetime, timedelta
    from uuid import UUID
    from django.db.models import Sum
    from endpoint.models import Hour, LatencyHour, QueryHour, RequestLog
    from endpoint import recording
    from endpoint.recording import counts, flushing

    def event(number, target):
        return recording.Event(organization_id=None, server_id=UUID(target), toolkit_id=None, version=None,
            at=datetime(2026, 11, 21, 12, tzinfo=UTC) + timedelta(hours=number % 3), caller="", key_id=None, client="",
            method="tools/call", subject=f"tool{number % 7}", arguments=None, query=f"query {number % 5}",
            found=number % 2, outcome="ok", code="", milliseconds=float(number), bytes_in=1, bytes_out=2)
"""


@pytest.fixture(scope="module")
def database(databases: Databases, tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[str]:
    with databases.new(tmp_path_factory.mktemp("flushing"), "flushing") as url:
        yield url


def _start(database: str, code: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "TEST_DATABASE_URL": database}
    program = textwrap.dedent(BEGIN) + textwrap.dedent(code)
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=Path(settings.BASE_DIR),
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def _said(process: subprocess.Popen[str]) -> str:
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return out.strip()


def _number(database: str, statement: str) -> int:
    """What a statement gives, asked without a process of its own."""
    if database.startswith("sqlite"):
        with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as connection:
            return int(connection.execute(statement).fetchone()[0])
    with psycopg.connect(database) as server:
        row = server.execute(statement.encode()).fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
def no_leftovers() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


def test_nothing_is_lost_or_counted_twice(database: str, no_leftovers: list[subprocess.Popen[str]]) -> None:
    """Each comes with its events in another order: who locked rows in that order would wait for ever."""
    code = f"""
        print("ready", flush=True); sys.stdin.readline()
        for batch in range({BATCHES}):
            for number in range({SIZE}):
                at = number if STEP else {SIZE} - 1 - number
                recording.record(event(at, ["{SERVER}", "{OTHER}"][at % 2]))
            recording.flush()
    """
    no_leftovers += [_start(database, code.replace("STEP", str(number))) for number in range(PROCESSES)]
    for process in no_leftovers:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in no_leftovers:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in no_leftovers:
        _said(process)
    sums = [_number(database, f"SELECT sum({name}) FROM endpoint_{table}") for table, name in COUNTED.items()]  # noqa: S608
    assert sums == [BATCHES * SIZE * PROCESSES] * 3
    assert _number(database, "SELECT count(*) FROM endpoint_requestlog") == BATCHES * SIZE * PROCESSES
    assert _number(database, "SELECT count(*) FROM endpoint_hour") == 2 * 3 * 7, "one for each target, hour and tool"


def test_a_process_that_is_killed_between_leaves_nothing_half_written(
    database: str, no_leftovers: list[subprocess.Popen[str]]
) -> None:
    """It dies after the log was written and before the sums were."""
    target = "00000000-0000-0000-0000-00000000000c"
    killed = _start(
        database,
        f"""
        from endpoint.recording import writing
        def wait(*_):
            print("between", flush=True)
            time.sleep(100)
        writing._count_latencies = wait
        recording.record(event(1, "{target}"))
        recording.flush()
        """,
    )
    no_leftovers.append(killed)
    assert killed.stdout is not None
    assert killed.stdout.readline() == "between\n"
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    after = _start(
        database,
        f"""
        recording.record(event(1, "{target}"))
        recording.flush()
        print(RequestLog.objects.filter(server="{target}").count(), end=" ")
        print(Hour.objects.filter(target="{target}").aggregate(number=Sum("calls"))["number"])
        """,
    )
    no_leftovers.append(after)
    assert _said(after) == "1 1"


def test_a_process_writes_by_itself_and_at_its_end(database: str, no_leftovers: list[subprocess.Popen[str]]) -> None:
    """As the web process does: nobody calls flush()."""
    target = "00000000-0000-0000-0000-00000000000d"
    web = _start(
        database,
        f"""
        from django.conf import settings
        settings.ROLE = "web"
        recording.record(event(1, "{target}"))
        begun = time.monotonic()
        while not RequestLog.objects.filter(server="{target}").exists() and time.monotonic() - begun < 60:
            time.sleep(0.05)
        flushing.EVERY = 3600
        print(RequestLog.objects.filter(server="{target}").count(), flush=True)
        recording.record(event(2, "{target}"))
        """,
    )
    no_leftovers.append(web)
    assert _said(web) == "1"
    of_it = f"server_id = '{UUID(target).hex}'"  # which PostgreSQL takes as well
    assert _number(database, f"SELECT count(*) FROM endpoint_requestlog WHERE {of_it}") == 2  # noqa: S608
