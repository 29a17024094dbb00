"""What is in the index of a repository and what is there: what has to be read, and what goes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from forges.clients.base import Entry, Listing
from forges.reading import Skip, SkipReason, diff
from forges.reading.gates import Verdict, judge
from indexing.reasons import SkipReason as PageSkip
from indexing.repositories.choice import Choice

JUDGED = frozenset(
    (SkipReason.BINARY, SkipReason.NOT_UTF8, SkipReason.LFS_POINTER, SkipReason.TOO_LARGE, PageSkip.EMPTY)
)
"""What the bytes of a file told: the same bytes tell it again."""


@dataclass(frozen=True, slots=True)
class Row:
    """A file as the index knows it."""

    pk: int
    oid: str
    text: int | None
    skip_reason: str = ""
    is_current: bool = True
    """Whether its text was cut by the rules of today."""
    blob: int = 0
    """Of its text."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """A file that cannot be in the index, and why."""

    path: str
    reason: str
    """Of `forges.reading`, or of `indexing.reasons`."""
    detail: str
    oid: str = ""

    @classmethod
    def of(cls, skip: Skip) -> Unfit:
        return cls(skip.path, skip.reason, skip.detail, skip.oid)


@dataclass(frozen=True, slots=True)
class Plan:
    """What would make the rows equal to the commit. Nothing has been read or written yet."""

    commit: str
    complete: bool
    reason: str = ""
    """Why the listing is incomplete."""
    to_read: tuple[Entry, ...] = ()
    here: Mapping[str, int] = field(default_factory=dict)
    """git's blob id -> our blob, for those of them whose bytes are here: files that moved."""
    left: tuple[int, ...] = ()
    """Rows whose file is at another path now."""
    gone: tuple[int, ...] = ()
    """Rows whose file vanished, proven by a complete listing."""
    unfit: tuple[Unfit, ...] = ()
    """What cannot be taken as the listing tells, and was not known to be."""
    dropped: int = 0
    """Files that would leave the index: those gone, and those that are there and cannot be taken any more."""
    indexed: int = 0
    """Files in the index before."""
    wanted: int = 0
    """Files that there are for it now."""
    unchanged: int = 0
    listed: int = 0

    def verdict(self, *, lost: int = 0, skipped: int = 0) -> Verdict:
        """Whether they may go; `lost` more were found to be unfit by their bytes, `skipped` in all."""
        return judge(
            importable=self.wanted - skipped,
            all_rows=self.indexed,
            own_rows=self.indexed,
            removing=self.dropped + lost,
        )


def compare(listing: Listing, rows: Mapping[str, Row], choice: Choice, *, same_choice: bool) -> Plan:
    """`same_choice` says whether what was skipped for its bytes was judged by the same limits.

    An incomplete listing proves nothing gone.
    """
    entries, all_skips = choice.select(listing.entries)
    taken = {entry.path for entry in entries}
    # A hostile listing can name a path twice, or two that are presented alike.
    skips = list({skip.path: skip for skip in all_skips if skip.path not in taken}.values())
    changes = diff({path: row.oid for path, row in rows.items() if _is_settled(row, same_choice)}, entries)
    to_read = changes.to_fetch + tuple(move.entry for move in changes.moved)
    there = taken | {skip.path for skip in skips}
    left = {move.old for move in changes.moved}
    gone = [path for path in rows if path not in there and path not in left] if listing.complete else []
    unfit = [skip.path for skip in skips if skip.path in rows]
    return Plan(
        commit=listing.commit,
        complete=listing.complete,
        reason=listing.reason,
        to_read=to_read,
        here=_blobs_of(to_read, rows),
        left=tuple(rows[path].pk for path in sorted(left)) if listing.complete else (),
        gone=tuple(rows[path].pk for path in sorted(gone)),
        unfit=tuple(Unfit.of(skip) for skip in skips if not _is_known(skip, rows)),
        dropped=sum(rows[path].text is not None for path in (*gone, *unfit)),
        indexed=sum(row.text is not None for row in rows.values()),
        wanted=len(entries),
        unchanged=len(changes.unchanged),
        listed=len(listing.entries),
    )


def _is_settled(row: Row, same_choice: bool) -> bool:
    if row.text is None:
        return same_choice and row.skip_reason in JUDGED
    return row.is_current and not row.skip_reason


def _is_known(skip: Skip, rows: Mapping[str, Row]) -> bool:
    row = rows.get(skip.path)
    return row is not None and row.text is None and (row.skip_reason, row.oid) == (skip.reason, skip.oid)


def _blobs_of(entries: Iterable[Entry], rows: Mapping[str, Row]) -> dict[str, int]:
    wanted = {entry.oid for entry in entries}
    return {row.oid: row.blob for row in rows.values() if row.text is not None and row.oid in wanted}
