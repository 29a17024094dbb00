"""The audit log: who did what, when and from where."""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from lib import tables
from orgs import access
from orgs.filters import AuditFilter
from orgs.models import AuditEvent, Membership
from orgs.tables import AuditTable

EXPORT_LIMIT = 50_000
"""Rows of one export, the newest first; a narrower time span gets the rest."""


def _events(membership: Membership) -> QuerySet[AuditEvent]:
    found: QuerySet[AuditEvent] = AuditEvent.objects.visible_to(membership)
    return found


@require_safe
@access.for_members("audit.view")
def audit(request: HttpRequest, membership: Membership) -> HttpResponse:
    """The events of this organisation, newest first, filtered by the query string."""
    events = AuditFilter(request.GET, queryset=_events(membership))
    table = AuditTable(events.qs)
    tables.configure(request, table, per_page=50)
    context = {
        "table": table,
        "form": events.form,
        "filtered": any(request.GET.get(name) for name in events.filters),
        "export_limit": EXPORT_LIMIT,
        "nav_section": "audit",
    }
    return render(request, "orgs/audit.html", context)


@require_safe
@access.for_members("audit.view")
def export(request: HttpRequest, membership: Membership) -> StreamingHttpResponse:
    """The same events as CSV, times in UTC."""
    events = AuditFilter(request.GET, queryset=_events(membership)).qs[:EXPORT_LIMIT]
    name = f"audit-{membership.organization.slug}-{timezone.now():%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        _lines(events),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


class _Line:
    """What csv writes to: the writer's `writerow` returns what this does."""

    def write(self, text: str) -> str:
        return text


async def _lines(events: QuerySet[AuditEvent]) -> AsyncIterator[str]:
    # Asynchronous, because under ASGI Django collects all that an ordinary generator yields before it sends any.
    line = csv.writer(_Line()).writerow
    yield line(["at", "actor", "action", "target_type", "target_id", "target", "address", "before", "after"])
    async for event in events.aiterator(chunk_size=500):
        yield line(_harmless(value) for value in _values(event))


def _values(event: AuditEvent) -> tuple[Any, ...]:
    return (
        event.at.astimezone(timezone.get_fixed_timezone(0)).isoformat(),
        event.actor_label,
        event.action,
        event.target_type,
        event.target_id,
        event.target_label,
        event.address or "",
        json.dumps(event.before, ensure_ascii=False, sort_keys=True),
        json.dumps(event.after, ensure_ascii=False, sort_keys=True),
    )


def _harmless(value: Any) -> str:
    """As text that a spreadsheet does not take for a formula (OWASP, CSV injection)."""
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
