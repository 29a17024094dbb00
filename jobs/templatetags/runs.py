"""How Runs are written for people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import template

from jobs import registry, wording
from jobs.models import Run

register = template.Library()


@register.filter
def duration(length: timedelta | None) -> str:
    """`under 0.1 s`, `0.4 s`, `12 s`, `3 min 4 s`, `2 h 5 min`; empty for None."""
    if length is None:
        return ""
    seconds = length.total_seconds()
    if seconds < 0.1:
        return "under 0.1\xa0s"
    if seconds < 10:
        return f"{seconds:.1f}\xa0s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return f"{rest}\xa0s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}\xa0h {minutes}\xa0min" if hours else f"{minutes}\xa0min {rest}\xa0s"


@register.filter
def kind_label(run: Run) -> str:
    return registry.label_of(run.kind)


@register.filter
def waiting_words(run: Run) -> str:
    """“Waiting until 14:05”."""
    return f"Waiting {wording.waiting_words(run)}".strip()


@register.filter
def subject_url(run: Run) -> str:
    """The page of what a Run is about, empty when that is gone."""
    kind = registry.find(run.kind)
    return kind.subject_url(run) if kind is not None and run.subject is not None else ""


@register.filter
def shown_options(run: Run) -> list[tuple[str, str]]:
    """The options as label and value; a mapping is a kind's own, such as digests of a confirmed list."""
    told = {name: value for name, value in run.options.items() if not isinstance(value, dict)}
    return [(name.replace("_", " ").capitalize(), _words(value)) for name, value in told.items()]


def _words(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(_words(each) for each in value) or "none"
        case None | "":
            return "none"
        case _:
            return str(value)
