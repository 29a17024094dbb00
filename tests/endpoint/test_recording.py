"""Requests are noted, written in batches, and counted by the hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from catalog.models import Server
from endpoint.models import Hour, LatencyHour, QueryHour, RequestLog
from endpoint.models.log import NOBODY
from endpoint.recording import counts, flush, flushing, record
from endpoint.recording.buckets import bucket_of
from endpoint.recording.buffer import Buffer
from orgs.models import Organization
from tests import factories
from tests.endpoint.events import event


@pytest.fixture(autouse=True)
def own_buffer(monkeypatch: pytest.MonkeyPatch) -> Buffer:
    """What other tests recorded is none of these tests' business."""
    fresh = Buffer(100)
    monkeypatch.setattr(flushing, "buffer", fresh)
    monkeypatch.setattr(flushing, "tally", flushing.Tally())
    monkeypatch.setattr(counts, "tally", flushing.tally)
    counts.forget()
    return fresh


def test_a_request_is_in_the_log_and_in_its_hour(docs: Server) -> None:
    at = datetime(2026, 3, 1, 9, 59, 59, tzinfo=UTC)
    record(event(docs, at=at, version=3, caller="CI", outcome="tool_error", code="timeout", query="Pumps", found=0))
    assert flush() == 1

    row = RequestLog.objects.get()
    assert (row.organization, row.server, row.toolkit, row.at) == (docs.organization, docs, None, at)
    assert (row.caller, row.subject, row.outcome, row.code, row.version) == ("CI", "search", "tool_error", "timeout", 3)
    hour = Hour.objects.get()
    assert (hour.server, hour.hour, hour.method, hour.tool) == (
        docs,
        at.replace(minute=0, second=0),
        "tools/call",
        "search",
    )
    assert (hour.calls, hour.tool_errors, hour.errors, hour.milliseconds, hour.bytes_out) == (1, 1, 0, 12.0, 1000)
    latency = LatencyHour.objects.get()
    assert (latency.bucket, latency.calls) == (bucket_of(12), 1)
    query = QueryHour.objects.get()
    assert (query.query, query.times, query.empty) == ("pumps", 1, 1)


def test_later_batches_add_to_the_same_hour(docs: Server) -> None:
    at = timezone.now()
    for outcome in ("ok", "error", "limited"):
        record(event(docs, at=at, method="ping", outcome=outcome, milliseconds=5))
        flush()
    hour = Hour.objects.get()
    assert (hour.calls, hour.errors, hour.limited, hour.milliseconds) == (3, 1, 1, 10.0)
    assert sum(LatencyHour.objects.values_list("calls", flat=True)) == 2, "what was limited says nothing of speed"


def test_made_up_methods_and_tools_are_counted_together(docs: Server) -> None:
    for number in range(20):
        record(event(docs, method=f"made/up{number}", outcome="error"))
        record(event(docs, subject=f"tool{number}", outcome="error", code="-32602"))
    flush()
    assert sorted(Hour.objects.values_list("method", "tool", "calls")) == [("other", "", 20), ("tools/call", "", 20)]


def test_made_up_queries_are_counted_together(docs: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("endpoint.recording.writing.QUERIES_PER_HOUR", 3)
    at = timezone.now()
    for text in ("a", "b"):
        record(event(docs, at=at, query=text, found=1))
    flush()
    for text in ("B ", "c", "d", "e"):
        record(event(docs, at=at, query=text, found=0))
    flush()
    rows = sorted(QueryHour.objects.values_list("query", "times", "empty"))
    assert rows == [("", 2, 2), ("a", 1, 0), ("b", 2, 1), ("c", 1, 1)]


def test_requests_for_what_does_not_exist_are_counted_and_not_logged(db: None) -> None:
    record(event(None, outcome="refused", code="404"))
    assert flush() == 1
    assert not RequestLog.objects.exists()
    assert Hour.objects.get().target == NOBODY


def test_what_no_database_can_store_is_stored_as_well_as_it_can_be(docs: Server) -> None:
    record(
        event(docs, client="a\x00b\ud800" + "x" * 500, subject="y" * 9000, bytes_out=2**40, code="\x00", query="\x00")
    )
    assert flush() == 1
    row = RequestLog.objects.get()
    assert len(row.client) == 120
    assert row.client.startswith("a�b�x")
    assert len(row.subject) == 500


def test_arguments_that_are_credentials_by_their_name_are_masked(docs: Server) -> None:
    arguments = {
        "path": {"id": 7},
        "query": {"api_key": "s3cret"},
        "body": [{"Authorization": "Bearer t0ken"}],
        "token": "x",
    }
    record(event(docs, arguments=arguments))
    record(event(docs, arguments=None))
    record(event(docs, arguments={"text": "z" * 10_000}))
    record(event(docs, arguments={"text": "z"}, bytes_in=1 << 20))
    flush()
    first, none, long, huge = RequestLog.objects.order_by("id").values_list("arguments", flat=True)
    assert '"id": 7' in first
    assert "s3cret" not in first
    assert "t0ken" not in first
    assert none == ""
    assert len(long) == 4_000
    assert huge == "(too large to keep)"


def test_a_full_buffer_lets_the_oldest_go_and_counts_them(docs: Server, own_buffer: Buffer) -> None:
    for number in range(150):
        record(event(docs, method="ping", subject=str(number)))
    assert own_buffer.lost == 50
    assert flush() == 100
    assert RequestLog.objects.earliest("id").subject == "50"


def test_a_batch_is_written_whole_or_not_at_all_and_once(docs: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database goes away between the log and the sums."""
    for number in range(3):
        record(event(docs, subject=str(number)))
    with monkeypatch.context() as patched:

        def gone(*_: object) -> None:
            raise OperationalError("server closed the connection unexpectedly")

        patched.setattr("endpoint.recording.writing._count_latencies", gone)
        with pytest.raises(OperationalError):
            flush()
        assert not RequestLog.objects.exists()
        assert not Hour.objects.exists()
    record(event(docs, subject="3"))
    assert flush() == 4
    assert list(RequestLog.objects.order_by("id").values_list("subject", flat=True)) == ["0", "1", "2", "3"]
    assert sum(Hour.objects.values_list("calls", flat=True)) == 4


def test_an_event_that_the_database_refuses_does_not_stop_the_others(docs: Server, own_buffer: Buffer) -> None:
    for number in range(9):
        record(event(docs, subject=str(number), version=10**20 if number == 4 else None))
    assert flush() == 8
    assert own_buffer.lost == 1
    assert RequestLog.objects.count() == 8
    assert counts.month(docs) == 8


def test_a_server_that_is_deleted_meanwhile_stops_nothing(docs: Server, acme: Organization) -> None:
    other = factories.server(acme, "Other")
    record(event(docs))
    record(event(other))
    docs.delete()
    assert flush() == 2
    assert RequestLog.objects.filter(server=other).count() == 1
    other.delete()
    assert not RequestLog.objects.filter(server=other.pk).exists()
    assert not Hour.objects.filter(server=other.pk).exists()


def test_a_month_is_counted_with_what_waits_in_the_buffer(docs: Server, acme: Organization) -> None:
    now = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    for outcome in ("ok", "error", "tool_error", "refused", "limited"):
        record(event(docs, at=now, outcome=outcome))
    assert counts.month(docs, at=now) == 3
    flush()
    record(event(docs, at=now))
    record(event(factories.server(acme, "Other"), at=now))
    assert counts.month(docs, at=now) == 4
    counts.forget()
    assert counts.month(docs, at=now) == 4
    assert counts.month(docs, at=now + timedelta(minutes=1)) == 0, "January has begun, in UTC"


def test_a_month_asks_the_database_once_in_some_seconds(docs: Server, django_assert_num_queries: object) -> None:
    assert counts.month(docs) == 0
    record(event(docs))
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert counts.month(docs) == 1
