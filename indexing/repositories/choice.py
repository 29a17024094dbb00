"""Which files of a repository are indexed. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from forges.clients.base import Entry
from forges.reading import EVERYTHING, PathFilter, Skip, check_entries, presentable

RULES = 1
"""The version of what is done with a file: another one looks at all of them again."""
_HALF = 32


@dataclass(frozen=True)
class Choice:
    """What a source asks for, and the operator's limits. Raises InvalidPattern at the first use of wrong patterns.

    Where it has no include patterns, or only those of folders (each line ends with `/`), files are of the operator's
    kinds; with others it is they alone that say.
    """

    branch: str
    include: str
    exclude: str
    kinds: tuple[str, ...]
    """Patterns of the files that are documentation: settings.INDEX_FILE_PATTERNS."""
    max_bytes: int
    chunker: int
    """`indexing.chunking.model.CHUNKER`."""

    @cached_property
    def only(self) -> PathFilter:
        return PathFilter.parse(self.include, self.exclude)

    @cached_property
    def of_kind(self) -> PathFilter:
        if all(line.endswith("/") for line in self.only.include):
            return PathFilter.parse("\n".join(self.kinds))
        return EVERYTHING

    @property
    def fingerprint(self) -> str:
        """The same while the same files of a commit give the same index; `chosen_alike` looks at its first half."""
        limits = (self.of_kind.fingerprint, str(self.max_bytes), str(self.chunker), str(RULES))
        return _digest(self.branch, self.only.fingerprint) + _digest(*limits)

    def chosen_alike(self, fingerprint: str) -> bool:
        """Whether the source asked for the same then, whatever the operator's limits and our own rules were."""
        return fingerprint[:_HALF] == self.fingerprint[:_HALF]

    def select(self, entries: Iterable[Entry]) -> tuple[list[Entry], list[Skip]]:
        """Those to be indexed, and those of the same kinds that cannot be."""
        meant = [entry for entry in entries if self.of_kind.matches(presentable(entry.path))]
        return check_entries(meant, max_bytes=self.max_bytes, only=self.only)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_HALF]


FRONT = 10
"""Files that are read first: with them a search has an answer within seconds."""


def front_first(entries: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Those to read before the others, and the others: the README, then those of folders, the outer ones first."""
    ranked = sorted(entries, key=lambda entry: (not _is_readme(entry.path), entry.path.count("/"), entry.path))
    front = [entry for entry in ranked[:FRONT] if _is_readme(entry.path)]
    return front, ranked[len(front) :]


def _is_readme(path: str) -> bool:
    name = path.rpartition("/")[2].casefold()
    return name.partition(".")[0] in ("readme", "index")
