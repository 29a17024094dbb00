"""The tables of sources and of their pages."""

from __future__ import annotations

import uuid
from typing import Any

import django_filters
import django_tables2 as tables
from django import forms
from django.db.models import Q, QuerySet
from django.utils.safestring import SafeString

from indexing import states
from indexing.models import Page, Source
from indexing.states import Standing
from indexing.wording import SKIP_WORDS

PAUSED = "paused"
_SEARCH = forms.TextInput(attrs={"type": "search"})
_LEAD = {"cell": {"class": "cell-lead"}}
_NUMBER = {"cell": {"class": "num"}}


class _Cell(tables.TemplateColumn):  # type: ignore[misc]  # publishes no types
    """A cell of the table of sources: its template gets `row`, an `indexing.states.Row`."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(template_name=f"indexing/cells/{name}.html", extra_context=self._facts, **options)

    @staticmethod
    def _facts(record: Source, table: SourcesTable) -> dict[str, Any]:
        return {"row": table.facts[record.pk], "table": table, **table.context_of_cells}


class SourcesTable(tables.Table):  # type: ignore[misc]  # publishes no types
    """Sources annotated by `states.listed`. Call `load` once the page is known, then render."""

    name = _Cell("source", verbose_name="Source", attrs=_LEAD)
    server = _Cell("server", order_by="server__name")
    standing = _Cell("standing", verbose_name="Status", order_by=("standing", "name"))
    pages = tables.Column(attrs=_NUMBER)
    chunks = tables.Column(attrs=_NUMBER)
    skipped = _Cell("skipped", attrs=_NUMBER)
    indexed_at = _Cell("times", verbose_name="Last indexed")
    actions = _Cell("actions", verbose_name="", orderable=False, attrs={"cell": {"class": "actions"}})

    noun = "sources"
    region_id = "sources"

    class Meta:
        order_by = ("name",)
        attrs = {"aria-label": "Sources"}
        row_attrs = {"id": lambda record: f"row-{record.pk}"}

    def __init__(self, *args: Any, shows_server: bool, context: dict[str, Any], **kwargs: Any) -> None:
        """`context` is what the cells need beside their row: membership, may."""
        self.shows_server = shows_server
        self.context_of_cells = context
        self.facts: dict[uuid.UUID, states.Row] = {}
        exclude = () if shows_server else ("server",)
        super().__init__(*args, exclude=exclude, **kwargs)

    def load(self) -> SourcesTable:
        shown = [row.record for row in self.paginated_rows]
        self.facts = states.load(shown, membership=self.context_of_cells["membership"])
        return self

    def render_pages(self, value: int) -> str:
        return f"{value:,}"

    def render_chunks(self, value: int) -> str:
        return f"{value:,}"


class SourceFilter(django_filters.FilterSet):  # type: ignore[misc]  # publishes no types
    """For querysets of `states.listed`."""

    q = django_filters.CharFilter(label="Name or address", method="containing", widget=_SEARCH)
    kind = django_filters.ChoiceFilter(label="Kind", choices=Source.Kind.choices, empty_label="Any kind")
    status = django_filters.ChoiceFilter(
        label="Status", choices=[*Standing.choices, (PAUSED, "Paused")], empty_label="Any status", method="with_status"
    )

    class Meta:
        model = Source
        fields: list[str] = []

    def containing(self, found: QuerySet[Source], _name: str, text: str) -> QuerySet[Source]:
        return found.filter(Q(name__icontains=text) | Q(url__icontains=text) | Q(server__name__icontains=text))

    def with_status(self, found: QuerySet[Source], _name: str, status: str) -> QuerySet[Source]:
        return found.exclude(paused_at=None) if status == PAUSED else found.filter(Q(standing=status))


class PagesTable(tables.Table):  # type: ignore[misc]  # publishes no types
    title = tables.TemplateColumn(
        template_name="indexing/cells/page.html", verbose_name="Page", order_by=("path", "url"), attrs=_LEAD
    )
    chunks = tables.Column(accessor="text__chunks", attrs=_NUMBER, default="—")
    fetched_at = tables.TemplateColumn(
        '{% include "components/_time.html" with value=record.fetched_at only %}', verbose_name="Fetched"
    )
    changed_at = tables.TemplateColumn(
        '{% include "components/_time.html" with value=record.changed_at fallback="—" only %}', verbose_name="Changed"
    )

    noun = "pages"
    region_id = "pages"

    class Meta:
        order_by = ("title",)
        attrs = {"aria-label": "Pages"}


class PageFilter(django_filters.FilterSet):  # type: ignore[misc]  # publishes no types
    q = django_filters.CharFilter(label="Title or address", method="containing", widget=_SEARCH)

    class Meta:
        model = Page
        fields: list[str] = []

    def containing(self, found: QuerySet[Page], _name: str, text: str) -> QuerySet[Page]:
        return found.filter(Q(title__icontains=text) | Q(url__icontains=text) | Q(path__icontains=text))


class SkippedTable(tables.Table):  # type: ignore[misc]  # publishes no types
    url = tables.TemplateColumn(
        template_name="indexing/cells/page.html", verbose_name="Page", order_by=("path", "url"), attrs=_LEAD
    )
    skip_reason = tables.Column(verbose_name="Reason", attrs={"cell": {"class": "nowrap"}})
    skip_detail = tables.Column(verbose_name="Detail", orderable=False, default="")
    fetched_at = tables.TemplateColumn(
        '{% include "components/_time.html" with value=record.fetched_at only %}', verbose_name="Last tried"
    )

    noun = "pages"
    region_id = "skipped"

    class Meta:
        order_by = ("url",)
        attrs = {"aria-label": "Skipped pages"}

    def render_skip_reason(self, value: str) -> SafeString | str:
        return SKIP_WORDS.get(value, value)


class SkippedFilter(PageFilter):
    reason = django_filters.ChoiceFilter(
        label="Reason", field_name="skip_reason", choices=list(SKIP_WORDS.items()), empty_label="Any reason"
    )


class MissesTable(tables.Table):  # type: ignore[misc]  # publishes no types
    """Queries that found nothing."""

    query = tables.TemplateColumn(template_name="indexing/cells/miss.html", attrs=_LEAD)
    times = tables.Column(verbose_name="Times", attrs=_NUMBER)
    last_at = tables.TemplateColumn(
        '{% include "components/_time.html" with value=record.last_at only %}', verbose_name="Last"
    )

    noun = "queries"
    region_id = "misses"

    class Meta:
        order_by = ("-last_at",)
        attrs = {"aria-label": "Queries without a result"}
