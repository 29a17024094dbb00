"""What entities were: a revision is written with each save, in its transaction. `catalog.history` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Max

from catalog.bulk import insert_rows
from catalog.models import EntityKind, EntityRevision, RevisionFile
from orgs.models import Organization, User

KEPT = 100
"""Revisions of one entity; older ones go."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a change came from."""

    kind: str = EntityRevision.Source.PAGE
    """page or git"""
    commit: str = ""
    url: str = ""
    """Of the commit at the forge."""


def last_number(kind: EntityKind, pk: UUID) -> int:
    """0 where there is none."""
    found = EntityRevision.objects.filter(kind=kind, entity=pk).aggregate(last=Max("number"))
    return found["last"] or 0


def record(
    *,
    organization: Organization,
    kind: EntityKind,
    pk: UUID,
    owner: User | None,
    verb: str,
    name: str,
    slug: str,
    document: Mapping[str, Any],
    by: User | None,
    source: Source,
    at_least: int = 1,
    files: Mapping[str, int] | None = None,
) -> EntityRevision:
    """Write what an entity is after a change of it, and let go of its oldest beyond KEPT. Call it in the transaction
    that changed it, with its row locked.

    `at_least` is the row's own revision: the numbers are never below it, and leave out what was saved without a
    history. `files` of a skill are {path: primary key of the FileBlob}.
    """
    number = max(last_number(kind, pk) + 1, at_least)
    kept: Any = dict(document)
    revision = EntityRevision.objects.create(
        organization=organization,
        kind=kind,
        entity=pk,
        owner=owner,
        number=number,
        verb=verb,
        name=name,
        slug=slug,
        document=kept,
        source=source.kind,
        commit=source.commit,
        commit_url=source.url,
        by=by,
    )
    rows = ((path, blob) for path, blob in sorted((files or {}).items()))
    insert_rows(RevisionFile, ("path", "blob"), rows, same={"revision": revision.pk})
    _let_go(kind, pk)
    return revision


def _let_go(kind: EntityKind, pk: UUID) -> None:
    kept = EntityRevision.objects.filter(kind=kind, entity=pk).order_by("-number")
    oldest = kept.values_list("number", flat=True)[KEPT - 1 : KEPT].first()
    if oldest is not None:
        EntityRevision.objects.filter(kind=kind, entity=pk, number__lt=oldest).delete()
