"""Asking for a source to be indexed: a Run, in a worker."""

from __future__ import annotations

from django.db import transaction

from indexing.models import Source
from jobs import runs
from jobs.models import Run, Status, Trigger
from orgs.models import User

INDEX = "indexing.index"


def request_index(source: Source, *, trigger: str = Trigger.MANUAL, by: User | None = None) -> Run:
    """Ask for it, or join the Run that is queued, or call the one that waits for a time or a credential."""
    with transaction.atomic():
        waiting: Run | None = (
            Run.objects.about(source).filter(kind=INDEX, status=Status.WAITING).select_for_update().first()
        )
        if waiting is not None:
            if by is not None:
                runs.resume(waiting)
            return waiting
        return runs.request_run(
            kind=INDEX,
            subject=source,
            organization=source.server.organization,
            scope=str(source.server_id),
            trigger=trigger,
            requested_by=by,
        ).run


def request_all(sources: list[Source], *, trigger: str = Trigger.MANUAL, by: User | None = None) -> list[Run]:
    """The same for each that is not paused and can be indexed by a Run (an MCP server is tried)."""
    return [request_index(source, trigger=trigger, by=by) for source in sources if source.paused_at is None]
