"""What a refresh has to do, worked out from what is here and what is there. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from forges.clients.base import Entry, Listing
from forges.reading import MAX_PATH_BYTES, Move, PathFilter, Skip, SkipReason, check_entries, diff


@dataclass(frozen=True, slots=True)
class Row:
    """An imported file as it is here."""

    content_id: int
    path: str
    """In the repository."""
    target: str
    """On the server; another than the Track's mount path gives once that was edited."""
    oid: str
    blob_id: int
    size: int
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """What is here, taken before the forge is asked, so that nothing written meanwhile looks vanished."""

    rows: Mapping[str, Row] = field(default_factory=dict)
    """The Track's own, by repository path; detached ones are not among them."""
    detached: frozenset[str] = frozenset()
    """Repository paths whose content a person has taken over."""
    judged: Mapping[tuple[str, str], Skip] = field(default_factory=dict)
    """(path, blob id) of files whose bytes were looked at before and cannot be taken."""
    server_rows: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What would make the Track's rows equal to the commit. Nothing has been fetched or written yet."""

    commit: str
    complete: bool
    reason: str = ""
    """Why the listing is incomplete."""
    added: tuple[Entry, ...] = ()
    changed: tuple[Entry, ...] = ()
    moved: tuple[Move, ...] = ()
    """Also files that stay in the repository where they are and go to another mount path here."""
    revived: tuple[Row, ...] = ()
    """Stale rows whose file is back as it was."""
    gone: tuple[Row, ...] = ()
    """Rows whose file vanished, proven by a complete listing; stale ones are among them."""
    unchanged: int = 0
    skips: tuple[Skip, ...] = ()
    blocked: frozenset[str] = frozenset()
    """Skipped paths whose place on the server is taken by other content."""
    importable: int = 0
    listed: int = 0
    """All files of the commit, whatever the filter says."""

    @property
    def to_fetch(self) -> tuple[Entry, ...]:
        return self.added + self.changed

    def removing(self, *, prune: bool) -> tuple[Row, ...]:
        return self.gone if prune else ()

    def newly_stale(self, *, prune: bool) -> tuple[Row, ...]:
        return () if prune else tuple(row for row in self.gone if not row.stale)

    def without(self, skips: Mapping[str, Skip], rows: Mapping[str, Row]) -> Plan:
        """The same after fetching, less the files whose bytes cannot be taken.

        A row whose file became such a one is gone, but for those that merely could not be read this time: they keep
        what they have.
        """
        lost = tuple(
            rows[entry.path]
            for entry in self.changed
            if entry.path in skips and skips[entry.path].reason is not SkipReason.UNREADABLE
        )
        return replace(
            self,
            added=tuple(entry for entry in self.added if entry.path not in skips),
            changed=tuple(entry for entry in self.changed if entry.path not in skips),
            gone=self.gone + (lost if self.complete else ()),
            skips=tuple(sorted((*self.skips, *skips.values()), key=lambda skip: skip.path)),
            importable=self.importable - len(skips),
        )


def select(
    listing: Listing, picture: Picture, *, only: PathFilter, max_bytes: int, mount_path: str
) -> tuple[list[Entry], list[Skip]]:
    """The listing's entries that this Track wants and can take, and the skips."""
    max_path = MAX_PATH_BYTES - (len(mount_path.encode()) + 1 if mount_path else 0)
    candidates, skips = check_entries(listing.entries, max_bytes=max_bytes, only=only, max_path_bytes=max_path)
    entries: list[Entry] = []
    for entry in candidates:
        if entry.path in picture.detached:
            skips.append(
                Skip(entry.path, SkipReason.DETACHED, "Its content was detached and is edited here.", entry.oid)
            )
        elif known := picture.judged.get((entry.path, entry.oid)):
            skips.append(known)
        else:
            entries.append(entry)
    return entries, skips


def occupied_skip(entry: Entry, target: str) -> Skip:
    detail = f"Other content on this server already has the path {target}."
    return Skip(entry.path, SkipReason.PATH_CLASH, detail[:254], entry.oid)


def make_plan(
    listing: Listing,
    picture: Picture,
    *,
    entries: Sequence[Entry],
    skips: Sequence[Skip],
    occupied: Collection[str],
    targets: Mapping[str, str],
) -> Plan:
    """Compare the wanted entries with the picture.

    `targets` maps an entry's path to its path on the server, `occupied` are those of them that other content holds.
    An incomplete listing proves nothing gone: nothing is removed, marked or moved on its account.
    """
    clashes = [occupied_skip(entry, targets[entry.path]) for entry in entries if targets[entry.path] in occupied]
    clashing = {skip.path for skip in clashes}
    wanted = [entry for entry in entries if entry.path not in clashing]
    fresh = {path: row.oid for path, row in picture.rows.items() if not row.stale}
    found = diff(fresh, wanted)
    added, changed, revived = [], list(found.changed), []
    for entry in found.added:
        row = picture.rows.get(entry.path)
        if row is None:
            added.append(entry)
        elif row.oid == entry.oid and row.target == targets[entry.path]:
            revived.append(row)
        else:
            changed.append(entry)
    moved = found.moved
    relocated = tuple(
        Move(entry.path, entry) for entry in found.unchanged if picture.rows[entry.path].target != targets[entry.path]
    )
    gone: tuple[Row, ...] = ()
    if listing.complete:
        here = {entry.path for entry in wanted}
        old = {move.old for move in moved}
        gone = tuple(row for path, row in sorted(picture.rows.items()) if path not in here and path not in old)
    else:
        added.extend(move.entry for move in moved)
        moved = ()
    # A file that moved onto the path of a stale row takes that row's place: the row is changed, not clashed with.
    landed = [move for move in moved if move.entry.path in picture.rows]
    if landed:
        moved = tuple(move for move in moved if move not in landed)
        changed.extend(move.entry for move in landed)
        gone += tuple(picture.rows[move.old] for move in landed)
    return Plan(
        commit=listing.commit,
        complete=listing.complete,
        reason=listing.reason,
        added=tuple(sorted(added, key=lambda entry: entry.path)),
        changed=tuple(sorted(changed, key=lambda entry: entry.path)),
        moved=tuple(sorted(moved + relocated, key=lambda move: move.entry.path)),
        revived=tuple(revived),
        gone=gone,
        unchanged=len(found.unchanged) - len(relocated),
        skips=tuple(sorted((*skips, *clashes), key=lambda skip: skip.path)),
        blocked=frozenset(clashing),
        importable=len(wanted),
        listed=len(listing.entries),
    )
