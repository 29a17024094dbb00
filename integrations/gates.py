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


def judge(*, importable: int, server_rows: int, track_rows: int, removing: int) -> Verdict:
    """Whether `removing` of a Track's `track_rows` may go.

    `importable` is what the repository has for this Track, `server_rows` all rows of the server. With prune off or an
    incomplete listing nothing is to be removed, `removing` is 0 and the verdict is always GO.
    """
    if not removing:
        return Verdict.GO
    if not importable and server_rows > FEW_ROWS:
        return Verdict.ABORT
    if track_rows > FEW_ROWS and removing * 2 > track_rows:
        return Verdict.HOLD
    return Verdict.GO


def removal_digest(commit: str, paths: Iterable[str]) -> str:
    """What a confirmation is bound to: this commit and exactly this list."""
    return hashlib.sha256("\0".join([commit, *sorted(paths)]).encode()).hexdigest()
