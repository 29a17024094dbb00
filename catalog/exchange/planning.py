"""What an import would do: the configuration that is here compared with the one that is wanted. Pure.

`current` is not masked (`snapshot(server, masked=False)`); a plan tells the names of what differs and never a value.
What is masked in `wanted` becomes what is stored, or stays empty and is named as missing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from catalog.exchange.document import (
    prompt_document,
    provider_facts,
    resource_document,
    tool_document,
    variable_document,
)
from catalog.exchange.masking import CREDENTIALS, VALUE, Masked, header_words, is_masked
from catalog.exchange.merging import merged
from catalog.exchange.model import (
    OAuth2Config,
    PromptConfig,
    ProviderConfig,
    ResourceConfig,
    ServerConfig,
    ToolConfig,
    VariableConfig,
    order,
)
from catalog.exchange.moves import Move, moves

KINDS = ("server", "variable", "provider", "tool", "resource", "prompt")
THING = TypeVar("THING", VariableConfig, ProviderConfig, ToolConfig, ResourceConfig, PromptConfig)


@dataclass(frozen=True)
class Item:
    """One thing that an import touches."""

    kind: str
    """One of KINDS."""
    name: str
    provider: str = ""
    """Of a tool, resource or prompt."""
    fields: tuple[str, ...] = ()
    """Which members of the document differ, of what is changed."""


@dataclass(frozen=True)
class ImportPlan:
    resolved: ServerConfig
    """What the document says, with what is stored in place of what is masked."""
    created: tuple[Item, ...]
    changed: tuple[Item, ...]
    removed: tuple[Item, ...]
    """What is here and not in the document; it goes only when that is asked for."""
    unchanged: int
    missing: tuple[Masked, ...]
    """What is masked in the document and not stored here, or forgotten: somebody has to enter it."""
    moves: tuple[Move, ...]
    """What would be sent to another host than before; they take a person's confirmation."""

    @property
    def forgotten(self) -> tuple[str, ...]:
        """Secret variables that could go to more hosts than before, and so lose the value that is stored: who writes a
        file need not know it, and would have it sent to a host of theirs."""
        return tuple(move.name for move in self.moves if move.kind == "variable")

    @property
    def is_empty(self) -> bool:
        """Nothing would change, even if what the document lacks were removed."""
        return not (self.created or self.changed or self.removed)


@dataclass(frozen=True)
class Placed:
    """A tool, resource or prompt with the name of its provider."""

    provider: str
    thing: Any


def plan(current: ServerConfig | None, wanted: ServerConfig, *, entered: Collection[str] = ()) -> ImportPlan:
    """`entered` are the names of the secret variables that have a value here."""
    here = current or ServerConfig(name="", slug="", version=1)
    found: list[Masked] = []
    resolved = _resolved(here, wanted, entered, found)
    comparison = _Comparison()
    if current is not None:
        comparison.compare("server", {"": _server(here)}, {"": _server(resolved)}, names={"": wanted.name})
    variables_here = {each.name: variable_document(each) for each in here.variables}
    comparison.compare("variable", variables_here, {each.name: variable_document(each) for each in resolved.variables})
    comparison.compare(
        "provider",
        {each.name.lower(): provider_facts(each) for each in here.providers},
        {each.name.lower(): provider_facts(each) for each in resolved.providers},
        names={each.name.lower(): each.name for each in [*here.providers, *resolved.providers]},
    )
    for kind, document in _DOCUMENTS.items():
        comparison.compare_placed(kind, placed(here, kind), placed(resolved, kind), document)
    moved = tuple(moves(current, merged(current, resolved), entered)) if current is not None else ()
    forgotten = [Masked("variable", move.name, VALUE) for move in moved if move.kind == "variable"]
    return ImportPlan(
        resolved=resolved,
        created=tuple(comparison.created),
        changed=tuple(comparison.changed),
        removed=tuple(comparison.removed),
        unchanged=comparison.unchanged,
        missing=(*forgotten, *found),
        moves=moved,
    )


def placed(config: ServerConfig, kind: str) -> dict[tuple[str, ...], Placed]:
    """The tools, resources or prompts of all providers by what tells them apart: tools and prompts are known by their
    names, wherever on the server they are; resources by their provider and name."""
    found: dict[tuple[str, ...], Placed] = {}
    for provider in config.providers:
        for thing in getattr(provider, f"{kind}s"):
            key = (provider.name.lower(), thing.name) if kind == "resource" else (thing.name,)
            found[key] = Placed(provider.name, thing)
    return found


_DOCUMENTS = {"tool": tool_document, "resource": resource_document, "prompt": prompt_document}


class _Comparison:
    def __init__(self) -> None:
        self.created: list[Item] = []
        self.changed: list[Item] = []
        self.removed: list[Item] = []
        self.unchanged = 0

    def compare_placed(
        self, kind: str, here: Mapping[Any, Placed], wanted: Mapping[Any, Placed], document: Any
    ) -> None:
        self.compare(
            kind,
            {key: document(each.thing) | {"provider": each.provider.lower()} for key, each in here.items()},
            {key: document(each.thing) | {"provider": each.provider.lower()} for key, each in wanted.items()},
            names={key: each.thing.name for key, each in [*here.items(), *wanted.items()]},
            providers={key: each.provider for key, each in [*here.items(), *wanted.items()]},
        )

    def compare(
        self,
        kind: str,
        here: Mapping[Any, Mapping[str, Any]],
        wanted: Mapping[Any, Mapping[str, Any]],
        names: Mapping[Any, str] | None = None,
        providers: Mapping[Any, str] | None = None,
    ) -> None:
        def item(key: Any, fields: tuple[str, ...] = ()) -> Item:
            return Item(kind, names[key] if names else key, providers[key] if providers else "", fields)

        for key, document in wanted.items():
            if key not in here:
                self.created.append(item(key))
            elif fields := _differing(here[key], document):
                self.changed.append(item(key, fields))
            else:
                self.unchanged += 1
        self.removed.extend(item(key) for key in here if key not in wanted)


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    names = dict.fromkeys([*new, *old])
    return tuple(name for name in names if _text(old.get(name)) != _text(new.get(name)))


def _text(value: Any) -> str:
    """For comparing: 1 is not true, and the order of members counts."""
    return json.dumps(value, ensure_ascii=False)


def _server(config: ServerConfig) -> dict[str, Any]:
    """What an import changes of a server that is there: not its slug, which is its address, and not its version."""
    return {name: getattr(config, name) for name in ("name", "description", "instructions", "visibility")}


def _resolved(here: ServerConfig, wanted: ServerConfig, entered: Collection[str], found: list[Masked]) -> ServerConfig:
    found.extend(
        Masked("variable", each.name, VALUE)
        for each in wanted.variables
        if each.secret and each.name not in entered and not _plain_value(here, each.name)
    )
    stored = {each.name.lower(): each for each in here.providers}
    tools = placed(here, "tool")
    providers = []
    for provider in wanted.providers:
        before = stored.get(provider.name.lower())
        providers.append(
            replace(
                provider,
                oauth2=_resolved_oauth2(provider, before.oauth2 if before else None, found),
                tools=tuple(
                    _resolved_tool(provider.name, tool, tools.get((tool.name,)), found) for tool in provider.tools
                ),
            )
        )
    return replace(wanted, providers=tuple(sorted(providers, key=order)))


def _plain_value(config: ServerConfig, name: str) -> str:
    return next((each.value for each in config.variables if each.name == name and not each.secret), "")


def _resolved_oauth2(provider: ProviderConfig, stored: OAuth2Config | None, found: list[Masked]) -> OAuth2Config | None:
    wanted = provider.oauth2
    if wanted is None:
        return None
    values: dict[str, Any] = {}
    for name, words in CREDENTIALS.items():
        if is_masked(getattr(wanted, name)):
            values[name] = getattr(stored, name) if stored else ""
            if not values[name]:
                found.append(Masked("provider", provider.name, words))
    return replace(wanted, **values)


def _resolved_tool(provider: str, tool: ToolConfig, before: Placed | None, found: list[Masked]) -> ToolConfig:
    if not any(map(is_masked, tool.headers.values())):
        return tool
    stored = {name.lower(): value for name, value in before.thing.headers.items()} if before else {}
    headers = dict(tool.headers)
    for name, value in tool.headers.items():
        if is_masked(value):
            headers[name] = stored.get(name.lower(), "")
            if not headers[name]:
                found.append(Masked("tool", tool.name, header_words(name), provider))
    return replace(tool, headers=headers)


def counts(items: Iterable[Item]) -> dict[str, int]:
    """How many of each kind, those that there are, in the order of KINDS."""
    kinds = [item.kind for item in items]
    return {kind: kinds.count(kind) for kind in KINDS if kind in kinds}


def counted(config: ServerConfig) -> dict[str, int]:
    """How many of each kind a configuration has, those that there are, without the server."""
    found = {
        "variable": len(config.variables),
        "provider": len(config.providers),
        **{kind: sum(len(getattr(each, f"{kind}s")) for each in config.providers) for kind in _DOCUMENTS},
    }
    return {kind: count for kind, count in found.items() if count}
