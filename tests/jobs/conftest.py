"""A kind of work for the tests: what a Run of it does is a function that the test gives."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier
from typing import Any, TypeVar

import pytest
from django.db import connection

from catalog.models import Server
from jobs import registry
from jobs.context import RunContext
from jobs.models import Run, Trigger
from jobs.outcomes import Outcome
from jobs.registry import Kind
from jobs.runs import request_run
from orgs.models import User

Work = Callable[[RunContext], Outcome | None]
AsksFor = Callable[..., Run]


class Workbench:
    """`does` is what a Run of the kind does; what it got and how often is remembered."""

    name = "tests.work"

    def __init__(self) -> None:
        self.does: Work = lambda context: None  # noqa: ARG005
        self.contexts: list[RunContext] = []

    def __call__(self, context: RunContext) -> Outcome:
        self.contexts.append(context)
        return self.does(context) or Outcome()

    @property
    def times(self) -> int:
        return len(self.contexts)


@pytest.fixture
def work() -> Iterator[Workbench]:
    bench = Workbench()
    registry.register(
        Kind(
            name=bench.name,
            label="Test work",
            function=bench,
            entitlement="integrations.import",
            subject_url=lambda run: f"/subject/{run.subject_id}/",
            confirm_entitlement="contents.can_delete",
        )
    )
    yield bench
    registry.unregister(bench.name)


@pytest.fixture
def ask(work: Workbench, docs: Server, bob: User) -> AsksFor:
    """Ask for the test work about `docs`, as bob: `ask()`, `ask(options={…})`."""

    def ask_for(**changes: Any) -> Run:
        return request_run(
            **{
                "kind": work.name,
                "subject": docs,
                "organization": docs.organization,
                "scope": str(docs.pk),
                "trigger": Trigger.MANUAL,
                "requested_by": bob,
                **changes,
            }
        ).run

    return ask_for


@pytest.fixture
def on_disk(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """Name it first in a test with threads.

    SQLite in memory refuses at once what a file would wait for, so the test goes on with a copy in a file.
    """
    name = str(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite" or "memory" not in name:
        yield
        return
    memory = sqlite3.connect(name, uri=True)  # keeps it in being while nobody else is connected
    file = tmp_path / "test.sqlite3"
    with closing(sqlite3.connect(file)) as copy:
        memory.backup(copy)
    connection.settings_dict["NAME"] = str(file)
    connection.close()
    yield
    connection.close()
    connection.settings_dict["NAME"] = name
    connection.ensure_connection()
    memory.close()


Answer = TypeVar("Answer")


@pytest.fixture
def together() -> Callable[..., list[Any]]:
    """`together(f, g)`: both at the same moment, each in a thread of its own; their answers."""

    def run(*functions: Callable[[], Answer]) -> list[Answer]:
        barrier = Barrier(len(functions))

        def one(function: Callable[[], Answer]) -> Answer:
            try:
                connection.ensure_connection()
                barrier.wait(timeout=10)
                return function()
            finally:
                connection.close()

        with ThreadPoolExecutor(len(functions)) as pool:
            return [each.result(timeout=60) for each in [pool.submit(one, function) for function in functions]]

    return run
