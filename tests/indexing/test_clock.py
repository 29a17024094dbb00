"""The clock asks for what is due."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from pytest_django import Settings

from catalog.models import Server
from forges.models import ConnectionStatus
from indexing import clock
from indexing.models import AutoRefresh, Source
from indexing.requesting import request_index
from jobs.models import Run, Status, Trigger
from orgs.models import Organization
from tests import factories

CHICAGO = ZoneInfo("America/Chicago")
DUE = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def no_jitter(settings: Settings) -> None:
    settings.INDEX_REFRESH_JITTER_MINUTES = 0


def due_source(docs: Server, **fields: Any) -> Source:
    return factories.source(docs, **{"next_refresh_at": DUE, **fields})


def asked_for(source: Source) -> list[Run]:
    return list(Run.objects.about(source))


@pytest.mark.parametrize("first", [datetime(2026, 3, 6, 6, tzinfo=UTC), datetime(2026, 10, 30, 6, tzinfo=UTC)])
def test_each_day_has_one_run_at_seven_in_chicago_over_a_change_of_the_clock(docs: Server, first: datetime) -> None:
    source = due_source(docs, next_refresh_at=None)
    with time_machine.travel(first, tick=False) as traveller:
        clock.plan(docs.organization)
        for _half_hour in range(5 * 24 * 2):
            clock.tick()
            Run.objects.filter(status=Status.QUEUED).update(status=Status.SUCCEEDED)
            traveller.shift(timedelta(minutes=30))
    moments = [run.created_at.astimezone(CHICAGO) for run in reversed(asked_for(source))]
    assert [f"{moment:%H:%M}" for moment in moments] == ["07:00"] * 5
    assert len({moment.date() for moment in moments}) == 5


@time_machine.travel(DUE - timedelta(minutes=1), tick=False)
def test_what_is_not_due_yet_is_not_asked_for(docs: Server) -> None:
    source = due_source(docs)
    assert clock.tick() == "0 sources asked for"
    assert asked_for(source) == []


@time_machine.travel(DUE, tick=False)
def test_what_is_due_is_asked_for_once_and_planned_for_the_next_day(docs: Server) -> None:
    source = due_source(docs)
    assert clock.tick() == "1 sources asked for"
    assert clock.tick() == "0 sources asked for"
    source.refresh_from_db()
    assert source.next_refresh_at == DUE + timedelta(days=1)
    (run,) = asked_for(source)
    assert (run.trigger, run.requested_by, run.unattended) == (Trigger.SCHEDULE, None, True)


@time_machine.travel(DUE + timedelta(days=9, hours=3), tick=False)
def test_days_without_a_worker_are_not_made_up_for_one_by_one(docs: Server) -> None:
    source = due_source(docs)
    clock.tick()
    clock.tick()
    source.refresh_from_db()
    assert source.next_refresh_at == DUE + timedelta(days=10)
    assert len(asked_for(source)) == 1


@time_machine.travel(DUE, tick=False)
def test_a_run_that_is_queued_already_is_joined(docs: Server) -> None:
    source = due_source(docs)
    request_index(source)
    clock.tick()
    assert len(asked_for(source)) == 1


@time_machine.travel(DUE, tick=False)
def test_two_workers_at_the_same_moment_ask_once(docs: Server) -> None:
    source = due_source(docs)
    late = Source.objects.select_related("server__organization", "connection").get(pk=source.pk)
    clock.tick()
    Run.objects.update(status=Status.SUCCEEDED)
    assert not clock._when_due(late, AutoRefresh(organization=docs.organization), DUE)
    assert len(asked_for(source)) == 1


@time_machine.travel(DUE, tick=False)
@pytest.mark.parametrize(
    "fields",
    [
        {"paused_at": DUE},
        {"auto_refresh": False},
        {"kind": Source.Kind.CONTENT},
        {"kind": Source.Kind.REPOSITORY, "private": True},
        {"kind": Source.Kind.REPOSITORY, "credential_lost": "The connection of octo is gone."},
    ],
    ids=["paused", "without auto-refresh", "the server's own content", "private without credential", "credential lost"],
)
def test_what_is_not_to_be_refreshed_is_not_asked_for(docs: Server, fields: dict[str, Any]) -> None:
    source = due_source(docs, **fields)
    assert clock.tick() == "0 sources asked for"
    assert asked_for(source) == []


@time_machine.travel(DUE, tick=False)
def test_a_connection_that_does_not_work_is_not_tried_and_one_that_does_is(docs: Server) -> None:
    connection = factories.connection(docs.organization, status=ConnectionStatus.DISCONNECTED)
    source = due_source(docs, kind=Source.Kind.REPOSITORY, private=True, connection=connection)
    clock.tick()
    assert asked_for(source) == []
    connection.status = ConnectionStatus.CONNECTED
    connection.save()
    with time_machine.travel(DUE + timedelta(days=1), tick=False):
        clock.tick()
    assert len(asked_for(source)) == 1


@time_machine.travel(DUE, tick=False)
def test_a_token_that_was_refused_is_sent_again_only_after_somebody_edited_the_source(docs: Server) -> None:
    source = due_source(docs, kind=Source.Kind.MCP, error_code="auth_required", token="refused")
    Source.objects.filter(pk=source.pk).update(checked_at=DUE + timedelta(seconds=1))
    clock.tick()
    assert asked_for(source) == []
    with time_machine.travel(DUE + timedelta(days=1), tick=False):
        Source.objects.get(pk=source.pk).save()
        clock.tick()
    assert len(asked_for(source)) == 1


@time_machine.travel(DUE, tick=False)
def test_an_organisation_can_switch_it_off(docs: Server) -> None:
    source = due_source(docs)
    AutoRefresh.objects.create(organization=docs.organization, enabled=False)
    assert clock.tick() == "0 sources asked for"
    source.refresh_from_db()
    assert source.next_refresh_at is None


@time_machine.travel(DUE, tick=False)
def test_each_organisation_has_its_own_time_and_zone(acme: Organization, docs: Server) -> None:
    other = factories.organization("Other")
    AutoRefresh.objects.create(organization=other, at=time(22, 30), time_zone="Asia/Tokyo")
    ours, theirs = due_source(docs), due_source(factories.server(other))
    for organization in (acme, other):
        clock.plan(organization)
    ours.refresh_from_db()
    theirs.refresh_from_db()
    assert ours.next_refresh_at == DUE + timedelta(days=1)
    assert theirs.next_refresh_at == datetime(2026, 11, 20, 13, 30, tzinfo=UTC)


@time_machine.travel(DUE, tick=False)
def test_a_zone_that_this_machine_does_not_know_is_utc(docs: Server) -> None:
    AutoRefresh.objects.create(organization=docs.organization, time_zone="Mars/Olympus")
    source = due_source(docs)
    clock.tick()
    source.refresh_from_db()
    assert source.next_refresh_at == datetime(2026, 11, 21, 7, 0, tzinfo=UTC)


@time_machine.travel(DUE, tick=False)
def test_a_thousand_sources_are_planned_with_few_queries(
    docs: Server, settings: Settings, django_assert_max_num_queries: Any
) -> None:
    settings.INDEX_REFRESH_JITTER_MINUTES = 60
    Source.objects.bulk_create(
        Source(server=docs, kind=Source.Kind.SITE, name=f"S{number}", url=f"https://s{number}/", key=f"{number:064}")
        for number in range(1000)
    )
    with django_assert_max_num_queries(20):
        clock.plan(docs.organization)
    planned = [source.next_refresh_at for source in Source.objects.exclude(next_refresh_at=None)]
    assert len(planned) == 1000
    assert 50 < len({f"{moment:%H:%M}" for moment in planned}) <= 61
