"""How sources stand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Server
from forges.models import ConnectionStatus
from indexing import states
from indexing.models import Source
from indexing.states import Standing
from jobs.models import Run, Status
from orgs.models import Organization, Role, User
from tests import factories
from tests.indexing.pages import indexed, run_of


def row_of(source: Source, person: User) -> states.Row:
    return states.row_of(source, membership=person.memberships.get())


@pytest.mark.parametrize(
    ("facts", "run", "standing"),
    [
        ({}, None, Standing.PENDING),
        ({}, Status.QUEUED, Standing.PENDING),
        ({}, Status.RUNNING, Standing.INDEXING),
        ({}, Status.WAITING, Standing.INDEXING),
        ({}, Status.CANCELLED, Standing.PENDING),
        ({"indexed_at": "now"}, None, Standing.COMPLETE),
        ({"indexed_at": "now"}, Status.QUEUED, Standing.INDEXING),
        ({"indexed_at": "now"}, Status.CANCELLED, Standing.COMPLETE),
        ({"indexed_at": "now"}, Status.FAILED, Standing.COMPLETE),
        ({"error_code": "network"}, Status.FAILED, Standing.ERROR),
        ({"error_code": "network"}, Status.QUEUED, Standing.PENDING),
        ({"error_code": "network"}, Status.RUNNING, Standing.INDEXING),
        ({"error_code": "network", "indexed_at": "now"}, None, Standing.ERROR),
        ({"error_code": "network", "indexed_at": "now"}, Status.QUEUED, Standing.INDEXING),
    ],
)
def test_a_source_stands_as_its_live_run_and_else_its_last_end_says(
    docs: Server, alice: User, facts: dict[str, Any], run: str | None, standing: Standing
) -> None:
    facts = {name: timezone.now() if value == "now" else value for name, value in facts.items()}
    source = factories.source(docs, **facts)
    if run is not None:
        run_of(source, run)
    assert row_of(source, alice).standing == standing
    assert states.counts(alice.memberships.get())[standing] == 1


def test_a_killed_run_leaves_nothing_stuck(docs: Server, alice: User) -> None:
    source = indexed(factories.source(docs))
    run = run_of(source)
    assert row_of(source, alice).live
    Run.objects.filter(pk=run.pk).update(status=Status.FAILED)
    row = row_of(source, alice)
    assert (row.standing, row.live) == (Standing.COMPLETE, False)


def test_of_several_runs_the_one_that_is_worked_on_is_shown(docs: Server, alice: User) -> None:
    source = factories.source(docs)
    run_of(source, Status.WAITING)
    run_of(source, Status.QUEUED)
    running = run_of(source, Status.RUNNING)
    run_of(source, Status.SUCCEEDED)
    assert row_of(source, alice).run == running


def test_runs_of_other_sources_say_nothing(docs: Server, alice: User) -> None:
    run_of(factories.source(docs))
    assert row_of(factories.source(docs), alice).standing == Standing.PENDING


def test_refreshing_is_refused_with_the_reason(docs: Server, alice: User) -> None:
    source = factories.source(docs)
    assert row_of(source, alice).why_no_refresh == ""
    waiting = run_of(source, Status.WAITING)
    assert row_of(source, alice).why_no_refresh == ""
    Run.objects.filter(pk=waiting.pk).update(status=Status.RUNNING)
    assert row_of(source, alice).why_no_refresh == "It is being indexed."
    Source.objects.filter(pk=source.pk).update(paused_at=timezone.now())
    assert row_of(source, alice).why_no_refresh == "It is paused."


def test_a_source_in_error_says_what_happened_and_what_to_do(docs: Server, alice: User) -> None:
    source = factories.source(docs, error_code="network", error_text="It timed out.")
    trouble = row_of(source, alice).trouble
    assert trouble is not None
    assert trouble.happened == "It timed out."
    assert trouble.to_do.startswith("Refresh again.")


def test_an_error_of_a_later_millrace_is_shown_as_unknown(docs: Server, alice: User) -> None:
    trouble = row_of(factories.source(docs, error_code="eclipse", error_reference="abcd1234"), alice).trouble
    assert trouble is not None
    assert (trouble.happened, trouble.reference) == ("Something went wrong.", "abcd1234")


def test_what_the_clock_will_not_ask_has_no_next_refresh(docs: Server, acme: Organization, alice: User) -> None:
    soon = timezone.now() + timedelta(hours=1)
    lost = factories.connection(acme, alice, status=ConnectionStatus.DISCONNECTED)
    asked = factories.source(docs, next_refresh_at=soon)
    not_asked = factories.source(docs, kind=Source.Kind.REPOSITORY, connection=lost, next_refresh_at=soon)
    assert row_of(asked, alice).next_refresh_at == soon
    assert row_of(not_asked, alice).next_refresh_at is None


def test_that_no_worker_is_there_is_said_of_what_is_queued_for_long(docs: Server, alice: User) -> None:
    source = factories.source(docs)
    run = run_of(source, Status.QUEUED)
    assert not row_of(source, alice).worker_missing
    Run.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(minutes=1))
    assert row_of(source, alice).worker_missing


def test_many_rows_take_as_many_queries_as_one_and_open_no_secret(docs: Server, acme: Organization, bob: User) -> None:
    membership = bob.memberships.select_related("organization", "user").get()

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            rows = states.load(states.listed(Source.objects.for_org(acme)), membership=membership)
            assert len(rows) == Source.objects.count()
            assert sum(states.counts(membership).values()) == len(rows)
        assert not any("token_ciphertext" in query["sql"] for query in asked.captured_queries)
        return len(asked)

    factories.source(docs)
    few = queries()
    shared = factories.connection(acme, bob)
    for number in range(30):
        kind = (Source.Kind.SITE, Source.Kind.REPOSITORY, Source.Kind.MCP)[number % 3]
        source = factories.source(
            docs,
            kind,
            error_code="auth_required" if number % 4 == 0 else "",
            connection=shared if kind == Source.Kind.REPOSITORY else None,
            forge="github" if kind == Source.Kind.REPOSITORY else "",
            base_url="https://api.github.com" if kind == Source.Kind.REPOSITORY else "",
        )
        if number % 2:
            run_of(source, Status.RUNNING)
    assert queries() == few == 4


def test_only_the_organisations_own_are_counted(docs: Server, bob: User) -> None:
    other = factories.organization("Other")
    factories.membership(factories.user(), other, Role.OWNER)
    factories.source(factories.server(other), error_code="network")
    factories.source(docs)
    assert states.counts(bob.memberships.get()) == {
        Standing.PENDING: 1,
        Standing.INDEXING: 0,
        Standing.COMPLETE: 0,
        Standing.ERROR: 0,
    }
