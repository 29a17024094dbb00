"""An import written to the database: all of it in one transaction, or nothing.

However much it changes it is one change of the configuration: one revision, one event of the audit log, one piece of
news, and so one commit where the server is pushed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from catalog.exchange import rows
from catalog.exchange.merging import check_merged
from catalog.exchange.model import ServerConfig
from catalog.exchange.planning import ImportPlan, Item, counts, plan
from catalog.exchange.snapshot import snapshot
from catalog.exchange.wording import move_line
from catalog.models import Prompt, Provider, Resource, Server, Tool, Variable
from catalog.saving import Change, announce, tell
from catalog.servers import RESERVED_SLUGS, free_slug, insert_server
from orgs import audit
from orgs.models import Organization, User


class ServerMoved(ValueError):
    """The server changed since the plan was shown; the text is a sentence for a person."""

    def __init__(self) -> None:
        super().__init__(
            "The server was changed since this was shown, and nothing has been imported. "
            "Look at what would change now, and confirm again."
        )


class HostsNotConfirmed(ValueError):
    """The import sends credentials to other hosts, and nobody has agreed; `plan.moves` names them."""

    def __init__(self, wanted: ImportPlan) -> None:
        super().__init__(
            "The import sends requests or secrets to other hosts than before, and nothing has been imported. "
            "Look at these hosts, and confirm them."
        )
        self.plan = wanted


@dataclass(frozen=True)
class Imported:
    server: Server
    plan: ImportPlan
    removed: tuple[Item, ...]
    """Those of the plan, if removing was asked for."""

    @property
    def changes(self) -> bool:
        return bool(self.plan.created or self.plan.changed or self.removed)


def plan_import(server: Server, wanted: ServerConfig) -> ImportPlan:
    """What `apply_import` would do to the server as it is now. Raises DocumentError where it could not even when it
    removed what is not in the document."""
    here = snapshot(server, masked=False)
    found = plan(here, wanted, entered=entered(server))
    check_merged(here, found.resolved, remove=True)
    return found


def entered(server: Server) -> set[str]:
    """The names of the secret variables that have a value."""
    rows_of = Variable.objects.filter(server=server, is_secret=True)
    return {row.name for row in rows_of if Variable.secret.is_set(row)}


@transaction.atomic
def apply_import(
    *,
    server: Server,
    wanted: ServerConfig,
    by: User | None,
    request: HttpRequest | None = None,
    remove: bool = False,
    confirmed_hosts: bool = False,
    seen_revision: int | None = None,
) -> Imported:
    """Make the server what the document (read and checked, `reading.read`) says; what it lacks goes only with `remove`.

    Its slug stays, and so does what is masked. Raises ServerMoved when the server is not at `seen_revision` any more,
    HostsNotConfirmed, and DocumentError where it does not fit what stays.
    """
    current = lock_whole(server)
    if seen_revision is not None and current.config_revision != seen_revision:
        raise ServerMoved
    here = snapshot(current, masked=False)
    wanted_plan = plan(here, wanted, entered=entered(current))
    removed = wanted_plan.removed if remove else ()
    check_merged(here, wanted_plan.resolved, remove=remove)
    if wanted_plan.moves and not confirmed_hosts:
        raise HostsNotConfirmed(wanted_plan)
    imported = Imported(current, wanted_plan, removed)
    if not imported.changes:
        return imported
    write(imported)
    _record(imported, by, request)
    tell(current, Change("import", "configuration", current.name), by)
    return imported


@transaction.atomic
def import_as_new(
    *,
    organization: Organization,
    wanted: ServerConfig,
    by: User | None,
    request: HttpRequest | None = None,
    slug: str = "",
) -> Imported:
    """A new server of what the document says, at the document's version. Without a `slug` it gets the document's,
    or one like it where that is taken. Raises SlugTaken."""
    values = {name: getattr(wanted, name) for name in ("name", "description", "instructions", "visibility")}
    server = insert_server(
        organization=organization,
        values={**values, "slug": slug or new_slug(organization, wanted)},
        by=by,
        request=request,
    )
    imported = Imported(server, plan(None, wanted), ())
    write(imported)
    Server.objects.filter(pk=server.pk).update(config_revision=wanted.version)
    server.refresh_from_db()
    server.organization = organization
    _record(imported, by, request)
    announce(server, Change("import", "configuration", server.name), by)
    return imported


def new_slug(organization: Organization, wanted: ServerConfig) -> str:
    """The document's slug, or one like it where that is taken."""
    taken = Server.objects.for_org(organization).filter(slug=wanted.slug).exists()
    return free_slug(organization, wanted.slug) if taken or wanted.slug in RESERVED_SLUGS else wanted.slug


def lock_whole(server: Server) -> Server:
    """The server as it is now, ours with all its rows until the transaction ends. The rows first, as whoever saves one
    of them does."""
    for model in (Variable, Provider, Tool, Resource, Prompt):
        list(model._default_manager.select_for_update().filter(server=server).order_by("pk").values_list("pk"))
    current: Server = Server.objects.select_for_update().get(pk=server.pk)
    current.organization = server.organization
    return current


def write(imported: Imported) -> None:
    """The rows of it. Raises ServerMoved where a row that was not seen is in the way."""
    server, wanted = imported.server, imported.plan
    touched = rows.Touched((*wanted.created, *wanted.changed))
    try:
        with transaction.atomic():
            if any(item.kind == "server" for item in wanted.changed):
                rows.write_server(server, wanted.resolved)
            rows.remove(server, imported.removed)
            rows.write(server, wanted.resolved, touched)
            rows.remove_providers(server, imported.removed)
    except IntegrityError as error:
        raise ServerMoved from error


def _record(imported: Imported, by: User | None, request: HttpRequest | None) -> None:
    wanted = imported.plan
    parts: dict[str, Sequence[Any]] = {
        "created": wanted.created,
        "changed": wanted.changed,
        "removed": imported.removed,
    }
    after: dict[str, Any] = {name: counts(items) for name, items in parts.items() if items}
    if wanted.moves:
        after["hosts"] = [move_line(each) for each in wanted.moves]
    if wanted.forgotten:
        after["forgotten"] = list(wanted.forgotten)
    audit.record(
        "server.imported",
        organization=imported.server.organization,
        actor=by,
        target=imported.server,
        after=after,
        request=request,
    )
