"""Tools: created, edited, renamed, switched off and deleted, each change told once; and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from catalog import tools
from catalog.checking.problems import Invalid
from catalog.models import Provider, Server, Tool
from catalog.saving import Change, Stale
from orgs.models import AuditEvent, User
from tests import factories
from tests.conftest import Browse

VALUES: dict[str, Any] = {
    "name": "getWeather",
    "title": "Weather",
    "description": "The weather of a city.",
    "method": "GET",
    "path": "/cities/{city}",
    "query_schema": {"type": "object", "properties": {"units": {"enum": ["c", "f"]}}},
    "headers": {"Accept": "application/json", "X-Api-Key": "${KEY}"},
    "oauth2_scopes": ["weather:read"],
    "read_only": True,
}


@pytest.fixture
def weather(docs: Server) -> Provider:
    return factories.provider(docs, "Weather", base_url="https://api.example.com")


def refused(values: dict[str, Any], provider: Provider) -> dict[str, str]:
    """What is said by field of values that cannot be saved."""
    with pytest.raises(Invalid) as error:
        tools.create_tool(provider=provider, values={**VALUES, **values}, by=None)
    assert not Tool.objects.exists()
    return {each.field: each.text for each in error.value.errors}


def test_a_tool_is_created_counted_told_and_in_the_audit_log(
    weather: Provider, alice: User, config_news: list[dict[str, Any]]
) -> None:
    tool = tools.create_tool(provider=weather, values=VALUES, by=alice)
    tool.refresh_from_db()
    assert {name: getattr(tool, name) for name in VALUES} == VALUES
    assert (tool.revision, tool.server, tool.enabled, tool.destructive) == (1, weather.server, True, None)
    assert [(news["change"], news["by"]) for news in config_news] == [(Change("create", "tool", "getWeather"), alice)]
    assert Server.objects.get().config_revision == 2
    event = AuditEvent.objects.get(action="tool.created")
    assert (event.actor, event.scope, event.after["path"]) == (alice, str(weather.server.pk), "/cities/{city}")


def test_an_edit_tells_what_changed_and_a_save_that_changes_nothing_tells_nothing(
    weather: Provider, alice: User, config_news: list[dict[str, Any]]
) -> None:
    tool = tools.create_tool(provider=weather, values=VALUES, by=None)
    config_news.clear()
    same = tools.edit_tool(tool=tool, values=VALUES, seen_revision=1, by=alice)
    assert (same.revision, config_news) == (1, [])
    assert not AuditEvent.objects.filter(action="tool.edited").exists()
    edited = tools.edit_tool(tool=tool, values={**VALUES, "title": "Now"}, seen_revision=1, by=alice)
    assert edited.revision == 2
    assert [news["change"] for news in config_news] == [Change("update", "tool", "getWeather")]
    event = AuditEvent.objects.get(action="tool.edited")
    assert (event.before, event.after) == ({"title": "Weather"}, {"title": "Now"})


def test_the_order_of_a_schema_s_members_is_a_change(weather: Provider, config_news: list[dict[str, Any]]) -> None:
    tool = tools.create_tool(provider=weather, values=VALUES, by=None)
    turned = {"properties": {"units": {"enum": ["c", "f"]}}, "type": "object"}
    tools.edit_tool(tool=tool, values={"query_schema": turned}, seen_revision=1, by=None)
    assert list(Tool.objects.get().query_schema) == ["properties", "type"]
    assert len(config_news) == 2


def test_another_name_is_a_rename(weather: Provider, config_news: list[dict[str, Any]]) -> None:
    tool = tools.create_tool(provider=weather, values=VALUES, by=None)
    tools.edit_tool(tool=tool, values={**VALUES, "name": "readWeather"}, seen_revision=1, by=None)
    assert config_news[-1]["change"] == Change("rename", "tool", "readWeather", former="getWeather")


def test_a_stale_save_writes_nothing(weather: Provider, config_news: list[dict[str, Any]]) -> None:
    tool = tools.create_tool(provider=weather, values=VALUES, by=None)
    tools.edit_tool(tool=tool, values={"title": "Theirs"}, seen_revision=1, by=None)
    with pytest.raises(Stale) as stale:
        tools.edit_tool(tool=tool, values={"title": "Mine"}, seen_revision=1, by=None)
    assert getattr(stale.value.current, "title", None) == "Theirs"
    assert Tool.objects.get().title == "Theirs"
    assert len(config_news) == 2


def test_a_tool_is_switched_off_and_on(weather: Provider, config_news: list[dict[str, Any]]) -> None:
    tool = tools.create_tool(provider=weather, values=VALUES, by=None)
    tools.set_enabled(tool=tool, enabled=False, by=None)
    tools.set_enabled(tool=tool, enabled=False, by=None)
    assert not Tool.objects.get().enabled
    assert [news["change"].verb for news in config_news] == ["create", "update"]


def test_a_tool_is_deleted(weather: Provider, alice: User, config_news: list[dict[str, Any]]) -> None:
    tool = tools.create_tool(provider=weather, values=VALUES, by=None)
    tools.delete_tool(tool=tool, by=alice)
    assert not Tool.objects.exists()
    assert config_news[-1]["change"] == Change("delete", "tool", "getWeather")
    assert AuditEvent.objects.get(action="tool.deleted").before["name"] == "getWeather"


def test_arguments_of_the_path_that_nobody_described_are_texts(weather: Provider) -> None:
    tool = tools.create_tool(provider=weather, values=VALUES, by=None)
    assert tool.path_schema == {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    }


def test_a_path_that_changes_takes_its_schema_along_or_is_refused(weather: Provider) -> None:
    tool = tools.create_tool(provider=weather, values=VALUES, by=None)
    with pytest.raises(Invalid, match="which is no property of this schema"):
        tools.edit_tool(tool=tool, values={"path": "/cities/{city}/{day}"}, seen_revision=1, by=None)
    values = {"path": "/cities/{city}/{day}", "path_schema": {}}
    assert tools.edit_tool(tool=tool, values=values, seen_revision=1, by=None).path_schema["required"] == [
        "city",
        "day",
    ]


def test_names_are_unique_on_a_server_and_free_on_another(weather: Provider) -> None:
    tools.create_tool(provider=weather, values=VALUES, by=None)
    other = factories.provider(weather.server, "Other")
    with pytest.raises(Invalid, match="Weather has a tool “getWeather” already"):
        tools.create_tool(provider=other, values=VALUES, by=None)
    tools.create_tool(provider=other, values={**VALUES, "name": "getweather"}, by=None)
    tools.create_tool(
        provider=factories.provider(factories.server(weather.server.organization)), values=VALUES, by=None
    )
    assert Tool.objects.count() == 3


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"name": "GetWeather"}, "name", "begins with a small letter"),
        ({"name": "get-weather"}, "name", "begins with a small letter"),
        ({"name": "getWeather\n"}, "name", "begins with a small letter"),
        ({"name": "a" * 65}, "name", "begins with a small letter"),
        ({"title": "a\0b"}, "title", "invisible character"),
        ({"description": "a\0b"}, "description", "invisible character"),
        ({"method": "TRACE"}, "method", "one of GET"),
        ({"path": "cities"}, "path", "begins with a slash"),
        ({"path": "//evil.example"}, "path", "another host"),
        ({"path_schema": {"type": "object"}}, "path_schema", "which is no property"),
        ({"query_schema": {"type": "array"}}, "query_schema", "Arguments have names"),
        ({"query_schema": {"type": "object", "properties": {"a": 5}}}, "query_schema", "“a” has to be an object"),
        ({"method": "POST", "body_schema": {"$ref": "https://x.example/"}}, "body_schema", "nothing is fetched"),
        ({"body_schema": {}}, "body_schema", "GET sends no body"),
        ({"headers": {"Authorization": "Bearer abc"}}, "headers", "carries a credential"),
        ({"headers": {"Authorization": "hunter2 ${TOKEN}"}}, "headers", "carries a credential"),
        ({"headers": {"X-Api-Key": "hunter2 ${KEY}"}}, "headers", "carries a credential"),
        ({"headers": {"Cookie": "hunter2 session=${SESSION}"}}, "headers", "carries a credential"),
        ({"headers": {"X-A": "a\r\nX-B: b"}}, "headers", "line break"),
        ({"oauth2_scopes": ["a b"]}, "oauth2_scopes", "is no scope"),
    ],
)
def test_what_a_tool_cannot_be_is_refused_beside_its_field(
    weather: Provider, values: dict[str, Any], field: str, said: str
) -> None:
    found = refused(values, weather)
    assert list(found) == [field]
    assert said in found[field]


def test_all_that_is_wrong_is_said_at_once(weather: Provider) -> None:
    assert list(refused({"name": "1", "path": "x", "query_schema": 5}, weather)) == ["name", "path", "query_schema"]


def test_a_provider_without_a_base_url_has_no_tools(docs: Server) -> None:
    folder = factories.provider(docs, "Prompts", base_url="")
    assert "has no base URL" in refused({}, folder)[""]


def test_the_values_of_headers_are_not_in_the_audit_log(weather: Provider) -> None:
    values = {**VALUES, "headers": {"X-Tenant": "tenant-4711", "X-Api-Key": "${KEY}"}}
    tool = tools.create_tool(provider=weather, values=values, by=None)
    tools.edit_tool(tool=tool, values={"headers": {"X-Tenant": "tenant-4712"}}, seen_revision=1, by=None)
    tools.delete_tool(tool=tool, by=None)
    logged = [(event.before, event.after) for event in AuditEvent.objects.filter(action__startswith="tool.")]
    assert len(logged) == 3
    assert "tenant-47" not in str(logged)
    assert "X-Tenant" in str(logged)


def test_a_long_schema_is_cut_in_the_audit_log(weather: Provider) -> None:
    schema = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(500)}}
    tools.create_tool(provider=weather, values={**VALUES, "query_schema": schema}, by=None)
    assert len(AuditEvent.objects.get(action="tool.created").after["query_schema"]) < 1_000


def test_who_saves_while_another_deletes_is_told(browse: Browse, weather: Provider, alice: User) -> None:
    tool = tools.create_tool(provider=weather, values=VALUES, by=None)
    tools.delete_tool(tool=tool, by=None)
    with pytest.raises(Tool.DoesNotExist):
        tools.edit_tool(tool=tool, values={"title": "Mine"}, seen_revision=1, by=alice)
    assert browse(alice).post(f"/o/acme/servers/docs/tools/{tool.pk}/edit/", {}).status_code == 404
