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
from catalog.models.entities import EntityQuerySet
from catalog.saving import Change, tell
from orgs import audit
from orgs.models import User

ATTACHABLE: Mapping[str, type[Command] | type[Skill]] = MappingProxyType({"commands": Command, "skills": Skill})
"""By their names on a server and in its file."""


class AttachedMeanwhile(ValueError):
    """Somebody else attached something, or took it away; the text is a sentence for a person."""

    def __init__(self) -> None:
        super().__init__("Somebody else changed what is attached while you were choosing. Nothing was saved.")


def attachable(server: Server, kind: str, by: User | None) -> QuerySet[Any]:
    """What `by` may attach and see attached: the organisation's; on their own personal server also what is theirs."""
    rows = ATTACHABLE[kind].objects.filter(organization=server.organization_id)
    own = by is not None and server.owner_id == by.pk
    return rows.filter(Q(owner=None) | Q(owner=by)) if own else rows.filter(owner=None)


def attached(server: Server, by: User | None) -> dict[str, list[Any]]:
    """The rows that `by` sees, by kind; one query each."""
    return {kind: list(attachable(server, kind, by).filter(servers=server)) for kind in ATTACHABLE}


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
    """Let the server offer these, by their ids, and no others that `by` sees; one change of its configuration. `seen`
    is what was attached when they were chosen. Raises AttachedMeanwhile, and Invalid for what may not be attached; a
    server that is gone is Server.DoesNotExist."""
    given = {"commands": commands, "skills": skills}
    for kind, ids in given.items():
        list(held(ATTACHABLE[kind].objects.filter(organization=server.organization_id, pk__in=ids)))
    current: Server = Server.objects.select_for_update().select_related("organization").get(pk=server.pk)
    before = attached(current, by)
    here = _ids(before)
    if seen is not None and here != set(seen):
        raise AttachedMeanwhile
    wanted = {kind: _chosen(current, kind, ids, by) for kind, ids in given.items()}
    if here == _ids(wanted):
        return current
    for kind, rows in wanted.items():
        getattr(current, kind).remove(*(row for row in before[kind] if row not in rows))
        getattr(current, kind).add(*rows)
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


def held(rows: EntityQuerySet) -> EntityQuerySet:
    """Commands or skills that are to be attached, ours until the transaction ends: none is deleted meanwhile. Ask for
    them before the server: who renames or deletes one holds it first, and its servers then."""
    return rows.select_for_update().order_by("pk")


def tell_servers(row: Command | Skill, by: User | None, source: EntityRevision.Source) -> None:
    """What it is attached to says otherwise now: call it when its slug changes, and before it is deleted."""
    for server in Server.objects.filter(**{f"{row._meta.model_name}s": row}).order_by("pk"):
        tell(server, Change("update", "server", server.name), by, source=source)


def _chosen(server: Server, kind: str, ids: Collection[UUID], by: User | None) -> list[Any]:
    rows = list(attachable(server, kind, by).filter(pk__in=ids))
    if len(rows) != len(set(ids)):
        raise Invalid([FieldError(kind, f"One of these {kind} is not there any more. Choose again.")])
    return rows


def _ids(rows: Mapping[str, list[Any]]) -> set[UUID]:
    return {row.pk for of in rows.values() for row in of}


def _slugs(rows: Mapping[str, list[Any]]) -> dict[str, list[str]]:
    """For the audit log, which others read: without what is personal."""
    return {kind: sorted(each.slug for each in of if each.owner_id is None) for kind, of in rows.items()}
