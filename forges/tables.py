"""The last deliveries of a webhook."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import django_tables2 as tables

from forges import deliveries
from forges.models import Delivery
from jobs.models import Run
from orgs.models import Membership

_LEAD = {"cell": {"class": "cell-lead"}}
_NUMBER = {"cell": {"class": "num"}}
_ACTIONS = {"cell": {"class": "actions"}}


class _Cell(tables.TemplateColumn):  # type: ignore[misc]  # publishes no types
    """Its template gets `record` and, of what the table found for it, `runs` and `can_be_redelivered`."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(template_name=f"forges/_delivery_{name}.html", extra_context=self._facts, **options)

    @staticmethod
    def _facts(record: Delivery, table: DeliveriesTable) -> dict[str, Any]:
        return {
            "runs": [table.runs[pk] for pk in map(uuid.UUID, record.runs) if pk in table.runs],
            "gone": len(record.runs),
            "can_be_redelivered": deliveries.can_be_redelivered(record),
            "org": table.org,
            "csrf_token": table.csrf_token,
        }


class DeliveriesTable(tables.Table):  # type: ignore[misc]  # publishes no types
    event = _Cell("event", attrs=_LEAD)
    received_at = tables.TemplateColumn(
        "{% include 'components/_time.html' with value=record.received_at only %}", verbose_name="When"
    )
    outcome = _Cell("outcome")
    runs_asked = _Cell("runs", verbose_name="Runs", empty_values=())
    size = tables.TemplateColumn("{{ record.size|filesizeformat }}", attrs=_NUMBER)
    actions = _Cell("actions", verbose_name="", empty_values=(), attrs=_ACTIONS)

    region_id = "deliveries"
    empty_title = "No delivery yet"
    noun = "deliveries"

    class Meta:
        attrs = {"aria-label": "Deliveries"}
        orderable = False

    def __init__(self, shown: Sequence[Delivery], *, membership: Membership, csrf_token: str) -> None:
        """`shown` are newest first; what they asked for is found in one query."""
        self.org, self.csrf_token = membership.organization.slug, csrf_token
        asked = {uuid.UUID(pk) for delivery in shown for pk in delivery.runs}
        self.runs = Run.objects.visible_to(membership).in_bulk(asked) if asked else {}
        super().__init__(shown)
        self.empty_text = "The forge posts here when somebody pushes. Push something, or send a test from its page."
