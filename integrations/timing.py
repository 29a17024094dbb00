"""When an integration refreshes by the clock. Pure."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

LEAST_MINUTES = 15
"""Between two refreshes by the clock. Forges ask not to be polled, and pushes are what webhooks are for."""
MOST_JITTER = timedelta(minutes=5)
_LOOKED_AT = 50
"""Moments of a cron expression that are compared with each other to find out how often it comes."""
_SHOWN = 3
"""Moments to come that pages name."""


class BadCron(ValueError):
    """The text is a sentence for the person who entered the expression."""


def check_cron(expression: str, zone: str, *, now: datetime) -> None:
    """Raises BadCron for what is no cron expression of five fields, never comes, or comes too often.

    The fields are Debian's (https://manpages.debian.org/crontab.5): minute, hour, day of month, month, day of week.
    """
    if len(expression.split()) != 5:
        raise BadCron("A cron expression has five fields: minute, hour, day of the month, month, day of the week.")
    try:
        found = list(islice(_moments(expression, zone, after=now), _LOOKED_AT))
    except CronSimError as error:
        raise BadCron(f"This is no cron expression: {str(error).lower()}. An example is 0 6 * * 1-5.") from error
    if not found:
        raise BadCron("No moment ever fits this expression.")
    if any(later - earlier < timedelta(minutes=LEAST_MINUTES) for earlier, later in pairwise(found)):
        raise BadCron(f"It comes more often than every {LEAST_MINUTES} minutes. Refresh on push is made for that.")


def next_refresh(*, schedule: str, cron: str, zone: str, after: datetime, key: uuid.UUID) -> datetime | None:
    """The next moment (UTC) after `after`, None without a schedule.

    `schedule` is one of `integrations.models.Schedule`. Each integration comes a little later than it says, always by
    the same time, which its `key` decides: a hundred daily ones do not all begin at midnight.
    """
    if not schedule:
        return None
    if schedule == "cron":
        moment = next(_moments(cron, zone, after=after), None)
        return None if moment is None else moment.astimezone(UTC) + _share(key, timedelta(minutes=1))
    interval = timedelta(minutes=int(schedule))
    # The share is of the interval, not on top of it, so that the next one is not later by another share.
    return after + interval - _share(key, min(interval / 10, MOST_JITTER))


def upcoming(
    *, schedule: str, cron: str, zone: str, after: datetime, key: uuid.UUID, first: datetime | None = None
) -> tuple[datetime, ...]:
    """The next three moments, for people to see; `first` is the one that is settled already."""
    found = [first] if first is not None else []
    while len(found) < _SHOWN:
        moment = next_refresh(schedule=schedule, cron=cron, zone=zone, after=found[-1] if found else after, key=key)
        if moment is None:
            break
        found.append(moment)
    return tuple(found)


def next_poll(*, minutes: int, after: datetime, key: uuid.UUID) -> datetime:
    """When to look for a push that no webhook told of."""
    interval = timedelta(minutes=minutes)
    return after + interval - _share(key, min(interval / 10, MOST_JITTER))


def _moments(expression: str, zone: str, *, after: datetime) -> CronSim:
    """An hour that occurs twice runs once and one that is left out runs all the same, as Debian's cron has it."""
    return CronSim(expression, after.astimezone(ZoneInfo(zone) if zone else UTC))


def _share(key: uuid.UUID, most: timedelta) -> timedelta:
    """A part of `most` that is always the same for a key."""
    return most * ((key.int % 997) / 997)
