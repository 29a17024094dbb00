"""Tables as GitHub's Markdown has them (https://github.github.com/gfm/#tables-extension-). Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lxml.etree import _Element as Element

_MOST_CELLS = 20_000
_MOST_COLUMNS = 100


def rows_of(table: Element) -> Iterator[Element]:
    """Its own rows, not those of tables in it."""
    for child in table:
        if child.tag == "tr":
            yield child
        elif child.tag in ("thead", "tbody", "tfoot"):
            yield from (each for each in child if each.tag == "tr")


def cells_of(row: Element) -> list[Element]:
    return [each for each in row if each.tag in ("td", "th")]


def is_plain(table: Element) -> bool:
    """Whether its cells fit on lines: no blocks of code of several lines, no table in a table, more than one column."""
    if table.get("role") in ("presentation", "none"):
        return False
    if any(each is not table for each in table.iter("table")):
        return False
    if any("\n" in "".join(pre.itertext()).strip("\n") for pre in table.iter("pre")):
        return False
    return (
        max((len(cells_of(row)) for row in rows_of(table)), default=0) > 1 or next(table.iter("th"), None) is not None
    )


def as_table(table: Element, cell: Callable[[Element], str]) -> str:
    """`cell` gives a cell's Markdown on one line. Text that spans rows stands in each of them, as it holds for each."""
    rows = list(rows_of(table))
    grid = _grid(rows, cell)
    if not any(any(row) for row in grid):
        return ""
    heads = _heads(rows)
    width = max(len(row) for row in grid)
    head = [
        _joined([grid[at][column] if column < len(grid[at]) else "" for at in range(heads)]) for column in range(width)
    ]
    lines = [_line(head), "|" + " --- |" * width]
    lines += [_line(row + [""] * (width - len(row))) for row in grid[heads:] if any(row)]
    return "\n".join(lines)


def _heads(rows: list[Element]) -> int:
    """How many rows are its head: those of <thead>, or the first one if it has nothing but <th>."""
    heads = 0
    for row in rows:
        parent = row.getparent()
        if parent is None or parent.tag != "thead":
            break
        heads += 1
    if not heads and rows and (cells := cells_of(rows[0])) and all(each.tag == "th" for each in cells):
        heads = 1 if len(rows) > 1 else 0
    return heads


def _grid(rows: list[Element], cell: Callable[[Element], str]) -> list[list[str]]:
    grid: list[list[str]] = []
    pending: dict[int, tuple[int, str]] = {}
    taken = 0
    for row in rows:
        line: list[str] = []
        cells = iter(cells_of(row))
        while True:
            while (above := pending.get(len(line))) is not None:
                column = len(line)
                line.append(above[1])
                pending[column] = (above[0] - 1, above[1])
                if above[0] <= 1:
                    del pending[column]
            this = next(cells, None)
            if this is None:
                break
            text = cell(this)
            across, down = _span(this, "colspan"), _span(this, "rowspan")
            if taken > _MOST_CELLS:
                across = down = 1
            for at in range(min(across, max(1, _MOST_COLUMNS - len(line)))):
                if down > 1:
                    pending[len(line)] = (down - 1, text if not at else "")
                line.append(text if not at else "")
                taken += 1
        grid.append(line)
    return grid


def _span(element: Element, name: str) -> int:
    said = (element.get(name) or "1").strip()
    return max(1, min(1000, int(said))) if said.isascii() and said.isdigit() and len(said) < 6 else 1


def _joined(texts: list[str]) -> str:
    return " ".join(dict.fromkeys(each for each in texts if each))


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
