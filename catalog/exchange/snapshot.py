"""A server's configuration read from the database, masked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar
from uuid import UUID

from catalog.exchange.masking import mask_client_id, mask_credential, mask_headers, mask_variable
from catalog.exchange.model import (
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
from catalog.models import Prompt, Provider, Resource, Server, Tool, Variable

NAMED = TypeVar("NAMED", bound=Named)


def snapshot(server: Server, *, masked: bool = True) -> ServerConfig:
    """The configuration as it is saved now, whatever `server` was loaded with; six queries. Raises Server.DoesNotExist.

    Without `masked`, for comparing within the database: literals of headers and OAuth2 settings are as they are stored.
    Secret variables' values never are in it.
    The server's row is read first: what is saved meanwhile may be in it, but its version then still tells that
    there is something newer.
    """
    row = Server.objects.only("name", "slug", "description", "instructions", "visibility", "config_revision").get(
        pk=server.pk
    )
    tools: dict[UUID, list[ToolConfig]] = defaultdict(list)
    resources: dict[UUID, list[ResourceConfig]] = defaultdict(list)
    prompts: dict[UUID, list[PromptConfig]] = defaultdict(list)
    variables = [variable_config(each) for each in Variable.objects.filter(server=row)]
    providers = list(Provider.objects.filter(server=row))
    for tool in Tool.objects.filter(server=row):
        tools[tool.provider_id].append(tool_config(tool, masked=masked))
    for resource in Resource.objects.filter(server=row):
        resources[resource.provider_id].append(resource_config(resource))
    for prompt in Prompt.objects.filter(server=row):
        prompts[prompt.provider_id].append(prompt_config(prompt))
    return ServerConfig(
        name=row.name,
        slug=row.slug,
        version=row.config_revision,
        description=row.description,
        instructions=row.instructions,
        visibility=row.visibility,
        variables=_sorted(variables),
        providers=_sorted(
            provider_config(each, tools[each.pk], resources[each.pk], prompts[each.pk], masked=masked)
            for each in providers
        ),
    )


def variable_config(row: Variable) -> VariableConfig:
    return VariableConfig(
        name=row.name,
        description=row.description,
        secret=row.is_secret,
        value=mask_variable(row.value, secret=row.is_secret),
        hosts=tuple(row.hosts),
    )


def provider_config(
    row: Provider,
    tools: list[ToolConfig],
    resources: list[ResourceConfig],
    prompts: list[PromptConfig],
    *,
    masked: bool = True,
) -> ProviderConfig:
    oauth2 = OAuth2Config(
        token_url=row.oauth2_token_url,
        client_id=mask_client_id(row.oauth2_client_id) if masked and row.oauth2_token_url else row.oauth2_client_id,
        client_secret=mask_credential(row.oauth2_client_secret) if masked else row.oauth2_client_secret,
        scopes=tuple(row.oauth2_scopes),
    )
    return ProviderConfig(
        name=row.name,
        description=row.description,
        base_url=row.base_url,
        documentation_url=row.documentation_url,
        icon_url=row.icon_url,
        visibility=row.visibility,
        oauth2=None if oauth2 == OAuth2Config("") else oauth2,
        tools=_sorted(tools),
        resources=_sorted(resources),
        prompts=_sorted(prompts),
    )


def tool_config(row: Tool, *, masked: bool = True) -> ToolConfig:
    return ToolConfig(
        name=row.name,
        method=row.method,
        path=row.path,
        title=row.title,
        description=row.description,
        enabled=row.enabled,
        path_schema=row.path_schema,
        query_schema=row.query_schema,
        body_schema=row.body_schema,
        headers=mask_headers(row.headers) if masked else row.headers,
        scopes=tuple(row.oauth2_scopes),
        read_only=row.read_only,
        destructive=row.destructive,
        idempotent=row.idempotent,
        open_world=row.open_world,
    )


def resource_config(row: Resource) -> ResourceConfig:
    return ResourceConfig(
        name=row.name,
        uri=row.uri,
        description=row.description,
        mime_type=row.mime_type,
        text="" if row.upstream_path else row.text,
        upstream_path=row.upstream_path,
    )


def prompt_config(row: Prompt) -> PromptConfig:
    return PromptConfig(
        name=row.name,
        title=row.title,
        description=row.description,
        arguments=tuple(
            PromptArgument(each["name"], each.get("description", ""), each.get("required", False))
            for each in row.arguments
        ),
        messages=tuple(PromptMessage(each["role"], each["text"]) for each in row.messages),
    )


def _sorted(things: Iterable[NAMED]) -> tuple[NAMED, ...]:
    return tuple(sorted(things, key=order))
