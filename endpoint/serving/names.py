"""What the built-in tools are called here, as a server's setup can rename them and switch them off. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Kind = Literal["search", "fetch", "list"]
KINDS: tuple[Kind, ...] = get_args(Kind)
NAME = re.compile(r"\A[A-Za-z0-9_-]{1,64}\Z")
"""What every client takes as the name of a tool."""


@dataclass(frozen=True, slots=True)
class Names:
    """Of each the name that clients call; "" for one that is switched off."""

    search: str = "search"
    fetch: str = "fetch"
    list: str = "list"

    def of(self, kind: Kind) -> str:
        name: str = getattr(self, kind)
        return name


_USUAL = Names()


def names_in(built_in: Mapping[str, Any]) -> Names:
    """Of `Setup.built_in`. Names that clients would not take, or that two have, are not used."""
    if not built_in:
        return _USUAL
    usual = {kind: kind if setup_of(built_in, kind).get("enabled", True) else "" for kind in KINDS}
    chosen = {kind: _chosen(built_in, kind) or name if name else "" for kind, name in usual.items()}
    given = [name for name in chosen.values() if name]
    return Names(**(chosen if len(set(given)) == len(given) else usual))


def _chosen(built_in: Mapping[str, Any], kind: Kind) -> str:
    name = setup_of(built_in, kind).get("name")
    return name if isinstance(name, str) and NAME.match(name) else ""


def setup_of(built_in: Mapping[str, Any], kind: Kind) -> Mapping[str, Any]:
    told = built_in.get(kind)
    return told if isinstance(told, Mapping) else {}
