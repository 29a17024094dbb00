"""A kind of work for the tests: what a Run of it does is a function that the test gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

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
