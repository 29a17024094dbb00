"""Pages of tools: one, create, edit, switch on and off, delete."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from django.test import Client

from catalog.models import Provider, Server, Tool
from orgs.models import Organization, User
from tests import factories
from tests.conftest import Browse

TOOLS = "/o/acme/servers/docs/tools/"
FORM = {
    "name": "getWeather",
    "title": "Current weather",
    "enabled": "on",
    "method": "GET",
    "path": "/cities/{city}",
    "headers": "Accept: application/json\r\nAuthorization: Bearer ${TOKEN}",
    "query_schema": '{"type": "object",\r\n "properties": {"units": {"enum": ["c", "f"]}}}',
    "oauth2_scopes": "read\r\n\r\nwrite",
    "read_only": "yes",
    "destructive": "no",
}


@pytest.fixture
def weather(docs: Server) -> Provider:
    return factories.provider(docs, "Weather")


def new(weather: Provider) -> str:
    return f"/o/acme/servers/docs/providers/{weather.pk}/tools/new/"


def errors(client: Client, address: str, **values: str) -> dict[str, list[str]]:
    """What is said by field of a form that cannot be saved."""
    response = client.post(address, {**FORM, **values})
    assert response.status_code == 200
    assert not Tool.objects.exists()
    return {str(field): [str(text) for text in texts] for field, texts in response.context["form"].errors.items()}


def test_a_tool_is_made_on_its_page(browse: Browse, bob: User, weather: Provider) -> None:
    client = browse(bob)
    response = client.post(new(weather), FORM)
    tool = Tool.objects.get()
    assert response["Location"] == f"{TOOLS}{tool.pk}/"
    assert tool.headers == {"Accept": "application/json", "Authorization": "Bearer ${TOKEN}"}
    assert tool.oauth2_scopes == ["read", "write"]
    assert (tool.read_only, tool.destructive, tool.idempotent) == (True, False, None)
    assert tool.path_schema["required"] == ["city"]
    assert tool.body_schema is None
    shown = client.get(f"{TOOLS}{tool.pk}/").content.decode()
    for words in ("GET /cities/{city}", "Authorization: Bearer ${TOKEN}", "There is no variable TOKEN", "&quot;units"):
        assert words in shown


def test_the_form_of_a_new_tool_is_empty_and_needs_a_name_and_a_path_alone(
    browse: Browse, bob: User, weather: Provider
) -> None:
    client = browse(bob)
    form = client.get(new(weather)).context["form"]
    shown = {field.name: field.value() for field in form}
    assert {name: value for name, value in shown.items() if value not in (None, "")} == {"enabled": True}
    filled = {"name": "list", "method": "GET", "path": "/all"}
    client.post(new(weather), {**{name: value or "" for name, value in shown.items()}, **filled})
    assert Tool.objects.get().name == "list"


def test_what_the_form_shows_is_saved_again_without_a_change(browse: Browse, bob: User, weather: Provider) -> None:
    tool = factories.tool(
        weather, body_schema={}, method="POST", headers={"X-A": "1"}, oauth2_scopes=["a"], open_world=False
    )
    client = browse(bob)
    form = client.get(f"{TOOLS}{tool.pk}/edit/").context["form"]
    values = {bound.name: bound.value() for bound in form}
    posted = {name: value for name, value in values.items() if value not in (None, False)}
    assert posted["body_schema"] == "{}"
    assert client.post(f"{TOOLS}{tool.pk}/edit/", posted).status_code == 302
    tool.refresh_from_db()
    assert (tool.revision, tool.body_schema, tool.open_world) == (1, {}, False)


def test_an_error_of_a_schema_names_the_line(browse: Browse, alice: User, weather: Provider) -> None:
    client = browse(alice)
    broken = '{\r\n "type": "object",\r\n}'
    assert errors(client, new(weather), query_schema=broken)["query_schema"] == [
        "Line 3, column 1: This is not valid JSON: a name in double quotes is missing."
    ]
    wrong = json.dumps({"type": "object", "properties": {"a": {"type": "strin"}}}, indent=1).replace("\n", "\r\n")
    (said,) = errors(client, new(weather), query_schema=wrong)["query_schema"]
    assert said.startswith("Line 5, at /properties/a/type: ")


def test_all_that_is_wrong_is_said_at_once(browse: Browse, alice: User, weather: Provider) -> None:
    said = errors(
        browse(alice),
        new(weather),
        name="Get",
        path="//evil.example",
        query_schema="{",
        headers="Authorization: Bearer s3cret",
    )
    assert set(said) == {"name", "path", "query_schema", "headers"}
    assert "s3cret" not in str(said)


def test_a_header_cannot_begin_another(browse: Browse, alice: User, weather: Provider) -> None:
    for value in ("X-A: 1\rX-B: 2", "X-A: a\x00b", "X-A: a\u2028X-B: 2"):
        assert errors(browse(alice), new(weather), headers=value)["headers"]


def test_a_schema_that_would_take_forever_is_refused(browse: Browse, alice: User, weather: Provider) -> None:
    client = browse(alice)
    for bomb in (
        '{"not":' * 10_000 + "{}" + "}" * 10_000,
        json.dumps({"type": "object", "properties": {"a": {"pattern": "(a+)+" * 1_000}}}),
        json.dumps({"type": "object", "$ref": "#"}),
        json.dumps({"type": "object", "anyOf": [{}] * 20_000}),
    ):
        assert errors(client, new(weather), query_schema=bomb)["query_schema"]


def test_a_name_that_is_taken_is_said_beside_the_name(browse: Browse, alice: User, weather: Provider) -> None:
    factories.tool(weather, "getWeather")
    response = browse(alice).post(new(weather), FORM)
    assert "already" in response.context["form"].errors["name"][0]
    assert Tool.objects.count() == 1


def test_a_stale_save_shows_both_versions(browse: Browse, alice: User, weather: Provider) -> None:
    tool = factories.tool(weather, "getWeather", revision=3, title="Theirs", query_schema={"type": "object"})
    client = browse(alice)
    response = client.post(f"{TOOLS}{tool.pk}/edit/", {**FORM, "seen_revision": "2"})
    assert response.status_code == 409
    theirs = {each.label: each.text for each in response.context["theirs"]}
    assert theirs["Title"] == "Theirs"
    assert theirs["Query arguments"] == '{\n  "type": "object"\n}'
    assert theirs["Read-only"] == "Not said"
    assert response.context["form"]["title"].value() == "Current weather"
    tool.refresh_from_db()
    assert tool.title == "Theirs"
    client.post(f"{TOOLS}{tool.pk}/edit/", {**FORM, "seen_revision": response.context["form"]["seen_revision"].value()})
    tool.refresh_from_db()
    assert tool.title == "Current weather"


def test_a_tool_is_switched_off_and_deleted(browse: Browse, bob: User, weather: Provider) -> None:
    tool = factories.tool(weather, "getWeather")
    client = browse(bob)
    assert client.get(f"{TOOLS}{tool.pk}/enable/").status_code == 405
    client.post(f"{TOOLS}{tool.pk}/enable/", {"enabled": "0"})
    assert not Tool.objects.get().enabled
    assert "not offered to agents" in client.get(f"{TOOLS}{tool.pk}/").content.decode()
    client.post(f"{TOOLS}{tool.pk}/enable/", {"enabled": "1"})
    assert Tool.objects.get().enabled
    assert "Delete getWeather?" in client.get(f"{TOOLS}{tool.pk}/delete/").content.decode()
    assert client.post(f"{TOOLS}{tool.pk}/delete/")["Location"].endswith(f"/providers/{weather.pk}/")
    assert not Tool.objects.exists()


def test_what_people_write_is_shown_as_text(browse: Browse, carol: User, weather: Provider) -> None:
    schema = {"type": "object", "description": "</code><script>alert(1)</script>"}
    tool = factories.tool(weather, title="<b>x</b>", description="<script>", query_schema=schema)
    shown = browse(carol).get(f"{TOOLS}{tool.pk}/").content.decode()
    assert "<script>alert" not in shown
    assert "<b>x</b>" not in shown


def test_a_tool_of_another_server_or_organisation_is_not_there(
    browse: Browse, alice: User, docs: Server, acme: Organization
) -> None:
    near = factories.tool(factories.provider(factories.server(acme)))
    far = factories.tool(factories.provider(factories.server(factories.organization())))
    client = browse(alice)
    for pk in (near.pk, far.pk, uuid4()):
        for end in ("", "edit/", "delete/", "enable/"):
            assert client.post(f"{TOOLS}{pk}/{end}", {**FORM, "seen_revision": "1"}).status_code == 404
    assert Tool.objects.filter(name="getWeather").count() == 0
    assert Tool.objects.count() == 2
