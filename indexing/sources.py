"""Sources: added, edited, paused, gone on with, refreshed, deleted.

What an address is has been found out by then (`indexing.probing`), outside any transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from catalog.models import Server
from forges import connections
from forges.models import Connection
from forges.picking import FieldError
from forges.reading import InvalidPattern, PathFilter
from indexing import clock
from indexing.models import Chunk, Page, Source
from indexing.requesting import request_index
from jobs import runs
from jobs.models import LIVE, Run, Trigger
from orgs import access, audit
from orgs.models import Membership, User

EDIT = "sources.edit"

FIELDS = (
    "name",
    "include",
    "exclude",
    "max_pages",
    "max_depth",
    "branch",
    "connection",
    "username",
    "search_tool",
    "auto_refresh",
)
"""What people edit; a token beside them."""
_INDEXED_BY = frozenset(FIELDS) - {"name", "auto_refresh"}
"""What another index follows from."""


def add(
    server: Server,
    facts: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    by: Membership,
    request: HttpRequest | None = None,
) -> Source:
    """Add a source to a server, and ask for its index.

    `facts` are what was found out about it (`indexing.probing.Probe.facts`), `values` what was chosen: of FIELDS, and
    `token`. Raises FieldError (`url`: it is a source of the server already; `connection`, `include`, `exclude`), and
    PermissionDenied for who may not (any more).
    """
    with transaction.atomic():
        access.require_still(by.user, server.organization_id, EDIT)
        found = dict(facts)
        chosen = {"connection": found.pop("connection", None), **values}
        source = Source(server=server, created_by=by.user, **found)
        _take(source, chosen, by)
        source.next_refresh_at = clock.next_refresh(source, clock.auto_refresh_of(server.organization), timezone.now())
        _save(source)
        _record("source.added", source, by.user, request, after=_facts(source))
        request_index(source, trigger=Trigger.CONNECT, by=by.user)
    return source


def edit(source: Source, values: Mapping[str, Any], *, by: Membership, request: HttpRequest | None = None) -> bool:
    """Change what is given of FIELDS and `token`; whether another index follows from it, which is asked for then.

    Raises FieldError and PermissionDenied as `add` does, and DoesNotExist where somebody deleted it.
    """
    with transaction.atomic():
        access.require_still(by.user, source.server.organization_id, EDIT)
        source = _locked(source)
        before = _facts(source)
        chosen = {name: getattr(source, name) for name in FIELDS}
        _take(source, values, by)
        changed = {name for name in FIELDS if getattr(source, name) != chosen[name]}
        if not changed and not values.get("token"):
            return False
        source.next_refresh_at = clock.next_refresh(
            source, clock.auto_refresh_of(source.server.organization), timezone.now()
        )
        _save(source)
        after = _facts(source) | ({"token": "replaced"} if values.get("token") else {})
        differing = {name for name in after if before.get(name) != after[name]}
        _record(
            "source.edited",
            source,
            by.user,
            request,
            before={name: before[name] for name in before if name in differing},
            after={name: after[name] for name in after if name in differing},
        )
        anew = bool(changed & _INDEXED_BY) or bool(values.get("token"))
        if anew and source.paused_at is None:
            request_index(source, by=by.user)
    return anew


def _take(source: Source, values: Mapping[str, Any], by: Membership) -> None:
    for name in ("include", "exclude"):
        if name in values:
            _check_patterns(name, values[name])
    if "connection" in values and values["connection"] != source.connection:
        _check_connection(values["connection"], source, by)
        source.credential_lost = ""
    for name in FIELDS:
        if name in values:
            setattr(source, name, values[name])
    if values.get("token"):
        source.token = values["token"]


def _check_patterns(name: str, text: str) -> None:
    try:
        PathFilter.parse(text if name == "include" else "", text if name == "exclude" else "")
    except InvalidPattern as error:
        raise FieldError(name, str(error)) from error


def _check_connection(connection: Connection | None, source: Source, by: Membership) -> None:
    """FieldError unless it is, at this moment, one to the source's forge that the person may use."""
    if connection is None:
        return
    place = {"forge": source.forge, "base_url": source.base_url}
    current = Connection.objects.select_for_update(of=("self",)).filter(pk=connection.pk, **place).first()
    if current is None or not connections.may_use(by, current):
        raise FieldError("connection", "This is not a connection that you may use for it (any more). Choose another.")


def _save(source: Source) -> None:
    try:
        with transaction.atomic():
            source.save()
    except IntegrityError as error:
        raise FieldError("url", "This is a source of this server already.") from error


def pause(source: Source, *, by: User, request: HttpRequest | None = None) -> bool:
    """Neither refresh nor ask it until it goes on; what is in its index stays and is found. False if it was so.

    Raises DoesNotExist where somebody deleted it, as `go_on` and `delete` do.
    """
    with transaction.atomic():
        _stop(source, by, request)
        source = _locked(source)
        if source.paused_at is not None:
            return False
        source.paused_at, source.next_refresh_at = timezone.now(), None
        source.save()
        _record("source.paused", source, by, request)
    return True


def go_on(source: Source, *, by: User, request: HttpRequest | None = None) -> bool:
    """Undo a pause, and ask for what was missed meanwhile. False if it was not paused."""
    with transaction.atomic():
        source = _locked(source)
        if source.paused_at is None:
            return False
        source.paused_at = None
        source.next_refresh_at = clock.next_refresh(
            source, clock.auto_refresh_of(source.server.organization), timezone.now()
        )
        source.save()
        _record("source.resumed", source, by, request)
        request_index(source, by=by)
    return True


@dataclass(frozen=True, slots=True)
class Removal:
    """What goes with a source."""

    pages: int
    """In the index or left out."""
    chunks: int
    """Those that nothing else of the server has are gone from its index, too."""


def removal(source: Source) -> Removal:
    pages = Page.objects.filter(source=source)
    return Removal(pages.count(), Chunk.objects.filter(text__in=pages.exclude(text=None).values("text")).count())


def delete(source: Source, *, by: User, request: HttpRequest | None = None) -> Removal:
    """Delete a source with its pages and stop its Runs. Its texts are found no more at once, and collected later."""
    with transaction.atomic():
        _stop(source, by, request)
        source = _locked(source)
        gone = removal(source)
        before = _facts(source) | {"pages": gone.pages, "chunks": gone.chunks}
        _record("source.deleted", source, by, request, before=before)
        Page.objects.filter(source=source).delete()
        source.delete()
    return gone


def _stop(source: Source, by: User, request: HttpRequest | None) -> None:
    """Before the source is locked, as a Run that writes its index locks itself first and the source after it."""
    for run in Run.objects.about(source).filter(status__in=LIVE):
        runs.cancel_run(run, by=by, request=request)


def _locked(source: Source) -> Source:
    found: Source = (
        Source.objects.select_for_update(of=("self",)).select_related("server__organization").get(pk=source.pk)
    )
    return found


def _facts(source: Source) -> dict[str, Any]:
    shown = {name: getattr(source, name) for name in FIELDS if name != "connection"}
    return {
        "kind": source.kind,
        "url": source.url,
        **shown,
        "connection": str(source.connection_id or ""),
        "token": Source.token.is_set(source),
    }


def _record(
    action: str,
    source: Source,
    by: User,
    request: HttpRequest | None,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    audit.record(
        action,
        organization=source.server.organization,
        actor=by,
        target=source,
        scope=source.server,
        before=before,
        after=after,
        request=request,
    )
