"""Commands and skills that a server offers: attached to it and taken away again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from catalog.checking.problems import FieldError, Invalid
from catalog.models import Command, EntityRevision, Server, Skill
from catalog.saving import Change, tell
from orgs import audit
from orgs.models import User

ATTACHABLE: Mapping[str, type[Command] | type[Skill]] = MappingProxyType({"commands": Command, "skills": Skill})
"""By their names on a server and in its file."""


class AttachedMeanwhile(ValueError):
    """Somebody else attached something, or took it away; the text is a sentence for a person."""

    def __init__(self) -> None:
        super().__init__("Somebody else changed what is attached while you were choosing. Nothing was saved.")


def attachable(server: Server, kind: str) -> QuerySet[Any]:
    """What may be attached: the organisation's; to a personal server its owner's too, and nobody else's."""
    rows = ATTACHABLE[kind].objects.filter(organization=server.organization_id)
    return rows.filter(Q(owner=None) | Q(owner=server.owner_id)) if server.owner_id else rows.filter(owner=None)


def attached(server: Server) -> dict[str, list[Any]]:
    """The rows, by kind; one query each."""
    return {kind: list(attachable(server, kind).filter(servers=server)) for kind in ATTACHABLE}


@transaction.atomic
def attach(
    server: Server,
    *,
    commands: Collection[UUID],
    skills: Collection[UUID],
    by: User | None,
    request: HttpRequest | None = None,
    seen: Collection[UUID] | None = None,
) -> Server:
    """Let the server offer these and no others, by their ids; one change of its configuration. `seen` is what was
    attached when they were chosen. Raises AttachedMeanwhile, and Invalid for what may not be attached; a server that is
    gone is Server.DoesNotExist."""
    current: Server = Server.objects.select_for_update().select_related("organization").get(pk=server.pk)
    before = attached(current)
    here = {row.pk for rows in before.values() for row in rows}
    if seen is not None and here != set(seen):
        raise AttachedMeanwhile
    wanted = {kind: _chosen(current, kind, ids) for kind, ids in (("commands", commands), ("skills", skills))}
    if here == {row.pk for rows in wanted.values() for row in rows}:
        return current
    for kind, rows in wanted.items():
        getattr(current, kind).set(rows)
    audit.record(
        "server.attached",
        organization=current.organization,
        actor=by,
        target=current,
        before=_slugs(before),
        after=_slugs(wanted),
        request=request,
    )
    tell(current, Change("update", "server", current.name), by)
    return current


def tell_servers(row: Command | Skill, by: User | None, source: EntityRevision.Source) -> None:
    """What it is attached to says otherwise now: call it when its slug changes, and before it is deleted."""
    for server in Server.objects.filter(**{f"{row._meta.model_name}s": row}).order_by("pk"):
        tell(server, Change("update", "server", server.name), by, source=source)


def _chosen(server: Server, kind: str, ids: Collection[UUID]) -> list[Any]:
    rows = list(attachable(server, kind).filter(pk__in=ids))
    if len(rows) != len(set(ids)):
        raise Invalid([FieldError(kind, f"One of these {kind} is not there any more. Choose again.")])
    return rows


def _slugs(rows: Mapping[str, list[Any]]) -> dict[str, list[str]]:
    return {kind: sorted(each.slug for each in of) for kind, of in rows.items()}
