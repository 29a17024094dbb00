"""What creating, editing, sharing and deleting have in common for toolkits, commands, skills and clients.

Each change is written once: the row with its revision counted, its history, one event of the audit log, and the news of
it last (`signals.entity_saved`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from django.db import IntegrityError, connection, models, transaction
from django.http import HttpRequest

from catalog import signals
from catalog.attaching import tell_servers
from catalog.checking.problems import FieldError, Findings, Invalid
from catalog.checking.slugs import slug_of
from catalog.documents import Document, Entity, document_of, kind_of
from catalog.models import Command, EntityRevision, Skill, SkillFile, Toolkit
from catalog.part_saving import same
from catalog.portable.schemas import MOST_NAMES
from catalog.revisions import Source, record
from catalog.saving import Change, locked
from orgs import audit
from orgs.models import User

ROW = TypeVar("ROW", bound=Entity)
OWNED = TypeVar("OWNED", bound=Toolkit | Command | Skill)


class SlugTaken(Invalid):
    """Another of its kind has the slug."""


@dataclass(frozen=True)
class Act:
    """Who does it, and from where."""

    by: User | None
    request: HttpRequest | None = None
    source: Source = field(default_factory=Source)
    verb: str = ""
    """What history calls it where that is none of create, update and rename."""


Relate = Callable[[Any], bool]
"""Writes what a saved row has in other tables, and says whether anything changed."""
Clean = Callable[[Any, Mapping[str, Any]], tuple[dict[str, Any], Relate]]
"""What the fields of a row become by values that people or files gave, and what the row has in other tables; it raises
Invalid with all that is wrong. Each of the four services has one; values that were not given stay."""


def nothing_else(_: Any) -> bool:
    """A Relate of rows that have nothing in other tables."""
    return False


@transaction.atomic
def insert(row: ROW, *, values: Mapping[str, Any], clean: Clean, act: Act) -> ROW:
    """Make a new row of organisation and owner. Without a slug it gets one made of its name. Raises Invalid."""
    slug = str(values.get("slug") or "").strip() or _free_slug(row, str(values.get("name", "")))
    fields, relate = clean(row, {**values, "slug": slug})
    for name, value in fields.items():
        setattr(row, name, value)
    _write(row, relate, insert=True)
    document = document_of(row)
    _record("restored" if act.verb == "restore" else "created", row, act, after=document)
    _tell(row, Change("create", kind_of(row), row.name), document, act)
    return row


@transaction.atomic
def change(row: ROW, *, values: Mapping[str, Any], seen_revision: int | None, clean: Clean, act: Act) -> ROW:
    """Save values in a row, unless that is what it has. Raises Invalid, Stale when the row is not at `seen_revision`
    any more, and DoesNotExist when it was deleted."""
    current = _mine(row, seen_revision)
    fields, relate = clean(current, values)
    before, former, slug = document_of(current), current.name, current.slug
    changed = [name for name, value in fields.items() if not same(getattr(current, name), value)]
    for name in changed:
        setattr(current, name, fields[name])
    current.revision += 1
    if not _write(current, relate, insert=False, changed=bool(changed)):
        current.revision -= 1
        return current
    after = document_of(current)
    _record("restored" if act.verb == "restore" else "edited", current, act, before=before, after=after)
    if isinstance(current, Command | Skill) and slug != current.slug:
        tell_servers(current, act.by, EntityRevision.Source(act.source.kind))
    renamed = former != current.name
    verb, told = ("rename", former) if renamed else ("update", "")
    _tell(current, Change(verb, kind_of(current), current.name, former=told), after, act)
    return current


@transaction.atomic
def share(row: OWNED, *, check: Callable[[OWNED], None], act: Act) -> OWNED:
    """Make a personal row the organisation's, once `check` has found nothing in its way; there is no way back. Raises
    Invalid."""
    current = _mine(row, None)
    if current.owner is None:
        return current
    check(current)
    current.owner = None
    current.revision += 1
    _write(current, nothing_else, insert=False)
    document = document_of(current)
    _record("shared", current, act, after=document)
    _tell(current, Change("create", kind_of(current), current.name), document, act, verb="share")
    return current


@transaction.atomic
def delete(row: ROW, *, act: Act) -> None:
    """Delete a row; its history stays, to restore it from. Raises DoesNotExist when somebody else did."""
    current = _mine(row, None)
    document, files = document_of(current), _files(current)
    _record("deleted", current, act, before=document)
    if isinstance(current, Command | Skill):
        tell_servers(current, act.by, EntityRevision.Source(act.source.kind))
    pk = current.pk
    current.delete()
    current.pk, current.revision = pk, current.revision + 1
    _tell(current, Change("delete", kind_of(current), current.name), document, act, files=files)


def _mine(row: ROW, seen_revision: int | None) -> ROW:
    current = locked(row, seen_revision=seen_revision)
    current.organization = row.organization
    return current


def _free_slug(row: Any, name: str) -> str:
    taken = _beside(row).values_list("slug", flat=True)
    return slug_of(name, str(kind_of(row)), set(taken))


def _beside(row: Any) -> models.QuerySet[Any]:
    """Those that may not have its slug."""
    rows: models.QuerySet[Any] = type(row).objects.filter(organization=row.organization_id).exclude(pk=row.pk)
    if hasattr(row, "owner_id"):
        rows = rows.filter(owner=row.owner_id)
    return rows


def chosen(
    findings: Findings, name: str, given: Iterable[Any], among: models.QuerySet[Any], *, owner: User | None
) -> set[UUID]:
    """The primary keys that a form sent for the field `name`, all of them of rows of `among`."""
    wanted = {key for each in given if (key := _uuid(each)) is not None}
    unread = any(_uuid(each) is None for each in given)
    if len(wanted) > MOST_NAMES:
        findings.add(name, f"Choose {MOST_NAMES:,} of these at most, not {len(wanted):,}.")
        return set()
    there = set(among.filter(pk__in=wanted).values_list("pk", flat=True))
    if unread or wanted - there:
        rule = "" if owner else " What is the organisation’s can hold only what is the organisation’s."
        findings.add(name, f"Something that was chosen here is not there any more. Choose again.{rule}")
    return there


def set_relation(row: ROW, name: str, wanted: Collection[UUID]) -> bool:
    """Let the relation `name` have these; whether that is a change."""
    relation = getattr(row, name)
    now = set(relation.order_by().values_list("pk", flat=True))
    relation.add(*(set(wanted) - now))
    relation.remove(*(now - set(wanted)))
    return now != set(wanted)


def _uuid(given: Any) -> UUID | None:
    try:
        return given if isinstance(given, UUID) else UUID(str(given))
    except ValueError:
        return None


def _write(row: Any, relate: Relate, *, insert: bool, changed: bool = True) -> bool:
    try:
        with transaction.atomic():
            if insert:
                row.save(force_insert=True)
            related = relate(row)
            if not insert and (changed or related):
                row.save(force_update=True)
            if connection.vendor == "postgresql":
                # Now, and not when the transaction commits: what it refers to may be in the midst of being deleted.
                # It also keeps them from being deleted unseen. On SQLite no two write at the same moment.
                connection.check_constraints()
    except IntegrityError as error:
        if _beside(row).filter(slug=row.slug).exists():
            whose = "You have" if getattr(row, "owner_id", None) else "There is"
            words = f"{whose} already a {kind_of(row)} with the slug “{row.slug}”. Choose another."
            raise SlugTaken([FieldError("slug", words)]) from error
        words = "Somebody changed it, or deleted what it refers to, at the same moment. Look at it, and save again."
        raise Invalid([FieldError("", words)]) from error
    return changed or related


def _files(row: Any) -> dict[str, int]:
    if not isinstance(row, Skill):
        return {}
    return dict(SkillFile.objects.filter(skill=row).values_list("path", "blob"))


def _record(
    verb: str,
    row: Any,
    act: Act,
    *,
    before: Document | None = None,
    after: Document | None = None,
) -> None:
    """What changed of the document. Of a personal one the log, which others read, has neither name nor content."""
    old, new = dict(before or {}), dict(after or {})
    if before is not None and after is not None:
        old = {name: value for name, value in before.items() if after.get(name) != value}
        new = {name: value for name, value in after.items() if before.get(name) != value}
    personal = getattr(row, "owner_id", None) is not None
    audit.record(
        f"{kind_of(row)}.{verb}",
        organization=row.organization,
        actor=act.by,
        target=None if personal else row,
        scope=str(row.pk),
        before={} if personal else old,
        after={"personal": True} if personal else new,
        request=act.request,
    )


def _tell(
    row: Any,
    change: Change,
    document: Document,
    act: Act,
    *,
    verb: str = "",
    files: dict[str, int] | None = None,
) -> None:
    owner = getattr(row, "owner", None)
    record(
        organization=row.organization,
        kind=kind_of(row),
        pk=row.pk,
        owner=owner,
        verb=verb or act.verb or change.verb,
        name=row.name,
        slug=row.slug,
        document=document,
        by=act.by,
        source=act.source,
        at_least=row.revision,
        files=_files(row) if files is None else files,
    )
    signals.entity_saved.send_robust(
        type(row),
        kind=kind_of(row),
        organization=row.organization,
        pk=row.pk,
        owner=owner,
        change=change,
        by=act.by,
        source=EntityRevision.Source(act.source.kind),
    )
