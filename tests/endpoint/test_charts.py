"""Charts are drawn on the server, as pictures that say what they show."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from endpoint.usage import charts
from endpoint.usage.charts import HEIGHT, WIDTH, Chart, Series

SVG = "{http://www.w3.org/2000/svg}"


def _chart(*series: Series, labels: list[str] | None = None) -> Chart:
    number = len(series[0].values)
    labels = labels or [f"Day {at}" for at in range(number)]
    return Chart("c", "Calls & errors", "Many <b>calls</b>.", labels, labels, series, lambda value: f"{value:g}")


def _parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314  # our own


@pytest.mark.parametrize("draw", [charts.bars, charts.lines])
@pytest.mark.parametrize(
    "values", [[0.0] * 24, [1.0], [], [1e12, 0.0, 1e-9], [None, None], [3.0, None, 7.0], [0.1] * 31]
)
def test_a_chart_is_well_formed_and_stays_within_its_frame(draw: object, values: list[float | None]) -> None:
    svg = draw(_chart(Series("All <i>", "ok", values)))  # type: ignore[operator]
    root = _parsed(svg)
    assert "<b>" not in svg
    assert "<i>" not in svg
    for shape in root.iter():
        for name, most in (("x", WIDTH), ("y", HEIGHT), ("cx", WIDTH), ("cy", HEIGHT)):
            if name in shape.attrib:
                assert 0 <= float(shape.attrib[name]) <= most + 10
        if "height" in shape.attrib:
            assert float(shape.attrib["y"]) + float(shape.attrib["height"]) <= HEIGHT
    assert "nan" not in svg
    assert "inf" not in svg.lower().replace("information", "")


def test_a_chart_has_a_name_and_a_summary() -> None:
    root = _parsed(charts.bars(_chart(Series("OK", "ok", [1, 2]))))
    assert root.attrib["role"] == "img"
    said = {each.attrib["id"]: each.text for each in root if "id" in each.attrib}
    assert [said[name] for name in root.attrib["aria-labelledby"].split()] == ["Calls & errors", "Many <b>calls</b>."]


def test_no_style_is_written_into_it() -> None:
    """The Content-Security-Policy would drop it."""
    for draw in (charts.bars, charts.lines):
        assert not re.search(r"style=|fill=|stroke=", draw(_chart(Series("OK", "ok", [1, 2]))))


def test_bars_stand_on_each_other_in_proportion() -> None:
    svg = charts.bars(_chart(Series("OK", "ok", [6, 0]), Series("Errors", "error", [3, 9])))
    first, second, third = (
        (float(y), float(height)) for y, height in re.findall(r'<rect[^>]* y="([\d.]+)"[^>]* height="([\d.]+)"', svg)
    )
    assert first[1] == pytest.approx(2 * second[1], abs=0.2)
    assert second[0] + second[1] == pytest.approx(first[0], abs=0.2), "the errors begin where the others end"
    assert third[1] == pytest.approx(first[1] + second[1], abs=0.2)
    assert "<title>Day 0 – OK: 6, Errors: 3</title>" in svg


def test_one_error_among_a_million_calls_is_seen() -> None:
    svg = charts.bars(_chart(Series("OK", "ok", [1_000_000]), Series("Errors", "error", [1])))
    height = re.search(r'chart-error"[^>]* height="([\d.]+)"', svg)
    assert height is not None
    assert float(height[1]) >= 1


def test_a_line_is_broken_where_nothing_is_known() -> None:
    svg = charts.lines(_chart(Series("p50", "first", [1, 2, None, 4, 5])))
    assert svg.count("<polyline") == 2
    assert svg.count("<circle") == 4


@pytest.mark.parametrize(("most", "marks"), [(9, "0 5 10"), (100, "0 50 100"), (1, "0 0.5 1"), (0, "0"), (7e6, "")])
def test_the_lines_of_the_grid_are_round_numbers(most: float, marks: str) -> None:
    svg = charts.bars(_chart(Series("OK", "ok", [most])))
    found = re.findall(r'class="chart-mark"[^>]*>([^<]+)<', svg)
    assert 1 <= len(found) <= 6
    if marks:
        assert set(marks.split()) <= set(found)
