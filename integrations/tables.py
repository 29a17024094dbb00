"""The tables of integrations, of their runs, and of the files that they leave out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import django_filters
import django_tables2 as tables
from django import forms
from django.db.models import Q, QuerySet
from django.utils.safestring import SafeString

from forges.clients import FORGES
from forges.reading import SKIP_WORDS
from integrations import rows
from integrations.models import Integration, SkippedFile, Track
from integrations.wording import forge_label, track_label
from jobs.models import Run, Status, Trigger

NEVER = "never"
_SEARCH = forms.TextInput(attrs={"type": "search"})
_LEAD = {"cell": {"class": "cell-lead"}}
_NUMBER = {"cell": {"class": "num"}}


class _Cell(tables.TemplateColumn):  # type: ignore[misc]  # publishes no types
    """A cell of the integrations table: its template gets `row`, an `integrations.rows.Row`."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(template_name=f"integrations/cells/{name}.html", extra_context=self._facts, **options)

    @staticmethod
    def _facts(record: Integration, table: IntegrationsTable) -> dict[str, Any]:
        return {"row": table.facts[record.pk], "table": table, **table.context_of_cells}


def _row_attributes(name: str) -> Any:
    return lambda record: f"{name}-{record.pk}"


class IntegrationsTable(tables.Table):  # type: ignore[misc]  # publishes no types
    """Integrations annotated by `rows.listed`. Call `load` once the page is known, then render."""

    repository = _Cell("repository", verbose_name="Repository", attrs=_LEAD)
    server = _Cell("server", order_by="server__name")
    forge = tables.Column(attrs={"cell": {"class": "nowrap"}})
    branch = _Cell("branch")
    path_filter = _Cell("filter", verbose_name="Filter", orderable=False)
    files = _Cell("files", attrs=_NUMBER)
    last_commit = _Cell("commit", verbose_name="Commit", orderable=False)
    outcome = _Cell("last_run", verbose_name="Last refresh", order_by="run_at")
    actions = _Cell("actions", verbose_name="", orderable=False, attrs={"cell": {"class": "actions"}})

    noun = "integrations"
    region_id = "integrations"

    class Meta:
        order_by = ("repository",)
        attrs = {"aria-label": "Integrations"}
        row_attrs = {"id": _row_attributes("row")}

    def __init__(self, *args: Any, shows_server: bool, context: dict[str, Any], **kwargs: Any) -> None:
        """`context` is what the cells need beside their row: membership, choice, may."""
        self.shows_server = shows_server
        self.context_of_cells = context
        self.facts: dict[Any, rows.Row] = {}
        exclude = () if shows_server else ("server",)
        super().__init__(*args, exclude=exclude, **kwargs)

    def load(self) -> IntegrationsTable:
        shown = [row.record for row in self.paginated_rows]
        self.facts = rows.load(shown, membership=self.context_of_cells["membership"])
        return self

    def render_forge(self, value: str) -> str:
        return forge_label(value)


class IntegrationFilter(django_filters.FilterSet):  # type: ignore[misc]  # publishes no types
    """For querysets of `rows.listed`."""

    q = django_filters.CharFilter(label="Repository or branch", method="containing", widget=_SEARCH)
    forge = django_filters.ChoiceFilter(
        label="Forge", choices=[(forge.key, forge.label) for forge in FORGES.values()], empty_label="Any forge"
    )
    outcome = django_filters.ChoiceFilter(
        label="Last refresh",
        choices=[*Status.choices, (NEVER, "Never refreshed")],
        empty_label="Any outcome",
        method="with_outcome",
    )

    class Meta:
        model = Integration
        fields: list[str] = []

    def containing(self, found: QuerySet[Integration], _name: str, text: str) -> QuerySet[Integration]:
        tracks = Q(tracks__branch__icontains=text) | Q(tracks__mount_path__icontains=text)
        # A subquery: a join would show an integration once for each of its branches.
        branches = Integration.objects.filter(tracks).values("pk")
        return found.filter(Q(repository__icontains=text) | Q(server__name__icontains=text) | Q(pk__in=branches))

    def with_outcome(self, found: QuerySet[Integration], _name: str, status: str) -> QuerySet[Integration]:
        return found.filter(Q(outcome=None if status == NEVER else status))


class HistoryTable(tables.Table):  # type: ignore[misc]  # publishes no types
    started = tables.TemplateColumn(
        template_name="integrations/cells/history_run.html",
        verbose_name="Run",
        order_by="created_at",
        attrs=_LEAD,
    )
    status = tables.TemplateColumn(template_name="integrations/cells/history_status.html", verbose_name="Outcome")
    counts = tables.TemplateColumn(template_name="integrations/cells/history_counts.html", orderable=False)
    trigger = tables.Column(verbose_name="Trigger")
    requested_by = tables.Column(verbose_name="Who", empty_values=(), order_by="requested_by__email")
    duration = tables.TemplateColumn(
        "{% load runs %}<span class='nowrap'>{{ record.duration|duration|default:'—' }}</span>",
        orderable=False,
        attrs=_NUMBER,
    )
    requests = tables.Column(
        accessor="result__requests", verbose_name="Requests", orderable=False, attrs=_NUMBER, default="—"
    )
    rate = tables.TemplateColumn(
        "{% load humanize %}{% if record.result.rate_remaining is not None %}"
        "{{ record.result.rate_remaining|intcomma }}{% else %}—{% endif %}",
        verbose_name="Rate left",
        orderable=False,
        attrs=_NUMBER,
    )

    noun = "runs"
    region_id = "history"

    class Meta:
        order_by = ("-started",)
        attrs = {"aria-label": "History"}

    def render_trigger(self, record: Run) -> str:
        return str(Trigger(record.trigger).label)

    def render_requested_by(self, record: Run) -> str:
        if record.requested_by is None:
            return "Millrace" if record.unattended else "a deleted account"
        return str(record.requested_by)


class HistoryFilter(django_filters.FilterSet):  # type: ignore[misc]  # publishes no types
    status = django_filters.ChoiceFilter(label="Outcome", choices=Status.choices, empty_label="Any outcome")
    trigger = django_filters.ChoiceFilter(label="Trigger", choices=Trigger.choices, empty_label="Any trigger")

    class Meta:
        model = Run
        fields: list[str] = []


class SkippedTable(tables.Table):  # type: ignore[misc]  # publishes no types
    path = tables.Column(attrs={"cell": {"class": "cell-lead mono"}})
    branch = tables.Column(accessor="track__branch", attrs={"cell": {"class": "mono"}})
    reason = tables.Column(attrs={"cell": {"class": "nowrap"}})
    detail = tables.Column(orderable=False, default="")

    noun = "files"
    region_id = "skipped"

    class Meta:
        order_by = ("path",)
        attrs = {"aria-label": "Skipped files"}

    def render_reason(self, value: str) -> SafeString | str:
        return SKIP_WORDS.get(value, value)


class SkippedFilter(django_filters.FilterSet):  # type: ignore[misc]  # publishes no types
    q = django_filters.CharFilter(label="Path", field_name="path", lookup_expr="icontains", widget=_SEARCH)
    reason = django_filters.ChoiceFilter(label="Reason", choices=list(SKIP_WORDS.items()), empty_label="Any reason")
    track = django_filters.ChoiceFilter(label="Branch", empty_label="Any branch")

    class Meta:
        model = SkippedFile
        fields: list[str] = []

    def __init__(self, *args: Any, tracks: Sequence[Track], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.filters["track"].extra["choices"] = [(str(track.pk), track_label(track)) for track in tracks]
        if len(tracks) < 2:
            del self.filters["track"]
