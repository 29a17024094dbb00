"""What was noted of requests is forgotten: the log after `MCP_LOG_DAYS`, what was counted after thirteen months."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from endpoint.models import Hour, LatencyHour, QueryHour, RequestLog

MONTHS_KEPT = timedelta(days=396)
"""Of the sums: twelve whole months, and the one that has begun."""
BATCH = 2_000
"""Rows in one transaction: SQLite lets nobody else write meanwhile."""
BATCHES = 250
"""In one go, of one table: what is left is for the next one, in an hour."""


def forget() -> int:
    """Delete what is too old, from the oldest on; how many rows. The schedule calls it each hour."""
    now = timezone.now()
    gone = _delete(RequestLog, "at", now - timedelta(days=max(settings.MCP_LOG_DAYS, 0)))
    for model in (Hour, LatencyHour, QueryHour):
        gone += _delete(model, "hour", now - MONTHS_KEPT)
    return gone


def _delete(model: type[models.Model], field: str, before: datetime) -> int:
    gone = 0
    old = model._base_manager.filter(**{f"{field}__lt": before}).order_by(field)
    for _ in range(BATCHES):
        batch = list(old.values_list("pk", flat=True)[:BATCH])
        if not batch:
            break
        gone += model._base_manager.filter(pk__in=batch).delete()[0]
    return gone
