"""Where a search goes on: signed, and bound to what was searched."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.core import signing

from catalog.models import Server, Version
from indexing.search.model import BadCursor, Filters

_SALT = "indexing.search"
_MAX_LENGTH = 4_000


@dataclass(frozen=True, slots=True)
class Position:
    """After which hit; at the beginning by default."""

    window: int = 0
    """Which part of the engine's ranking it is in (`indexing.search.ranking`)."""
    place: int = 0
    """How many hits of that part were given."""
    after: int = 0
    """The last of them, by which it is found again where hits came or went meanwhile: the id of its chunk."""
    corrected: Mapping[str, list[str]] = field(default_factory=dict)
    """What the first page searched in place of mistyped words."""


def binding(servers: Iterable[tuple[Server, Version | None]], query: str, filters: Filters) -> str:
    """A digest of what a cursor is good for."""
    searched = sorted((str(server.pk), version.pk if version else 0) for server, version in servers)
    confined = [filters.path, sorted(map(str, filters.sources)), sorted(filters.kinds)]
    return hashlib.sha256(json.dumps([searched, query, confined]).encode()).hexdigest()[:24]


def write(position: Position, bound_to: str) -> str:
    told = [bound_to, position.window, position.place, position.after, dict(position.corrected)]
    return signing.dumps(told, salt=_SALT, compress=True)


def read(cursor: str, bound_to: str) -> Position:
    """Raises BadCursor. An empty cursor is the beginning."""
    if not cursor:
        return Position()
    try:
        if len(cursor) > _MAX_LENGTH:
            raise signing.BadSignature
        was_bound_to, window, place, after, corrected = signing.loads(cursor, salt=_SALT)
    except (signing.BadSignature, ValueError):
        raise BadCursor("This is no cursor of a search. Ask again without one.") from None
    if was_bound_to != bound_to:
        raise BadCursor("This cursor belongs to another search. Ask again without it.")
    return Position(window=window, place=place, after=after, corrected=corrected)
