"""How many requests there were: what quotas go by."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from threading import Lock
from uuid import UUID

from django.db.models import F, Sum
from django.utils import timezone

from catalog.models import Server, Toolkit
from endpoint.models import Hour
from endpoint.recording.flushing import tally

SECONDS = 5.0
"""How old the database's number may be."""
_MOST = 10_000

_kept: dict[tuple[UUID, int, int], tuple[int, float]] = {}
_lock = Lock()


def month(target: Server | Toolkit, *, at: datetime | None = None) -> int:
    """Requests of a server or toolkit that were answered in this calendar month (UTC).

    Those of this process are counted at once, those of others some seconds later. One query each `SECONDS`.
    """
    first = (at or timezone.now()).astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    key = (target.pk, first.year, first.month)
    with _lock:
        kept = _kept.get(key)
    if kept is None or time.monotonic() - kept[1] > SECONDS:
        # What this process writes meanwhile is counted twice until the next look: a request too few rather than many.
        _, written = tally.numbers(target.pk, first)
        kept = (_in_database(target.pk, first) - written, time.monotonic())
        with _lock:
            if len(_kept) >= _MOST:
                _kept.clear()
                tally.forget_before(first)
            _kept[key] = kept
    recorded, _ = tally.numbers(target.pk, first)
    return kept[0] + recorded


def _in_database(target: UUID, first: datetime) -> int:
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    rows = Hour.objects.filter(target=target, hour__gte=first, hour__lt=following)
    return rows.aggregate(number=Sum(F("calls") - F("refused") - F("limited")))["number"] or 0


def forget() -> None:
    """Ask the database again next time."""
    with _lock:
        _kept.clear()
