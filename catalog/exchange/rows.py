"""The rows of an import, written in bulk: a number of statements that hardly grows with what changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from catalog.checking.hosts import added
from catalog.exchange.model import OAuth2Config, PromptConfig, ProviderConfig, ServerConfig, ToolConfig, VariableConfig
from catalog.exchange.planning import Item
from catalog.models import Prompt, Provider, Resource, Server, Tool, Variable

ROW = TypeVar("ROW", Provider, Tool, Resource, Prompt, Variable)
PLACED: dict[str, type[Tool | Resource | Prompt]] = {"tool": Tool, "resource": Resource, "prompt": Prompt}
_BATCH = 500
_KEPT = {"id", "server", "created_at"}


class Touched:
    """What is to be created or changed."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = {(item.kind, item.provider.lower(), item.name) for item in items}

    def has(self, kind: str, name: str, provider: str = "") -> bool:
        return (kind, provider.lower(), name) in self._items


def write_server(server: Server, wanted: ServerConfig) -> None:
    values = {name: getattr(wanted, name) for name in ("name", "description", "instructions", "visibility")}
    Server.objects.filter(pk=server.pk).update(**values, updated_at=timezone.now())
    for name, value in values.items():
        setattr(server, name, value)


def write(server: Server, wanted: ServerConfig, touched: Touched) -> None:
    """Create and change what is touched, as `wanted` has it, with nothing masked in it but secrets."""
    variables = {row.name: row for row in Variable.objects.filter(server=server)}
    save(
        Variable,
        [
            _variable(variables.get(each.name) or Variable(server=server), each)
            for each in wanted.variables
            if touched.has("variable", each.name)
        ],
    )
    there = {row.name.lower(): row for row in Provider.objects.filter(server=server)}
    save(
        Provider,
        [
            _filled(there.get(each.name.lower()) or Provider(server=server), provider_values(each))
            for each in wanted.providers
            if touched.has("provider", each.name)
        ],
    )
    homes = {row.name.lower(): row for row in Provider.objects.filter(server=server)}
    tools = {row.name: row for row in Tool.objects.filter(server=server)}
    save(
        Tool,
        [
            _filled(tools.get(each.name) or Tool(server=server), {"provider": homes[home], **tool_values(each)})
            for home, each in _within(wanted, "tool", touched)
        ],
    )
    prompts = {row.name: row for row in Prompt.objects.filter(server=server)}
    save(
        Prompt,
        [
            _filled(prompts.get(each.name) or Prompt(server=server), {"provider": homes[home], **prompt_values(each)})
            for home, each in _within(wanted, "prompt", touched)
        ],
    )
    _write_resources(server, wanted, touched, homes)


def remove(server: Server, items: Iterable[Item]) -> None:
    """Delete all but providers: what is in one may be wanted in another."""
    wanted: dict[str, set[tuple[str, str]]] = {}
    for item in items:
        wanted.setdefault(item.kind, set()).add((item.provider, item.name))
    for name in _batches(sorted(name for _, name in wanted.get("variable", ()))):
        Variable.objects.filter(server=server, name__in=name).delete()
    for kind, model in PLACED.items():
        if kind not in wanted:
            continue
        found = model._default_manager.filter(server=server).values_list("pk", "provider__name", "name")
        for keys in _batches([pk for pk, provider, name in found if (provider, name) in wanted[kind]]):
            model._default_manager.filter(server=server, pk__in=keys).delete()


def remove_providers(server: Server, items: Iterable[Item]) -> None:
    for names in _batches([item.name for item in items if item.kind == "provider"]):
        Provider.objects.filter(server=server, name__in=names).delete()


def provider_values(wanted: ProviderConfig) -> dict[str, Any]:
    oauth2 = wanted.oauth2 or OAuth2Config("")
    return {
        "name": wanted.name,
        "description": wanted.description,
        "base_url": wanted.base_url,
        "documentation_url": wanted.documentation_url,
        "icon_url": wanted.icon_url,
        "visibility": wanted.visibility,
        "oauth2_token_url": oauth2.token_url,
        "oauth2_client_id": oauth2.client_id,
        "oauth2_client_secret": oauth2.client_secret,
        "oauth2_scopes": list(oauth2.scopes),
    }


def tool_values(wanted: ToolConfig) -> dict[str, Any]:
    values = {field.name: getattr(wanted, field.name) for field in dataclasses.fields(wanted)}
    return {**values, "headers": dict(wanted.headers), "oauth2_scopes": list(values.pop("scopes"))}


def prompt_values(wanted: PromptConfig) -> dict[str, Any]:
    return {
        "name": wanted.name,
        "title": wanted.title,
        "description": wanted.description,
        "arguments": [dataclasses.asdict(each) for each in wanted.arguments],
        "messages": [dataclasses.asdict(each) for each in wanted.messages],
    }


def _variable(row: Variable, wanted: VariableConfig) -> Variable:
    """The value of a plain one that becomes secret stays its value; a secret is forgotten that becomes plain, or that
    could go to more hosts (`ImportPlan.forgotten`)."""
    if not wanted.secret or (row.is_secret and added(row.hosts, wanted.hosts)):
        row.secret = ""
    elif not row.is_secret and row.value:
        row.secret = row.value
    return _filled(
        row,
        {
            "name": wanted.name,
            "description": wanted.description,
            "is_secret": wanted.secret,
            "value": "" if wanted.secret else wanted.value,
            "hosts": list(wanted.hosts),
        },
    )


def _write_resources(server: Server, wanted: ServerConfig, touched: Touched, homes: dict[str, Provider]) -> None:
    there = {(row.provider_id, row.name): row for row in Resource.objects.filter(server=server)}
    rows, readdressed = [], []
    for home, each in _within(wanted, "resource", touched):
        row = there.get((homes[home].pk, each.name)) or Resource(server=server)
        if not row._state.adding and row.uri != each.uri:
            readdressed.append(row.pk)
        rows.append(_filled(row, {"provider": homes[home], **dataclasses.asdict(each)}))
    for keys in _batches(readdressed):  # two that change their URIs with each other are never the same on the way
        apart = Concat(Value("urn:uuid:"), Cast("id", CharField()))
        Resource.objects.filter(server=server, pk__in=keys).update(uri=apart)
    save(Resource, rows)


def _within(wanted: ServerConfig, kind: str, touched: Touched) -> Iterator[tuple[str, Any]]:
    """(name of the provider in small letters, tool, resource or prompt)"""
    for provider in wanted.providers:
        for each in getattr(provider, f"{kind}s"):
            if touched.has(kind, each.name, provider.name):
                yield provider.name.lower(), each


def _filled(row: ROW, values: dict[str, Any]) -> ROW:
    for name, value in values.items():
        setattr(row, name, value)
    return row


def save(model: type[ROW], rows: list[ROW]) -> None:
    """Insert those that are new, and write the others over what is there, their revisions counted."""
    fresh = [row for row in rows if row._state.adding]
    known = [row for row in rows if not row._state.adding]
    for row in known:
        row.revision += 1
    if known:  # an upsert by key: one statement a batch, where an UPDATE has a CASE for each row and field
        fields = [field.name for field in model._meta.concrete_fields if field.name not in _KEPT]
        model._default_manager.bulk_create(
            known, batch_size=_BATCH, update_conflicts=True, unique_fields=["id"], update_fields=fields
        )
    model._default_manager.bulk_create(fresh, batch_size=_BATCH)


def _batches(items: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]
