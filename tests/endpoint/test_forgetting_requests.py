"""What was noted of requests does not stay for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import Schedule

from catalog.models import Server
from endpoint.models import Hour, LatencyHour, QueryHour, RequestLog
from endpoint.recording import retention
from endpoint.recording.writing import write
from jobs import schedules
from tests.endpoint.events import event


def test_the_log_goes_after_its_days_and_the_sums_after_thirteen_months(docs: Server, settings: Any) -> None:
    settings.MCP_LOG_DAYS = 7
    now = timezone.now()
    for age in (6.9, 7.1, 395, 397.1):
        write([event(docs, at=now - timedelta(days=age), query="q", subject=f"{age}")])
    assert retention.forget() == 3 + 3
    assert list(RequestLog.objects.values_list("subject", flat=True)) == ["6.9"]
    for model in (Hour, LatencyHour, QueryHour):
        assert model.objects.count() == 3


def test_a_long_log_is_forgotten_in_batches_from_the_oldest_on(docs: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 10)
    monkeypatch.setattr(retention, "BATCHES", 3)
    old = timezone.now() - timedelta(days=60)
    rows = (RequestLog(server=docs, at=old + timedelta(minutes=number)) for number in range(45))
    RequestLog.objects.bulk_create(rows)
    with CaptureQueriesContext(connection) as caught:
        assert retention.forget() == 30
    assert sum("DELETE" in query["sql"] for query in caught) == 3
    left = RequestLog.objects.earliest("at")
    assert left.at == old + timedelta(minutes=30)
    assert retention.forget() == 15
    assert retention.forget() == 0


def test_it_is_done_each_hour(db: None) -> None:
    schedules.ensure()
    entry = Schedule.objects.get(func="endpoint.recording.retention.forget")
    assert entry.minutes == 60
