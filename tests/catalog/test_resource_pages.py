"""Pages of resources: one, its form, deleting."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.models import Resource, Server
from orgs.models import Organization, User
from tests import factories
from tests.catalog.pages import page, words
from tests.conftest import Browse

DOCS = "/o/acme/servers/docs"
FORM = {
    "name": "Start",
    "uri": "docs://start",
    "description": "",
    "mime_type": "text/markdown",
    "source": "text",
    "text": "# Hello\r\n",
    "upstream_path": "",
}


def at(row: Resource, name: str = "") -> str:
    return f"{DOCS}/resources/{row.pk}/{name}"


def test_a_resource_is_made_and_shown(browse: Browse, bob: User, docs: Server) -> None:
    provider = factories.provider(docs)
    shown = words(browse(bob).post(f"{DOCS}/providers/{provider.pk}/resources/new/", FORM, follow=True))
    row = Resource.objects.get()
    assert (row.provider, row.server, row.text) == (provider, docs, "# Hello\n")
    assert "Agents read it as docs://start" in shown
    assert "# Hello" in shown


def test_one_that_is_upstream_shows_what_is_asked(browse: Browse, bob: User, docs: Server) -> None:
    provider = factories.provider(docs, base_url="https://api.example.com/v1")
    upstream = {**FORM, "source": "upstream", "upstream_path": "/reports", "text": "left over"}
    shown = words(browse(bob).post(f"{DOCS}/providers/{provider.pk}/resources/new/", upstream, follow=True))
    assert "GET https://api.example.com/v1/reports" in shown
    assert Resource.objects.get().text == ""


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"uri": "start"}, "begins with a scheme"),
        ({"uri": ""}, "This field is required"),
        ({"source": "upstream"}, "Enter the path to ask for"),
        ({"source": "upstream", "upstream_path": "x"}, "begins with a slash"),
        ({"mime_type": "markdown"}, "slash between"),
    ],
)
def test_a_form_with_errors_keeps_what_was_typed(
    browse: Browse, bob: User, docs: Server, values: dict[str, Any], expected: str
) -> None:
    provider = factories.provider(docs)
    response = browse(bob).post(f"{DOCS}/providers/{provider.pk}/resources/new/", {**FORM, **values})
    assert expected in words(response)
    assert 'value="Start"' in words(response)
    assert not Resource.objects.exists()


def test_text_of_others_is_shown_and_never_run(browse: Browse, carol: User, docs: Server) -> None:
    row = factories.resource(factories.provider(docs), text="<script>alert(1)</script>", uri="javascript:alert(1)")
    shown = page(browse(carol), at(row))
    assert "<script>alert" not in shown
    assert 'href="javascript' not in shown
    raw = browse(carol).get(at(row, "raw/"))
    assert raw["Content-Type"] == "text/plain; charset=utf-8"
    assert raw["X-Content-Type-Options"] == "nosniff"
    assert raw["Content-Disposition"].startswith("attachment")
    assert raw.content.decode() == row.text


def test_a_long_text_is_cut_on_its_page_and_whole_in_the_file(browse: Browse, carol: User, docs: Server) -> None:
    row = factories.resource(factories.provider(docs), text="x" * 300_000)
    shown = page(browse(carol), at(row))
    assert "Only the beginning is shown" in shown
    assert len(shown) < 250_000
    assert len(browse(carol).get(at(row, "raw/")).content) == 300_000


def test_of_two_edits_the_second_sees_both_and_loses_neither(
    browse: Browse, alice: User, bob: User, docs: Server
) -> None:
    row = factories.resource(factories.provider(docs), "Start", uri="docs://start")
    seen = {**FORM, "seen_revision": 1}
    browse(alice).post(at(row, "edit/"), {**seen, "text": "Words of Alice"})
    response = browse(bob).post(at(row, "edit/"), {**seen, "text": "Words of Bob"})
    assert response.status_code == 409
    assert "Words of Alice" in words(response)
    assert "Words of Bob" in words(response)
    assert Resource.objects.get().text == "Words of Alice"
    browse(bob).post(at(row, "edit/"), {**seen, "text": "Words of Bob", "seen_revision": 2})
    assert Resource.objects.get().text == "Words of Bob"


def test_deleting_says_what_goes(browse: Browse, bob: User, docs: Server) -> None:
    row = factories.resource(factories.provider(docs), uri="docs://start")
    assert "Agents can no longer read docs://start. Its text is kept nowhere else." in page(
        browse(bob), at(row, "delete/")
    )
    browse(bob).post(at(row, "delete/"))
    assert not Resource.objects.exists()


def test_a_viewer_reads_and_changes_nothing(browse: Browse, carol: User, docs: Server) -> None:
    row = factories.resource(factories.provider(docs))
    assert "servers.edit" in page(browse(carol), at(row))
    for address in (at(row, "edit/"), at(row, "delete/"), f"{DOCS}/providers/{row.provider_id}/resources/new/"):
        assert browse(carol).post(address, FORM).status_code == 403
    assert Resource.objects.get().text == "Hello\n"


def test_an_id_of_another_server_leads_nowhere(browse: Browse, bob: User, docs: Server, acme: Organization) -> None:
    row = factories.resource(factories.provider(factories.server(acme)))
    for name in ("", "raw/", "edit/", "delete/"):
        assert browse(bob).get(at(row, name)).status_code == 404
    assert browse(bob).post(at(row, "edit/"), {**FORM, "seen_revision": 1}).status_code == 404
    assert browse(bob).post(f"{DOCS}/providers/{row.provider_id}/resources/new/", FORM).status_code == 404
    assert Resource.objects.get().name == row.name
