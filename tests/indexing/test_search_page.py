"""The Search page of a server, and the queries that found nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalog.models import Server
from catalog.versions import cut_version
from indexing.models import EmptyQuery, Source
from orgs.models import User
from tests import factories
from tests.conftest import Browse
from tests.indexing.pages import HTMX
from tests.indexing.searched import put_file, put_page

SEARCH = "/o/acme/servers/docs/search/"


@pytest.fixture
def handbook(docs: Server) -> Source:
    source = factories.source(docs, name="Handbook", url="https://docs.example.com/")
    put_page(source, "https://docs.example.com/install/", "# Install\n\nCall `run_migrations` <b>once</b>.\n")
    return source


def found(client: Client, **query: str) -> str:
    response = client.get(SEARCH, query)
    assert response.status_code == (400 if "cursor" in query else 200)
    return response.content.decode()


def test_a_hit_is_marked_explained_and_leads_to_its_page(handbook: Source, carol: User, browse: Browse) -> None:
    shown = found(browse(carol), q="how to run migrations")
    assert 'href="https://docs.example.com/install/' in shown
    assert "<mark>run_migrations</mark>" in shown
    assert "&lt;b&gt;once&lt;/b&gt;" in shown
    assert "Why it is here" in shown
    assert '<dt class="mono">migrations</dt>' in shown
    assert 'value="how to run migrations"' in shown


def test_a_file_of_the_server_leads_to_its_content(docs: Server, carol: User, browse: Browse) -> None:
    put_file(docs, "guides/a b.md", "# Wind\n\nAbout turbines.\n")
    shown = found(browse(carol), q="turbines")
    assert 'href="/o/acme/servers/docs/content/at/?path=guides%2Fa+b.md"' in shown


def test_what_a_version_served_is_found_in_it_alone(docs: Server, alice: User, browse: Browse) -> None:
    content = put_file(docs, "a.md", "# Wind\n\nAbout turbines.\n")
    cut_version(server=docs, by=alice)
    content.delete()
    client = browse(alice)
    assert "Nothing was found" in found(client, q="turbines", version="live")
    assert "a.md" in found(client, q="turbines", version="1")
    assert "Select a valid choice" in found(client, q="turbines", version="7")


def test_results_are_confined_to_a_source_a_kind_and_a_path(
    docs: Server, handbook: Source, carol: User, browse: Browse
) -> None:
    put_file(docs, "guides/run.md", "# Running\n\nHow migrations run.\n")
    client = browse(carol)
    assert {"Handbook", "guides/run.md"} <= set(_words(found(client, q="migrations")))
    for name, value in (("source", str(handbook.pk)), ("kind", "site"), ("path", "https://docs.example.com/")):
        shown = found(client, **{"q": "migrations", name: value})
        assert "docs.example.com/install/" in shown
        assert "guides/run.md" not in shown


def _words(page: str) -> list[str]:
    return page.replace("<", " ").replace(">", " ").split()


def test_sources_of_other_servers_cannot_be_named(docs: Server, carol: User, browse: Browse) -> None:
    other = factories.source(factories.server(docs.organization))
    assert "Select a valid choice" in found(browse(carol), q="anything", source=str(other.pk))


def test_more_results_follow_with_a_script_and_without(
    docs: Server, handbook: Source, carol: User, browse: Browse
) -> None:
    for number in range(25):
        put_page(
            handbook, f"https://docs.example.com/wind/{number}/", f"# Wind {number}\n\nA turbine, number {number}.\n"
        )
    client, address, seen = browse(carol), f"{SEARCH}?q=turbine", []
    while address:
        page = client.get(address)
        seen += [hit.url for hit, *_ in page.context["hits"]]
        address = page.context["more"] and f"{SEARCH}{page.context['more']}"
        if address:
            part = client.get(address, headers=HTMX).content.decode()
            assert part.lstrip().startswith("<div")
    assert len(seen) == len(set(seen)) == 25


def test_a_cursor_that_is_none_is_told(handbook: Source, carol: User, browse: Browse) -> None:
    assert "This page of results is no more" in found(browse(carol), q="migrations", cursor="nonsense")


@pytest.mark.parametrize(
    "query", ['"', "' OR 1=1 --", "a\0b", "\ud83d\ude00 *", "NEAR(", "x" * 10_000, "%", "<script>"]
)
def test_any_query_is_answered(handbook: Source, carol: User, browse: Browse, query: str) -> None:
    shown = found(browse(carol), q=query.encode("utf-16", "surrogatepass").decode("utf-16"))
    assert "<script>alert" not in shown
    assert "Nothing was found" in shown or "result" in shown or "Try what agents" in shown


def test_what_found_nothing_is_listed_and_can_be_tried_again(handbook: Source, carol: User, browse: Browse) -> None:
    client = browse(carol)
    for _ in range(2):
        assert "Nothing was found" in found(client, q="Zeppelin & Co")
    assert EmptyQuery.objects.get().times == 2
    listed = client.get(f"{SEARCH}misses/").content.decode()
    assert "zeppelin &amp; co" in listed
    assert "?q=zeppelin%20%26%20co" in listed


def test_a_server_with_nothing_says_so(docs: Server, carol: User, browse: Browse) -> None:
    assert "Nothing to search yet" in found(browse(carol))


def test_misses_of_other_servers_are_not_listed(docs: Server, carol: User, browse: Browse) -> None:
    factory: dict[str, Any] = {"server": factories.server(docs.organization), "query": "theirs"}
    EmptyQuery.objects.create(**factory)
    assert "theirs" not in browse(carol).get(f"{SEARCH}misses/").content.decode()
