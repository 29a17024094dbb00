"""The pages that take a server's configuration out and in."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from catalog.exchange.applying import apply_import
from catalog.exchange.model import ServerConfig
from catalog.exchange.snapshot import snapshot
from catalog.models import Provider, Server, Tool
from orgs.models import Organization, User
from tests.catalog import exchange_samples as samples
from tests.catalog.exchange_samples import SAMPLE, with_weather
from tests.conftest import Browse

pytestmark = pytest.mark.django_db


@pytest.fixture
def weather_server(acme: Organization) -> Server:
    return samples.server(acme)


def _url(name: str, server: Server) -> str:
    return reverse(f"catalog:{name}", args=[server.organization.slug, server.slug])


def _previewed(client: Client, url: str, config: ServerConfig) -> tuple[str, str]:
    """The page of a preview as a person reads it, and what its form carries."""
    response = client.post(url, {"text": samples.text(config)})
    page = html.unescape(response.content.decode())
    assert response.status_code == 200, page
    carried = re.search(r'name="preview" value="([^"]+)"', page)
    assert carried is not None, page
    return page, carried[1]


def test_the_export_says_what_is_in_it_and_what_is_masked(browse: Browse, bob: User, weather_server: Server) -> None:
    page = browse(bob).get(_url("export", weather_server)).content.decode()
    assert "2 variables, 2 providers, 2 tools, 3 resources, 1 prompt" in page
    assert "Variable API_TOKEN: its value" in page
    assert "s3cret" not in page


def test_the_file_is_downloaded_and_holds_no_secret(browse: Browse, bob: User, weather_server: Server) -> None:
    response = browse(bob).get(_url("export_file", weather_server))
    assert response["Content-Disposition"] == 'attachment; filename="weather.export.json"'
    assert response["Content-Type"].startswith("application/json")
    assert response.content.decode() == samples.text()


def test_what_cannot_be_exported_is_told_with_its_place(browse: Browse, bob: User, weather_server: Server) -> None:
    Tool.objects.filter(server=weather_server, name="report").update(method="BREW")
    page = browse(bob).get(_url("export", weather_server)).content.decode()
    assert "/providers/1/tools/1/method" in page
    assert browse(bob).get(_url("export_file", weather_server)).status_code == 302


def test_an_import_is_shown_and_changes_nothing_before_it_is_confirmed(
    browse: Browse, bob: User, weather_server: Server
) -> None:
    wanted = replace(samples.many(1), instructions="Other.")
    page, _ = _previewed(browse(bob), _url("import", weather_server), wanted)
    for words in ("tool0000 (Weather)", "Weather of the world: instructions", "getWeather (Weather)", "2 tools"):
        assert words in page
    assert snapshot(weather_server) == SAMPLE


def test_a_confirmed_import_is_done_and_removes_only_when_told(
    browse: Browse, bob: User, weather_server: Server
) -> None:
    url = _url("import", weather_server)
    _, preview = _previewed(browse(bob), url, samples.many(1))
    response = browse(bob).post(url, {"preview": preview})
    assert response.status_code == 302
    assert Tool.objects.filter(server=weather_server).count() == 3
    page, preview = _previewed(browse(bob), url, samples.many(1))
    assert "This deletes 2 tools" in page
    browse(bob).post(url, {"preview": preview, "remove": "on"})
    assert [tool.name for tool in Tool.objects.filter(server=weather_server)] == ["tool0000"]


def test_a_file_is_taken_as_well_as_a_text(browse: Browse, bob: User, weather_server: Server) -> None:
    file = SimpleUploadedFile("export.json", samples.text(replace(SAMPLE, name="From a file")).encode())
    page = browse(bob).post(_url("import", weather_server), {"file": file}).content.decode()
    assert "From a file: name" in page


def test_errors_are_shown_with_their_lines_and_nothing_is_imported(
    browse: Browse, bob: User, weather_server: Server
) -> None:
    wrong = samples.text().replace('"getWeather"', '"get weather"').replace('"docs://guide"', "7")
    response = browse(bob).post(_url("import", weather_server), {"text": wrong})
    page = html.unescape(response.content.decode())
    assert "2 things are wrong in the file" in page
    line = next(number for number, text in enumerate(wrong.splitlines(), 1) if "get weather" in text)
    assert f"<dt>Line {line}</dt>" in page
    assert "/providers/1/tools/0/name" in page
    assert snapshot(weather_server) == SAMPLE


def test_nothing_chosen_is_asked_for(browse: Browse, bob: User, weather_server: Server) -> None:
    page = browse(bob).post(_url("import", weather_server), {"text": " "}).content.decode()
    assert "Choose a file, or paste its text." in page


def test_hosts_that_change_have_to_be_confirmed(browse: Browse, bob: User, weather_server: Server) -> None:
    url = _url("import", weather_server)
    page, preview = _previewed(browse(bob), url, with_weather(base_url="https://evil.example"))
    assert "https://evil.example" in page
    refused = html.unescape(browse(bob).post(url, {"preview": preview}).content.decode())
    assert "Look at these hosts, and confirm them." in refused
    assert Provider.objects.get(server=weather_server, name="Weather").base_url == "https://api.weather.example/v1"
    browse(bob).post(url, {"preview": preview, "confirm_hosts": "on"})
    assert Provider.objects.get(server=weather_server, name="Weather").base_url == "https://evil.example"


def test_a_server_that_changed_meanwhile_is_compared_and_shown_again(
    browse: Browse, bob: User, weather_server: Server
) -> None:
    url = _url("import", weather_server)
    _, preview = _previewed(browse(bob), url, replace(SAMPLE, name="Mine"))
    apply_import(server=weather_server, wanted=replace(SAMPLE, description="Theirs."), by=None)
    response = browse(bob).post(url, {"preview": preview, "confirm_hosts": "on", "remove": "on"})
    page = html.unescape(response.content.decode())
    assert response.status_code == 409
    assert "The server was changed since this was shown" in page
    assert "name, description" in page
    assert "checked" not in page.partition("<main")[2]
    weather_server.refresh_from_db()
    assert weather_server.name == SAMPLE.name
    again = re.search(r'name="preview" value="([^"]+)"', page)
    assert again is not None
    browse(bob).post(url, {"preview": again[1]})
    weather_server.refresh_from_db()
    assert (weather_server.name, weather_server.description) == ("Mine", SAMPLE.description)


def test_a_preview_of_another_page_person_or_hand_is_not_taken(
    browse: Browse, alice: User, bob: User, weather_server: Server
) -> None:
    other = samples.server(weather_server.organization)
    url = _url("import", weather_server)
    _, of_other = _previewed(browse(bob), _url("import", other), replace(SAMPLE, name="Forged"))
    _, of_alice = _previewed(browse(alice), url, replace(SAMPLE, name="Forged"))
    _, of_new = _previewed(browse(bob), reverse("catalog:server_import", args=["acme"]), SAMPLE)
    for preview in (of_other, of_alice, of_new, of_alice[:-1] + "x", json.dumps({"document": {}}), ""):
        response = browse(bob).post(url, {"preview": preview}, follow=True)
        assert "Nothing has been imported: choose the file again." in response.content.decode()
    weather_server.refresh_from_db()
    assert weather_server.name == SAMPLE.name


def test_the_same_again_has_nothing_to_import(browse: Browse, bob: User, weather_server: Server) -> None:
    response = browse(bob).post(_url("import", weather_server), {"text": samples.text()})
    assert "Nothing to import" in response.content.decode()


def test_a_new_server_is_made_of_a_file_with_its_slug_or_another(
    browse: Browse, bob: User, weather_server: Server
) -> None:
    url = reverse("catalog:server_import", args=["acme"])
    page, preview = _previewed(browse(bob), url, SAMPLE)
    assert "There is a server with the slug “weather” already" in page
    assert 'value="weather-2"' in page
    assert "Variable API_TOKEN: its value" in page
    taken = browse(bob).post(url, {"preview": preview, "slug": "weather"}).content.decode()
    assert "There is already a server with the slug" in taken
    browse(bob).post(url, {"preview": preview, "slug": "sky"})
    made = Server.objects.get(slug="sky")
    assert replace(snapshot(made), slug="weather") == SAMPLE


def test_names_in_a_document_are_shown_as_text(browse: Browse, bob: User, weather_server: Server) -> None:
    hostile = replace(SAMPLE, name="<script>alert(1)</script>")
    response = browse(bob).post(_url("import", weather_server), {"text": samples.text(hostile)})
    assert b"<script>alert" not in response.content
    unknown = samples.text().replace('"formatVersion"', '"<img src=x>": 1, "formatVersion"')
    response = browse(bob).post(_url("import", weather_server), {"text": unknown})
    assert b"<img src=x>" not in response.content.partition(b"<textarea")[0]


def test_who_may_not_edit_servers_gets_no_export(browse: Browse, carol: User, weather_server: Server) -> None:
    for name in ("export", "export_file", "import"):
        assert browse(carol).get(_url(name, weather_server)).status_code == 403
