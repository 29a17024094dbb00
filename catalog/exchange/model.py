"""A server's whole configuration as plain values: what is exported, rendered to files, compared and imported.

No Django and no database here. Things with names are sorted by `order`, so that two equal configurations are equal
values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

MASK = "••••••"
"""Stands for a value that does not leave the database; an import leaves what is there as it is."""


@dataclass(frozen=True)
class VariableConfig:
    name: str
    description: str = ""
    secret: bool = False
    value: str = ""
    """Of a plain one; MASK of each secret one, entered or not."""
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class OAuth2Config:
    """Client credentials (RFC 6749, 4.4). Literals are masked, `${NAME}` references are not."""

    token_url: str
    client_id: str = ""
    client_secret: str = ""
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ToolConfig:
    name: str
    method: str
    path: str
    title: str = ""
    description: str = ""
    enabled: bool = True
    path_schema: Mapping[str, Any] = field(default_factory=dict)
    query_schema: Mapping[str, Any] = field(default_factory=dict)
    body_schema: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Literals are masked but for headers that carry no credentials (`catalog.exchange.masking`)."""
    scopes: tuple[str, ...] = ()
    read_only: bool | None = None
    destructive: bool | None = None
    idempotent: bool | None = None
    open_world: bool | None = None


@dataclass(frozen=True)
class ResourceConfig:
    name: str
    uri: str
    description: str = ""
    mime_type: str = ""
    text: str = ""
    upstream_path: str = ""
    """Set for one that its provider answers; `text` is empty then."""


@dataclass(frozen=True)
class PromptArgument:
    name: str
    description: str = ""
    required: bool = False


@dataclass(frozen=True)
class PromptMessage:
    role: str
    text: str


@dataclass(frozen=True)
class PromptConfig:
    name: str
    title: str = ""
    description: str = ""
    arguments: tuple[PromptArgument, ...] = ()
    messages: tuple[PromptMessage, ...] = ()


@dataclass(frozen=True)
class ProviderConfig:
    name: str
    description: str = ""
    base_url: str = ""
    documentation_url: str = ""
    icon_url: str = ""
    visibility: str = "public"
    oauth2: OAuth2Config | None = None
    tools: tuple[ToolConfig, ...] = ()
    resources: tuple[ResourceConfig, ...] = ()
    prompts: tuple[PromptConfig, ...] = ()


@dataclass(frozen=True)
class ServerConfig:
    name: str
    slug: str
    version: int
    description: str = ""
    instructions: str = ""
    visibility: str = "private"
    variables: tuple[VariableConfig, ...] = ()
    providers: tuple[ProviderConfig, ...] = ()


class Named(Protocol):
    @property
    def name(self) -> str: ...


def order(thing: Named) -> tuple[str, str]:
    """The sorting key of variables, providers, tools, resources and prompts; the same on each database."""
    return thing.name.lower(), thing.name
