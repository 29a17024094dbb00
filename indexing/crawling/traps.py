"""Links that go on for ever: calendars, parameters that multiply, folders in folders. Judged by the address alone."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from urllib.parse import unquote, urlsplit

MOST_PARAMETERS = 4
MOST_COMBINATIONS = 12
"""Sets of parameters that one path is asked with."""
MOST_DATES = 60
"""Addresses that differ in a date alone: five years of months, two months of days."""
MOST_REPEATS = 2
"""How often one folder may stand in a path."""
MOST_SEGMENTS = 20
MOST_PATHS = 20_000
"""That are remembered. Who has more of them goes on without an end in another way."""

_YEAR = r"(?:19|20)\d\d"
_DATE_IN_PATH = re.compile(rf"/{_YEAR}[-/](?:0?[1-9]|1[0-2])(?:[-/](?:0?[1-9]|[12]\d|3[01]))?(?=/?$)")
_DATE_VALUE = re.compile(rf"{_YEAR}(?:-?\d\d){{1,2}}(?:T.*)?|\d{{1,2}}[/.-]\d{{1,2}}[/.-]{_YEAR}")
_DATE_NAME = re.compile(r"(?:year|month|day|week|date|cal\w*)", re.IGNORECASE)


class Traps:
    """Of one crawl: remembers what it let pass."""

    def __init__(self) -> None:
        self._dates: Counter[str] = Counter()
        self._combinations: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
        self._told: dict[str, str] = {}

    @property
    def sentences(self) -> list[str]:
        """One for each trap, in the order they were met."""
        return list(self._told.values())

    def catches(self, url: str) -> bool:
        """Whether a canonical address that is new to the crawl belongs to a trap; notes it if it does not."""
        parts = urlsplit(url)
        return (
            self._nested(parts.path) or self._dated(parts.path, parts.query) or self._combined(parts.path, parts.query)
        )

    def _nested(self, path: str) -> bool:
        segments = [segment for segment in path.split("/") if segment and not segment.isdecimal()]
        if len(segments) <= MOST_REPEATS:
            return False
        segment, times = Counter(segments).most_common(1)[0]
        if times <= MOST_REPEATS and len(segments) <= MOST_SEGMENTS:
            return False
        return self._tell(
            "nested", segment, f"Folders that repeat without an end, such as {_shown(path)}, are left out."
        )

    def _dated(self, path: str, query: str) -> bool:
        shape = ""
        if match := _DATE_IN_PATH.search(path):
            shape = path[: match.start()]
        else:
            pairs = [pair.partition("=")[::2] for pair in query.split("&")] if query else []
            dates = [name for name, value in pairs if _is_date(name, unquote(value))]
            if dates:
                shape = f"{path}?{'&'.join(name for name, _ in pairs)}"
        if not shape and not match:
            return False
        if len(self._dates) >= MOST_PATHS:
            self._dates.clear()
        self._dates[shape] += 1
        if self._dates[shape] <= MOST_DATES:
            return False
        place = _shown(shape.partition("?")[0] or "/")
        return self._tell(
            "dated", shape, f"A calendar at {place} goes on without an end: {MOST_DATES} of its pages are read."
        )

    def _combined(self, path: str, query: str) -> bool:
        if not query:
            return False
        names = tuple(pair.partition("=")[0] for pair in query.split("&"))
        if len(self._combinations) >= MOST_PATHS:
            self._combinations.clear()
        known = self._combinations[path]
        if names in known:
            return False
        if len(names) <= MOST_PARAMETERS and len(known) < MOST_COMBINATIONS:
            known.add(names)
            return False
        return self._tell(
            "combined", path, f"The parameters of {_shown(path)} combine without an end: most are left out."
        )

    def _tell(self, kind: str, what: str, sentence: str) -> bool:
        if len(self._told) < 20:
            self._told.setdefault(f"{kind} {what}", sentence)
        return True


def _is_date(name: str, value: str) -> bool:
    if _DATE_VALUE.fullmatch(value):
        return True
    return bool(_DATE_NAME.fullmatch(name)) and value.isdecimal()


def _shown(path: str) -> str:
    return path if len(path) <= 80 else f"{path[:79]}…"
