"""What happened on a server: changes that people made and runs, newest first in one list."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import CharField, F, QuerySet, Value
from django.db.models.functions import Cast

from catalog.models import Server
from jobs.models import Run
from orgs.models import AuditEvent


@dataclass(frozen=True)
class Entry:
    at: datetime
    event: AuditEvent | None = None
    run: Run | None = None


class Activity:
    """Events and runs of a server, as a sequence that a Paginator can page: four queries a page, however long it is."""

    def __init__(self, server: Server, kind: str = "") -> None:
        """`kind` is `events` or `runs`; empty means both."""
        events = AuditEvent.objects.filter(organization=server.organization_id, scope=str(server.pk))
        runs: QuerySet[Run] = Run.objects.for_org(server.organization).filter(scope=str(server.pk))
        rows = {"events": _as_rows(events, "event", "at"), "runs": _as_rows(runs, "run", "created_at")}
        self._rows = rows[kind] if kind in rows else rows["events"].union(rows["runs"], all=True)

    def count(self) -> int:
        return self._rows.count()

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, part: slice) -> list[Entry]:
        rows = list(self._rows.order_by("-when", "-row_key")[part])
        events = AuditEvent.objects.select_related("actor").in_bulk(
            [int(row["row_key"]) for row in rows if row["row_kind"] == "event"]
        )
        runs = Run.objects.select_related("requested_by").in_bulk(
            [uuid.UUID(row["row_key"]) for row in rows if row["row_kind"] == "run"]
        )
        return [
            Entry(row["when"], event=events.get(int(row["row_key"])))
            if row["row_kind"] == "event"
            else Entry(row["when"], run=runs.get(uuid.UUID(row["row_key"])))
            for row in rows
        ]


def entrust(server: Server) -> None:
    """Let events and Runs of a server be seen by those who may see it, after its owner changed."""
    AuditEvent.objects.filter(organization=server.organization_id, scope=str(server.pk)).update(
        private_to=server.owner_id
    )
    Run.objects.for_org(server.organization).filter(scope=str(server.pk)).update(private_to=server.owner_id)


def _as_rows(things: QuerySet[Any], kind: str, when: str) -> QuerySet[Any, dict[str, Any]]:
    return things.order_by().values(when=F(when), row_key=Cast("pk", CharField()), row_kind=Value(kind))
