"""Files whose integration was deleted: what there is, and removing it as a step of its own."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Max
from django.http import HttpRequest

from catalog import contents
from catalog.models import Content, Origin, Server
from integrations.apply import LOOKUP, chunked
from integrations.models import ImportedFile
from orgs import audit
from orgs.models import User


@dataclass(frozen=True, slots=True)
class LeftOver:
    """Files that a deleted integration brought and nobody refreshes any more."""

    source_key: str
    repository: str
    branch: str
    files: int


def of_server(server: Server) -> list[LeftOver]:
    """The sources whose integration is gone, one query however many files."""
    rows = (
        ImportedFile.objects.filter(server=server, track=None, detached_at=None)
        .values("source_key")
        .annotate(files=Count("id"), sample=Max("content_id"))
    )
    found = list(rows)
    samples = Content.objects.in_bulk([row["sample"] for row in found])
    return sorted(
        (
            LeftOver(
                row["source_key"],
                str(samples[row["sample"]].provenance.get("repository", "")),
                str(samples[row["sample"]].provenance.get("branch", "")),
                row["files"],
            )
            for row in found
        ),
        key=lambda left: (left.repository, left.branch),
    )


def remove(server: Server, key: str, *, by: User, request: HttpRequest | None = None) -> int:
    """Delete the content that a deleted integration left; detached files stay. Returns how many went."""
    with transaction.atomic():
        Server.objects.select_for_update().get(pk=server.pk)
        files = ImportedFile.objects.filter(server=server, source_key=key, track=None, detached_at=None)
        ids = list(files.values_list("content_id", flat=True))
        removed = 0
        for chunk in chunked(ids, LOOKUP):
            ImportedFile.objects.filter(content_id__in=chunk).delete()
            removed += Content.objects.filter(pk__in=chunk, server=server, origin=Origin.IMPORTED).delete()[0]
        if removed:
            contents.touch(server)
        audit.record(
            "integration.files_removed",
            organization=server.organization,
            actor=by,
            target=server,
            before={"source": key, "files": removed},
            request=request,
        )
    return removed
