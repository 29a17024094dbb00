"""Rows of entities as the documents of their files, and back: what syncs with a repository needs of the catalog.

Only the organisation's own: what has an owner is not there for it, not even by name. A document also changes with what
it names (see `catalog.documents`): a caller that keeps digests hears of that by the news of the other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from catalog import file_blobs, server_files, skills
from catalog.checking.json_text import pointer_to
from catalog.checking.problems import Invalid
from catalog.documents import MODELS, Document, Entity, document_of, documents
from catalog.entity_saving import Act, SlugTaken, change, insert
from catalog.entity_saving import delete as delete_entity
from catalog.models import EntityRevision, FileBlob, Server, Skill, SkillFile
from catalog.portable import reading
from catalog.portable.model import SKILL_FILE, BadFile, Code, Definition, Kind, Problem
from catalog.portable.paths import path_of
from catalog.resolving import CLEAN, resolved, there, values_of
from catalog.revisions import Source
from catalog.servers import delete_server
from orgs.models import Organization, User

__all__ = ["Ours", "apply", "file_bytes", "limits", "ours", "remove", "revisions", "rows_of", "set_state", "there"]


@dataclass(frozen=True, slots=True)
class Ours:
    """An entity as it is here."""

    pk: UUID
    name: str
    slug: str
    revision: int
    document: Mapping[str, Any]
    """In its normal form; see `catalog.portable.model.Definition.document`."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Of a skill, beside SKILL.md: {path below its folder: blob id}."""


def limits() -> reading.Limits:
    """What files may be taken, by the operator's settings."""
    return reading.Limits(settings.ENTITY_MAX_FILE_BYTES, settings.SKILL_MAX_BYTES, settings.SKILL_MAX_FILES)


def ours(organization: Organization, kind: Kind, *, only: Collection[UUID] | None = None) -> dict[UUID, Ours]:
    """The organisation's entities of a kind, all or those of `only` that are there, by primary key.

    A constant number of queries but for servers, of which each takes eight: name those that are needed.
    """
    rows = rows_of(organization, kind)
    if only is not None:
        rows = rows.filter(pk__in=list(only))
    if kind is Kind.SERVER:
        return {server.pk: _of_server(server) for server in rows}
    return {row.pk: _of(row, document) for row, document in documents(rows)}


def revisions(organization: Organization, kind: Kind) -> dict[UUID, tuple[int, str, str]]:
    """Revision, slug and name of each, in one query. What an entity names can change without its revision."""
    counted = "config_revision" if kind is Kind.SERVER else "revision"
    rows = rows_of(organization, kind).order_by().values_list("pk", counted, "slug", "name")
    return {pk: (revision, slug, name) for pk, revision, slug, name in rows}


def apply(
    organization: Organization,
    definition: Definition,
    *,
    pk: UUID | None,
    seen_revision: int | None,
    by: User | None,
    source: Source,
    confirmed: bool = False,
) -> Ours:
    """Make an entity what its files say: a new one, or the row `pk`, if it is at `seen_revision` (None: at any).

    All of it or nothing, by the rules of the pages. What the document names is looked for among what is the
    organisation's. The bytes of a skill's files are in `definition.data`, or are those of a file that it has. Raises
    BadFile (VALIDATION_FAILED, DUPLICATE_SLUG, MISSING_INTEGRATION, MISSING_TOOL, MISSING_ENTITY; of servers
    HOST_CHANGED and VISIBILITY_CHANGED unless `confirmed`), Stale (servers: StaleServer), and DoesNotExist where the
    row is gone.
    """
    kind = definition.kind
    row = None if pk is None else rows_of(organization, kind).get(pk=pk)
    if row is not None:
        row.organization = organization
    if kind is Kind.SERVER:
        server = server_files.apply(
            row,
            definition,
            organization=organization,
            seen_revision=seen_revision,
            by=by,
            source=source,
            confirmed=confirmed,
        )
        return _of_server(server)
    path = path_of(kind, definition.slug) + (f"/{SKILL_FILE}" if kind is Kind.SKILL else "")
    chosen, missing = resolved(kind, definition.document, organization, path=path)
    if missing:
        raise BadFile(*missing)
    values = {**values_of(kind, definition.document), **chosen}
    act = Act(by, source=source)
    try:
        if kind is Kind.SKILL:
            values = skills.stored(organization, {**values, "files": _changes(row, definition, path)})
        saved: Entity
        if row is None:
            new = MODELS[kind](organization=organization)
            saved = insert(new, values=values, clean=CLEAN[kind], act=act)
        else:
            saved = change(row, values=values, seen_revision=seen_revision, clean=CLEAN[kind], act=act)
    except Invalid as error:
        raise _bad(error, path) from error
    return _of(saved, document_of(saved))


def remove(organization: Organization, kind: Kind, pk: UUID, *, by: User | None, source: Source) -> None:
    """Delete an entity; nothing if it is gone. A server goes with its content, versions and keys."""
    row = rows_of(organization, kind).filter(pk=pk).first()
    if row is None:
        return
    row.organization = organization
    if isinstance(row, Server):
        delete_server(server=row, by=by, source=EntityRevision.Source(source.kind))
    else:
        delete_entity(row, act=Act(by, source=source))


def file_bytes(pk: UUID, paths: Collection[str]) -> dict[str, bytes]:
    """The bytes of a skill's files, of those of `paths` that it has."""
    files = SkillFile.objects.filter(skill=pk, path__in=list(paths))
    return file_blobs.bytes_of(dict(files.values_list("path", "blob")))


def set_state(kind: Kind, pk: UUID, git_integration: Mapping[str, Any]) -> None:
    """How an entity stands in git, for lists and its page to tell; this is no change of it."""
    model: Any = Server if kind is Kind.SERVER else MODELS[kind]
    model.objects.filter(pk=pk).update(git_integration=dict(git_integration))


def rows_of(organization: Organization, kind: Kind) -> Any:
    """A queryset of what is the organisation's own."""
    if kind is Kind.SERVER:
        return Server.objects.for_org(organization).filter(owner=None)
    return MODELS[kind].objects.for_org(organization)


def _of(row: Any, document: Document) -> Ours:
    return Ours(row.pk, row.name, row.slug, row.revision, document, document.get("files", {}))


def _of_server(server: Server) -> Ours:
    return Ours(server.pk, server.name, server.slug, server.config_revision, server_files.document(server))


def _changes(row: Skill | None, definition: Definition, path: str) -> dict[str, bytes | FileBlob | None]:
    """What becomes of a skill's files: bytes that came along, those it has under whatever path, and what goes."""
    wanted: Mapping[str, str] = definition.document.get("files", {})
    there = {} if row is None else {file.path: file.blob for file in _files_of(row)}
    known = {blob.oid: blob for blob in there.values()}
    changes: dict[str, bytes | FileBlob | None] = dict.fromkeys(there.keys() - wanted.keys())
    for name, oid in wanted.items():
        if oid in known:
            changes[name] = known[oid]
        elif name in definition.data:
            changes[name] = definition.data[name]
        else:
            raise BadFile(Problem(Code.FETCH_FAILED, f"The bytes of “{name}” are missing. Sync again.", path))
    return changes


def _files_of(skill: Skill) -> QuerySet[SkillFile]:
    return SkillFile.objects.filter(skill=skill).select_related("blob").defer("blob__data")


def _bad(invalid: Invalid, path: str) -> BadFile:
    if isinstance(invalid, SlugTaken):
        return BadFile(*(Problem(Code.DUPLICATE_SLUG, each.text, path, fields=("/slug",)) for each in invalid.errors))
    members = {"front_matter": "frontMatter"}
    return BadFile(
        *(
            Problem(
                Code.VALIDATION_FAILED,
                each.text,
                path,
                fields=(pointer_to([members.get(each.field, each.field)]) + each.pointer,) if each.field else (),
            )
            for each in invalid.errors
        )
    )
