"""News from the catalog and the forges for mirrors: saves are noted and synced, repositories move, connections leave.

What is a member's own is not noted, not even by name; nor is what came from git, where it is already.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from catalog.models import EntityKind, EntityRevision, Server
from catalog.saving import Change
from forges import standing
from forges.models import Connection
from gitsync.mirror.requesting import request_sync
from gitsync.models import Mirror, MirrorChange, MirroredEntity, Problem
from gitsync.news import follow_rename
from gitsync.requesting import wake
from jobs import runs
from jobs.models import Run, Trigger
from orgs.models import Organization, User


@transaction.atomic
def on_entity_saved(
    *,
    organization: Organization,
    pk: UUID,
    owner: User | None,
    change: Change,
    by: User | None,
    source: str,
    **_: object,
) -> None:
    """Receives `catalog.entity_saved`: notes what changed. `saves.ask_for_syncs` asks for the sync later: who saves
    waits for one row alone."""
    if owner is None and source != EntityRevision.Source.GIT:
        _note(organization.pk, pk, change, by)


@transaction.atomic
def on_config_saved(*, server: Server, change: Change, by: User | None, source: str, **_: object) -> None:
    """Receives `catalog.config_saved`: the same for a server, whatever of its configuration it was."""
    if server.owner_id is None and source != EntityRevision.Source.GIT:
        _note(server.organization_id, server.pk, change, by)


@transaction.atomic
def on_server_leaving(*, server: Server, by: User | None, source: str, **_: object) -> None:
    """Receives `catalog.server_leaving`: its file leaves the repository with it."""
    if server.owner_id is None and source != EntityRevision.Source.GIT:
        _note(server.organization_id, server.pk, Change("delete", "server", server.name), by)


def _note(organization: UUID, pk: UUID, change: Change, by: User | None) -> None:
    mirror = Mirror.objects.filter(organization=organization).only("pk").first()
    if mirror is not None:
        MirrorChange.objects.create(
            mirror=mirror,
            person=by,
            verb=change.verb,
            kind=change.kind,
            name=change.name[:254],
            former=change.former[:254],
            entity=pk,
        )


def consequence_of_entity(row: Any) -> str:
    """What becomes of its file in git when it is deleted; "" for nothing."""
    if getattr(row, "owner_id", None) is not None:
        return ""
    rows = MirroredEntity.objects.select_related("mirror").exclude(files={})
    found = rows.filter(mirror__organization=row.organization_id, entity=row.pk).first()
    if found is None:
        return ""
    mirror, what = found.mirror, "Its folder" if found.kind == EntityKind.SKILL else "Its file"
    if mirror.credential_lost:
        return f"{what} {found.path} stays in {mirror.repository}: the connection for it is gone."
    return f"{what} {found.path} is removed from {mirror.repository} on {mirror.branch} with the next sync."


def on_connection_changed(*, connection: Connection, kind: str, **_: object) -> None:
    """Receives `forges.connection_changed`: what waited for it goes on, what lost it stops and says so."""
    using = Mirror.objects.filter(connection=connection).select_related("organization")
    if kind == "connected":
        wake(*using)
        for mirror in using.filter(problem__in=(Problem.NONE, Problem.FAILED)):
            request_sync(mirror, trigger=Trigger.CONNECT, by=None)
    elif kind == "deleted":
        name = standing.named(connection)
        lost = f"{name[:1].upper()}{name[1:]} that it used was deleted."
        for mirror in using:
            runs.cancel_queued(mirror, by=None)
        using.update(credential_lost=lost, problem=Problem.CREDENTIAL, problem_text=lost, problem_details={})


def on_pushed(
    *,
    organization: Organization,
    forge: str,
    base_url: str,
    repository_id: str,
    branches: tuple[str, ...],
    **_: object,
) -> list[Run]:
    """Receives `forges.repository_pushed`: a Run for the mirror whose branch it is, or may be."""
    found = _of_repository(organization, forge, base_url, repository_id).filter(credential_lost="")
    if branches:
        found = found.filter(branch__in=branches)
    return [request_sync(mirror, trigger=Trigger.WEBHOOK, by=None) for mirror in found]


def on_changed(
    *,
    organization: Organization,
    forge: str,
    base_url: str,
    repository_id: str,
    kind: str,
    repository: str,
    branches: tuple[str, ...] = (),
    **_: object,
) -> list[Run]:
    """Receives `forges.repository_changed`: follows renames by the forge's id, and says what is gone."""
    found = _of_repository(organization, forge, base_url, repository_id)
    if kind in ("renamed", "transferred") and repository:
        for mirror in found.exclude(repository=repository):
            follow_rename(mirror, repository)
    elif kind == "deleted":
        _gone(found, "The repository was deleted at the forge. Connect another one; the entities stay here.")
    elif kind == "branch_deleted":
        text = (
            "Its branch was deleted at the forge. Choose another one, or make it again there; the entities stay here."
        )
        _gone(found.filter(branch__in=branches), text)
    return []


def _gone(mirrors: QuerySet[Mirror], text: str) -> None:
    mirrors.update(problem=Problem.FAILED, problem_text=text, problem_details={})


def _of_repository(organization: Organization, forge: str, base_url: str, repository_id: str) -> QuerySet[Mirror]:
    return Mirror.objects.filter(
        organization=organization, forge=forge, base_url=base_url, repository_id=repository_id
    ).select_related("organization")
