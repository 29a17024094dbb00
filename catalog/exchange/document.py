"""The export document: a server's configuration as JSON, and back.

`to_document` and `from_document` are exact inverses for what is sorted as `model.order` says. What is empty and can be
is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from catalog.exchange.errors import DocumentError
from catalog.exchange.model import (
    MASK,
    Named,
    OAuth2Config,
    PromptArgument,
    PromptConfig,
    PromptMessage,
    ProviderConfig,
    ResourceConfig,
    ServerConfig,
    ToolConfig,
    VariableConfig,
    order,
)
from catalog.exchange.schema import FORMAT_VERSION, validate

__all__ = ["DocumentError", "dumps", "from_document", "render", "to_document"]

NAMED = TypeVar("NAMED", bound=Named)
_HINTS = {
    "readOnly": "read_only",
    "destructive": "destructive",
    "idempotent": "idempotent",
    "openWorld": "open_world",
}
_EMPTY: tuple[Any, ...] = ("", [], {}, None)


def dumps(document: Mapping[str, Any]) -> bytes:
    """JSON as the house writes it into each file."""
    return (json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def render(config: ServerConfig) -> bytes:
    """The document, checked against its own schema."""
    document = to_document(config)
    validate(document)
    return dumps(document)


def to_document(config: ServerConfig) -> dict[str, Any]:
    document = {
        "$schema": "./schema.json",
        "formatVersion": FORMAT_VERSION,
        "server": _without_empty(
            {
                "name": config.name,
                "slug": config.slug,
                "description": config.description,
                "instructions": config.instructions,
                "visibility": config.visibility,
                "version": config.version,
            }
        ),
        "variables": [variable_document(each) for each in config.variables],
        "providers": [provider_document(each) for each in config.providers],
    }
    return _without_empty(document)


def variable_document(variable: VariableConfig) -> dict[str, Any]:
    return _without_empty(
        {
            "name": variable.name,
            "description": variable.description,
            "secret": variable.secret,
            "value": variable.value,
            "hosts": list(variable.hosts),
        }
    )


def provider_facts(provider: ProviderConfig) -> dict[str, Any]:
    """A provider without what it holds."""
    facts: dict[str, Any] = {
        "name": provider.name,
        "description": provider.description,
        "baseUrl": provider.base_url,
        "documentationUrl": provider.documentation_url,
        "iconUrl": provider.icon_url,
        "visibility": provider.visibility,
    }
    if provider.oauth2 is not None:
        facts["oauth2"] = {
            "tokenUrl": provider.oauth2.token_url,
            **_without_empty(
                {
                    "clientId": provider.oauth2.client_id,
                    "clientSecret": provider.oauth2.client_secret,
                    "scopes": list(provider.oauth2.scopes),
                }
            ),
        }
    return _without_empty(facts)


def provider_document(provider: ProviderConfig) -> dict[str, Any]:
    held = {
        "tools": [tool_document(each) for each in provider.tools],
        "resources": [resource_document(each) for each in provider.resources],
        "prompts": [prompt_document(each) for each in provider.prompts],
    }
    return provider_facts(provider) | _without_empty(held)


def tool_document(tool: ToolConfig) -> dict[str, Any]:
    document = {
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "enabled": tool.enabled,
        "method": tool.method,
        "path": tool.path,
        "pathArguments": tool.path_schema,
        "queryArguments": tool.query_schema,
        "body": tool.body_schema,
        "headers": tool.headers,
        "scopes": list(tool.scopes),
        "hints": {name: getattr(tool, field) for name, field in _HINTS.items() if getattr(tool, field) is not None},
    }
    # A path may be empty, and an empty schema of a body takes anything.
    kept = {"path"} if tool.body_schema is None else {"path", "body"}
    return {name: value for name, value in document.items() if name in kept or value not in _EMPTY}


def resource_document(resource: ResourceConfig) -> dict[str, Any]:
    return _without_empty(
        {
            "name": resource.name,
            "uri": resource.uri,
            "description": resource.description,
            "mimeType": resource.mime_type,
            "text": resource.text,
            "upstreamPath": resource.upstream_path,
        }
    )


def prompt_document(prompt: PromptConfig) -> dict[str, Any]:
    arguments = [
        _without_empty({"name": each.name, "description": each.description, "required": each.required or None})
        for each in prompt.arguments
    ]
    return _without_empty(
        {
            "name": prompt.name,
            "title": prompt.title,
            "description": prompt.description,
            "arguments": arguments,
        }
    ) | {"messages": [{"role": each.role, "text": each.text} for each in prompt.messages]}


def from_document(document: Any) -> ServerConfig:
    """The configuration that the document holds. Raises DocumentError with all that is not as the schema says."""
    validate(document)
    server = document["server"]
    return ServerConfig(
        name=server["name"],
        slug=server["slug"],
        version=int(server["version"]),
        description=server.get("description", ""),
        instructions=server.get("instructions", ""),
        visibility=server["visibility"],
        variables=_sorted(_variable(each) for each in document.get("variables", [])),
        providers=_sorted(_provider(each) for each in document.get("providers", [])),
    )


def _variable(document: Mapping[str, Any]) -> VariableConfig:
    return VariableConfig(
        name=document["name"],
        description=document.get("description", ""),
        secret=document["secret"],
        value=MASK if document["secret"] else document.get("value", ""),
        hosts=tuple(document.get("hosts", [])),
    )


def _provider(document: Mapping[str, Any]) -> ProviderConfig:
    return ProviderConfig(
        name=document["name"],
        description=document.get("description", ""),
        base_url=document.get("baseUrl", ""),
        documentation_url=document.get("documentationUrl", ""),
        icon_url=document.get("iconUrl", ""),
        visibility=document["visibility"],
        oauth2=_oauth2(document["oauth2"]) if "oauth2" in document else None,
        tools=_sorted(_tool(each) for each in document.get("tools", [])),
        resources=_sorted(_resource(each) for each in document.get("resources", [])),
        prompts=_sorted(_prompt(each) for each in document.get("prompts", [])),
    )


def _oauth2(document: Mapping[str, Any]) -> OAuth2Config:
    return OAuth2Config(
        token_url=document["tokenUrl"],
        client_id=document.get("clientId", ""),
        client_secret=document.get("clientSecret", ""),
        scopes=tuple(document.get("scopes", [])),
    )


def _tool(document: Mapping[str, Any]) -> ToolConfig:
    hints = document.get("hints", {})
    return ToolConfig(
        name=document["name"],
        method=document["method"],
        path=document["path"],
        title=document.get("title", ""),
        description=document.get("description", ""),
        enabled=document.get("enabled", True),
        path_schema=document.get("pathArguments", {}),
        query_schema=document.get("queryArguments", {}),
        body_schema=document.get("body"),
        headers=document.get("headers", {}),
        scopes=tuple(document.get("scopes", [])),
        read_only=hints.get("readOnly"),
        destructive=hints.get("destructive"),
        idempotent=hints.get("idempotent"),
        open_world=hints.get("openWorld"),
    )


def _resource(document: Mapping[str, Any]) -> ResourceConfig:
    return ResourceConfig(
        name=document["name"],
        uri=document["uri"],
        description=document.get("description", ""),
        mime_type=document.get("mimeType", ""),
        text=document.get("text", ""),
        upstream_path=document.get("upstreamPath", ""),
    )


def _prompt(document: Mapping[str, Any]) -> PromptConfig:
    return PromptConfig(
        name=document["name"],
        title=document.get("title", ""),
        description=document.get("description", ""),
        arguments=tuple(
            PromptArgument(each["name"], each.get("description", ""), each.get("required", False))
            for each in document.get("arguments", [])
        ),
        messages=tuple(PromptMessage(each["role"], each["text"]) for each in document["messages"]),
    )


def _sorted(things: Iterable[NAMED]) -> tuple[NAMED, ...]:
    return tuple(sorted(things, key=order))


def _without_empty(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value not in _EMPTY}
