"""What is private here and would be public: it takes a person's confirmation, as another host does. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.exchange.model import ProviderConfig, ServerConfig

_PRIVATE = "private"


def openings(here: ServerConfig, then: ServerConfig) -> tuple[str, ...]:
    """In words: the server, providers, and what moves from a private provider to a public one. What is new is not
    among them: it holds nothing yet that was kept from anybody."""
    return tuple(_openings(here, then))


def _openings(here: ServerConfig, then: ServerConfig) -> Iterator[str]:
    if here.visibility == _PRIVATE != then.visibility:
        yield "the server"
    closed = {each.name.lower(): each for each in here.providers if each.visibility == _PRIVATE}
    inside = {thing for each in closed.values() for thing in _things(each)}
    for provider in then.providers:
        if provider.visibility == _PRIVATE:
            continue
        if provider.name.lower() in closed:
            yield f"the provider {provider.name}"
        else:
            yield from (f"the {kind} {name}" for kind, name in _things(provider) if (kind, name) in inside)


def _things(provider: ProviderConfig) -> Iterator[tuple[str, str]]:
    """By what tells them apart on a server."""
    yield from (("tool", each.name) for each in provider.tools)
    yield from (("prompt", each.name) for each in provider.prompts)
    yield from (("resource", each.uri) for each in provider.resources)
