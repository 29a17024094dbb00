"""The numbers of this installation as Prometheus reads them.

A web process knows its own requests alone, and whoever asks an address behind which there are several gets one of them.
So what can be is counted in the database, and every process answers the same: the requests since midnight (UTC), as a
counter that begins anew each day, which Prometheus takes as it takes a restart. What only a process knows of itself,
its buffer of the request log, has its number as a label. No label names an organisation, a server or a person.
https://prometheus.io/docs/practices/naming/, https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import Error
from django.db.models import Count, Max, Sum
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from endpoint.models import Hour, LatencyHour
from endpoint.recording import flushing
from endpoint.recording.buckets import LAST, STEPS, upper
from jobs import heartbeats
from jobs.models import LIVE, Heartbeat, Run, Status

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_OUTCOMES = {"tool_errors": "tool_error", "errors": "error", "refused": "refused", "limited": "limited"}
_BOUNDS = range(STEPS, LAST, STEPS)
"""Every doubling: more than that Prometheus would have to keep for nothing."""


def exposition() -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Installation())
    return generate_latest(registry)


class _Installation(Collector):
    def collect(self) -> Iterator[Metric]:
        yield from _process()
        up = GaugeMetricFamily("millrace_database_up", "Whether the database answers this process.")
        try:
            found = [*_requests(), *_runs(), *_workers()]
        except Error:
            found = []
            up.add_metric([], 0)
        else:
            up.add_metric([], 1)
        yield up
        yield from found


def _process() -> Iterator[Metric]:
    labels = [f"{socket.gethostname()}:{os.getpid()}"]
    buffered = GaugeMetricFamily(
        "millrace_request_log_buffered", "Requests that wait to be written to the log.", labels=["process"]
    )
    buffered.add_metric(labels, len(flushing.buffer))
    yield buffered
    lost = CounterMetricFamily(
        "millrace_request_log_lost", "Requests that were never written to the log.", labels=["process"]
    )
    lost.add_metric(labels, flushing.buffer.lost)
    yield lost


def _requests() -> Iterator[Metric]:
    today = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    names = ("calls", *_OUTCOMES)
    rows: Any = Hour.objects.filter(hour__gte=today).order_by().values("method")
    sums: list[dict[str, Any]] = list(
        rows.annotate(**{f"sum_{name}": Sum(name) for name in names}, took=Sum("milliseconds"))
    )
    requests = CounterMetricFamily(
        "millrace_mcp_requests", "Requests to the MCP endpoint since midnight (UTC).", labels=["method", "outcome"]
    )
    for row in sums:
        numbers = {outcome: row[f"sum_{name}"] for name, outcome in _OUTCOMES.items()}
        for outcome, number in {"ok": row["sum_calls"] - sum(numbers.values()), **numbers}.items():
            if number or outcome == "ok":
                requests.add_metric([row["method"], outcome], number)
    yield requests
    yield _durations(today, sum(row["took"] for row in sums) / 1000)


def _durations(today: datetime, seconds: float) -> Metric:
    rows = LatencyHour.objects.filter(hour__gte=today).order_by().values("bucket").annotate(number=Sum("calls"))
    counts = {row["bucket"]: row["number"] for row in rows}
    buckets = [
        (f"{upper(bound) / 1000:g}", float(sum(number for bucket, number in counts.items() if bucket <= bound)))
        for bound in _BOUNDS
    ]
    family = HistogramMetricFamily(
        "millrace_mcp_request_duration_seconds", "How long requests took that were answered, since midnight (UTC)."
    )
    family.add_metric([], buckets=[*buckets, ("+Inf", float(sum(counts.values())))], sum_value=seconds)
    return family


def _runs() -> Iterator[Metric]:
    live = GaugeMetricFamily("millrace_runs", "Runs that have not ended.", labels=["status"])
    numbers = dict(Run.objects.filter(status__in=LIVE).order_by().values_list("status").annotate(number=Count("pk")))
    for status in sorted(LIVE):
        live.add_metric([str(Status(status).value)], numbers.get(status, 0))
    yield live
    since = timezone.now() - timedelta(days=1)
    failed = GaugeMetricFamily("millrace_runs_failed_last_day", "Runs that failed within the last 24 hours.")
    failed.add_metric([], Run.objects.filter(status=Status.FAILED, finished_at__gte=since).count())
    yield failed


def _workers() -> Iterator[Metric]:
    age = GaugeMetricFamily(
        "millrace_worker_heartbeat_age_seconds", "Since any worker last showed life. Missing where none ever did."
    )
    last = Heartbeat.objects.filter(name__startswith=heartbeats.WORKER).aggregate(last=Max("at"))["last"]
    if last is not None:
        age.add_metric([], max((timezone.now() - last).total_seconds(), 0.0))
    yield age
