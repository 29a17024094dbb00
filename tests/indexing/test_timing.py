"""When a source is refreshed by the clock. No database."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexing.timing import next_refresh

CHICAGO = ZoneInfo("America/Chicago")
HOUR = timedelta(hours=1)
NOBODY = uuid.UUID(int=0)
"""A key whose share of the jitter is nothing."""
SEVEN = time(7, 0)


def moments(
    zone: str, first: date, days: int, *, at: time = SEVEN, key: uuid.UUID = NOBODY, jitter: timedelta = HOUR
) -> list[datetime]:
    """The moments that fall on these days of a zone."""
    place = ZoneInfo(zone)
    found, after = [], datetime.combine(first, time(0), tzinfo=place).astimezone(UTC) - timedelta(microseconds=1)
    until = datetime.combine(first + timedelta(days=days), time(0), tzinfo=place).astimezone(UTC)
    while (after := next_refresh(at=at, zone=place, after=after, key=key, jitter=jitter)) < until:
        found.append(after)
    return found


def local(zone: str, found: list[datetime]) -> list[str]:
    return [f"{moment.astimezone(ZoneInfo(zone)):%m-%d %H:%M}" for moment in found]


@pytest.mark.parametrize(
    ("first", "change"), [(date(2026, 3, 6), "spring"), (date(2026, 10, 30), "autumn")], ids=["spring", "autumn"]
)
def test_it_is_seven_in_chicago_on_both_days_that_the_clock_changes(first: date, change: str) -> None:
    found = moments("America/Chicago", first, 5)
    days = [first + timedelta(days=number) for number in range(5)]
    assert local("America/Chicago", found) == [f"{day:%m-%d} 07:00" for day in days]
    gaps = {later - earlier for earlier, later in pairwise(found)}
    assert gaps == {timedelta(hours=24), timedelta(hours=23 if change == "spring" else 25)}


@pytest.mark.parametrize(
    "zone",
    [
        "America/Chicago",
        "Europe/London",
        "Australia/Lord_Howe",  # by half an hour
        "Antarctica/Troll",  # by two
        "Africa/Casablanca",  # back for Ramadan
        "America/Havana",  # at midnight
        "Asia/Beirut",
        "America/Nuuk",  # before midnight
        "Asia/Kathmandu",  # +05:45
        "Pacific/Kiritimati",  # +14
        "Etc/GMT+12",
    ],
)
@pytest.mark.parametrize("at", [time(0, 0), time(0, 30), time(2, 15), SEVEN, time(23, 30)], ids=str)
def test_no_day_is_lost_and_none_comes_twice_in_any_zone(zone: str, at: time) -> None:
    first = date(2025, 12, 28)
    found = moments(zone, first, 370, at=at)
    assert len(found) == 370
    days = [moment.astimezone(ZoneInfo(zone)).date() for moment in found]
    # 23:30 may not be on the day on which the clock goes from 23:00 to midnight: then it is half past.
    off = [day for number, day in enumerate(days) if day != first + timedelta(days=number)]
    assert off == [] or (zone == "America/Nuuk" and at == time(23, 30) and len(off) == 1)


def test_what_the_clock_leaves_out_comes_as_much_later() -> None:
    assert local("America/Chicago", moments("America/Chicago", date(2026, 3, 8), 1, at=time(2, 30))) == ["03-08 03:30"]


def test_what_is_moved_over_midnight_is_not_missed_by_who_asks_after_midnight() -> None:
    # In Nuuk 28 March 2026 ends at 23:00, when the clock goes on to midnight.
    nuuk = ZoneInfo("America/Nuuk")
    asked = datetime(2026, 3, 29, 0, 10, tzinfo=nuuk)
    found = next_refresh(at=time(23, 30), zone=nuuk, after=asked, key=NOBODY, jitter=HOUR)
    assert local("America/Nuuk", [found]) == ["03-29 00:30"]


def test_of_an_hour_that_comes_twice_the_first_counts() -> None:
    found = moments("America/Chicago", date(2026, 11, 1), 1, at=time(1, 30))
    assert found == [datetime(2026, 11, 1, 6, 30, tzinfo=UTC)]


def test_a_day_that_a_zone_left_out_does_not_come() -> None:
    # Samoa went from 29 to 31 December 2011.
    assert local("Pacific/Apia", moments("Pacific/Apia", date(2011, 12, 28), 5)) == [
        "12-28 07:00",
        "12-29 07:00",
        "12-31 07:00",
        "01-01 07:00",
    ]


@settings(max_examples=100)
@given(
    after=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),
    zone=st.sampled_from(["America/Chicago", "Africa/Casablanca", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]),
    at=st.times(),
    key=st.uuids(version=4),
    minutes=st.integers(0, 4 * 24 * 60),
)
def test_the_next_one_is_the_soonest_after_whenever_one_asks(
    after: datetime, zone: str, at: time, key: uuid.UUID, minutes: int
) -> None:
    place, jitter = ZoneInfo(zone), timedelta(minutes=minutes)
    soonest = next_refresh(at=at, zone=place, after=after, key=key, jitter=jitter)
    assert timedelta() < soonest - after <= timedelta(hours=26)
    # Whoever asks in between is told the same.
    assert next_refresh(at=at, zone=place, after=after + (soonest - after) / 2, key=key, jitter=jitter) == soonest
    assert next_refresh(at=at, zone=place, after=soonest - timedelta(microseconds=1), key=key, jitter=jitter) == soonest


def test_a_source_always_comes_as_much_later_as_its_key_says() -> None:
    key = uuid.UUID("5b1b7f3e-0f5c-4a57-9a2f-6c3b0a4d1e2f")
    shares = {
        moment - datetime.combine(moment.astimezone(CHICAGO).date(), SEVEN, tzinfo=CHICAGO)
        for moment in moments("America/Chicago", date(2026, 1, 1), 365, key=key)
    }
    assert len(shares) == 1
    assert timedelta() < shares.pop() < HOUR


def test_a_thousand_sources_are_spread_over_the_jitter() -> None:
    random = Random(7)
    after = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
    found = [
        next_refresh(at=SEVEN, zone=CHICAGO, after=after, key=uuid.UUID(int=random.getrandbits(128)), jitter=HOUR)
        for _ in range(1000)
    ]
    seven = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)
    assert all(seven <= moment < seven + HOUR for moment in found)
    minutes = Counter((moment - seven) // timedelta(minutes=1) for moment in found)
    assert len(minutes) == 60
    assert max(minutes.values()) < 40
    assert max(Counter(moment.replace(microsecond=0) for moment in found).values()) < 6


def test_without_jitter_all_come_at_the_time() -> None:
    key = uuid.uuid4()
    assert moments("UTC", date(2026, 1, 1), 1, key=key, jitter=timedelta()) == [datetime(2026, 1, 1, 7, tzinfo=UTC)]
