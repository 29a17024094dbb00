"""What a push has to do: the files as they should be, compared with those in the repository and with what we wrote.

Pure: values in, a plan out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

from forges.clients.base import blob_id


@dataclass(frozen=True, slots=True)
class Wrote:
    """What is remembered of a path: the blob that arrived there, and the one that a push was about to write."""

    oid: str = ""
    intended: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    """Of the changed and removed: those that somebody changed in git since we wrote them."""
    blocking: Mapping[str, str] = field(default_factory=dict)
    """Files of others where ours should go: {path: blob id}. With any of them, nothing is written."""
    foreign: Mapping[str, str] = field(default_factory=dict)
    """Files of others in our directory that are in nobody's way."""

    @property
    def nothing(self) -> bool:
        return not (self.added or self.changed or self.removed)


def ids_of(want: Mapping[str, bytes]) -> dict[str, str]:
    """Path -> blob id."""
    return {path: blob_id(data) for path, data in want.items()}


def is_ours(path: str, oid: str, rows: Mapping[str, Wrote]) -> bool:
    """Whether we wrote what lies at the path, or what was there before somebody changed it.

    What a push was about to write and perhaps did not is ours only as it was written then.
    """
    row = rows.get(path)
    return row is not None and (bool(row.oid) or row.intended == oid)


def compare(
    tree: Mapping[str, str],
    want: Mapping[str, str],
    rows: Mapping[str, Wrote],
    *,
    directory: str,
    vacated: Set[str] = frozenset(),
    others: Set[str] = frozenset(),
) -> Plan:
    """`tree` is the repository's and `want` ours: path -> blob id. `rows` is what we wrote.

    `vacated` are paths in our directory that another server of ours leaves, `others` those of ours that another one
    writes by now.
    """
    ours = {path for path, oid in tree.items() if path in rows and is_ours(path, oid, rows)}
    changed = [path for path, oid in want.items() if path in tree and tree[path] != oid]
    removed = sorted(path for path in ours if path not in want and path not in others)
    gone = set(removed)
    below = [path for path in tree if not directory or path.startswith(f"{directory}/")]
    in_the_way = {path for path in changed if path not in ours and path not in vacated}
    in_the_way |= {path for path in folders(want) if path in tree and path not in gone}
    in_the_way |= {path for path in below if path not in gone and any(folder in want for folder in _above(path))}
    # Where case is ignored these two are one file, and nobody could have the repository whole.
    named = {path.casefold() for path in want}
    theirs = [path for path in below if path not in want and path not in ours and path not in vacated]
    in_the_way |= {path for path in theirs if path.casefold() in named}
    return Plan(
        added=tuple(sorted(path for path in want if path not in tree)),
        changed=tuple(sorted(changed)),
        removed=tuple(removed),
        edited=tuple(
            sorted(
                path
                for path in (*changed, *removed)
                if path in ours and tree[path] not in (rows[path].oid, rows[path].intended)
            )
        ),
        blocking={path: tree[path] for path in sorted(in_the_way)},
        foreign={path: tree[path] for path in sorted(theirs) if path not in in_the_way},
    )


def intentions(tree: Mapping[str, str], want: Mapping[str, str], rows: Mapping[str, Wrote]) -> dict[str, Wrote]:
    """What has to be remembered before the commit: each path whose row does not say already what will be there."""
    found = {}
    for path, oid in want.items():
        row = rows.get(path, Wrote())
        if row.oid != oid:
            there = tree.get(path, "")
            known = there if there and there in (oid, row.intended) else row.oid
            found[path] = Wrote(oid=known, intended=oid)
    return found


def folders(paths: Iterable[str]) -> set[str]:
    """All folders that the paths go through."""
    return {folder for path in paths for folder in _above(path)}


def _above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]
