"""The last 24 hours, 30 days, 12 months, cut into bars as a person's calendar has them. Pure.

Days and months begin at midnight where the person is: a day has 23 or 25 hours when clocks change. What is counted is
counted by hours of UTC, so in a zone that is half an hour off, an hour belongs to the day that it begins in.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo


@dataclass(frozen=True)
class Bar:
    begins: datetime
    ends: datetime
    """Exclusive. Both in the person's zone."""
    label: str
    """In full, as for the table: “Saturday 21 November 2026”."""
    tick: str
    """Short, as below the axis."""


@dataclass(frozen=True)
class Span:
    """A choice of what to look at."""

    name: str
    label: str
    unit: str
    """What one bar is."""
    bars: Callable[[datetime, tzinfo], list[Bar]]
    """Those up to now (aware), the oldest first."""


def hours(now: datetime, zone: tzinfo) -> list[Bar]:
    """The hour that has begun, and the 23 before it."""
    last = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    begins = [(last - timedelta(hours=back)).astimezone(zone) for back in reversed(range(24))]
    return [_bar(at, (at.astimezone(UTC) + timedelta(hours=1)).astimezone(zone), _HOUR, "%H:%M") for at in begins]


def days(now: datetime, zone: tzinfo) -> list[Bar]:
    """Today and the 29 days before."""
    today = now.astimezone(zone).date()
    dates = [today - timedelta(days=back) for back in range(29, -2, -1)]
    return _between([_midnight(date.year, date.month, date.day, zone) for date in dates], _DAY, "%-d %b")


def months(now: datetime, zone: tzinfo) -> list[Bar]:
    """The month that has begun, and the eleven before."""
    local = now.astimezone(zone)
    numbers = range(local.year * 12 + local.month - 12, local.year * 12 + local.month + 1)
    return _between([_midnight(number // 12, number % 12 + 1, 1, zone) for number in numbers], "%B %Y", "%b")


_HOUR = "%-d %B %Y, %H:%M %Z"
_DAY = "%A %-d %B %Y"

SPANS = (
    Span("24h", "24 hours", "hour", hours),
    Span("30d", "30 days", "day", days),
    Span("12m", "12 months", "month", months),
)


def span_of(name: str) -> Span:
    """The one with this name, else the first."""
    return next((span for span in SPANS if span.name == name), SPANS[0])


def _midnight(year: int, month: int, day: int, zone: tzinfo) -> datetime:
    """When a day begins: at the first moment that its clocks show, where they skip midnight."""
    at = datetime(year, month, day, tzinfo=zone)
    return at.astimezone(UTC).astimezone(zone)


def _between(bounds: list[datetime], label: str, tick: str) -> list[Bar]:
    return [_bar(begins, ends, label, tick) for begins, ends in itertools.pairwise(bounds)]


def _bar(begins: datetime, ends: datetime, label: str, tick: str) -> Bar:
    return Bar(begins, ends, begins.strftime(label), begins.strftime(tick))
