"""What has to come of edits on both sides: a model of two-way sync that knows nothing of how it is done."""

from __future__ import annotations

from dataclasses import dataclass, field

from gitsync.models import EntityState

Document = dict[str, str]
"""Slug and FIELDS; what is empty is left out."""


@dataclass
class Entity:
    kind: str
    file_id: str = ""
    agreed: Document | None = None
    """None: they never did."""
    here: Document | None = None
    there: Document | None = None
    broken: int = 0
    """Another number for each way in which its file is broken now."""
    where: str = ""
    """The slug in its path in git, also while it is broken."""
    told: tuple[int, Document | None] | None = None
    """Which broken file people were told of, and what was here then."""
    state: str = EntityState.IN_STEP
    moved: bool = False
    """Whether either side was edited since the last sync."""

    @property
    def there_at_all(self) -> bool:
        return self.there is not None or bool(self.broken)

    @property
    def gone(self) -> bool:
        return self.here is None and not self.there_at_all


@dataclass
class Model:
    entities: list[Entity] = field(default_factory=list)

    def after_sync(self, settled: Entity | None = None, choice: str = "") -> None:
        """What becomes of each."""
        for each in self.entities:
            if not each.gone or each.agreed is not None:
                self._decide(each, choice if each is settled else "")
                each.moved = False

    def _decide(self, it: Entity, choice: str) -> None:
        it.state = EntityState.IN_STEP
        if it.broken:
            _at_a_broken_file(it)
        elif it.gone:
            it.agreed = None
        elif choice in ("ours", "restore"):
            _push(it)
        elif choice in ("theirs", "delete"):
            _take(it)
        elif it.here is None or it.there is None:
            _on_one_side(it)
        elif it.there in (it.agreed, it.here):
            _push(it)
        elif it.here == it.agreed:
            _take(it)
        elif (merged := merge(it.agreed or {}, it.here, it.there)) is not None:
            it.here = merged
            _push(it)
        else:
            it.state = EntityState.CONFLICT

    @property
    def living(self) -> list[Entity]:
        return [each for each in self.entities if not each.gone]


def _at_a_broken_file(it: Entity) -> None:
    """It stays, until it was edited here by somebody who could see that."""
    if it.told is not None and it.told[0] == it.broken and it.told[1] != it.here:
        _push(it)
    else:
        it.told, it.state = (it.broken, it.here), EntityState.ERROR


def _on_one_side(it: Entity) -> None:
    if it.agreed is None:
        _take(it) if it.here is None else _push(it)
    elif it.here is None and it.there == it.agreed:
        _push(it)
    else:
        it.state = EntityState.CONFLICT if it.here is None else EntityState.MISSING


def _push(it: Entity) -> None:
    it.there = it.agreed = it.here
    it.broken, it.told = 0, None
    it.where = it.here["slug"] if it.here else ""


def _take(it: Entity) -> None:
    it.here = it.agreed = it.there
    it.told = None


def merge(base: Document, ours: Document, theirs: Document) -> Document | None:
    """Field by field; None where they meet."""
    merged = dict(base)
    for name in {*base, *ours, *theirs}:
        mine, other, was = ours.get(name), theirs.get(name), base.get(name)
        if mine != was and other != was and mine != other:
            return None
        value = mine if mine != was else other
        merged.pop(name, None)
        if value is not None:
            merged[name] = value
    return merged
