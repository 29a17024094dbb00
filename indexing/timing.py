"""When a source is refreshed by the clock. Pure."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_DAY = timedelta(days=1)
_SPREAD = 1_000_003
"""A prime, so that ids that are alike in some digits are spread as well as others."""


def next_refresh(*, at: time, zone: tzinfo, after: datetime, key: uuid.UUID, jitter: timedelta) -> datetime:
    """The first moment (UTC) after `after` at which a source is refreshed that is refreshed daily at `at` in `zone`.

    Each source comes later by a part of `jitter` that its `key` decides and that is always the same: a thousand of the
    same time do not begin together.
    """
    share = jitter * ((key.int % _SPREAD) / _SPREAD)
    # From the day before that of the last moment that can have passed: where the clock changes, days are shifted.
    day = (after - share).astimezone(zone).date() - _DAY
    while (moment := _moment(day, at, zone) + share) <= after:
        day += _DAY
    return moment


def _moment(day: date, at: time, zone: tzinfo) -> datetime:
    """Local `at` of a day. What the change of the clock leaves out comes as much later as the clock goes on, and of
    what comes twice the first counts (PEP 495, fold=0)."""
    return datetime.combine(day, at, tzinfo=zone).replace(fold=0).astimezone(UTC)
