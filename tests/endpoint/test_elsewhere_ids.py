"""What is found outside the index says so by its id, and reading it says how to go on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from pytest_django import Settings

from catalog.models import Server
from tests import factories
from tests.endpoint.asking import admitted, told, trouble
from tests.indexing.mcp_sources import URL, Add, asked, mcp_server
from tests.indexing.searched import put_file, put_page
from tests.site import Site, html_page

__all__ = ["asked", "mcp_server"]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def patient(settings: Settings) -> Iterator[None]:
    cache.clear()
    settings.SEARCH_ELSEWHERE_SECONDS = 20.0
    yield
    cache.clear()


def test_what_another_server_tells_is_read_at_its_address(docs: Server, asked: Add) -> None:
    source = asked()
    put_file(docs, "cats.md", "# Cats\n\nOur own.\n")
    request = admitted(docs)
    results = told(request, "search", query="cats")["results"]
    (hit,) = [each for each in results if each["source"] == "Handbook"]
    assert (hit["id"], hit["url"]) == (f"elsewhere:{source.pk}:{URL}", URL)
    assert hit["note"] == "Another MCP server told of it: its text is not kept here."
    assert trouble(request, "fetch", id=hit["id"]).endswith(f"its text is not kept here. Read it at {URL} itself.")


def test_a_page_of_what_is_not_indexed_yet_is_read_once_it_is(docs: Server, site: Site) -> None:
    site.add("/", html_page("Manual", "<h1>Manual</h1><p>Turn the crank of the mill.</p>"))
    source = factories.source(docs, url=f"{site.url}/", name="Manual")
    request = admitted(docs)
    found = told(request, "search", query="crank")
    assert found["notes"] == ["“Manual” is still being indexed."]
    (hit,) = found["results"]
    assert hit["id"] == f"live:{source.pk}:{site.url}/"
    assert hit["note"] == "It was fetched just now, as its source is still being indexed."
    assert f"Read it at {site.url}/ itself." in trouble(request, "fetch", id=hit["id"])
    put_page(source, f"{site.url}/", "# Manual\n\nTurn the crank.\n")
    assert told(request, "fetch", id=hit["id"])["text"] == "# Manual\n\nTurn the crank.\n"
