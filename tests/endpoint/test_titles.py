"""A document is called the same wherever it is told of."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from catalog.models import Server
from catalog.versions import cut_version
from tests import factories
from tests.endpoint.asking import admitted, told
from tests.indexing.searched import put_file

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("path", "text", "title"),
    [
        ("guides/start.md", "# Turning the crank\n\nSlowly.\n", "Turning the crank"),
        ("guides/front.md", "---\ntitle: The crank\n---\n\nSlowly.\n", "The crank"),
        ("guides/start.rst", "The crank\n=========\n\nSlowly.\n", "The crank"),
        ("guides/none.md", "The crank turns slowly.\n", "none.md"),
        ("guides/crank.txt", "# crank is a comment\n", "crank.txt"),
    ],
)
def test_what_is_found_is_read_under_the_same_title(docs: Server, path: str, text: str, title: str) -> None:
    put_file(docs, path, text)
    version = cut_version(server=docs, by=None)
    for asked in (admitted(docs), admitted(docs, version=version)):
        hit = told(asked, "search", query="crank")["results"][0]
        assert (hit["title"], told(asked, "fetch", id=hit["id"])["title"]) == (title, title)


def test_a_file_has_its_own_name_until_it_is_in_the_index(docs: Server) -> None:
    factories.content(docs, "guides/start.md", "# Turning the crank\n")
    assert told(admitted(docs), "fetch", path="guides/start.md")["title"] == "start.md"


def test_the_title_of_another_server_s_index_is_not_told(docs: Server) -> None:
    other = factories.server(docs.organization, "Other")
    put_file(other, "a.md", "# Turning the crank\n")
    factories.content(docs, "a.md", "# Turning the crank\n")
    assert told(admitted(docs), "fetch", path="a.md")["title"] == "a.md"


def test_a_file_with_its_title_is_read_by_one_query(
    docs: Server, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    put_file(docs, "a.md", "# Turning the crank\n")
    asked = admitted(docs)
    with django_assert_num_queries(1):
        assert told(asked, "fetch", path="a.md")["title"] == "Turning the crank"
