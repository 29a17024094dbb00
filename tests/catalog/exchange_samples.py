"""A configuration with something of everything, as a value and as rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from catalog.exchange.applying import import_as_new
from catalog.exchange.document import dumps, to_document
from catalog.exchange.model import (
    MASK,
    OAuth2Config,
    PromptArgument,
    PromptConfig,
    PromptMessage,
    ProviderConfig,
    ResourceConfig,
    ServerConfig,
    ToolConfig,
    VariableConfig,
)
from catalog.models import Server, Variable
from orgs.models import Organization

CITY = {"type": "object", "properties": {"city": {"type": "string", "description": "Zürich"}}, "required": ["city"]}
# In the order of a person, which no database may change.
UNSORTED = {"type": "object", "properties": {"zeta": {"type": "integer"}, "alpha": {"type": "number", "maximum": 1.5}}}

GET_WEATHER = ToolConfig(
    name="getWeather",
    method="GET",
    path="/cities/{city}",
    title="Weather",
    description="The weather of a city.\nToday's.",
    path_schema=CITY,
    query_schema=UNSORTED,
    headers={"Authorization": "Bearer ${API_TOKEN}", "Accept": "application/json"},
    scopes=("read:weather",),
    read_only=True,
    idempotent=True,
    open_world=False,
)
REPORT = ToolConfig(name="report", method="POST", path="/reports", enabled=False, body_schema={}, destructive=False)
WEATHER = ProviderConfig(
    name="Weather",
    description="Forecasts.",
    base_url="https://api.weather.example/v1",
    documentation_url="https://weather.example/docs",
    icon_url="https://weather.example/icon.png",
    oauth2=OAuth2Config(
        token_url="https://login.weather.example/token",
        client_id="${CLIENT_ID}",
        client_secret="${API_TOKEN}",
        scopes=("read", "write"),
    ),
    tools=(GET_WEATHER, REPORT),
    resources=(
        ResourceConfig("Guide", "docs://guide", "How to ask.", "text/markdown", "# Guide\n"),
        ResourceConfig("Stations", "docs://stations", upstream_path="/stations"),
    ),
    prompts=(
        PromptConfig(
            "compareCities",
            title="Compare",
            arguments=(PromptArgument("first", "A city.", required=True), PromptArgument("second")),
            messages=(PromptMessage("user", "Compare {{first}} with {{second}}."), PromptMessage("assistant", "Sure.")),
        ),
    ),
)
NOTES = ProviderConfig(name="notes", visibility="private", resources=(ResourceConfig("empty", "docs://empty"),))
SAMPLE = ServerConfig(
    name="Weather of the world",
    slug="weather",
    version=7,
    description="For people.",
    instructions="Ask for a city.\nThen tell it.",
    visibility="public",
    variables=(
        VariableConfig("API_TOKEN", "Of the shop.", secret=True, value=MASK, hosts=("api.weather.example",)),
        VariableConfig("CLIENT_ID", value="millrace"),
    ),
    providers=(NOTES, WEATHER),
)


def text(config: ServerConfig = SAMPLE) -> str:
    return dumps(to_document(config)).decode()


def server(organization: Organization, config: ServerConfig = SAMPLE, secret: str = "s3cret-of-the-shop") -> Server:
    """A server with the configuration, its secrets entered."""
    made = import_as_new(organization=organization, wanted=config, by=None).server
    for variable in Variable.objects.filter(server=made, is_secret=True):
        variable.secret = secret
        variable.save()
    return made


def with_weather(config: ServerConfig = SAMPLE, **fields: Any) -> ServerConfig:
    """The same with another provider Weather."""
    others = tuple(each for each in config.providers if each.name != "Weather")
    weather = next(each for each in config.providers if each.name == "Weather")
    return replace(config, providers=(*others, replace(weather, **fields)))


def many(count: int, description: str = "One of many.") -> ServerConfig:
    tools = tuple(replace(REPORT, name=f"tool{number:04}", description=description) for number in range(count))
    return with_weather(tools=tools)
