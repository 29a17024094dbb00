"""Days and months as the person's calendar has them, also when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from endpoint.usage.spans import SPANS, Bar, Span, days, hours, months, span_of

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Pacific/Auckland",
    "Africa/Cairo",
    "Australia/Lord_Howe",
]


def _length(bar: Bar) -> timedelta:
    return bar.ends.astimezone(UTC) - bar.begins.astimezone(UTC)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("span", SPANS, ids=lambda span: span.name)
def test_bars_follow_each_other_without_a_gap_up_to_now(zone: str, span: Span) -> None:
    for month in range(1, 13):
        _check(span, datetime(2026, month, 28, 23, 59, 59, tzinfo=UTC), ZoneInfo(zone))


def _check(span: Span, now: datetime, zone: ZoneInfo) -> None:
    bars = span.bars(now, zone)
    assert len(bars) == {"24h": 24, "30d": 30, "12m": 12}[span.name]
    for earlier, later in pairwise(bars):
        assert earlier.ends.astimezone(UTC) == later.begins.astimezone(UTC)
        assert _length(earlier) > timedelta()
    assert bars[-1].begins <= now < bars[-1].ends
    assert len({bar.label for bar in bars}) == len(bars), "each is named differently"


def test_a_day_has_23_hours_in_spring_and_25_in_autumn() -> None:
    spring = {bar.begins.date().isoformat(): _length(bar) for bar in days(datetime(2026, 4, 5, 12, tzinfo=UTC), BERLIN)}
    assert spring["2026-03-28"] == timedelta(hours=24)
    assert spring["2026-03-29"] == timedelta(hours=23)
    autumn = {
        bar.begins.date().isoformat(): _length(bar) for bar in days(datetime(2026, 11, 1, 12, tzinfo=UTC), BERLIN)
    }
    assert autumn["2026-10-25"] == timedelta(hours=25)


def test_the_hour_that_comes_twice_is_two_bars() -> None:
    bars = hours(datetime(2026, 10, 25, 3, 0, tzinfo=UTC), BERLIN)
    assert [bar.tick for bar in bars[-4:]] == ["02:00", "02:00", "03:00", "04:00"]
    assert "CEST" in bars[-4].label
    assert "CET" in bars[-3].label


def test_a_day_begins_when_its_clocks_do() -> None:
    """In Cairo, clocks skip from midnight to one on 24 April 2026."""
    bars = days(datetime(2026, 4, 24, 12, tzinfo=UTC), ZoneInfo("Africa/Cairo"))
    assert bars[-1].begins.hour == 1
    assert bars[-1].begins.astimezone(UTC) == datetime(2026, 4, 23, 22, tzinfo=UTC)
    assert _length(bars[-1]) == timedelta(hours=23)


def test_today_is_the_persons_today() -> None:
    assert days(NOW, UTC)[-1].label == "Saturday 21 November 2026"
    assert days(NOW, BERLIN)[-1].label == "Sunday 22 November 2026"


def test_twelve_months_begin_on_the_first_of_each() -> None:
    bars = months(datetime(2026, 2, 28, 23, 30, tzinfo=UTC), BERLIN)  # in Berlin it is March
    assert [bar.label for bar in (bars[0], bars[-1])] == ["April 2025", "March 2026"]
    assert {bar.begins.day for bar in bars} == {1}


def test_what_is_not_known_is_the_first() -> None:
    assert span_of("x").name == span_of("").name == "24h"
