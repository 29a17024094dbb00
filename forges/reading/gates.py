"""What has to be true before rows are removed. Pure: numbers in, a verdict out."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterable

FEW_ROWS = 10
"""Up to this many rows a mistake is small and easily seen: no gate stands before them."""


class Verdict(enum.Enum):
    GO = "go"
    ABORT = "abort"
    """The repository suddenly has nothing: more likely a mistake than a wish. Nothing is changed."""
    HOLD = "hold"
    """Much would go: a person has to look at the list and confirm it."""


def judge(*, importable: int, all_rows: int, own_rows: int, removing: int) -> Verdict:
    """Whether `removing` of the `own_rows` that came from a branch may go.

    `importable` is what the branch has now, `all_rows` all that would be looked at beside them (a server's). With prune
    off or an incomplete listing nothing is to be removed, `removing` is 0 and the verdict is always GO.
    """
    if not removing:
        return Verdict.GO
    if not importable and all_rows > FEW_ROWS:
        return Verdict.ABORT
    if own_rows > FEW_ROWS and removing * 2 > own_rows:
        return Verdict.HOLD
    return Verdict.GO


def removal_digest(commit: str, paths: Iterable[str]) -> str:
    """What a confirmation is bound to: this commit and exactly this list."""
    return hashlib.sha256("\0".join([commit, *sorted(paths)]).encode()).hexdigest()
