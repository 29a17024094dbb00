"""What is to be pushed, as it was saved at one moment: the files, and the saves that they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from catalog.exchange.errors import DocumentError
from catalog.exchange.model import ServerConfig
from catalog.exchange.snapshot import snapshot
from catalog.models import Server
from forges.clients.base import Author
from gitsync.comparing import ids_of
from gitsync.layout import Clash, render
from gitsync.messages import Message, Told, author_of, compose
from gitsync.models import PendingChange, PushSettings, PushTarget
from gitsync.news import follow_slug
from jobs.outcomes import Failure
from orgs.models import User


@dataclass(frozen=True, slots=True)
class Picture:
    config: ServerConfig | None
    """None when the server is gone: then there shall be no file."""
    revision: int | None
    """The server's `config_revision`."""
    up_to: int
    """The last PendingChange that is in it."""
    changes: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Files:
    """Path in the repository -> bytes, and -> blob id."""

    data: Mapping[str, bytes]
    ids: Mapping[str, str]


@transaction.atomic
def take_picture(target: PushTarget, *, following: bool = True) -> Picture:
    """Read it all, with the server's row locked: who saves counts on that row last, so that nothing is half in it.

    `target` has its server and directory of that moment then. `following` lets a directory that could not follow the
    server's name do so now; without it nothing is written.
    """
    target.refresh_from_db(fields=["server", "server_name", "directory", "directory_follows"])
    config, revision = None, None
    locked = Server.objects.select_for_update()
    server = locked.filter(pk=target.server_id).first() if target.server_id else None
    if server is not None:
        if following:
            follow_slug(target, server.slug)
        config = snapshot(server)
        revision = server.config_revision
    rows = list(PendingChange.objects.filter(target=target).select_related("person"))
    changes = tuple(_told(row) for row in rows)
    if config is None and not any((told.verb, told.kind) == ("delete", "server") for told in changes):
        changes = (*changes, Told("delete", "server", target.server_name))  # not by the service, which notes it
    if not changes and target.assigned_by is not None and target.pushed_revision is None:
        changes = (Told("add", "server", target.server_name, person=_author(target.assigned_by)),)
    return Picture(config, revision, rows[-1].pk if rows else 0, changes)


def _told(row: PendingChange) -> Told:
    person = _author(row.person) if row.person else None
    return Told(row.verb, row.kind, row.name, row.former, person)


def _author(person: User) -> Author:
    return author_of(person.name, person.email)


def files_of(target: PushTarget, picture: Picture) -> Files:
    """The files, rendered. Raises Failure when they cannot be: two of them would be one, or a value is not allowed."""
    if picture.config is None:
        return Files({}, {})
    try:
        rendered = render(picture.config)
    except (Clash, DocumentError) as error:
        raise Failure("not_renderable", f"The files of this server could not be made. {error}") from error
    prefix = f"{target.directory}/" if target.directory else ""
    data = {prefix + path: content for path, content in rendered.items()}
    return Files(data, ids_of(data))


def plain_message(picture: Picture) -> Message:
    """One that names nothing and nobody."""
    return Message("Update a server" if picture.config else "Delete a server", "", None)


def message_of(target: PushTarget, picture: Picture, *, initial: bool) -> Message:
    """What the commit says."""
    settings = PushSettings.objects.filter(organization=target.organization_id).first()
    return compose(
        picture.changes,
        server=target.server_name,
        organization=target.organization.name,
        initial=initial and picture.config is not None,
        template=settings.message_template if settings else "",
    )
