"""A plan in words, for pages and commands. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from catalog.exchange.masking import Masked
from catalog.exchange.moves import Move
from catalog.exchange.planning import KINDS, Item

SHOWN = 200
"""Names of one kind that a page lists."""


@dataclass(frozen=True)
class Group:
    """Things of one kind that an import treats alike."""

    label: str
    """“2,000 tools”"""
    lines: tuple[str, ...]
    more: int
    """How many are not among the lines."""


def parts(counts: Mapping[str, int]) -> list[str]:
    """“1 provider”, “3 tools”"""
    return [f"{count:,} {kind}{'' if count == 1 else 's'}" for kind, count in counts.items()]


def listed(counts: Mapping[str, int]) -> str:
    """“1 provider, 2 tools and 1 prompt”, or “nothing”."""
    return in_words(parts(counts)) or "nothing"


def in_words(words: Sequence[str]) -> str:
    """“a, b and c”, "" for none"""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""


def groups(items: Iterable[Item], shown: int = SHOWN) -> list[Group]:
    """In the order of KINDS."""
    by_kind: dict[str, list[Item]] = {kind: [] for kind in KINDS}
    for item in items:
        by_kind[item.kind].append(item)
    return [
        Group(parts({kind: len(found)})[0], tuple(line(item) for item in found[:shown]), max(0, len(found) - shown))
        for kind, found in by_kind.items()
        if found
    ]


def line(item: Item) -> str:
    """“getWeather (Weather): method, path”"""
    home = f" ({item.provider})" if item.provider else ""
    return f"{item.name}{home}: {', '.join(item.fields)}" if item.fields else f"{item.name}{home}"


def masked_line(place: Masked) -> str:
    """“Tool getWeather of Weather: the header X-Tenant”"""
    home = f" of {place.provider}" if place.provider else ""
    return f"{place.kind.capitalize()} {place.name}{home}: {place.what}"


def move_line(move: Move) -> str:
    """“Provider Weather, base URL: https://a.example → https://b.example”"""
    return f"{move.kind.capitalize()} {move.name}, {move.what}: {move.before} → {move.after}"
