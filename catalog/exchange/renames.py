"""What a file calls by another name than the database, told apart from what went and what came. Pure.

A file knows no other identity than names. Something that is gone and something that is new are one thing renamed where
they do the same and nothing else does: then the row stays, with its credentials and its places in toolkits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from catalog.exchange.model import ServerConfig

_Place = tuple[str, str]


@dataclass(frozen=True)
class Renames:
    providers: Mapping[str, str]
    """Name here, in small letters -> name in the file. They have the same base URL, so that nothing goes elsewhere."""
    tools: Mapping[str, str]
    """Likewise: they ask the same provider for the same path by the same method."""
    resources: Mapping[str, _Place]
    """URI -> provider, in small letters, and name in the file."""

    def __bool__(self) -> bool:
        return bool(self.providers or self.tools or self.resources)


def renames(here: ServerConfig, wanted: ServerConfig) -> Renames:
    """One that could be meant for two, or two for one, is none."""
    called = {each.name.lower(): each.name for each in wanted.providers}
    providers = _pairs(_addresses(here), _addresses(wanted))
    return Renames(
        providers={before: called[after] for before, after in providers.items()},
        tools=_pairs(_endpoints(here, providers), _endpoints(wanted, {})),
        resources=_moved(_resources(here, providers), _resources(wanted, {}), _homes(here, providers)),
    )


def _pairs(here: Mapping[str, Hashable], then: Mapping[str, Hashable]) -> dict[str, str]:
    """Names that went to names that came, where both do the same thing and no other of them does; None does nothing
    that could be told by."""
    gone = {name: what for name, what in here.items() if name not in then and what}
    came = {name: what for name, what in then.items() if name not in here and what}
    once = {what for found in (gone, came) for what, count in Counter(found.values()).items() if count == 1}
    twice = {what for found in (gone, came) for what, count in Counter(found.values()).items() if count > 1}
    names = {what: name for name, what in came.items()}
    return {name: names[what] for name, what in gone.items() if what in names and what in once - twice}


def _addresses(config: ServerConfig) -> dict[str, str]:
    return {each.name.lower(): each.base_url for each in config.providers}


def _endpoints(config: ServerConfig, called: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {
        tool.name: (_home(each.name, called), tool.method, tool.path)
        for each in config.providers
        for tool in each.tools
    }


def _resources(config: ServerConfig, called: Mapping[str, str]) -> dict[str, _Place]:
    return {one.uri: (_home(each.name, called), one.name) for each in config.providers for one in each.resources}


def _home(name: str, called: Mapping[str, str]) -> str:
    return called.get(name.lower(), name.lower())


def _homes(config: ServerConfig, called: Mapping[str, str]) -> set[str]:
    return {_home(each.name, called) for each in config.providers}


def _moved(here: Mapping[str, _Place], then: Mapping[str, _Place], homes: set[str]) -> dict[str, _Place]:
    """To providers that are there already. A place that is taken before or after is another resource's."""
    places_here, places_then = set(here.values()), set(then.values())
    return {
        uri: then[uri]
        for uri, place in here.items()
        if uri in then and then[uri][0] in homes and place not in places_then and then[uri] not in places_here
    }
