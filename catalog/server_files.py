"""Servers and their files among an organisation's entities: the document of one, and one made as a file says.

Such a file holds no authentication (`catalog.exchange.portable` says what that is), and none is touched by it: what
stays keeps its own, providers by their names (whatever their case) and tools by theirs. A provider, tool or resource
that is called otherwise in the file, and is otherwise the same (`catalog.exchange.renames`), is renamed, with all that
is kept of it. Any other name that is not in the file any more goes with its credentials, and what is new has none until
a person enters them: a credential never goes over to something that could send it elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from catalog.attaching import ATTACHABLE, held
from catalog.contents import check_text
from catalog.exchange import errors, rows
from catalog.exchange.applying import Imported, ServerMoved, entered, lock_whole, write
from catalog.exchange.document import dumps
from catalog.exchange.merging import check_merged
from catalog.exchange.model import ServerConfig
from catalog.exchange.moves import Move
from catalog.exchange.openings import openings
from catalog.exchange.planning import counts, plan
from catalog.exchange.portable import complete, from_portable, to_portable
from catalog.exchange.renames import Renames, renames
from catalog.exchange.snapshot import snapshot
from catalog.exchange.wording import move_line
from catalog.models import EntityKind, EntityRevision, Provider, Resource, Server, Tool
from catalog.portable.model import BadFile, Code, Definition, Kind, Problem
from catalog.portable.paths import path_of
from catalog.portable.places import in_file
from catalog.revisions import Source, record
from catalog.saving import Change, announce, tell
from catalog.servers import FIELDS, RESERVED_SLUGS, SlugTaken, StaleServer, insert_server, move_server
from orgs import audit
from orgs.models import Organization, User

_MOST_PROBLEMS = 50
_IN_THE_WAY = (
    "Two things in the file have one name to the database, in whatever case, or somebody saved another of this name at "
    "the same moment. Sync again, and if this stays, rename one of them."
)


class _NotConfirmed(ValueError):
    """Somebody has to agree to it."""

    def __init__(self, moves: Sequence[Move], opened: Sequence[str]) -> None:
        super().__init__()
        self.moves, self.opened = moves, opened


def document(server: Server) -> dict[str, Any]:
    """The server as it is saved now, in the normal form of `catalog.portable.model.Definition`; eight queries."""
    found = to_portable(snapshot(server))
    for name, model in ATTACHABLE.items():
        attached = model.objects.filter(servers=server, owner=None).values_list("slug", flat=True)
        if slugs := sorted(attached):
            found[name] = slugs
    return found


def definition_of(document: Mapping[str, Any]) -> Definition:
    """What `document` gave, or a revision holds, to apply it."""
    return Definition(Kind.SERVER, "", document["slug"], document["name"], document, raw={})


@transaction.atomic
def apply(
    server: Server | None,
    definition: Definition,
    *,
    organization: Organization,
    seen_revision: int | None,
    by: User | None,
    source: Source,
    confirmed: bool = False,
    request: HttpRequest | None = None,
) -> Server:
    """Make the server what the file says, or a new one of it (`server` None): what it lacks goes, authentication stays.

    It is one change: one revision counted, one piece of news, one event, and what it was before and after is kept.
    Raises BadFile (VALIDATION_FAILED, DUPLICATE_SLUG, MISSING_ENTITY; unless `confirmed` HOST_CHANGED, where requests
    would go to another host than before, and VISIBILITY_CHANGED, where what is private would be public), its fields
    pointers into `definition.raw` where there is that, and StaleServer when the server is not at `seen_revision` any
    more.
    """
    try:
        wanted = _wanted(definition)
        attached = _attached(organization, definition)
        current = _of(organization, server, seen_revision) if server else _inserted(organization, wanted, by, request)
        before = document(current) if server else None
        found = _write(current, wanted, confirmed=confirmed)
        _attach(current, attached)
        after = document(current)
        if before is not None and dumps(before) == dumps(after):
            return current
        _tell(current, before, after, found, by, source, request)
    except errors.DocumentError as error:
        raise _bad(definition, Code.VALIDATION_FAILED, error.problems) from error
    except SlugTaken as error:
        problem = errors.Problem("This slug is taken in the organisation. Choose another.", "/slug")
        raise _bad(definition, Code.DUPLICATE_SLUG, [problem]) from error
    except _NotConfirmed as error:
        raise BadFile(*_to_confirm(definition, error)) from error
    except ServerMoved as error:
        raise _bad(definition, Code.VALIDATION_FAILED, [errors.Problem(_IN_THE_WAY)]) from error
    return current


def _wanted(definition: Definition) -> ServerConfig:
    wanted = from_portable(definition.document, check_text)
    if wanted.slug in RESERVED_SLUGS:
        raise errors.one(f"The slug “{wanted.slug}” is used by Millrace itself. Choose another.", ["slug"])
    return wanted


def _of(organization: Organization, server: Server, seen_revision: int | None) -> Server:
    current = lock_whole(server)
    if current.organization_id != organization.pk or current.owner_id is not None:
        raise Server.DoesNotExist
    if seen_revision is not None and current.config_revision != seen_revision:
        raise StaleServer(current)
    return current


def _inserted(organization: Organization, wanted: ServerConfig, by: User | None, request: HttpRequest | None) -> Server:
    values = {name: getattr(wanted, name) for name in FIELDS}
    return insert_server(organization=organization, values=values, by=by, request=request)


def _write(server: Server, file: ServerConfig, *, confirmed: bool) -> Imported:
    here = snapshot(server, masked=False)
    try:
        with transaction.atomic():
            if found := renames(here, file):
                _rename(server, found)
                here = snapshot(server, masked=False)
    except IntegrityError as error:
        raise ServerMoved from error
    wanted = plan(here, complete(here, file), entered=entered(server))
    check_merged(here, wanted.resolved, remove=True)
    opened = openings(here, wanted.resolved)
    if (wanted.moves or opened) and not confirmed:
        raise _NotConfirmed(wanted.moves, opened)
    imported = Imported(server, wanted, wanted.removed)
    write(imported)
    if file.slug != here.slug:
        move_server(server, file.slug)
    return imported


def _rename(server: Server, found: Renames) -> None:
    """The rows alone: what else differs is written with the rest."""
    homes = {row.name.lower(): row for row in Provider.objects.filter(server=server)}
    for name, called in found.providers.items():
        homes[name].name = called
    rows.save(Provider, [homes[name] for name in found.providers])
    homes = {row.name.lower(): row for row in homes.values()}
    tools = [row for row in Tool.objects.filter(server=server) if row.name in found.tools]
    for tool in tools:
        tool.name = found.tools[tool.name]
    rows.save(Tool, tools)
    resources = [row for row in Resource.objects.filter(server=server) if row.uri in found.resources]
    for resource in resources:
        home, resource.name = found.resources[resource.uri]
        resource.provider = homes[home]
    rows.save(Resource, resources)


def _attached(organization: Organization, definition: Definition) -> dict[str, list[Any]]:
    """The rows that the file names, held, which are nobody's own. Raises BadFile for those that are not there."""
    found: dict[str, list[Any]] = {}
    missing = []
    for kind, model in ATTACHABLE.items():
        slugs = definition.document.get(kind, [])
        rows_of = {row.slug: row for row in held(model.objects.for_org(organization).filter(slug__in=slugs))}
        found[kind] = list(rows_of.values())
        missing += [
            errors.Problem(f"There is no {kind[:-1]} “{slug}” in this organisation.", errors.pointer([kind, number]))
            for number, slug in enumerate(slugs)
            if slug not in rows_of
        ]
    if missing:
        raise _bad(definition, Code.MISSING_ENTITY, missing)
    return found


def _attach(server: Server, attached: Mapping[str, list[Any]]) -> None:
    for kind, wanted in attached.items():
        getattr(server, kind).set(wanted)


def _keep(
    server: Server, before: dict[str, Any] | None, after: dict[str, Any], by: User | None, source: Source
) -> None:
    """What it was before is kept too, unless its history ends with that: pages save without one."""
    last = EntityRevision.objects.filter(kind=EntityKind.SERVER, entity=server.pk).order_by("-number").first()
    if before is not None and (last is None or dumps(last.document) != dumps(before)):
        _revise(server, "update", before, None, Source())
    _revise(server, "update" if before else "create", after, by, source)


def _revise(server: Server, verb: str, found: dict[str, Any], by: User | None, source: Source) -> None:
    record(
        organization=server.organization,
        kind=EntityKind.SERVER,
        pk=server.pk,
        owner=None,
        verb=verb,
        name=found["name"],
        slug=found["slug"],
        document=found,
        by=by,
        source=source,
    )


def _tell(
    server: Server,
    before: dict[str, Any] | None,
    after: dict[str, Any],
    found: Imported,
    by: User | None,
    source: Source,
    request: HttpRequest | None,
) -> None:
    _keep(server, before, after, by, source)
    parts = {"created": found.plan.created, "changed": found.plan.changed, "removed": found.removed}
    facts: dict[str, Any] = {name: counts(items) for name, items in parts.items() if items}
    if found.plan.moves:
        facts["hosts"] = [move_line(each) for each in found.plan.moves]
    if source.commit:
        facts["commit"] = source.commit
    audit.record(
        "server.synced" if source.kind == EntityRevision.Source.GIT else "server.restored",
        organization=server.organization,
        actor=by,
        target=server,
        after=facts,
        request=request,
    )
    origin = EntityRevision.Source(source.kind)
    if before is None:
        announce(server, Change("create", "server", server.name), by, source=origin)
    else:
        tell(server, Change("import", "configuration", server.name), by, source=origin)


def _to_confirm(definition: Definition, found: _NotConfirmed) -> Iterator[Problem]:
    path = path_of(Kind.SERVER, definition.slug)
    agree = "Somebody who may edit servers has to agree first."
    if moves := found.moves[:_MOST_PROBLEMS]:
        lines = "; ".join(map(move_line, moves))
        text = f"Requests, and the credentials in them, would go to another host: {lines}. {agree}"
        yield Problem(Code.HOST_CHANGED, text, path, fields=tuple(each.name for each in moves))
    if opened := found.opened[:_MOST_PROBLEMS]:
        more = len(found.opened) - len(opened)
        lines = ", ".join(opened) + (f" and {more:,} more" if more else "")
        text = f"What is private would be public: {lines}. {agree}"
        yield Problem(Code.VISIBILITY_CHANGED, text, path, fields=tuple(opened))


def _bad(definition: Definition, code: Code, wrong: Iterable[errors.Problem]) -> BadFile:
    path = path_of(Kind.SERVER, definition.slug)
    problems = [(each.text, in_file(each.pointer, definition)) for each in islice(wrong, _MOST_PROBLEMS)]
    return BadFile(
        *(
            Problem(code, f"{where[1:]}: {text}" if where else text, path, fields=(where,) if where else ())
            for text, where in problems
        )
    )
