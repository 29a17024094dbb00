"""The request log as a table, and what it can be narrowed to."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import django_filters
import django_tables2 as tables
from django import forms
from django.db.models import QuerySet
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from endpoint.models import RequestLog

_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
_NUMBER = {"cell": {"class": "num"}}
TONES = {"ok": "ok", "tool_error": "warn", "error": "error", "refused": "idle", "limited": "wait"}
"""By outcome."""
FAILED = "failed"


class _Cell(tables.TemplateColumn):  # type: ignore[misc]  # publishes no types
    """A cell of the table of requests: its template gets `record`, `href` (its page) and `tone`."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(template_name=f"endpoint/cells/{name}.html", extra_context=self._facts, **options)

    @staticmethod
    def _facts(record: RequestLog, table: RequestsTable) -> dict[str, Any]:
        return {"href": table.urls[record.pk], "tone": TONES.get(record.outcome, "idle")}


class RequestsTable(tables.Table):  # type: ignore[misc]  # publishes no types
    """The newest first, always: sorting a million rows by something else would take long and tell little."""

    at = tables.Column(verbose_name="When")
    subject = _Cell("request", verbose_name="Request", attrs={"cell": {"class": "cell-lead"}})
    outcome = _Cell("outcome", verbose_name="Status")
    caller = tables.Column(verbose_name="Who", empty_values=())
    client = tables.Column(default="—")
    milliseconds = tables.Column(verbose_name="Took", attrs=_NUMBER)
    bytes_out = tables.Column(verbose_name="Size", attrs=_NUMBER)

    noun = "requests"
    region_id = "requests"

    class Meta:
        orderable = False
        sequence = ("subject", "outcome", "at", "caller", "client", "milliseconds", "bytes_out")
        attrs = {"aria-label": "Requests"}

    def __init__(self, *args: Any, urls: dict[int, str], shows_callers: bool, **kwargs: Any) -> None:
        """`urls` are those of each row's page, by its id."""
        self.urls = urls
        self.shows_callers = shows_callers
        super().__init__(*args, **kwargs)

    def render_at(self, value: datetime) -> SafeString:
        at = timezone.localtime(value)
        words, exact = date_format(at, "j M, H:i:s"), date_format(at, "j F Y, H:i:s T")
        return format_html('<time class="nowrap" datetime="{}" title="{}">{}</time>', at.isoformat(), exact, words)

    def render_caller(self, record: RequestLog) -> str:
        return (record.caller if self.shows_callers else sort_of_caller(record)) or "—"

    def render_milliseconds(self, value: float) -> str:
        return f"{value:,.1f} ms" if value < 10 else f"{value:,.0f} ms"

    def render_bytes_out(self, value: int) -> str:
        return filesizeformat(value)


class RequestFilter(django_filters.FilterSet):  # type: ignore[misc]  # publishes no types
    """Days begin at midnight in the person's zone, and `until` includes its day."""

    status = django_filters.ChoiceFilter(
        label="Status",
        method="with_status",
        choices=[(FAILED, "Any error"), *RequestLog.Outcome.choices],
        empty_label="Any status",
    )
    tool = django_filters.ChoiceFilter(label="Tool", method="of_tool", empty_label="Any tool")
    key = django_filters.ChoiceFilter(label="Key", field_name="key_id", empty_label="Any key or none")
    since = django_filters.DateFilter(label="From", method="from_day", widget=_DAY)
    until = django_filters.DateFilter(label="To", method="to_day", widget=_DAY)

    class Meta:
        model = RequestLog
        fields: list[str] = []

    def __init__(self, *args: Any, tools: list[str], keys: list[tuple[str, str]] | None, **kwargs: Any) -> None:
        """`keys` are (id, name) of those to choose from, None for who may not know of them."""
        super().__init__(*args, **kwargs)
        self.filters["tool"].extra["choices"] = [(name, name) for name in tools]
        if keys is None:
            del self.filters["key"]
        else:
            self.filters["key"].extra["choices"] = keys

    def in_time(self, rows: QuerySet[RequestLog]) -> QuerySet[RequestLog]:
        """Those of the chosen days alone, whatever else is chosen."""
        chosen = self.form.cleaned_data if self.form.is_valid() else {}
        if chosen.get("since"):
            rows = self.from_day(rows, "since", chosen["since"])
        return self.to_day(rows, "until", chosen["until"]) if chosen.get("until") else rows

    @property
    def sifts(self) -> bool:
        """Whether it takes some of what was in that time."""
        return self.form.is_valid() and any(self.form.cleaned_data.get(name) for name in ("status", "tool", "key"))

    def with_status(self, rows: QuerySet[RequestLog], _name: str, status: str) -> QuerySet[RequestLog]:
        return rows.filter(outcome__in=["tool_error", "error"]) if status == FAILED else rows.filter(outcome=status)

    def of_tool(self, rows: QuerySet[RequestLog], _name: str, tool: str) -> QuerySet[RequestLog]:
        return rows.filter(method="tools/call", subject=tool)

    def from_day(self, rows: QuerySet[RequestLog], _name: str, day: date) -> QuerySet[RequestLog]:
        return rows.filter(at__gte=_midnight(day))

    def to_day(self, rows: QuerySet[RequestLog], _name: str, day: date) -> QuerySet[RequestLog]:
        return rows.filter(at__lt=_midnight(day + timedelta(days=1))) if day < date.max else rows


def sort_of_caller(row: RequestLog) -> str:
    """What is told of who asked to those who may not know who it was."""
    if row.key_id is not None:
        return "a key"
    return "anyone" if row.caller in ("", "anonymous") else "a person"


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
