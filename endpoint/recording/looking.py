"""Looking through the log: a page at a time, the newest first, as quick on its last page as on its first.

A page begins behind the last row of the one before (its time and id), so nothing is counted or skipped. A filter that
matches little would read the whole log for one page: one look reads no more than `MOST` rows, and says how far it came.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime

from endpoint.models import RequestLog

MOST = 50_000


@dataclass(frozen=True)
class Position:
    """Behind the row with this time and id."""

    at: datetime
    id: int

    @classmethod
    def parse(cls, text: str) -> Position | None:
        """From `str(position)`; None for anything else."""
        at, _, number = text.rpartition("_")
        try:
            moment = parse_datetime(at)
        except ValueError:
            return None
        if moment is None or moment.tzinfo is None or not (number.isascii() and number.isdigit() and len(number) < 19):
            return None
        return cls(moment, int(number))

    def __str__(self) -> str:
        return f"{self.at.isoformat()}_{self.id}"

    @property
    def older(self) -> Q:
        return Q(at__lte=self.at) & (Q(at__lt=self.at) | Q(id__lt=self.id))


@dataclass(frozen=True)
class Look:
    rows: list[RequestLog]
    older: Position | None
    """Where the next page begins; None at the end."""
    stopped_at: datetime | None
    """The look ended here, before it had read all: there may be more."""


def look(rows: QuerySet[RequestLog], *, among: QuerySet[RequestLog] | None, after: Position | None, size: int) -> Look:
    """A page of `rows`. Where these are what a filter takes of others that an index gives in their order, `among` are
    the others. Two queries at most."""
    end = None
    if after is not None:
        rows = rows.filter(after.older)
    if among is not None:
        newest_first = (among if after is None else among.filter(after.older)).order_by("-at", "-id")
        end = newest_first.values_list("at", "id")[MOST : MOST + 1].first()
    if end is not None:
        rows = rows.filter(Q(at__gte=end[0]) & (Q(at__gt=end[0]) | Q(id__gte=end[1])))
    found = list(rows.order_by("-at", "-id")[: size + 1])
    if len(found) > size:
        last = found[size - 1]
        return Look(found[:size], Position(last.at, last.pk), None)
    if end is not None:
        return Look(found, Position(end[0], end[1]), end[0])
    return Look(found, None, None)
