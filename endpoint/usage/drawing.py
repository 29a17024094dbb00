"""Usage as the charts that a page shows, and the tables that say the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe

from endpoint.usage import charts
from endpoint.usage.charts import Chart, Series
from endpoint.usage.counting import Usage
from endpoint.usage.spans import Span


@dataclass(frozen=True)
class Figure:
    chart: Chart
    picture: SafeString
    rows: Sequence[tuple[str, Sequence[str]]]
    """Each label with its values in words: the table."""


def milliseconds(value: float | None) -> str:
    """`0.4 ms`, `35 ms`, `1.2 s`; a dash for None."""
    if value is None:
        return "—"
    if value >= 995:
        return f"{value / 1000:,.1f} s" if value < 99_500 else f"{value / 1000:,.0f} s"
    return f"{value:.0f} ms" if value >= 9.95 or value == int(value) else f"{value:.1f} ms"


def calls(usage: Usage, span: Span) -> Figure:
    """How many, by how they ended."""
    numbers = usage.by_bar
    series = [
        Series("OK", "ok", [each.ok for each in numbers]),
        Series("Errors", "error", [each.failed for each in numbers]),
        Series("Turned away", "idle", [each.turned_away for each in numbers]),
    ]
    total = usage.total
    summary = (
        f"{total.calls:,} requests in {span.label}: {total.ok:,} answered well, {total.failed:,} with an error, "
        f"{total.turned_away:,} turned away."
    )
    busiest = max(range(len(numbers)), key=lambda at: numbers[at].calls)
    if total.calls:
        summary += f" The most, {numbers[busiest].calls:,}, came in: {usage.bars[busiest].label}."
    return _figure(_chart("calls", f"Requests by {span.unit}", summary, usage, series, "count"), bars=True)


def latencies(usage: Usage, span: Span) -> Figure:
    """How long they took."""
    by_bar = [each.latencies for each in usage.by_bar]
    series = [
        Series(name, tone, [each[at] for each in by_bar])
        for at, (name, tone) in enumerate((("p50", "first"), ("p95", "second"), ("p99", "third")))
    ]
    half, most, nearly_all = (milliseconds(value) for value in usage.total.latencies)
    summary = f"Half of the requests were answered within {half}, 95 % within {most}, 99 % within {nearly_all}."
    return _figure(_chart("latency", f"Time to answer by {span.unit}", summary, usage, series, "time"), bars=False)


def _chart(key: str, title: str, summary: str, usage: Usage, series: Sequence[Series], unit: str) -> Chart:
    labels, ticks = [bar.label for bar in usage.bars], [bar.tick for bar in usage.bars]
    words = milliseconds if unit == "time" else _count
    return Chart(f"chart-{key}", title, summary, labels, ticks, series, words)


def _count(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def _figure(chart: Chart, *, bars: bool) -> Figure:
    picture = mark_safe(charts.bars(chart) if bars else charts.lines(chart))  # noqa: S308  # every text in it is escaped
    rows = [
        (label, [_told(chart, each.values[at]) for each in chart.series])
        for at, label in reversed(list(enumerate(chart.labels)))
    ]
    return Figure(chart, picture, rows)


def _told(chart: Chart, value: float | None) -> str:
    return "—" if value is None else chart.words(value)
