"""Pages of providers, and the Tools tab."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Method, Provider, Server, Tool
from orgs.models import Organization, User
from tests import factories
from tests.conftest import Browse

TOOLS = "/o/acme/servers/docs/tools/"
PROVIDERS = "/o/acme/servers/docs/providers/"
FORM = {"name": "Weather", "base_url": "https://api.example.com", "visibility": "public"}


def page(client: Client, address: str, status: int = 200) -> str:
    """The HTML of a page, its white space made single, so that words are found across lines."""
    response = client.get(address)
    assert response.status_code == status
    return " ".join(response.content.decode().split())


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def many(server: Server, providers: int, tools: int) -> None:
    for _ in range(providers):
        provider = factories.provider(server)
        factories.resource(provider)
        factories.prompt(provider)
        for _ in range(tools):
            factories.tool(provider, headers={"X-A": "${A}"})


def test_an_empty_tab_says_what_to_do(browse: Browse, alice: User, carol: User, docs: Server) -> None:
    shown = page(browse(alice), TOOLS)
    assert "No tools yet" in shown
    assert f"{PROVIDERS}new/" in shown
    shown = page(browse(carol), TOOLS)
    assert f"{PROVIDERS}new/" not in shown
    assert "servers.edit" in shown


def test_the_tab_shows_each_provider_with_its_tools(browse: Browse, carol: User, docs: Server) -> None:
    weather = factories.provider(docs, "Weather")
    factories.tool(weather, "getWeather", title="Current weather", method=Method.GET, path="/now", read_only=True)
    factories.tool(weather, "dropAll", method=Method.DELETE, enabled=False, destructive=True)
    factories.resource(weather)
    notes = factories.provider(docs, "Notes", base_url="")
    factories.prompt(notes)
    shown = page(browse(carol), TOOLS)
    assert shown.index("Notes") < shown.index("Weather") < shown.index("dropAll") < shown.index("getWeather")
    for words in ("GET /now", "Current weather", "read-only", "destructive", "Disabled", "2 tools", "1 resource"):
        assert words in shown
    assert "1 prompt" in shown


def test_the_tab_takes_as_many_queries_for_many_tools_as_for_few(browse: Browse, carol: User, docs: Server) -> None:
    client = browse(carol)
    many(docs, 1, 1)
    client.get(TOOLS)  # the session remembers the organisation
    few = queries_of(client, TOOLS)
    many(docs, 5, 4)
    assert queries_of(client, TOOLS) == few


def test_the_page_of_a_provider_takes_as_many_queries_for_many_tools_as_for_few(
    browse: Browse, carol: User, docs: Server
) -> None:
    client = browse(carol)
    many(docs, 1, 1)
    provider = Provider.objects.get()
    client.get(TOOLS)
    few = queries_of(client, f"{PROVIDERS}{provider.pk}/")
    for _ in range(8):
        factories.tool(provider, headers={"X-A": "${A}"})
        factories.resource(provider)
        factories.prompt(provider)
    assert queries_of(client, f"{PROVIDERS}{provider.pk}/") == few


def test_two_thousand_tools_are_paged_and_found_by_name_and_path(browse: Browse, carol: User, docs: Server) -> None:
    provider = factories.provider(docs, "Huge")
    factories.provider(docs, "Without any")
    Tool.objects.bulk_create(
        Tool(server=docs, provider=provider, name=f"tool{number:04}", path=f"/things/{number}", enabled=number != 7)
        for number in range(2_000)
    )
    client = browse(carol)
    first, last = page(client, TOOLS), page(client, f"{TOOLS}?page=20")
    assert first.count("GET /things/") == last.count("GET /things/") == 100
    assert "tool0099" in first
    assert "2,000 tools" in first
    assert "Without any" not in first
    assert "Without any" in last
    assert page(client, f"{TOOLS}?q=TOOL1999").count("GET /things/") == 1
    assert page(client, f"{TOOLS}?q=things/1234").count("GET /things/") == 1
    assert page(client, f"{TOOLS}?state=disabled").count("GET /things/") == 1
    assert "No tool fits these filters" in page(client, f"{TOOLS}?q=nothing")
    assert page(client, f"{PROVIDERS}{provider.pk}/?q=tool1999").count("GET /things/") == 1


def test_a_provider_is_made_edited_and_deleted_on_its_pages(browse: Browse, bob: User, docs: Server) -> None:
    client = browse(bob)
    response = client.post(f"{PROVIDERS}new/", FORM, follow=True)
    provider = Provider.objects.get()
    assert response.redirect_chain[-1][0] == f"{PROVIDERS}{provider.pk}/"
    assert "Weather is saved" in response.content.decode()
    form = client.get(f"{PROVIDERS}{provider.pk}/edit/").context["form"]
    assert form.initial["base_url"] == "https://api.example.com"
    client.post(f"{PROVIDERS}{provider.pk}/edit/", {**FORM, "name": "Climate", "seen_revision": "1"})
    assert Provider.objects.get().name == "Climate"
    factories.tool(provider)
    asked = page(client, f"{PROVIDERS}{provider.pk}/delete/")
    assert "Delete Climate?" in asked
    assert "<li>1 tool</li>" in asked
    response = client.post(f"{PROVIDERS}{provider.pk}/delete/")
    assert response["Location"] == TOOLS
    assert not Provider.objects.exists()


def test_a_stale_save_shows_both_versions_and_saves_mine_when_i_say_so(
    browse: Browse, alice: User, docs: Server
) -> None:
    client, provider = browse(alice), factories.provider(docs, "Weather", revision=2, description="Theirs\nfor all")
    mine = {**FORM, "base_url": provider.base_url, "description": "Mine\r\nfor all", "seen_revision": "1"}
    response = client.post(f"{PROVIDERS}{provider.pk}/edit/", mine)
    assert response.status_code == 409
    assert [(each.label, each.text) for each in response.context["theirs"]] == [("Description", "Theirs\nfor all")]
    shown = response.content.decode()
    assert "Mine" in shown
    assert "Save mine" in shown
    assert Provider.objects.get().description == "Theirs\nfor all"
    again = {**mine, "seen_revision": response.context["form"]["seen_revision"].value()}
    assert client.post(f"{PROVIDERS}{provider.pk}/edit/", again).status_code == 302
    assert Provider.objects.get().description == "Mine\nfor all"


def test_a_form_that_forgot_what_it_saw_saves_over_nobody(browse: Browse, alice: User, docs: Server) -> None:
    provider = factories.provider(docs, "Weather")
    response = browse(alice).post(f"{PROVIDERS}{provider.pk}/edit/", {**FORM, "name": "Mine"})
    assert response.status_code == 409
    assert Provider.objects.get().name == "Weather"


def test_what_is_wrong_stands_beside_its_field(browse: Browse, alice: User, docs: Server) -> None:
    response = browse(alice).post(f"{PROVIDERS}new/", {**FORM, "base_url": "javascript:alert(1)", "icon_url": "x:y"})
    assert response.status_code == 200
    assert set(response.context["form"].errors) == {"base_url", "icon_url"}


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", " javascript:alert(1)", "data:text/html,x", "//evil.example"]
)
def test_an_address_that_is_no_link_is_not_made_one(browse: Browse, carol: User, docs: Server, address: str) -> None:
    provider = factories.provider(docs, documentation_url=address, icon_url=address)  # as a faulty import would
    shown = page(browse(carol), f"{PROVIDERS}{provider.pk}/")
    assert address.strip() in shown
    assert f'href="{address}"' not in shown
    assert f'src="{address}"' not in shown


def test_what_people_write_is_shown_as_text(browse: Browse, carol: User, docs: Server) -> None:
    provider = factories.provider(docs, "<script>alert(1)</script>", description="<img src=x onerror=alert(2)>")
    for address in (TOOLS, f"{PROVIDERS}{provider.pk}/"):
        shown = page(browse(carol), address)
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown


def test_a_provider_of_another_server_or_organisation_is_not_there(
    browse: Browse, alice: User, docs: Server, acme: Organization
) -> None:
    near = factories.provider(factories.server(acme))
    far = factories.provider(factories.server(factories.organization()))
    client = browse(alice)
    for pk in (near.pk, far.pk, uuid4()):
        for end in ("", "edit/", "delete/", "tools/new/"):
            assert client.get(f"{PROVIDERS}{pk}/{end}").status_code == 404
            assert client.post(f"{PROVIDERS}{pk}/{end}", FORM).status_code in (404, 405)
    assert Provider.objects.count() == 2
    assert not Tool.objects.exists()
