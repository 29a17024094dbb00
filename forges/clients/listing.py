"""What listing a tree in many requests may spend, and what git's modes mean. Pure but for the clock."""

from __future__ import annotations

import time
from collections.abc import Mapping

from forges.clients.base import EntryKind, Limits

KINDS: Mapping[str, EntryKind] = {
    "100644": EntryKind.FILE,
    "100755": EntryKind.EXECUTABLE,
    "120000": EntryKind.SYMLINK,
    "160000": EntryKind.SUBMODULE,
}
"""By git's mode of an entry."""


class Stopped(Exception):
    """The listing ends here; `str` is the reason for a person."""


class Allowance:
    """What a listing may spend, asked for before each request."""

    def __init__(self, limits: Limits, *, spent: int = 0) -> None:
        self._limits = limits
        self._left = max(0, limits.max_tree_requests - spent)
        self._end = time.monotonic() + limits.listing_seconds

    def spend(self) -> None:
        """Stopped when there are no more requests, or no more time."""
        most, seconds = self._limits.max_tree_requests, self._limits.listing_seconds
        if not self._left:
            raise Stopped(f"The tree takes more than {most:,} requests, as FORGE_MAX_TREE_REQUESTS allows.")
        if time.monotonic() >= self._end:
            raise Stopped(f"Listing the tree took longer than {seconds:,.0f} s, as FORGE_LISTING_SECONDS allows.")
        self._left -= 1


def too_many_entries(limits: Limits) -> Stopped:
    return Stopped(f"The tree has more than {limits.max_entries:,} files, as FORGE_MAX_ENTRIES allows.")


def too_long_paths() -> Stopped:
    return Stopped("The paths of the tree are longer than there is room for.")
