"""Servers: create, edit, delete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import slugify

from catalog import signals
from catalog.checking import slugs
from catalog.models import EntityRevision, Server
from catalog.saving import Change, announce
from jobs.models import LIVE, Run, Status
from jobs.runs import cancel_run
from orgs import audit
from orgs.models import Organization, User

FIELDS = ("name", "slug", "description", "instructions", "visibility")
"""What people edit, and what `config_revision` counts the changes of."""

RESERVED_SLUGS = slugs.OF_PAGES


class SlugTaken(ValueError):
    """Another server of the organisation has this slug; the text is a sentence for a person."""


class StaleServer(ValueError):
    """Somebody else saved the server first; the text is a sentence for a person."""

    def __init__(self, current: Server) -> None:
        super().__init__("Somebody else saved this server while you were editing it.")
        self.current = current


@dataclass(frozen=True)
class Removal:
    """How many rows of one kind go with a server."""

    label: str
    count: int


def free_slug(organization: Organization, name: str) -> str:
    """A slug made of the name that no server of the organisation has."""
    base = slugify(name)[:56] or "server"
    taken = set(Server.objects.for_org(organization).filter(slug__startswith=base).values_list("slug", flat=True))
    slug, number = base, 2
    while slug in taken or slug in RESERVED_SLUGS:
        slug, number = f"{base}-{number}", number + 1
    return slug


@transaction.atomic
def create_server(
    *, organization: Organization, values: Mapping[str, Any], by: User | None, request: HttpRequest | None = None
) -> Server:
    """Make a server of FIELDS; without a slug it gets one made of its name. Raises SlugTaken."""
    server = insert_server(organization=organization, values=values, by=by, request=request)
    announce(server, Change("create", "server", server.name), by)
    return server


@transaction.atomic
def insert_server(
    *, organization: Organization, values: Mapping[str, Any], by: User | None, request: HttpRequest | None = None
) -> Server:
    """The same for who fills it too, and tells of it then."""
    values = {name: values[name] for name in FIELDS if name in values}
    values["slug"] = values.get("slug") or free_slug(organization, values["name"])
    try:
        with transaction.atomic():
            server: Server = Server.objects.create(organization=organization, **values)
    except IntegrityError as error:
        raise _slug_taken(values["slug"]) from error
    audit.record(
        "server.created", organization=organization, actor=by, target=server, after=_facts(server), request=request
    )
    return server


@transaction.atomic
def edit_server(
    *,
    server: Server,
    values: Mapping[str, Any],
    seen_revision: int,
    by: User | None,
    request: HttpRequest | None = None,
) -> Server:
    """Save FIELDS, unless somebody else did since `seen_revision` (StaleServer, nothing written). Raises SlugTaken."""
    values = {name: values[name] for name in FIELDS if name in values}
    current: Server = Server.objects.select_for_update().select_related("organization").get(pk=server.pk)
    if all(getattr(current, name) == value for name, value in values.items()):
        return current
    if current.config_revision != seen_revision:
        raise StaleServer(current)
    before = _facts(current)
    try:
        with transaction.atomic():
            Server.objects.filter(pk=current.pk).update(
                **values, config_revision=F("config_revision") + 1, updated_at=timezone.now()
            )
    except IntegrityError as error:
        raise _slug_taken(values["slug"]) from error
    current.refresh_from_db()
    after = _facts(current)
    verb = "update" if before["name"] == after["name"] else "rename"
    announce(current, Change(verb, "server", current.name, former="" if verb == "update" else before["name"]), by)
    changed = [name for name in FIELDS if before[name] != after[name]]
    audit.record(
        "server.edited",
        organization=current.organization,
        actor=by,
        target=current,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
        request=request,
    )
    return current


def removals(server: Server) -> list[Removal]:
    """What is deleted with the server: how many of each kind of row that belongs to it, in this app or one above."""
    found = []
    for relation in Server._meta.get_fields():
        if isinstance(relation, models.ManyToOneRel) and relation.on_delete is models.CASCADE:
            rows = relation.related_model._default_manager.filter(**{relation.field.name: server})
            meta = relation.related_model._meta
            if count := rows.count():
                label = meta.verbose_name if count == 1 else meta.verbose_name_plural
                found.append(Removal(str(label), count))
    return found


def move_server(server: Server, slug: str) -> None:
    """Give it another slug, within a service that tells of it. Raises SlugTaken."""
    try:
        with transaction.atomic():
            Server.objects.filter(pk=server.pk).update(slug=slug, updated_at=timezone.now())
    except IntegrityError as error:
        raise _slug_taken(slug) from error
    server.slug = slug


Consequence = Callable[[Server], str]
"""What else happens when a server is deleted, in a sentence; "" for nothing."""

_consequences: list[Consequence] = []


def register_consequence(tell: Consequence) -> None:
    """Apps do it in their `ready()`, for what is not a row that goes with the server."""
    _consequences.append(tell)


def consequences(server: Server) -> list[str]:
    """What is told besides `removals` before a server is deleted."""
    return [told for tell in _consequences if (told := tell(server))]


@transaction.atomic
def delete_server(
    *,
    server: Server,
    by: User | None,
    request: HttpRequest | None = None,
    source: EntityRevision.Source = EntityRevision.Source.PAGE,
) -> None:
    """Delete a server with its content, versions and whatever else belongs to it; work on it that has not ended is
    cancelled, or asked to stop if it runs."""
    for run in Run.objects.for_org(server.organization).filter(scope=str(server.pk), status__in=[*LIVE, Status.HELD]):
        cancel_run(run, by=by)
    audit.record(
        "server.deleted",
        organization=server.organization,
        actor=by,
        target=server,
        before={**_facts(server), "removed": {each.label: each.count for each in removals(server)}},
        request=request,
    )
    signals.server_leaving.send_robust(Server, server=server, by=by, source=source)
    server.delete()


def _facts(server: Server) -> dict[str, Any]:
    return {name: getattr(server, name) for name in FIELDS}


def _slug_taken(slug: str) -> SlugTaken:
    return SlugTaken(f"There is already a server with the slug “{slug}” in this organisation. Choose another.")
