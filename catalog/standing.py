"""How an entity stands in git, as apps above wrote it on the row (`git_integration`).

It is neutral JSON that came from elsewhere: whatever is malformed in it is left out, and none of it stops a page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

TITLES = {
    "error": "Error in git",
    "conflict": "Conflict with git",
    "missing": "Missing in git",
    "confirm": "Needs confirmation",
}
"""By state."""
OTHERWISE = "Not in step with git"
_LONGEST = 2_000
_FIELDS = 20


@dataclass(frozen=True)
class Standing:
    """What is to be told of one entity. Texts are "" where nothing is known, numbers 0."""

    state: str
    """error, conflict, missing or confirm; another word where what wrote it knows more than this."""
    code: str
    status: int
    """The HTTP code that stands for it: 400 or 500."""
    message: str
    advice: str
    path: str
    """Of the file, below the directory of all entities."""
    line: int
    column: int
    fields: tuple[str, ...]
    at: datetime | None
    commit: str
    url: str
    """A page of ours that settles it."""

    @property
    def title(self) -> str:
        return TITLES.get(self.state, OTHERWISE)

    @property
    def tone(self) -> str:
        return "error" if self.state in ("error", "conflict") else "warn"

    @property
    def place(self) -> str:
        """commands/greet.json, line 3, column 14"""
        words = [self.path]
        if self.path and self.line:
            words.append(f"line {self.line}")
            words += [f"column {self.column}"] if self.column else []
        return ", ".join(filter(None, words))


def standing_of(row: Any) -> Standing | None:
    """What an entity's list and page tell of it; None for nothing."""
    told = row.git_integration
    if not told or not isinstance(told, dict):
        return None
    fields = told.get("fields")
    return Standing(
        state=_text(told, "state"),
        code=_text(told, "code"),
        status=_number(told, "status"),
        message=_text(told, "message"),
        advice=_text(told, "advice"),
        path=_text(told, "path"),
        line=_number(told, "line"),
        column=_number(told, "column"),
        fields=tuple(each for each in fields if isinstance(each, str))[:_FIELDS] if isinstance(fields, list) else (),
        at=_time(told),
        commit=_text(told, "commit"),
        url=_own_page(_text(told, "url")),
    )


def _text(told: dict[str, Any], name: str) -> str:
    value = told.get(name)
    return value[:_LONGEST] if isinstance(value, str) else ""


def _number(told: dict[str, Any], name: str) -> int:
    value = told.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _time(told: dict[str, Any]) -> datetime | None:
    try:
        found = parse_datetime(_text(told, "at"))
    except ValueError:  # well formed, and no such day
        return None
    return timezone.make_aware(found) if found and timezone.is_naive(found) else found


def _own_page(url: str) -> str:
    """A path on this site, "" for any other address: `//host` and `/\\host` lead elsewhere."""
    return url if url.startswith("/") and not url.startswith(("//", "/\\")) else ""
