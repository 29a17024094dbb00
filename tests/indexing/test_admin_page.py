"""Sources in the Django admin, for support staff."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Server
from indexing.models import Source
from tests import factories
from tests.indexing.pages import run_of
from tests.indexing.searched import put_page

TOKEN = "a very secret token"


@pytest.fixture
def source(docs: Server) -> Source:
    made = factories.source(
        docs,
        Source.Kind.MCP,
        name="Weather",
        token=TOKEN,
        error_code="unknown",
        error_text="Something went wrong.",
        error_reference="1a2b3c4d",
        paused_at=timezone.now(),
    )
    put_page(made, "https://weather.example.com/a/", "# Wind\n\nIt blows.\n")
    return made


@pytest.fixture
def support(source: Source) -> Client:
    client = Client()
    client.force_login(factories.user("support@millrace.example", is_staff=True, is_superuser=True))
    return client


@pytest.mark.parametrize("model", ["source", "page", "text"])
def test_every_model_is_listed_and_searched_and_none_can_be_changed(support: Client, model: str) -> None:
    for query in ("", "?q=wind"):
        assert support.get(f"/admin/indexing/{model}/{query}").status_code == 200
    assert support.get(f"/admin/indexing/{model}/add/").status_code == 403


def test_a_source_is_found_by_its_error_reference_and_status(support: Client, docs: Server, source: Source) -> None:
    running = factories.source(docs, name="Another")
    run_of(running)
    listing = "/admin/indexing/source/"
    for query, weather in (("?q=1a2b3c4d", True), ("?standing=error", True), ("?standing=indexing", False)):
        shown = support.get(f"{listing}{query}").content.decode()
        assert (">Weather<" in shown) is weather
        assert (">Another<" in shown) is not weather
    assert "Error, paused" in support.get(listing).content.decode()


def test_its_token_is_shown_by_the_id_of_its_key_alone(support: Client, source: Source) -> None:
    for address in ("/admin/indexing/source/", f"/admin/indexing/source/{source.pk}/change/"):
        assert TOKEN not in support.get(address).content.decode()
    assert "token, key test" in support.get(f"/admin/indexing/source/{source.pk}/change/").content.decode()


def test_what_is_indexed_of_a_page_can_be_read_and_not_changed(support: Client, source: Source) -> None:
    text = source.known_pages.get().text
    assert text is not None
    address = f"/admin/indexing/text/{text.pk}/change/"
    assert "It blows." in support.get(address).content.decode()
    assert support.post(address, {"title": "Mine"}).status_code == 403


def test_the_list_asks_as_many_queries_for_many_as_for_one(support: Client, docs: Server) -> None:
    address = "/admin/indexing/source/"
    support.get(address)
    with CaptureQueriesContext(connection) as few:
        support.get(address)
    for _ in range(20):
        factories.source(docs, connection=factories.connection(docs.organization))
    with CaptureQueriesContext(connection) as many:
        support.get(address)
    assert len(many) == len(few)
