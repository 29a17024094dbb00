"""Who uses a connection: apps above register what they know, because this one may not ask them by import."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from forges.models import Connection


@dataclass(frozen=True, slots=True)
class Use:
    """One thing that works through a connection."""

    kind: str
    """What it is, in the singular: integration, mirror."""
    label: str
    """What people call it, with the server it belongs to."""
    url: str
    stops: str
    """What stops when the connection goes, as in “refreshes of acme/docs on Docs”."""


def personal(kind: str, work: str) -> Use:
    """A use by something on a personal server. Who may use a connection reads of it, and is told no more than that."""
    return Use(kind=kind, label="a personal server", url="", stops=f"{work} of a personal server")


Finder = Callable[[Iterable[Connection]], dict[object, list[Use]]]
"""The uses of each connection by its primary key, for all of them in a constant number of queries."""

_finders: list[Finder] = []


def register(finder: Finder) -> None:
    """Apps do it in their `ready()`."""
    _finders.append(finder)


def uses_of(connections: Iterable[Connection]) -> dict[object, list[Use]]:
    """By primary key; connections that nothing uses have an empty list."""
    wanted = list(connections)
    found: dict[object, list[Use]] = {connection.pk: [] for connection in wanted}
    for finder in _finders:
        for key, uses in finder(wanted).items():
            found[key] += uses
    return found
