"""The list of Runs."""

from __future__ import annotations

import django_tables2 as tables

from jobs.models import Run

_NUMBER = {"cell": {"class": "num"}}


class RunsTable(tables.Table):  # type: ignore[misc]  # publishes no types
    kind = tables.TemplateColumn(
        template_name="jobs/_run_cell.html", verbose_name="Run", attrs={"cell": {"class": "cell-lead"}}
    )
    status = tables.TemplateColumn(template_name="jobs/_status_cell.html")
    subject_label = tables.TemplateColumn(template_name="jobs/_subject_cell.html", verbose_name="About")
    trigger = tables.Column()
    requested_by = tables.Column(verbose_name="Who", order_by="requested_by__email", empty_values=())
    created_at = tables.TemplateColumn(
        "{% include 'components/_time.html' with value=record.started_at|default:record.created_at only %}",
        verbose_name="Started",
    )
    duration = tables.TemplateColumn(
        "{% load runs %}<span class='nowrap'>{{ record.duration|duration }}</span>", orderable=False, attrs=_NUMBER
    )
    counts = tables.TemplateColumn(
        "{% if record.counts %}{% include 'components/_counts.html' with counts=record.counts only %}{% endif %}",
        orderable=False,
    )

    noun = "runs"

    class Meta:
        model = Run
        fields: tuple[str, ...] = ()
        sequence = ("kind", "subject_label", "status", "counts", "trigger", "requested_by", "created_at", "duration")
        order_by = ("-created_at",)
        attrs = {"aria-label": "Runs"}

    def render_requested_by(self, record: Run) -> str:
        if record.requested_by is None:
            return "Millrace" if record.unattended else "a deleted account"
        return str(record.requested_by)

    def render_trigger(self, record: Run) -> str:
        return record.get_trigger_display()
