"""Which files are which row's: one Pair for each entity that is here, in git, or was agreed on. Pure but for the types.

By what was agreed on, then by the stable id in the file (so that a rename in git is one), then by the path; what was
never agreed on by the id that it would get here, or by its path, which is its slug.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from catalog.portable import paths, reading
from catalog.portable.model import BadFile, Code, Definition, Kind, Problem
from catalog.porting import Ours
from gitsync.mirror.deciding import Action, Choice
from gitsync.mirror.there import Found
from gitsync.models import WELL, MirroredEntity


@dataclass(frozen=True, slots=True)
class Here:
    """A row, as far as comparing needs it."""

    pk: UUID
    name: str
    slug: str
    revision: int
    digest: str
    ours: Ours | None = None
    """All of it; None where it is as it was last time."""


@dataclass(slots=True)
class Pair:
    kind: Kind
    path: str
    """Of its files in git, or where they shall be."""
    row: MirroredEntity
    """Unsaved where there is none yet."""
    here: Here | None = None
    found: Found | None = None
    definition: Definition | None = None
    """Read where git's files are not those agreed on; of a skill without its data."""
    bad: BadFile | None = None
    digest: str = ""
    """Of the definition."""
    foreign: bool = False
    """Whether the file has an id of its own, while something else here has its slug."""
    echo: bool = False
    """Whether git has what our last commit was about to bring: it is ours, whatever was noted of it since."""
    settled: Choice = Choice.NONE
    """What a person decided about it as it is now, and may still decide."""
    action: Action = Action.KEEP
    merged: Mapping[str, Any] = field(default_factory=dict)
    conflicts: tuple[str, ...] = ()

    @property
    def files(self) -> dict[str, str]:
        """What git has of it."""
        return dict(self.found.files) if self.found else {}

    @property
    def name(self) -> str:
        """For people."""
        return (
            (self.here.name if self.here else "")
            or (self.definition.name if self.definition else "")
            or self.row.name
            or self.path
        )

    @property
    def key(self) -> str:
        """The same in the next round."""
        return f"{self.kind} {self.row.entity or self.path}"

    @property
    def failed(self) -> bool:
        """Whether it wants a person."""
        wanting = (Action.FAIL, Action.CONFLICT, Action.MISSING)
        return self.action in wanting or (self.action is Action.KEEP and self.row.state not in WELL)

    @property
    def told_id(self) -> str:
        """What its file in git says; "" for none. The row's own is also one that was only proposed."""
        if self.definition is not None:
            return self.definition.id
        kept = self.row.document
        return reading.id_of(self.kind, kept.get("raw", {}) if self.kind is Kind.SKILL else kept)

    @property
    def needs_id(self) -> bool:
        return self.definition is not None and not self.definition.id


def is_bound(row: MirroredEntity) -> bool:
    """Whether both sides agreed on it, or a commit of ours was about to hold it: then it stays that row's."""
    return row.entity is not None and bool(row.files or row.proposed)


def match(
    kind: Kind,
    rows: Iterable[MirroredEntity],
    here: Mapping[UUID, Here],
    found: Mapping[str, Found],
    read: Mapping[str, Definition | BadFile],
    new: Any,
) -> list[Pair]:
    """Pair those of one kind. `read` is what was fetched; `new` makes an unsaved row."""
    return _Matching(kind, list(rows), here, found, read, new).pairs()


class _Matching:
    def __init__(
        self,
        kind: Kind,
        rows: list[MirroredEntity],
        here: Mapping[UUID, Here],
        found: Mapping[str, Found],
        read: Mapping[str, Definition | BadFile],
        new: Any,
    ) -> None:
        self._kind, self._here, self._found, self._read, self._new = kind, here, found, read, new
        self._bound = [row for row in rows if is_bound(row)]
        self._loose = {row.path: row for row in rows if not is_bound(row)}
        self._claimed: dict[int, str] = {}
        """Bound rows' keys -> the path of their files."""
        self._left = dict(found)
        self._doubled: dict[str, BadFile] = {}

    def pairs(self) -> list[Pair]:
        self._claim_by_path()
        self._claim_by_id()
        self._claim_as_seen()
        made = [self._bound_pair(row) for row in self._bound]
        taken = {row.entity for row in self._bound}
        free = {pk: each for pk, each in self._here.items() if pk not in taken}
        made += self._new_pairs(free)
        made += [self._pair(paths.path_of(self._kind, each.slug), each, None) for each in free.values()]
        return made

    def _id(self, path: str) -> str | None:
        """What the file says; None where it was not read."""
        read = self._read.get(path)
        return read.id if isinstance(read, Definition) else None

    def _claim_by_path(self) -> None:
        by_id = {row.file_id: row for row in self._bound if row.file_id}
        for row in sorted(self._bound, key=self._nearness, reverse=True):
            if row.path not in self._left:
                continue
            told = self._id(row.path)
            other = by_id.get(told or "")
            if not told or told == row.file_id or (not row.file_id and other is None):
                self._claimed[row.pk] = row.path
                del self._left[row.path]

    def _nearness(self, row: MirroredEntity) -> tuple[bool, float, bool]:
        """Whose a path is rather, where two rows were there last: one went missing, and the other took its place."""
        found = self._found.get(row.path)
        since = row.agreed_at.timestamp() if row.agreed_at else 0.0
        return found is not None and row.files == dict(found.files), since, bool(row.file_id)

    def _claim_by_id(self) -> None:
        rows = {row.file_id: row for row in self._bound if row.file_id}
        first: dict[str, str] = {}
        for path in sorted(self._left):
            told = self._id(path)
            if not told:
                continue
            row = rows.get(told)
            holder = first.get(told) or (self._claimed.get(row.pk) if row else None)
            if holder is not None:
                self._doubled[path] = _same_id(told, path, holder)
                continue
            first[told] = path
            if row is not None:
                self._claimed[row.pk] = path
                del self._left[path]

    def _claim_as_seen(self) -> None:
        """A file that moved, was told of there, and cannot be read for its id any more."""
        for row in self._bound:
            if row.pk in self._claimed:
                continue
            for path, found in self._left.items():
                if isinstance(self._read.get(path), BadFile) and found.main in row.seen_files:
                    self._claimed[row.pk] = path
                    del self._left[path]
                    break

    def _bound_pair(self, row: MirroredEntity) -> Pair:
        path = self._claimed.get(row.pk)
        found = self._found[path] if path is not None else None
        here = self._here.get(row.entity) if row.entity else None
        return self._filled(Pair(self._kind, path or row.path, row, here, found))

    def _new_pairs(self, free: dict[UUID, Here]) -> list[Pair]:
        made = []
        by_pk = {str(pk): each for pk, each in free.items()}
        by_path = {paths.path_of(self._kind, each.slug): each for each in free.values()}
        for path, found in sorted(self._left.items(), key=lambda item: self._id(item[0]) not in by_pk):
            told = self._id(path)
            mine = by_pk.get(told or "") or by_path.get(path)
            if path in self._doubled or (mine is not None and mine.pk not in free):
                mine = None
            if mine is not None:
                del free[mine.pk]
            pair = self._pair(path, mine, found)
            pair.foreign = mine is not None and bool(told) and told != str(mine.pk)
            made.append(pair)
        return made

    def _pair(self, path: str, here: Here | None, found: Found | None) -> Pair:
        """One that was never agreed on: what was told of it is remembered where it is about the same two."""
        row = self._loose.pop(path, None)
        if row is not None and row.entity not in (None, here.pk if here else None):
            row = None
        return self._filled(Pair(self._kind, path, row or self._new(self._kind, path), here, found))

    def _filled(self, pair: Pair) -> Pair:
        read = self._doubled.get(pair.path) or self._read.get(pair.path) if pair.found else None
        if isinstance(read, Definition):
            pair.definition = read
        else:
            pair.bad = read
        return pair


def _same_id(told: str, path: str, holder: str) -> BadFile:
    return BadFile(
        Problem(
            Code.DUPLICATE_SLUG,
            f"Its id {told} is that of {holder}. Take the id out of a copy: it gets one of its own.",
            path,
            fields=("id",),
        )
    )
