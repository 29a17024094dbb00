"""What changed between the rows that are here and the tree that is there: by path and git blob id, nothing else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from forges.clients.base import Entry


@dataclass(frozen=True, slots=True)
class Move:
    old: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class Diff:
    """What would make the known rows equal to the tree; everything sorted by path."""

    added: tuple[Entry, ...] = ()
    changed: tuple[Entry, ...] = ()
    moved: tuple[Move, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: tuple[Entry, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.moved or self.removed)

    @property
    def to_fetch(self) -> tuple[Entry, ...]:
        """Those whose bytes are not here yet. What only moved is here already."""
        return self.added + self.changed


def diff(known: Mapping[str, str], entries: Iterable[Entry]) -> Diff:
    """Compare rows (path -> git blob id) with a tree's entries, by path and blob id alone.

    A blob that is gone at one path and new at another has moved. Where several could be meant, the same file name
    goes first and the rest pair off in path order, so that the same two trees always give the same moves.
    """
    here = {entry.path: entry for entry in entries}
    added: list[Entry] = []
    changed: list[Entry] = []
    unchanged: list[Entry] = []
    for path, entry in sorted(here.items()):
        oid = known.get(path)
        (added if oid is None else unchanged if oid == entry.oid else changed).append(entry)
    gone = sorted(path for path in known if path not in here)
    moved = _pair_moves(known, gone, added)
    if moved:
        sources, targets = {move.old for move in moved}, {move.entry.path for move in moved}
        gone = [path for path in gone if path not in sources]
        added = [entry for entry in added if entry.path not in targets]
    return Diff(tuple(added), tuple(changed), tuple(moved), tuple(gone), tuple(unchanged))


def _pair_moves(known: Mapping[str, str], gone: Sequence[str], added: Sequence[Entry]) -> list[Move]:
    candidates: defaultdict[str, list[str]] = defaultdict(list)
    for path in gone:
        candidates[known[path]].append(path)
    targets: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in added:
        if entry.oid in candidates:
            targets[entry.oid].append(entry)
    moved: list[Move] = []
    for oid, entries in targets.items():
        left = dict.fromkeys(candidates[oid])
        by_name: defaultdict[str, list[str]] = defaultdict(list)
        for path in reversed(left):
            by_name[_file_name(path)].append(path)
        renamed: list[Entry] = []
        for entry in entries:
            if same_name := by_name[_file_name(entry.path)]:
                old = same_name.pop()
                del left[old]
                moved.append(Move(old, entry))
            else:
                renamed.append(entry)
        moved.extend(Move(old, entry) for old, entry in zip(left, renamed, strict=False))
    return sorted(moved, key=lambda move: move.entry.path)


def _file_name(path: str) -> str:
    return path.rpartition("/")[2]
