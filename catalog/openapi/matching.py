"""What of a document is on a server already: which tools would be new, which would change. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from catalog.checking.headers import carries_credentials
from catalog.openapi.names import free_name
from catalog.openapi.tools import Proposal, endpoint
from catalog.part_saving import same

NEW, CHANGED, SAME, IMPOSSIBLE = "new", "changed", "same", "impossible"

_TAKEN_OVER = ("title", "description", "path_schema", "query_schema", "body_schema", "oauth2_scopes")
"""Of a tool that is there, what becomes as the document has it. Its name, its hints and whether it is enabled are
what somebody chose."""
_WORDS = {
    "path_schema": "path arguments",
    "query_schema": "query arguments",
    "body_schema": "body",
    "oauth2_scopes": "OAuth2 scopes",
}


@dataclass(frozen=True)
class Existing:
    """A tool of the provider that a document is imported into."""

    pk: Any
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Match:
    """A proposal, and what choosing it would do."""

    proposal: Proposal
    state: str
    """new, changed, same or impossible"""
    values: Mapping[str, Any]
    """Of the tool as it would be."""
    differences: tuple[str, ...] = ()
    """Which of a tool that is there would change, in words."""
    existing: Existing | None = None

    @property
    def key(self) -> str:
        return self.proposal.key

    @property
    def can_be_chosen(self) -> bool:
        return self.state in (NEW, CHANGED)


def match(proposals: Iterable[Proposal], existing: Iterable[Existing], names: Iterable[str]) -> list[Match]:
    """In the order of the document. `existing` are the provider's tools, `names` those of all tools on the server."""
    here: dict[str, Existing] = {}
    for each in existing:
        here.setdefault(endpoint(each.values["method"], each.values["path"]), each)
    taken = set(names)
    found = []
    for proposal in proposals:
        old = here.get(proposal.key)
        if proposal.problems:
            found.append(Match(proposal, IMPOSSIBLE, proposal.values))
        elif old is None:
            name = free_name(proposal.values["name"], taken)
            taken.add(name)
            found.append(Match(proposal, NEW, {**proposal.values, "name": name}))
        else:
            found.append(_changed(proposal, old))
    return found


def _changed(proposal: Proposal, old: Existing) -> Match:
    values = {**old.values, **{name: proposal.values[name] for name in _TAKEN_OVER}}
    values["headers"] = _with_headers(old.values["headers"], proposal.values["headers"])
    names = [name for name in (*_TAKEN_OVER, "headers") if not same(old.values[name], values[name])]
    found = Match(proposal, CHANGED if names else SAME, values, existing=old)
    return replace(found, differences=tuple(_WORDS.get(name, name) for name in names))


def _with_headers(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Those that somebody set stay; where the tool has its credentials already, no others are put beside them."""
    there = {name.lower() for name in old}
    credentials = any(carries_credentials(name) for name in old)
    more = {
        name: value
        for name, value in new.items()
        if name.lower() not in there and not (credentials and carries_credentials(name))
    }
    return {**old, **more}
