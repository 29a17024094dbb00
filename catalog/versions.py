"""Versions: immutable, numbered snapshots of a server's content, and which of them is served.

Active serves; Default is the fallback; with neither, agents get the live content. A refresh changes the live content
alone, so that what is served changes only when somebody says so.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from catalog import signals
from catalog.models import Content, Server, Version, VersionFile
from orgs import audit
from orgs.models import User

Pointer = Literal["active", "default"]
POINTERS: tuple[Pointer, ...] = ("active", "default")


class InUse(ValueError):
    """The version is Active or Default; the text says what would be served without it."""


def served(server: Server) -> Version | None:
    """What agents get: the Active version, else the Default one, else None, which means the live content."""
    return server.served_version


def live_is_newer(server: Server) -> bool:
    """Whether the live content changed since the served version was cut."""
    return server.live_is_newer


@transaction.atomic
def cut_version(
    *,
    server: Server,
    note: str = "",
    by: User | None = None,
    activate: bool = False,
    request: HttpRequest | None = None,
) -> Version:
    """Take a snapshot of the live content under the next number, which is never given twice.

    The server's row is locked meanwhile; `contents.touch` locks it too, so the snapshot holds a change whole or not.
    """
    locked: Server = Server.objects.select_for_update().get(pk=server.pk)
    locked.last_version_number += 1
    locked.save(update_fields=["last_version_number"])
    version = Version.objects.create(
        server=locked,
        number=locked.last_version_number,
        note=note,
        content_revision=locked.content_revision,
        created_by=by,
    )
    _copy_content(version)
    totals = VersionFile.objects.filter(version=version).aggregate(
        files=Count("pk"), size=Coalesce(Sum("blob__size"), 0)
    )
    version.files, version.size = totals["files"], totals["size"]
    version.save(update_fields=["files", "size"])
    audit.record(
        "version.cut",
        organization=server.organization,
        actor=by,
        target=version,
        scope=server,
        after={"number": version.number, "note": note, "files": version.files},
        request=request,
    )
    if activate:
        point(version=version, pointer="active", by=by, request=request)
    server.refresh_from_db(fields=["active_version", "last_version_number"])
    return version


def _copy_content(version: Version) -> None:
    columns = ", ".join(connection.ops.quote_name(name) for name in ("path", "blob_id", "origin", "provenance"))
    into, source = (connection.ops.quote_name(model._meta.db_table) for model in (VersionFile, Content))
    server_id = Content._meta.get_field("server").get_db_prep_value(version.server_id, connection)
    with connection.cursor() as cursor:
        cursor.execute(
            # Names of our own tables and columns, quoted by the database's rules.
            f"INSERT INTO {into} (version_id, {columns}) SELECT %s, {columns} FROM {source} WHERE server_id = %s",  # noqa: S608
            [version.pk, server_id],
        )


@transaction.atomic
def point(*, version: Version, pointer: Pointer, by: User | None, request: HttpRequest | None = None) -> None:
    """Make a version the Active or the Default one."""
    _set(version.server_id, pointer, version, by, request)


@transaction.atomic
def clear(*, server: Server, pointer: Pointer, by: User | None, request: HttpRequest | None = None) -> None:
    """Leave the server without an Active, or without a Default version."""
    _set(server.pk, pointer, None, by, request)


@transaction.atomic
def delete_version(
    *, version: Version, by: User | None, confirmed: bool = False, request: HttpRequest | None = None
) -> None:
    """Delete a version and its snapshot. One that is Active or Default is deleted only when `confirmed`, else InUse."""
    server = _locked(version.server_id)
    used = [pointer for pointer in POINTERS if getattr(server, f"{pointer}_version_id") == version.pk]
    if used and not confirmed:
        raise InUse(f"{version} is the {' and the '.join(used)} version. {after_deletion(server, version)}")
    for pointer in used:
        _set(server.pk, pointer, None, by, request)
    audit.record(
        "version.deleted",
        organization=server.organization,
        actor=by,
        target=version,
        scope=server,
        before={"number": version.number, "note": version.note, "files": version.files},
        request=request,
    )
    version.delete()


def after_deletion(server: Server, version: Version) -> str:
    """A sentence that says what agents get once the version is deleted."""
    left = [each for each in (server.active_version, server.default_version) if each and each.pk != version.pk]
    if server.served_version is None or server.served_version.pk != version.pk:
        return "What is served does not change."
    return f"Agents then get {left[0]}." if left else "Agents then get the live content."


def _set(server_id: UUID, pointer: Pointer, to: Version | None, by: User | None, request: HttpRequest | None) -> None:
    server = _locked(server_id)
    was: Version | None = getattr(server, f"{pointer}_version")
    if was == to:
        return
    served_before = server.served_version
    setattr(server, f"{pointer}_version", to)
    server.save(update_fields=[f"{pointer}_version"])
    audit.record(
        f"version.{'made_' + pointer if to else pointer + '_cleared'}",
        organization=server.organization,
        actor=by,
        target=to or was,
        scope=server,
        before={pointer: str(was) if was else None},
        after={pointer: str(to) if to else None},
        request=request,
    )
    if server.served_version != served_before:
        news = {"server_id": server.pk, "organization_id": server.organization_id}
        transaction.on_commit(lambda: _tell(news))


def _tell(news: dict[str, UUID]) -> None:
    signals.version_served.send_robust(Server, **news)


def _locked(server_id: UUID) -> Server:
    server: Server = (
        Server.objects.select_for_update(of=("self",))
        .select_related("organization", "active_version", "default_version")
        .get(pk=server_id)
    )
    return server
