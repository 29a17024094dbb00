"""What is here of an organisation's entities, and what was agreed on: taken before the repository is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Max

from catalog import porting
from catalog.portable import merging
from catalog.portable.model import Kind
from catalog.portable.normal import normal
from gitsync.mirror.pairs import Here, Pair
from gitsync.models import WELL, EntityState, Mirror, MirrorChange, MirroredEntity

KINDS = tuple(Kind)


class Gone(Exception):  # no error: it begins anew
    """Somebody deleted it here after it was looked at."""


@dataclass(frozen=True, slots=True)
class Local:
    rows: Mapping[Kind, list[MirroredEntity]]
    here: Mapping[Kind, Mapping[UUID, Here]]
    changes: list[MirrorChange]
    up_to: int
    """The last of these changes."""


def is_as_it_was(mirror: Mirror) -> bool:
    """Whether nothing here changed since it was last compared, nothing settled, and nothing is to be tried again."""
    rows = mirror.entities.values_list("kind", "entity", "entity_revision", "settle", "error")
    known: dict[str, dict[UUID, int]] = {kind: {} for kind in KINDS}
    for kind, entity, revision, settle, error in rows:
        if settle or (error or {}).get("code") == "FETCH_FAILED":
            return False
        if entity is not None and revision is not None:
            known[kind][entity] = revision
    return all(
        known[kind] == {pk: told[0] for pk, told in porting.revisions(mirror.organization, kind).items()}
        for kind in KINDS
    )


def last_change(mirror: Mirror) -> int:
    """Whoever asks before reading what is here has all that these changes tell of."""
    last: int | None = MirrorChange.objects.filter(mirror=mirror).aggregate(last=Max("pk"))["last"]
    return last or 0


def take_local(mirror: Mirror) -> Local:
    rows: dict[Kind, list[MirroredEntity]] = {kind: [] for kind in KINDS}
    for row in mirror.entities.order_by("pk"):
        rows[Kind(row.kind)].append(row)
    up_to = last_change(mirror)
    changes = MirrorChange.objects.filter(mirror=mirror, pk__lte=up_to).select_related("person")
    here = {kind: _servers(mirror, rows[kind]) if kind is Kind.SERVER else _all(mirror, kind) for kind in KINDS}
    return Local(rows, here, list(changes), up_to)


def here_of(kind: Kind, ours: porting.Ours) -> Here:
    return Here(ours.pk, ours.name, ours.slug, ours.revision, digest_of(kind, ours), ours)


def digest_of(kind: Kind, ours: porting.Ours) -> str:
    return merging.digest(normal(kind, ours.document))


def _all(mirror: Mirror, kind: Kind) -> dict[UUID, Here]:
    return {pk: here_of(kind, ours) for pk, ours in porting.ours(mirror.organization, kind).items()}


def _servers(mirror: Mirror, rows: list[MirroredEntity]) -> dict[UUID, Here]:
    """Each takes some queries to read whole, so what counted no change since is not."""
    known = {row.entity: row for row in rows if row.entity is not None and row.state != EntityState.PROPOSED}
    found: dict[UUID, Here] = {}
    revisions = porting.revisions(mirror.organization, Kind.SERVER)
    for pk, (revision, slug, name) in revisions.items():
        row = known.get(pk)
        digest = "" if row is None else row.digest if row.state in WELL else row.seen_digest
        if row is not None and digest and row.entity_revision == revision:
            found[pk] = Here(pk, name, slug, revision, digest)
    if lacking := revisions.keys() - found.keys():
        read = porting.ours(mirror.organization, Kind.SERVER, only=lacking)
        found |= {pk: here_of(Kind.SERVER, ours) for pk, ours in read.items()}
    return found


def full(mirror: Mirror, pair: Pair) -> porting.Ours:
    """All of what is here of it, read where that was not needed before. Raises Gone."""
    here = pair.here
    ours = here.ours if here else None
    if ours is None and here is not None:
        ours = porting.ours(mirror.organization, pair.kind, only=[here.pk]).get(here.pk)
    if ours is None:
        raise Gone
    if here is None or here.ours is None:
        pair.here = here_of(pair.kind, ours)
    return ours
