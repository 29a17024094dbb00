"""When an integration refreshes by the clock."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from integrations.models import Schedule
from integrations.timing import MOST_JITTER, BadCron, check_cron, next_poll, next_refresh

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
NOBODY = uuid.UUID(int=0)
"""A key that comes exactly when its schedule says."""


def when(schedule: str, *, cron: str = "", zone: str = "", after: datetime = NOW, key: uuid.UUID = NOBODY) -> datetime:
    moment = next_refresh(schedule=schedule, cron=cron, zone=zone, after=after, key=key)
    assert moment is not None
    return moment


def test_without_a_schedule_it_never_comes() -> None:
    assert next_refresh(schedule=Schedule.NEVER, cron="", zone="", after=NOW, key=NOBODY) is None


@pytest.mark.parametrize(
    ("schedule", "interval"),
    [
        (Schedule.QUARTER, timedelta(minutes=15)),
        (Schedule.HOURLY, timedelta(hours=1)),
        (Schedule.DAILY, timedelta(days=1)),
        (Schedule.WEEKLY, timedelta(days=7)),
    ],
)
def test_an_interval_counts_from_the_last_time(schedule: str, interval: timedelta) -> None:
    assert when(schedule) == NOW + interval


def test_many_with_one_interval_do_not_all_come_at_once_and_never_later_than_it_says() -> None:
    moments = [when(Schedule.DAILY, key=uuid.uuid4()) for _ in range(50)]

    assert len(set(moments)) > 25
    assert all(NOW + timedelta(days=1) - MOST_JITTER <= moment <= NOW + timedelta(days=1) for moment in moments)


def test_one_integration_comes_at_the_same_distance_each_time() -> None:
    key = uuid.uuid4()
    first = when(Schedule.HOURLY, key=key)

    assert when(Schedule.HOURLY, after=first, key=key) - first == first - NOW


def test_a_cron_expression_is_meant_in_its_own_time_zone() -> None:
    assert when(Schedule.CRON, cron="0 6 * * 1-5", zone="Europe/Berlin") == datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
    assert when(Schedule.CRON, cron="0 6 * * 1-5", zone="Asia/Tokyo") == datetime(2026, 11, 22, 21, 0, tzinfo=UTC)


def test_an_hour_that_occurs_twice_runs_once() -> None:
    before = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)  # the clocks of Berlin go back on the 25th at 3
    first = when(Schedule.CRON, cron="30 2 * * *", zone="Europe/Berlin", after=before)

    assert first.date() == datetime(2026, 10, 25).date()
    assert when(Schedule.CRON, cron="30 2 * * *", zone="Europe/Berlin", after=first).day == 26


def test_an_hour_that_is_left_out_runs_all_the_same() -> None:
    before = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)  # and forward on the 29th at 2

    moment = when(Schedule.CRON, cron="30 2 * * *", zone="Europe/Berlin", after=before)

    assert moment == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("", "five fields"),
        ("0 6 * *", "five fields"),
        ("* * * * * *", "five fields"),
        ("61 6 * * *", "no cron expression"),
        ("0 6 * * caturday", "no cron expression"),
        ("0 0 30 2 *", "no cron expression"),
        ("* * * * *", "more often than every 15 minutes"),
        ("*/10 * * * *", "more often than every 15 minutes"),
        ("0,5 6 * * *", "more often than every 15 minutes"),
    ],
)
def test_what_is_no_cron_expression_is_told_in_a_sentence(expression: str, says: str) -> None:
    with pytest.raises(BadCron, match=says):
        check_cron(expression, "", now=NOW)


def test_an_expression_that_comes_every_quarter_of_an_hour_is_taken() -> None:
    check_cron("*/15 * * * *", "Europe/Berlin", now=NOW)


def test_polls_are_spread_too() -> None:
    moments = {next_poll(minutes=60, after=NOW, key=uuid.uuid4()) for _ in range(20)}

    assert len(moments) > 10
    assert all(NOW < moment <= NOW + timedelta(hours=1) for moment in moments)
