"""Folders out of paths."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Content, Server
from catalog.tree import Children, Folder, below, crumbs
from tests import factories

PATHS = ["README.md", "Zebra.md", "a/b/c.md", "a/b/d.md", "a/x.md", "a-b/y.md", "a.md", "a0/z.md", "é/f.md"]


@pytest.fixture
def files(docs: Server) -> Server:
    for path in PATHS:
        factories.content(docs, path)
    factories.content(factories.server(docs.organization), "a/elsewhere.md")
    return docs


def names(server: Server, folder: str, part: slice = slice(None)) -> list[str]:
    children = Children(Content.objects.filter(server=server), folder)
    return [f"{row.name}/ {row.files}" if isinstance(row, Folder) else row.path for row in children[part]]


def test_the_top_shows_its_folders_with_their_counts_and_then_its_files(files: Server) -> None:
    assert names(files, "") == ["a/ 3", "a-b/ 1", "a0/ 1", "é/ 1", "README.md", "Zebra.md", "a.md"]


def test_a_folder_shows_what_is_directly_in_it(files: Server) -> None:
    assert names(files, "a") == ["b/ 2", "a/x.md"]
    assert names(files, "a/b") == ["a/b/c.md", "a/b/d.md"]


@pytest.mark.parametrize("folder", ["A", "a/", "nowhere", "a/b/c.md", "%", "_", "'"])
def test_a_folder_that_is_not_there_is_empty(files: Server, folder: str) -> None:
    assert names(files, folder) == []


def test_a_page_can_begin_among_the_folders_and_end_among_the_files(files: Server) -> None:
    everything = names(files, "")
    for start in range(len(everything)):
        assert names(files, "", slice(start, start + 3)) == everything[start : start + 3]


def test_below_takes_neither_neighbours_nor_names_in_other_case(files: Server) -> None:
    found = below(Content.objects.filter(server=files), "a").values_list("path", flat=True)
    assert sorted(found) == ["a/b/c.md", "a/b/d.md", "a/x.md"]


def test_paths_sort_on_each_database_as_python_sorts_them(files: Server) -> None:
    paths = list(Content.objects.filter(server=files).order_by("path").values_list("path", flat=True))
    assert paths == sorted(PATHS)


def test_a_listing_loads_only_what_its_page_shows(docs: Server) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            children = Children(Content.objects.filter(server=docs), "")
            assert len(children[:10]) <= 10
            len(children)
        return len(queries)

    factories.content(docs, "a/one.md")
    factories.content(docs, "one.md")
    few = cost()
    for number in range(30):
        factories.content(docs, f"a{number}/one.md")
    assert cost() <= few


def test_the_way_to_a_file_is_its_folders_and_itself() -> None:
    assert [crumb.path for crumb in crumbs("a/b/c.md")] == ["a", "a/b", "a/b/c.md"]
    assert crumbs("") == []
