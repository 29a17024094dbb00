"""What a benchmark prints: a Markdown table, what was expected of it, and whether that held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.measuring import Measurement


@dataclass(frozen=True, slots=True)
class Row:
    files: int
    who: str
    work: str
    measured: Measurement
    ratio: float
    """Its seconds, in those of the bound at the same size."""

    def cells(self) -> list[str]:
        measured = self.measured
        return [
            f"{self.files:,}",
            self.who,
            self.work,
            f"{measured.requests:,}",
            f"{measured.seconds:.2f}",
            f"{self.ratio:.2f}×",
            f"{measured.peak_bytes / (1 << 20):.0f} MB",
            f"{measured.longest_transaction:.2f}" if measured.longest_transaction else "–",
        ]


HEADINGS = ["files", "", "work", "requests", "seconds", "of the bound", "peak memory", "longest transaction, s"]
RIGHT = {0, 3, 4, 5, 6, 7}
"""Columns of numbers."""


def markdown(rows: Iterable[Row]) -> str:
    lines = [HEADINGS, ["--:" if column in RIGHT else "---" for column in range(len(HEADINGS))]]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [*lines, *(row.cells() for row in rows)])


@dataclass(frozen=True, slots=True)
class Expectation:
    sentence: str
    held: bool
    seen: Mapping[int, float]
    """By the number of files."""
    form: str = "{:g}"

    def __str__(self) -> str:
        seen = ", ".join(f"{self.form.format(value)} at {size:,} files" for size, value in self.seen.items())
        return f"{self.sentence}: {'held' if self.held else '**failed**'} ({seen})."


def summary(expectations: Sequence[Expectation]) -> str:
    failed = [expectation.sentence for expectation in expectations if not expectation.held]
    if not failed:
        return f"All {len(expectations)} expectations held."
    return f"{len(failed)} of {len(expectations)} expectations failed: {'; '.join(failed)}."


def replace_section(path: Path, name: str, text: str) -> None:
    """Put `text` between the lines `<!-- name -->` and `<!-- /name -->` of a file."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, found, rest = path.read_text().partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"{path} has no place for this table: it needs the lines {begin.strip()} and {end}.")
    path.write_text(f"{before}{begin}\n{text}\n\n{end}{after}")
