"""What a server tells that has no content yet."""

from __future__ import annotations

import pytest

from catalog.models import Server
from indexing.models import Source
from tests import factories
from tests.endpoint.asking import admitted, told

pytestmark = pytest.mark.django_db


def test_a_search_of_what_has_nothing_yet_says_so_and_what_to_do(docs: Server) -> None:
    def notes(server: Server) -> str:
        return " ".join(told(admitted(server), "search", query="crank").get("notes", []))

    assert "nothing to search here yet" in notes(docs)
    assert "add a web site as a source" in notes(docs)
    source = Source.objects.create(server=docs, kind=Source.Kind.SITE, name="Site", url="https://docs.example/")
    assert "Try fewer or other words" in notes(docs), "other words may find something once it is indexed"
    source.delete()
    factories.content(docs, "a.md", "# Wheels\n")
    assert "Try fewer or other words" in notes(docs)
