"""Three-way merge of documents: what both sides changed in different places is one document with both changes.

Objects are merged member by member, lists of named things by name, sorted lists of texts as sets; all else is one
value. A merged document can break a rule that each side kept: check it like any other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from catalog.checking.json_text import pointer_to


class _Absent:
    def __repr__(self) -> str:
        return "absent"


_ABSENT = _Absent()


@dataclass(frozen=True, slots=True)
class Merged:
    document: dict[str, Any]
    """With our side's values where there are conflicts."""
    conflicts: tuple[str, ...]
    """JSON pointers to what both changed differently, sorted; in a list of named things the step is the name. Empty:
    the document has the changes of both."""


def digest(document: Mapping[str, Any]) -> str:
    """64 hexadecimal digits; the same for equal documents, in whatever order their members stand."""
    told = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(told.encode()).hexdigest()


def merge(base: Mapping[str, Any], ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Merged:
    """What both made of `base`; {} for a base that is not known. Which side is called ours matters to nothing but
    order, and to what the document has where there are conflicts."""
    conflicts: list[str] = []
    document = _merged(dict(base), dict(ours), dict(theirs), "", conflicts)
    return Merged({} if document is _ABSENT else dict(document), tuple(sorted(conflicts)))


def _merged(base: Any, ours: Any, theirs: Any, pointer: str, conflicts: list[str]) -> Any:
    if _same(ours, theirs) or _same(base, theirs):
        return ours
    if _same(base, ours):
        return theirs
    for empty, fits, merge_parts in _WAYS:
        former, one, other = (type(empty)() if side is _ABSENT else side for side in (base, ours, theirs))
        # What is empty is left out of documents. A thing that one side deleted and the other changed is none of these.
        if fits(former) and fits(one) and fits(other):
            return merge_parts(former, one, other, pointer, conflicts) or _ABSENT
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        return _objects(base if isinstance(base, Mapping) else {}, ours, theirs, pointer, conflicts)
    conflicts.append(pointer)
    return ours


def _names(base: list[str], ours: list[str], theirs: list[str], _pointer: str, _conflicts: list[str]) -> list[str]:
    gone = set(base) - (set(ours) & set(theirs))
    return sorted((set(ours) | set(theirs)) - gone)


def _objects(
    base: Mapping[str, Any], ours: Mapping[str, Any], theirs: Mapping[str, Any], pointer: str, conflicts: list[str]
) -> dict[str, Any]:
    merged = {}
    for name in [*ours, *(name for name in theirs if name not in ours)]:
        former, one, other = (side.get(name, _ABSENT) for side in (base, ours, theirs))
        value = _merged(former, one, other, pointer + pointer_to([name]), conflicts)
        if value is not _ABSENT:
            merged[name] = value
    return merged


def _things(
    base: Sequence[Any], ours: Sequence[Any], theirs: Sequence[Any], pointer: str, conflicts: list[str]
) -> list[Any]:
    sides = [{each["name"]: each for each in side} for side in (base, ours, theirs)]
    merged = _objects(sides[0], sides[1], sides[2], pointer, conflicts)
    order = _ordered(*(list(side) for side in sides), kept=merged.__contains__)
    if order is None:
        conflicts.append(pointer)
        order = list(merged)
    return [merged[name] for name in order]


def _ordered(base: list[str], ours: list[str], theirs: list[str], *, kept: Callable[[str], bool]) -> list[str] | None:
    """The names that are kept, in the order of the side that changed it, what the other added behind what it stood
    behind there; None where both changed it differently."""
    common = set(base) & set(ours) & set(theirs)
    former, one, other = ([name for name in side if name in common] for side in (base, ours, theirs))
    if other == former or [name for name in ours if name in theirs] == [name for name in theirs if name in ours]:
        first, second = ours, theirs
    elif one == former:
        first, second = theirs, ours
    else:
        return None
    order = [name for name in first if kept(name)]
    there = set(order)
    behind: dict[str | None, list[str]] = {None: []}
    before: str | None = None
    for name in second:
        if name in there:
            before = name
        elif kept(name):
            behind.setdefault(before, []).append(name)
    return [*behind[None], *(each for name in order for each in (name, *behind.get(name, ())))]


def _same(one: Any, other: Any) -> bool:
    """As JSON: true is not 1, and 1 is not 1.0."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and bool(one == other)


def _are_names(items: Any) -> bool:
    return (
        isinstance(items, list)
        and all(isinstance(item, str) for item in items)
        and all(one < other for one, other in pairwise(items))
    )


def _are_named(items: Any) -> bool:
    if not isinstance(items, list):
        return False
    names = [item.get("name") if isinstance(item, Mapping) else None for item in items]
    return all(isinstance(name, str) for name in names) and len(set(names)) == len(names)


def _is_map(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(each, Mapping) for each in value.values())


_WAYS: tuple[tuple[Any, Callable[[Any], bool], Callable[..., Any]], ...] = (
    ([], _are_names, _names),
    ([], _are_named, _things),
    ({}, _is_map, _objects),
)
"""What a part of a document can be, and how it is merged then."""
