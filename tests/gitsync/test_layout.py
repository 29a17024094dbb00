"""What lies in a server's directory: the files, what is in them, and which of them a change touches."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator

from catalog.exchange.document import DocumentError, from_document
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
from gitsync.layout import Clash, render

GET_WEATHER = ToolConfig(
    name="getWeather",
    method="GET",
    path="/cities/{city}",
    title="Weather of a city",
    description="The weather now.\nIn metric units.",
    path_schema={
        "type": "object",
        "properties": {"city": {"type": "string", "description": "Its name."}},
        "required": ["city"],
    },
    query_schema={
        "type": "object",
        "properties": {
            "units": {"enum": ["metric", "imperial"]},
            "area": {"type": "object", "properties": {"radius": {"type": "number", "description": "In km."}}},
            "days": {"type": "array", "items": {"type": "object", "properties": {"on": {"type": "string"}}}},
        },
    },
    headers={"Accept": "application/json", "X-Api-Key": "${API_KEY}"},
    scopes=("weather:read",),
    read_only=True,
)
REPORT = ToolConfig("report", "POST", "/reports", body_schema={"type": "object"}, enabled=False)
OPEN_WEATHER = ProviderConfig(
    name="Open Weather",
    description="Weather of today.",
    base_url="https://api.example.com",
    documentation_url="https://docs.example.com/weather?lang=en",
    oauth2=OAuth2Config("https://id.example.com/token", MASK, "${CLIENT_SECRET}", ("weather",)),
    tools=(GET_WEATHER, REPORT),
    resources=(ResourceConfig("Guide", "weather://guide", "How to read it.", "text/markdown", "# Clouds\n"),),
    prompts=(
        PromptConfig(
            "tellWeather",
            arguments=(PromptArgument("city", required=True), PromptArgument("day")),
            messages=(PromptMessage("user", "What is the weather in {{city}}?"),),
        ),
    ),
)
SERVER = ServerConfig(
    name="Weather",
    slug="weather",
    version=7,
    description="All about weather.",
    instructions="Ask for the city first.",
    variables=(VariableConfig("API_KEY", "Of the account.", True, MASK, ("api.example.com",)),),
    providers=(ProviderConfig("notes"), OPEN_WEATHER),
)


def text(files: dict[str, bytes], path: str) -> str:
    return files[path].decode()


def changed(before: ServerConfig, after: ServerConfig) -> set[str]:
    """The paths that differ, are new or are gone."""
    one, other = render(before), render(after)
    return {path for path in one.keys() | other.keys() if one.get(path) != other.get(path)}


def with_tool(tool: ToolConfig) -> ServerConfig:
    """The next version of SERVER, with another `getWeather`."""
    provider = replace(OPEN_WEATHER, tools=(tool, REPORT))
    return replace(SERVER, version=SERVER.version + 1, providers=(SERVER.providers[0], provider))


def test_a_server_has_the_files_that_the_guide_draws() -> None:
    assert set(render(SERVER)) == {
        "config.json",
        "export.json",
        "schema.json",
        "README.md",
        "notes/config.json",
        "notes/README.md",
        "Open Weather/config.json",
        "Open Weather/README.md",
        "Open Weather/tools/get-weather.json",
        "Open Weather/tools/get-weather.md",
        "Open Weather/tools/report.json",
        "Open Weather/tools/report.md",
        "Open Weather/resources/guide-8dd65d09.json",
        "Open Weather/prompts/tell-weather.json",
    }


def test_the_servers_config_holds_what_is_its_own() -> None:
    assert json.loads(render(SERVER)["config.json"]) == {
        "formatVersion": 1,
        "name": "Weather",
        "slug": "weather",
        "description": "All about weather.",
        "instructions": "Ask for the city first.",
        "visibility": "private",
        "version": 7,
    }


def test_the_export_is_as_its_schema_says_and_is_the_same_server_again() -> None:
    files = render(SERVER)
    schema = json.loads(files["schema.json"])
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(files["export.json"]))
    ordered = replace(SERVER, providers=tuple(sorted(SERVER.providers, key=lambda each: each.name.lower())))
    assert from_document(json.loads(files["export.json"])) == ordered


def test_files_are_the_same_documents_as_in_the_export() -> None:
    files = render(SERVER)
    exported = json.loads(files["export.json"])["providers"][1]
    assert json.loads(files["Open Weather/tools/get-weather.json"]) == exported["tools"][0]
    assert json.loads(files["Open Weather/prompts/tell-weather.json"]) == exported["prompts"][0]
    assert json.loads(files["Open Weather/resources/guide-8dd65d09.json"]) == exported["resources"][0]
    own = json.loads(files["Open Weather/config.json"])
    assert own == {key: exported[key] for key in exported if key not in ("tools", "resources", "prompts")}
    assert own["oauth2"]["clientId"] == MASK


def test_schemas_are_json_and_not_text_with_json_in_it() -> None:
    tool = json.loads(render(SERVER)["Open Weather/tools/get-weather.json"])
    assert tool["pathArguments"]["properties"]["city"] == {"type": "string", "description": "Its name."}


def test_equal_servers_have_equal_files() -> None:
    one, other = render(SERVER), render(copy.deepcopy(SERVER))
    assert list(one.items()) == list(other.items())


def test_saving_a_tools_schema_touches_its_two_files_the_export_and_the_version() -> None:
    longer = {**GET_WEATHER.path_schema, "required": []}
    assert changed(SERVER, with_tool(replace(GET_WEATHER, path_schema=longer))) == {
        "config.json",
        "export.json",
        "Open Weather/tools/get-weather.json",
        "Open Weather/tools/get-weather.md",
    }


def test_saving_what_a_readme_tells_touches_that_readme_too() -> None:
    assert changed(SERVER, with_tool(replace(GET_WEATHER, description="Another."))) == {
        "config.json",
        "export.json",
        "Open Weather/README.md",
        "Open Weather/tools/get-weather.json",
        "Open Weather/tools/get-weather.md",
    }


def test_a_new_version_alone_touches_the_two_files_that_tell_it() -> None:
    assert changed(SERVER, replace(SERVER, version=8)) == {"config.json", "export.json"}


def test_a_sibling_that_comes_or_goes_renames_no_file() -> None:
    names = ["getWeather", "getweather", "getWEATHER", "get", "readme"]
    tools = tuple(ToolConfig(name, "GET", "/") for name in names)
    everything = set(render(replace(SERVER, providers=(ProviderConfig("notes", tools=tools),))))
    assert len({path.casefold() for path in everything}) == len(everything)
    for left_out in tools:
        others = tuple(tool for tool in tools if tool is not left_out)
        fewer = set(render(replace(SERVER, providers=(ProviderConfig("notes", tools=others),))))
        assert fewer < everything
        assert len(everything - fewer) == 2


@pytest.mark.parametrize("name", ["config.json", "README.md", "Export.JSON", "schema.json", "..", ".git", "a/b", "con"])
def test_a_provider_never_takes_the_place_of_a_file_of_the_server(name: str) -> None:
    files = render(replace(SERVER, providers=(ProviderConfig(name),)))
    assert len(files) == 6
    assert all(".." not in path.split("/") and path.count("/") <= 1 for path in files)
    assert not [path for path in files if path.lower().startswith((".git/", "con/", "readme.md/"))]


def test_providers_that_differ_only_in_case_are_refused_and_not_mixed() -> None:
    with pytest.raises(Clash, match="rename one"):
        render(replace(SERVER, providers=(ProviderConfig("Notes"), ProviderConfig("notes"))))


def test_what_the_schema_does_not_allow_is_not_rendered() -> None:
    with pytest.raises(DocumentError):
        render(replace(SERVER, visibility="secret"))


def test_the_servers_readme_leads_to_each_provider() -> None:
    shown = text(render(SERVER), "README.md")
    assert shown.startswith("# Weather\n\nAll about weather.\n\n## Instructions\n\nAsk for the city first.\n")
    assert "| [Open Weather](Open%20Weather/README.md) | Weather of today. | 2 | 1 | 1 |" in shown
    assert "| [notes](notes/README.md) |  | 0 | 0 | 0 |" in shown
    assert "| `API_KEY` | secret | `api.example.com` | Of the account. |" in shown


def test_a_providers_readme_tells_what_it_has() -> None:
    shown = text(render(SERVER), "Open Weather/README.md")
    assert "- Documentation: <https://docs.example.com/weather?lang=en>" in shown
    assert "| [getWeather](tools/get-weather.md) | `GET` `/cities/{city}` | The weather now. |" in shown
    assert "| [report](tools/report.md) | `POST` `/reports` | (disabled) |" in shown
    assert "| [Guide](resources/guide-8dd65d09.json) | `weather://guide` | `text/markdown` | How to read it. |" in shown
    assert "| [tellWeather](prompts/tell-weather.json) | `city`, `day`? |  |" in shown


def test_a_tools_page_tells_arguments_one_level_down_and_headers_without_values() -> None:
    shown = text(render(SERVER), "Open Weather/tools/get-weather.md")
    assert "| `city` | string | yes | Its name. |" in shown
    assert "| `units` | one of `metric`, `imperial` | no |  |" in shown
    assert "| `area.radius` | number | no | In km. |" in shown
    assert "| `days[].on` | string | no |  |" in shown
    assert "## Headers\n\n- `Accept`\n- `X-Api-Key`\n" in shown
    assert "${API_KEY}" not in shown
    assert "## OAuth2 scopes\n\n- `weather:read`" in shown
    assert "- Read-only: yes" in shown
