"""The Playground: what a client gets, tried in the page, and known in the log as the member's doing."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog.calls import calling
from catalog.models import Server
from catalog.versions import cut_version
from endpoint.models import RequestLog, Setup
from endpoint.recording import flush
from orgs.models import AuditEvent, User
from tests import factories
from tests.conftest import Browse


def url_of(server: Server, query: str = "") -> str:
    return reverse("endpoint:playground", args=[server.organization.slug, server.slug]) + query


@pytest.fixture
def guide(docs: Server) -> Server:
    factories.content(docs, "guide.md", "# Guide\n\nBring an umbrella.\n")
    return docs


def test_it_lists_what_clients_are_offered(browse: Browse, carol: User, guide: Server) -> None:
    factories.prompt(factories.provider(guide), "greet")
    page = browse(carol).get(url_of(guide)).content.decode()
    for value in ("tool:search", "tool:fetch", "tool:list", "prompt:greet", "resource:millrace://docs/guide.md"):
        assert f'value="{value}"' in page


def test_a_tool_is_called_and_its_reply_shown_as_json_and_as_a_model_reads_it(
    browse: Browse, carol: User, guide: Server
) -> None:
    response = browse(carol).post(url_of(guide, "?do=tool:fetch"), {"argument/path": "guide.md"})
    page = response.content.decode()
    assert "HTTP 200" in page
    assert "Bring an umbrella." in page
    assert "&quot;method&quot;: &quot;tools/call&quot;" in page
    assert response["Cache-Control"] == "no-store"


def test_the_member_is_in_the_request_log(browse: Browse, carol: User, guide: Server) -> None:
    browse(carol).post(url_of(guide, "?do=tool:fetch"), {"argument/path": "guide.md"})
    flush()
    (row,) = RequestLog.objects.filter(server=guide)
    assert (row.caller, row.method, row.subject) == (carol.email, "tools/call", "fetch")


def test_looking_at_the_page_asks_nothing(browse: Browse, carol: User, guide: Server) -> None:
    browse(carol).get(url_of(guide))
    flush()
    assert not RequestLog.objects.exists()


def test_what_is_wrong_with_a_call_is_told_as_the_client_would_be_told(
    browse: Browse, carol: User, guide: Server
) -> None:
    page = browse(carol).post(url_of(guide, "?do=tool:fetch"), {"argument/path": "none.md"}).content.decode()
    assert "The tool tells of an error" in page
    missing = browse(carol).post(url_of(guide, "?do=resource:millrace://docs/none.md")).content.decode()
    assert "Error -32" in missing


def test_a_resource_is_read_in_the_version_that_was_chosen(browse: Browse, alice: User, guide: Server) -> None:
    cut_version(server=guide, note="", by=alice, activate=True)
    guide.contents.update(blob=factories.blob("Sunny now.\n"))
    read = "?do=resource:millrace://docs/guide.md"
    assert "umbrella" in browse(alice).post(url_of(guide, read)).content.decode()
    assert "umbrella" in browse(alice).post(url_of(guide, f"{read}&version=1")).content.decode()
    assert "Sunny now." in browse(alice).post(url_of(guide, f"{read}&version=live")).content.decode()


def test_a_resource_that_is_not_in_the_list_is_read_by_its_uri(browse: Browse, carol: User, guide: Server) -> None:
    unlisted = {"argument/uri": "millrace://docs/guide.md"}
    page = browse(carol).post(url_of(guide, "?do=resource:millrace://docs/none.md"), unlisted).content.decode()
    assert "Bring an umbrella." in page


def test_a_tool_that_may_destroy_asks_before_it_is_called(browse: Browse, bob: User, docs: Server) -> None:
    provider = factories.provider(docs, base_url="http://127.0.0.1:9/")
    factories.tool(provider, "dropAll", method="DELETE", path="/all")
    asked = browse(bob).post(url_of(docs, "?do=tool:dropAll"))
    assert "Call dropAll?" in asked.content.decode()
    assert not AuditEvent.objects.filter(action="tool.played").exists()

    done = browse(bob).post(url_of(docs, "?do=tool:dropAll"), {"confirmed": "yes"})
    assert "Reply" in done.content.decode()
    assert AuditEvent.objects.get(action="tool.played").actor == bob


def test_a_tool_that_reads_does_not_ask(browse: Browse, bob: User, docs: Server) -> None:
    provider = factories.provider(docs, base_url="http://127.0.0.1:9/")
    factories.tool(provider, "look", read_only=True)
    page = browse(bob).post(url_of(docs, "?do=tool:look")).content.decode()
    assert "Call look?" not in page
    assert not AuditEvent.objects.filter(action="tool.played").exists()


def test_few_wait_at_once_so_that_everybody_else_sees_pages(
    browse: Browse, carol: User, guide: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "TURN_SECONDS", 0.01)
    for _ in range(calling.AT_ONCE):
        calling._TURNS.acquire()
    try:
        page = browse(carol).post(url_of(guide, "?do=tool:fetch"), {"argument/path": "guide.md"}).content.decode()
    finally:
        calling._TURNS.release(calling.AT_ONCE)
    assert "Nothing was sent" in page


def test_a_fragment_is_answered_to_htmx_and_a_page_to_everybody_else(
    browse: Browse, carol: User, guide: Server
) -> None:
    data: dict[str, Any] = {"argument/path": "guide.md"}
    client: Client = browse(carol)
    whole = client.post(url_of(guide, "?do=tool:fetch"), data).content.decode()
    part = client.post(url_of(guide, "?do=tool:fetch"), data, HTTP_HX_REQUEST="true").content.decode()
    assert "<html" in whole
    assert "<html" not in part
    assert 'id="play"' in part


def test_it_takes_no_form_of_another_site(carol: User, guide: Server) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(carol)
    assert client.post(url_of(guide, "?do=tool:list")).status_code == 403


def test_where_nothing_is_offered_it_says_so_and_what_to_do(
    browse: Browse, bob: User, carol: User, docs: Server
) -> None:
    Setup.objects.create(server=docs, built_in={name: {"enabled": False} for name in ("search", "fetch", "list")})
    settings_button = '<a class="button button-primary" href="/o/acme/servers/docs/connect/settings/">Settings</a>'
    assert settings_button in browse(bob).get(url_of(docs)).content.decode()
    to_who_may_not = browse(carol).get(url_of(docs)).content.decode()
    assert "Nothing to try yet" in to_who_may_not
    assert settings_button not in to_who_may_not


def test_a_toolkit_with_nothing_in_it_leads_to_where_one_chooses(browse: Browse, bob: User, docs: Server) -> None:
    bare = factories.toolkit(docs.organization, "Bare")
    page = browse(bob).get(reverse("endpoint:toolkit_playground", args=["acme", bare.pk])).content.decode()
    assert "This toolkit offers nothing yet." in page
    assert f'href="/o/acme/toolkits/{bare.pk}/edit/"' in page


def test_once_the_month_is_used_up_members_go_on_and_are_told_that_clients_cannot(
    browse: Browse, carol: User, guide: Server
) -> None:
    Setup.objects.create(server=guide, monthly_quota=1)
    told = "Clients are refused until next month"
    url, data = url_of(guide, "?do=tool:fetch"), {"argument/path": "guide.md"}
    assert told not in browse(carol).get(url).content.decode()
    browse(carol).post(url, data)
    flush()
    page = browse(carol).post(url, data).content.decode()
    assert told in page
    assert "Bring an umbrella." in page
