"""How entities stand in git, written on their rows for lists and pages to tell."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from catalog import porting
from catalog.portable.model import Kind
from gitsync.models import WELL, Mirror, MirroredEntity

_TOLD = ("code", "status", "message", "advice", "path", "line", "column", "fields", "at", "commit")


def show(mirror: Mirror) -> None:
    """Write what differs from what the rows say: nothing where both sides agree."""
    wanted: dict[str, dict[Any, dict[str, Any]]] = {kind: {} for kind in Kind}
    for row in mirror.entities.exclude(state__in=WELL).filter(entity__isnull=False):
        wanted[row.kind][row.entity] = standing(mirror, row)
    for kind in Kind:
        rows = porting.rows_of(mirror.organization, kind)
        for pk, told in rows.values_list("pk", "git_integration"):
            now = wanted[kind].get(pk, {})
            if told != now:
                porting.set_state(kind, pk, now)


def standing(mirror: Mirror, row: MirroredEntity) -> dict[str, Any]:
    """As `catalog.standing` reads it."""
    told = {name: row.error.get(name) for name in _TOLD}
    url = reverse("gitsync:mirror_entity", args=[mirror.organization.slug, row.pk])
    return {"state": str(row.state), **told, "url": url}
