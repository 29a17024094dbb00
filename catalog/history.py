"""The history of entities: what each was after a change, what was deleted, and back to it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest

from catalog import server_files
from catalog.checking.problems import FieldError, Invalid
from catalog.documents import MODELS, Document, Entity
from catalog.entity_saving import Act, change, insert
from catalog.models import Client, EntityKind, EntityRevision, FileBlob, Server
from catalog.portable.model import TO_CONFIRM, BadFile, Kind
from catalog.resolving import CLEAN, resolved, values_of
from catalog.revisions import Source, last_number
from orgs.models import Membership, User


def revisions(kind: str, pk: UUID, membership: Membership) -> QuerySet[EntityRevision]:
    """The revisions of an entity that the member may see, newest first; of one that was personal, others see those
    since it was shared."""
    return _seen_by(membership).filter(kind=kind, entity=pk)


def deleted(kind: str, membership: Membership) -> QuerySet[EntityRevision]:
    """The last revisions of those that were deleted and not restored, newest first."""
    later = EntityRevision.objects.filter(
        kind=OuterRef("kind"), entity=OuterRef("entity"), number__gt=OuterRef("number")
    )
    gone = _seen_by(membership).filter(~Exists(later), kind=kind, verb="delete")
    return gone.select_related("by").order_by("-at", "-pk")


def lost(revision: EntityRevision) -> list[str]:
    """What it named then that is not there any more, a sentence each: restored, it has none of that."""
    owner = _owner_of(revision, _row_of(revision))
    _, problems = resolved(Kind(revision.kind), revision.document, revision.organization, owner=owner)
    return [each.message for each in problems]


def restore(revision: EntityRevision, *, by: User, request: HttpRequest | None = None) -> Entity | Server:
    """Let an entity be what it was, less what is `lost`; one that was deleted comes back with its primary key.

    A personal one is its owner's to restore, PermissionDenied for others. One that was shared since stays so. Raises
    Invalid where another has taken its slug, and where it could not be saved as it was.
    """
    if revision.owner is not None and revision.owner != by:
        raise PermissionDenied("It is somebody's own.")
    if revision.kind == EntityKind.SERVER:
        return _restore_server(revision, by, request)
    kind, row = EntityKind(revision.kind), _row_of(revision)
    act = Act(by, request, verb="restore")
    owner = _owner_of(revision, row)
    if owner not in (None, by):
        raise PermissionDenied("It is somebody's own.")
    values = _values(revision, owner, row)
    if row is not None:
        changed: Entity = change(row, values=values, seen_revision=None, clean=CLEAN[kind], act=act)
        return changed
    new = MODELS[kind](pk=revision.entity, organization=revision.organization)
    if not isinstance(new, Client):
        new.owner = owner
    new.revision = last_number(kind, revision.entity) + 1
    return insert(new, values=values, clean=CLEAN[kind], act=act)


def _owner_of(revision: EntityRevision, row: Any | None) -> User | None:
    """Whose it is, and of one that is gone, whose it was last: what was shared is the organisation's for good."""
    if row is not None:
        owner: User | None = getattr(row, "owner", None)
        return owner
    last = EntityRevision.objects.filter(kind=revision.kind, entity=revision.entity).order_by("-number").first()
    return last.owner if last is not None else revision.owner


def _values(revision: EntityRevision, owner: User | None, row: Any) -> Document:
    kind = Kind(revision.kind)
    chosen, _ = resolved(kind, revision.document, revision.organization, owner=owner)
    values = {**values_of(kind, revision.document), **chosen}
    if kind is Kind.SKILL:
        now = dict.fromkeys(row.files.values_list("path", flat=True)) if row is not None else {}
        blobs = FileBlob.objects.defer("data").in_bulk(list(revision.files.values_list("blob", flat=True)))
        values["files"] = {**now, **{path: blobs[key] for path, key in revision.files.values_list("path", "blob")}}
    return values


def _row_of(revision: EntityRevision) -> Any | None:
    """The row as it is now, None if it is gone."""
    if revision.kind == EntityKind.SERVER:
        return Server.objects.filter(pk=revision.entity, organization=revision.organization_id).first()
    rows = MODELS[revision.kind].objects.filter(pk=revision.entity, organization=revision.organization_id)
    return rows.select_related("organization").first()


def _restore_server(revision: EntityRevision, by: User, request: HttpRequest | None) -> Server:
    server = _row_of(revision)
    if server is None:
        raise Invalid([FieldError("", "The server was deleted, and its content, versions and keys with it.")])
    server.organization = revision.organization
    try:
        return server_files.apply(
            server,
            server_files.definition_of(revision.document),
            organization=revision.organization,
            seen_revision=None,
            by=by,
            source=Source(),
            request=request,
        )
    except BadFile as error:
        words = [each.message for each in error.problems]
        if error.problems[0].code in TO_CONFIRM:
            words.append("Restoring cannot ask for that: make this change on the server’s own pages, then restore.")
        raise Invalid([FieldError("", each) for each in words]) from error


def _seen_by(membership: Membership) -> QuerySet[EntityRevision]:
    return EntityRevision.objects.filter(
        Q(owner=None) | Q(owner=membership.user_id), organization=membership.organization_id
    )
