"""What every save of a server's configuration does last: count it, and tell who follows.

`config_revision` of the server moves with each change and only then; the row that changed has a `revision` of its own
for optimistic locking.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import F

from catalog import signals
from catalog.models import EntityRevision, OrganizationEntity, Server
from catalog.models.tools import Configured
from orgs.models import User

Counted = Configured | OrganizationEntity
"""Rows that count their changes in `revision`."""
ROW = TypeVar("ROW", bound=Counted)


@dataclass(frozen=True)
class Change:
    """One change of a server's configuration, or of an entity, in words: “Update tool `getWeather`”."""

    verb: str
    """create, update, rename, delete, import"""
    kind: str
    """server, provider, tool, resource, prompt, variable, configuration, toolkit, command, skill, client"""
    name: str
    former: str = ""
    """What it was called before a rename."""


class Stale(ValueError):
    """Somebody else saved it first; the text is a sentence for a person, `current` the row as it is now."""

    def __init__(self, current: Counted) -> None:
        super().__init__("Somebody else saved this while you were editing it. Nothing of yours or theirs is lost.")
        self.current = current


def tell(
    server: Server,
    change: Change,
    by: User | None,
    *,
    source: EntityRevision.Source = EntityRevision.Source.PAGE,
) -> None:
    """Count one change of the configuration and tell `signals.config_saved`. Call it last in the transaction that
    changed it: it locks the server's row until the commit."""
    Server.objects.filter(pk=server.pk).update(config_revision=F("config_revision") + 1)
    server.refresh_from_db(fields=["config_revision"])
    announce(server, change, by, source=source)


def announce(
    server: Server,
    change: Change,
    by: User | None,
    *,
    source: EntityRevision.Source = EntityRevision.Source.PAGE,
) -> None:
    """The same for who has counted it already."""
    signals.config_saved.send_robust(Server, server=server, change=change, by=by, source=source)


def locked(row: ROW, *, seen_revision: int | None) -> ROW:
    """The row as it is now, ours until the transaction ends. Raises Stale when it is not at `seen_revision` any more,
    and DoesNotExist when it was deleted."""
    model: Any = type(row)
    current: ROW = model._default_manager.select_for_update().get(pk=row.pk)
    if seen_revision is not None and current.revision != seen_revision:
        raise Stale(current)
    return current
