"""Charts as SVG, drawn on the server. Pure.

Colours come from classes (`static/css/charts.css`), so that both themes have theirs. Each chart is a picture with a
name to those who hear the page; the page adds a table of the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

WIDTH, HEIGHT = 720, 220
"""Of the drawing, in units of its own: it is as wide as its place."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 8, 12, 28
_PLOT_WIDTH = WIDTH - _LEFT - _RIGHT
_PLOT_HEIGHT = HEIGHT - _TOP - _BOTTOM
_LINES = 4
"""Lines of the grid above zero, about."""


@dataclass(frozen=True)
class Series:
    name: str
    tone: str
    """Its class is `chart-<tone>`: ok, warn, error, idle, first, second, third."""
    values: Sequence[float | None]
    """One for each label; None where there is nothing to show."""


@dataclass(frozen=True)
class Chart:
    key: str
    """Unique on its page: ids begin with it."""
    title: str
    summary: str
    """In a sentence what is to be seen, for those who do not see it."""
    labels: Sequence[str]
    """What each value is of, in full."""
    ticks: Sequence[str]
    """The same, short, for below the axis."""
    series: Sequence[Series]
    words: Callable[[float], str]
    """A value as it is told: `1,204`, `35 ms`."""


def bars(chart: Chart) -> str:
    """The series on top of each other, in their order from below."""
    sums = [sum(each.values[at] or 0 for each in chart.series) for at in range(len(chart.labels))]
    top, marks = _scale(max(sums, default=0))
    slot = _PLOT_WIDTH / max(len(chart.labels), 1)
    width = slot * 0.72
    drawn = []
    for at, label in enumerate(chart.labels):
        left, height = _LEFT + at * slot + (slot - width) / 2, 0.0
        parts = []
        for each in chart.series:
            value = each.values[at] or 0
            if value > 0:
                grown = max(value / top * _PLOT_HEIGHT, 1.0)  # however few, they are seen
                y = max(_TOP + _PLOT_HEIGHT - height - grown, _TOP)
                parts.append(_rectangle(left, y, width, min(grown, _PLOT_HEIGHT), each.tone))
                height += grown
        if parts:
            told = [f"{each.name}: {chart.words(each.values[at] or 0)}" for each in chart.series if each.values[at]]
            drawn.append(f"<g><title>{escape(_told(label, told))}</title>{''.join(parts)}</g>")
    return _picture(chart, "".join(drawn), marks, top)


def lines(chart: Chart) -> str:
    """Each series as a line that is broken where there is nothing, with a dot for each value."""
    known = [value for each in chart.series for value in each.values if value is not None]
    top, marks = _scale(max(known, default=0))
    slot = _PLOT_WIDTH / max(len(chart.labels), 1)
    drawn = []
    for each in chart.series:
        points = [
            None if value is None else (_LEFT + (at + 0.5) * slot, _height_at(value, top), at)
            for at, value in enumerate(each.values)
        ]
        for there, run in groupby(points, key=lambda point: point is not None):
            if there:
                way = " ".join(f"{point[0]:.1f},{point[1]:.1f}" for point in run if point is not None)
                drawn.append(f'<polyline class="chart-line chart-{each.tone}" points="{way}"/>')
        for point in points:
            if point is not None:
                x, y, at = point
                words = _told(chart.labels[at], [f"{each.name}: {chart.words(each.values[at] or 0)}"])
                drawn.append(
                    f'<circle class="chart-dot chart-{each.tone}" cx="{x:.1f}" cy="{y:.1f}" r="2.5">'
                    f"<title>{escape(words)}</title></circle>"
                )
    return _picture(chart, "".join(drawn), marks, top)


def _told(label: str, told: Sequence[str]) -> str:
    return f"{label} – {', '.join(told)}"


def _picture(chart: Chart, drawn: str, marks: Sequence[float], top: float) -> str:
    key = escape(chart.key)
    return (
        f'<svg class="chart-picture" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-labelledby="{key}-name {key}-summary">'
        f'<title id="{key}-name">{escape(chart.title)}</title><desc id="{key}-summary">{escape(chart.summary)}</desc>'
        f"{_grid(chart, marks, top)}{_axis(chart)}{drawn}</svg>"
    )


def _grid(chart: Chart, marks: Sequence[float], top: float) -> str:
    return "".join(
        f'<line class="chart-grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="chart-mark" x="{_LEFT - 6}" y="{y + 3.5:.1f}">{escape(chart.words(mark))}</text>'
        for mark in marks
        for y in [_height_at(mark, top)]
    )


def _axis(chart: Chart) -> str:
    """A tick for about every eighth of them; every second of those goes where the page is narrow."""
    slot = _PLOT_WIDTH / max(len(chart.ticks), 1)
    step = max(math.ceil(len(chart.ticks) / 8), 1)
    last = len(chart.ticks) - 1
    return "".join(
        f'<text class="chart-tick{" chart-tick-minor" if (last - at) // step % 2 else ""}" '
        f'x="{_LEFT + (at + 0.5) * slot:.1f}" y="{HEIGHT - 8}">{escape(tick)}</text>'
        for at, tick in enumerate(chart.ticks)
        if (last - at) % step == 0
    )


def _rectangle(x: float, y: float, width: float, height: float, tone: str) -> str:
    return f'<rect class="chart-bar chart-{tone}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def _height_at(value: float, top: float) -> float:
    return _TOP + _PLOT_HEIGHT * (1 - min(value / top, 1))


def _scale(most: float) -> tuple[float, list[float]]:
    """The value at the upper edge, and those that have a line: 1, 2 or 5 times a power of ten apart, from 0 on."""
    if not most > 0:
        return 1.0, [0.0]
    rough = most / _LINES
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= rough * 0.999999)
    number = math.ceil(most / step - 1e-9)
    return step * number, [step * at for at in range(number + 1)]
