"""What a person decides about one entity on which both sides do not agree. The next sync does it, if things still are
as the person saw them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from catalog import porting
from catalog.models import EntityKind
from catalog.portable import merging, paths, reading, schemas, writing
from catalog.portable.model import SKILL_FILE, BadFile, Definition, Kind, Unit
from catalog.revisions import Source
from forges.clients.base import blob_id
from gitsync.mirror.local import digest_of
from gitsync.mirror.requesting import request_sync
from gitsync.models import WELL, AllowedFinding, EntityState, Mirror, MirroredEntity
from jobs.models import Run, Trigger
from orgs import access, audit
from orgs.models import Membership

EDIT = "entities.edit"
THEIRS, OURS, WRITE = "theirs", "ours", "edit"
DELETE, RESTORE, CONFIRM, ALLOW = "delete", "restore", "confirm", "allow"
CHOICES: Mapping[str, tuple[str, ...]] = {
    EntityState.CONFLICT: (THEIRS, OURS, WRITE),
    EntityState.MISSING: (DELETE, RESTORE),
    EntityState.CONFIRM: (CONFIRM, OURS),
    EntityState.ERROR: (ALLOW,),
}
"""By state."""


class StaleSettle(ValueError):
    """It is not as the person saw it any more; nothing is done."""

    def __init__(self) -> None:
        super().__init__("It changed while you were looking at it, so nothing was done. Look at it again, and decide.")


@dataclass(frozen=True, slots=True)
class Sides:
    """What both have now, as `Definition.document`; None where one has nothing, or nothing that can be read."""

    base: Mapping[str, Any]
    ours: porting.Ours | None
    theirs: Mapping[str, Any] | None


def sides_of(mirrored: MirroredEntity) -> Sides:
    ours = None
    kind = Kind(mirrored.kind)
    if mirrored.entity is not None:
        ours = porting.ours(mirrored.mirror.organization, kind, only=[mirrored.entity]).get(mirrored.entity)
    # Of a skill the base is its front matter alone, which says too little to merge by.
    base = {} if kind is Kind.SKILL else _document(mirrored, mirrored.document) or {}
    return Sides(base, ours, _document(mirrored, mirrored.theirs))


def seen_of(mirrored: MirroredEntity, sides: Sides) -> str:
    """Names all that a person decides upon: a form carries it."""
    kind = Kind(mirrored.kind)
    parts = (
        mirrored.state,
        mirrored.error.get("code"),
        mirrored.error.get("findings"),
        sorted(mirrored.seen_files.items()),
        mirrored.seen_digest,
        merging.digest(mirrored.theirs),
        digest_of(kind, sides.ours) if sides.ours else "",
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def needed(mirrored: MirroredEntity, choice: str) -> tuple[str, ...]:
    """The entitlements that a choice takes."""
    if choice == ALLOW:
        return ("gitsync.assign",)
    if mirrored.kind != EntityKind.SERVER:
        return (EDIT,)
    return (EDIT, "servers.edit", "servers.delete") if choice == DELETE else (EDIT, "servers.edit")


def settle(
    mirrored: MirroredEntity,
    choice: str,
    membership: Membership,
    *,
    seen: str,
    document: str = "",
    finding: str = "",
    request: HttpRequest | None = None,
) -> Run:
    """Have the next sync do what was chosen, which begins at once.

    `choice` is one of CHOICES for its state; `document` is the file that a person wrote (edit), `finding` the digest of
    what is no secret (allow). Raises StaleSettle, BadFile for a file that cannot be taken, and PermissionDenied, each
    with nothing done.
    """
    for each in needed(mirrored, choice):
        access.require(membership, each)
    with transaction.atomic():
        for each in needed(mirrored, choice):
            access.require_still(membership.user, membership.organization_id, each)
        rows = MirroredEntity.objects.select_for_update(of=("self",)).select_related("mirror__organization")
        found = rows.filter(pk=mirrored.pk, mirror__organization=membership.organization).first()
        if found is None:
            raise StaleSettle
        sides = sides_of(found)
        if seen != seen_of(found, sides) or choice not in CHOICES.get(found.state, ()):
            raise StaleSettle
        if choice == ALLOW:
            _allow(found, finding, membership, request)
        else:
            _decide(found, choice, sides, membership, document, request)
        return request_sync(found.mirror, trigger=Trigger.MANUAL, by=membership.user)


def _decide(
    found: MirroredEntity,
    choice: str,
    sides: Sides,
    membership: Membership,
    document: str,
    request: HttpRequest | None,
) -> None:
    ours = sides.ours
    if choice == WRITE:
        if ours is None:
            raise StaleSettle
        definition = read(found, document, ours)
        ours = porting.apply(
            found.mirror.organization,
            definition,
            pk=found.entity,
            seen_revision=ours.revision,
            by=membership.user,
            source=Source(),
        )
    found.settle = {
        "choice": choice,
        "seen_files": found.seen_files,
        "seen_digest": digest_of(Kind(found.kind), ours) if ours else "",
        "by": str(membership.user_id),
        "at": timezone.now().isoformat(),
    }
    found.save(update_fields=["settle", "updated_at"])
    audit.record(
        "mirror.settled",
        organization=found.mirror.organization,
        actor=membership.user,
        target=found.mirror,
        before={"state": found.state, "code": found.error.get("code", "")},
        after={"path": found.path, "name": found.name, "choice": choice},
        request=request,
    )


def _allow(found: MirroredEntity, digest: str, membership: Membership, request: HttpRequest | None) -> None:
    same = [each for each in found.error.get("findings", []) if each.get("digest") == digest]
    if not digest or not same:
        raise StaleSettle
    if not all(each.get("allowable", True) for each in same):
        raise PermissionDenied("This is a secret that Millrace keeps. It cannot be allowed: take it out of there.")
    first = same[0]
    where = f"{first['path']}: {first['field']}" if first.get("field") else str(first["path"])
    AllowedFinding.objects.get_or_create(
        organization=found.mirror.organization,
        digest=digest,
        defaults={"where": where[:1200], "allowed_by": membership.user},
    )
    audit.record(
        "mirror.finding_allowed",
        organization=found.mirror.organization,
        actor=membership.user,
        target=found.mirror,
        after={"where": where, "kind": first.get("kind", "")},
        request=request,
    )


# -- files and documents -----------------------------------------------------------------------------------------------


def read(mirrored: MirroredEntity, text: str, ours: porting.Ours) -> Definition:
    """A file that a person wrote for it: of a skill SKILL.md, beside the files that it has here. Raises BadFile."""
    data = text.replace("\r\n", "\n").encode()
    if Kind(mirrored.kind) is not Kind.SKILL:
        unit = _unit(mirrored, _slug_in(Kind(mirrored.kind), text) or ours.slug)
        return reading.read(unit, {unit.path: data}, limits=porting.limits())
    unit = _unit(mirrored, ours.slug)
    there = porting.file_bytes(ours.pk, list(ours.files))
    whole = {f"{unit.path}/{path}": each for path, each in there.items()} | {f"{unit.path}/{SKILL_FILE}": data}
    unit = Unit(unit.kind, unit.slug, unit.path, {path: blob_id(each) for path, each in whole.items()})
    return reading.read(unit, whole, limits=porting.limits())


def written(mirrored: MirroredEntity, document: Mapping[str, Any]) -> str:
    """A document as its file, to be edited; of a skill its SKILL.md."""
    kind = Kind(mirrored.kind)
    files = writing.write(
        kind,
        id=mirrored.file_id or str(mirrored.entity),
        document=document,
        raw=mirrored.document if kind is Kind.SKILL else mirrored.theirs or mirrored.document,
        schema_url=schemas.url(settings.BASE_URL, kind),
    )
    slug = str(document["slug"])
    path = paths.path_of(kind, slug)
    return files[f"{path}/{SKILL_FILE}" if kind is Kind.SKILL else path].decode()


def _document(mirrored: MirroredEntity, raw: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Of a file whole (a skill's is one already); None where there is none, or it cannot be read."""
    if not raw:
        return None
    if Kind(mirrored.kind) is Kind.SKILL:
        return raw
    text = json.dumps(raw)
    unit = _unit(mirrored, _slug_in(Kind(mirrored.kind), text))
    try:
        return reading.read(unit, {unit.path: text.encode()}, limits=porting.limits()).document
    except BadFile:
        return None


def _unit(mirrored: MirroredEntity, slug: str) -> Unit:
    kind = Kind(mirrored.kind)
    path = paths.path_of(kind, slug)
    return Unit(kind, slug, path, {path: ""})


def _slug_in(kind: Kind, text: str) -> str:
    """Renaming it is one way to settle it. "" for a file that is to be judged by its reader."""
    try:
        return paths.check_slug(kind, json.loads(text)["slug"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""


def entities_wanting(mirror: Mirror) -> Any:
    """Those that want a person, the gravest first."""
    return mirror.entities.exclude(state__in=WELL).order_by("state", "path")
