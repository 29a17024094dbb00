"""From a listing to what is to be done about each entity. Nothing is written, here or there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from uuid import UUID

from catalog.portable import merging, reading
from catalog.portable.model import BadFile, Code, Definition, Kind, Problem
from catalog.portable.normal import normal
from forges.clients.base import Client
from gitsync.mirror.deciding import Action, Choice, Facts, Side, decide
from gitsync.mirror.local import Local, full
from gitsync.mirror.pairs import Here, Pair, is_bound, match
from gitsync.mirror.settling import needed
from gitsync.mirror.spool import Spool
from gitsync.mirror.there import Found, There
from gitsync.models import WELL, EntityState, Mirror, MirroredEntity
from orgs import access
from orgs.models import User

AGAIN = (Code.MISSING_INTEGRATION, Code.MISSING_TOOL, Code.MISSING_ENTITY, Code.DUPLICATE_SLUG, Code.FETCH_FAILED)
"""What something else than the file itself may have mended."""
MOST_READ = 128 << 20
"""Bytes of JSON files and SKILL.md that one sync has in mind; what is more waits for the next one."""
FEW = 10
"""Up to this many entities a mistake is small and easily seen: all of them may go at once."""

Tell = Callable[[str, int, int], None]


def compare(
    client: Client,
    mirror: Mirror,
    local: Local,
    there: There,
    spool: Spool,
    *,
    everything: bool,
    tell: Tell,
) -> list[Pair]:
    """A Pair for each entity, with its action, in the order in which they can be saved. `everything` looks at broken
    files again, too."""
    by_kind: dict[Kind, dict[str, Found]] = {kind: {} for kind in Kind}
    for path, found in there.found.items():
        by_kind[found.kind][path] = found
    wanted = [
        found
        for kind in Kind
        for found in _to_read(local.rows[kind], local.here[kind], by_kind[kind], everything=everything)
    ]
    spool.fetch(client, wanted, lambda done, total: tell("Fetching files", done, total))
    read: dict[str, Definition | BadFile] = {}
    size = 0
    for number, found in enumerate(wanted, start=1):
        tell("Reading files", number, len(wanted))
        try:
            if size > MOST_READ:
                raise _too_many(found)
            size += spool.size_of(found.files.get(found.main, ""))
            read[found.path] = replace(spool.read(found), data={})
        except BadFile as bad:
            read[found.path] = bad
    pairs: list[Pair] = []
    for kind in Kind:

        def new(kind: Kind, path: str) -> MirroredEntity:
            return MirroredEntity(mirror=mirror, kind=kind, path=path)

        pairs += match(kind, local.rows[kind], local.here[kind], by_kind[kind], read, new)
    unread = {pair.kind for pair in pairs if pair.bad is not None and not is_bound(pair.row)}
    for pair in pairs:
        _decide(pair, mirror, there, deletes=mirror.apply_deletions and pair.kind not in unread | there.doubted)
    _hold_back(pairs)
    return pairs


def _to_read(
    rows: list[MirroredEntity],
    here: Mapping[UUID, Here],
    found: Mapping[str, Found],
    *,
    everything: bool,
) -> list[Found]:
    """What is not as it was when it was last agreed on, or told to be wrong."""
    bound = {row.path: row for row in rows if is_bound(row)}
    loose = {row.path: row for row in rows if not is_bound(row)}
    wanted = []
    for path, each in found.items():
        row = bound.get(path) or loose.get(path)
        if row is not None and row.files == dict(each.files):
            continue
        if row is None or everything or not _is_told(row, here.get(row.entity) if row.entity else None, each.files):
            wanted.append(each)
    return wanted


def _is_told(row: MirroredEntity, here: Here | None, files: Mapping[str, str]) -> bool:
    """Whether all is as it was when a person was told what is wrong, and nothing else can have mended it."""
    return (
        row.state not in WELL
        and not row.settle
        and row.seen_files == dict(files)
        and row.seen_digest == (here.digest if here else "")
        and row.error.get("code") not in AGAIN
    )


def _decide(pair: Pair, mirror: Mirror, there: There, *, deletes: bool) -> None:
    row, here = pair.row, pair.here
    files = pair.files
    pair.settled = _choice(mirror, row, here, files)
    if pair.definition is not None:
        pair.digest = merging.digest(pair.definition.document)
        pair.echo = bool(row.proposed) and files == {path: oid for path, oid in row.proposed.items() if oid}
    elif pair.found is not None and pair.bad is None and row.files != files:
        return  # not read, as all is as it was told: KEEP
    agreed, base = bool(row.files), row.digest
    if pair.echo:
        agreed, base = True, pair.digest  # and what was saved here since is a change of that
    same = agreed and (pair.echo or files == row.files)
    facts = Facts(
        here=Side.ABSENT if here is None else Side.SAME if agreed and here.digest == base else Side.CHANGED,
        git=(
            Side.ABSENT
            if pair.found is None
            else Side.BROKEN
            if pair.bad is not None
            else Side.SAME
            if same
            else Side.CHANGED
        ),
        agreed=agreed,
        equal=here is not None and pair.definition is not None and pair.digest == here.digest,
        overridden=_overridden(row, here, files),
        settled=pair.settled,
        complete=there.complete,
        # Who was asked is not passed over, although there may be few left to be asked about.
        deletes=deletes and pair.kind is not Kind.SERVER and row.state != EntityState.MISSING,
    )
    if facts.here is Side.CHANGED and facts.git is Side.CHANGED and agreed and not facts.equal:
        facts = replace(facts, mergeable=_merge(pair, mirror))
    pair.action = decide(facts)
    if pair.action is Action.NOTHING and pair.echo:
        pair.action = Action.AGREE
    if pair.action is Action.CONFLICT and pair.foreign:
        pair.action, pair.bad = Action.FAIL, _taken(pair)


def _overridden(row: MirroredEntity, here: Here | None, files: Mapping[str, str]) -> bool:
    """Not by what became of it here because something that it names is called otherwise."""
    return (
        row.state == EntityState.ERROR
        and row.error.get("code") != Code.DUPLICATE_SLUG
        and row.seen_files == dict(files)
        and row.seen_digest != (here.digest if here else "")
        and row.entity_revision != (here.revision if here else None)
    )


def _choice(mirror: Mirror, row: MirroredEntity, here: Here | None, files: Mapping[str, str]) -> Choice:
    """What a person settled, if both sides are still as they saw them, and they may still decide that."""
    settle = row.settle
    if not settle:
        return Choice.NONE
    if settle.get("seen_files", {}) != dict(files) or settle.get("seen_digest", "") != (here.digest if here else ""):
        return Choice.NONE
    try:
        choice = Choice(settle.get("choice", ""))
    except ValueError:
        return Choice.NONE
    person = User.objects.filter(pk=settle.get("by")).first()
    membership = access.membership_of(person, mirror.organization_id) if person else None
    may = all(access.may(membership, each) for each in needed(row, choice))
    return choice if may else Choice.NONE


def _merge(pair: Pair, mirror: Mirror) -> bool:
    theirs: Mapping[str, object] = pair.definition.document if pair.definition else {}
    ours = full(mirror, pair)
    kept = pair.row.document
    base = normal(pair.kind, kept) if pair.kind is Kind.SKILL else reading.document_of(pair.kind, kept)
    merged = merging.merge(base, normal(pair.kind, ours.document), theirs)
    pair.merged, pair.conflicts = normal(pair.kind, merged.document), merged.conflicts
    return not merged.conflicts


def _too_many(found: Found) -> BadFile:
    text = (
        f"With it, more than {MOST_READ >> 20} MiB of files changed at once. It is not read yet: sync again when this "
        "sync is done."
    )
    return BadFile(Problem(Code.FETCH_FAILED, text, found.path))


def _taken(pair: Pair) -> BadFile:
    return BadFile(
        Problem(
            Code.DUPLICATE_SLUG,
            f"{pair.name} has this slug here, and the file has another one's id. Rename one of the two.",
            pair.path,
            fields=("slug",),
        )
    )


def _hold_back(pairs: list[Pair]) -> None:
    """Where most of it would go at once, ask about each: a folder that was emptied or moved is no wish to delete."""
    going = [pair for pair in pairs if pair.action is Action.REMOVE and not pair.settled]
    had = sum(bool(pair.row.files) for pair in pairs)
    if had > FEW and len(going) * 2 > had:
        for pair in going:
            pair.action = Action.MISSING
