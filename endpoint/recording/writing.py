"""A batch of events becomes rows of the log and additions to the sums, all in one transaction or not at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from endpoint.keys import mark_used
from endpoint.models import Hour, LatencyHour, QueryHour, RequestLog
from endpoint.models.log import NOBODY
from endpoint.recording.adding import Key, add, insert
from endpoint.recording.buckets import bucket_of
from endpoint.recording.events import Event, storable
from indexing.search.words import fold

QUERIES_PER_HOUR = 500
"""Different queries that are counted by themselves in an hour of one target; all others are counted together."""
_LONGEST_QUERY = 200
_FAILED = {"tool_error": "tool_errors", "error": "errors", "refused": "refused", "limited": "limited"}
_COUNTED = ["calls", *_FAILED.values(), "milliseconds", "bytes_in", "bytes_out"]


@transaction.atomic
def write(events: Sequence[Event]) -> None:
    """DatabaseError if it cannot be; nothing is written then."""
    insert(RequestLog, [_row(event) for event in events if event.target is not None])
    mark_used({event.key_id: event.at for event in events if event.key_id is not None})
    _count_requests(events)
    _count_latencies(event for event in events if event.answered)
    _count_queries([event for event in events if event.query and event.target is not None])


def _row(event: Event) -> dict[str, Any]:
    return {
        "organization": event.organization_id,
        "server": event.server_id,
        "toolkit": event.toolkit_id,
        "version": event.version,
        "at": event.at,
        "caller": event.caller,
        "key": event.key_id,
        "client": event.client,
        "method": event.method,
        "subject": event.subject,
        "arguments": event.arguments or "",
        "outcome": event.outcome,
        "code": event.code,
        "milliseconds": event.milliseconds,
        "bytes_in": event.bytes_in,
        "bytes_out": event.bytes_out,
    }


def _nothing() -> defaultdict[Key, defaultdict[str, float]]:
    """Sums by key, then by field."""
    return defaultdict(lambda: defaultdict(float))


def _facts(event: Event) -> Key:
    return (event.organization_id, event.server_id, event.toolkit_id)


def _count_requests(events: Iterable[Event]) -> None:
    sums = _nothing()
    facts: dict[Key, Key] = {}
    for event in events:
        at = (event.target or NOBODY, event.hour, event.counted_method, event.tool)
        facts[at] = _facts(event)
        number = sums[at]
        number["calls"] += 1
        number["bytes_in"] += event.bytes_in
        number["bytes_out"] += event.bytes_out
        if event.outcome in _FAILED:
            number[_FAILED[event.outcome]] += 1
        if event.answered:
            number["milliseconds"] += event.milliseconds
    add(Hour, ["target", "hour", "method", "tool"], _COUNTED, sums, facts)


def _count_latencies(events: Iterable[Event]) -> None:
    sums = _nothing()
    facts: dict[Key, Key] = {}
    for event in events:
        at = (event.target or NOBODY, event.hour, bucket_of(event.milliseconds))
        facts[at] = _facts(event)
        sums[at]["calls"] += 1
    add(LatencyHour, ["target", "hour", "bucket"], ["calls"], sums, facts)


def _count_queries(events: Sequence[Event]) -> None:
    if not events:
        return
    sums = _nothing()
    facts: dict[Key, Key] = {}
    known = _Known()
    for event in events:
        query = storable(" ".join(fold(event.query).split()), _LONGEST_QUERY)
        target, hour = event.target, event.hour
        assert target is not None  # noqa: S101  # for the type checker: chosen above
        at = (target, hour, query if known.has_room_for(target, hour, query) else "")
        facts[at] = _facts(event)
        sums[at]["times"] += 1
        sums[at]["empty"] += event.found == 0
    add(QueryHour, ["target", "hour", "query"], ["times", "empty"], sums, facts)


class _Known:
    """Which queries are counted already: anybody could make up as many as they like."""

    def __init__(self) -> None:
        self._of: dict[tuple[UUID, datetime], set[str]] = {}

    def has_room_for(self, target: UUID, hour: datetime, query: str) -> bool:
        there = self._of.get((target, hour))
        if there is None:
            rows: Any = QueryHour.objects.filter(target=target, hour=hour)
            there = self._of[target, hour] = set(rows.values_list("query", flat=True))
        if query not in there and len(there) >= QUERIES_PER_HOUR:
            return False
        there.add(query)
        return True
