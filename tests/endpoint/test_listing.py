"""Listing files, folders and resources, page by page, while they change; and completing paths."""

from __future__ import annotations

import random
from typing import Any

import mcp_types as types
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Content, Origin, Server
from catalog.versions import cut_version
from endpoint.admitted import Admitted
from endpoint.serving import completing, paging, resources
from endpoint.serving.uris import template_of
from orgs.models import Organization
from tests import factories
from tests.endpoint.asking import admitted, told, trouble
from tests.indexing.searched import put_file, put_page

pytestmark = pytest.mark.django_db

PATHS = [
    "README.md",
    "a-b.md",
    "a.md",
    "a/b.md",
    "a/b/c.md",
    "a/z.md",
    "a0.md",
    "ab/x.md",
    "docs/guides/start.md",
    "docs/guides/über.md",
    "docs/index.md",
    "docs-old/index.md",
    "文書/始め.md",
    "🙂.md",
]


@pytest.fixture
def filled(docs: Server) -> Server:
    for path in PATHS:
        if path != "a/b.md":  # a/b is a folder
            factories.content(docs, path, f"{path}\n")
    return docs


def all_pages(asked: Admitted, **arguments: Any) -> list[str]:
    """Of every page, in their order; folders end with a slash."""
    found: list[str] = []
    more: dict[str, str] = {}
    while True:
        page = told(asked, "list", **arguments, **more)
        found += [each["path"] + ("/" if each["type"] == "folder" else "") for each in page["entries"]]
        if "next_cursor" not in page:
            return found
        assert len(page["entries"]) == arguments.get("limit", 100)
        more = {"cursor": page["next_cursor"]}


def all_resources(asked: Admitted) -> list[types.Resource]:
    found: list[types.Resource] = []
    cursor = None
    while True:
        page = resources.list_resources(asked, cursor)
        found += page.resources
        cursor = page.next_cursor
        if cursor is None:
            return found


# ----------------------------------------------------------------------------------------------------------- folders


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_a_folder_s_files_and_folders_are_listed_page_by_page(filled: Server, limit: int) -> None:
    asked = admitted(filled)
    top = ["README.md", "a-b.md", "a.md", "a/", "a0.md", "ab/", "docs-old/", "docs/", "文書/", "🙂.md"]
    assert all_pages(asked, limit=limit) == top
    assert all_pages(asked, limit=limit, path="/docs/") == ["docs/guides/", "docs/index.md"]
    assert all_pages(asked, limit=limit, path="a") == ["a/b/", "a/z.md"]
    assert all_pages(asked, limit=limit, path="docs/guides") == ["docs/guides/start.md", "docs/guides/über.md"]


@pytest.mark.parametrize("limit", [1, 4, 100])
def test_all_files_below_are_listed_in_the_order_of_their_paths(filled: Server, limit: int) -> None:
    asked = admitted(filled)
    everything = sorted(set(PATHS) - {"a/b.md"})
    assert all_pages(asked, limit=limit, recursive=True) == everything
    below = [path for path in everything if path.startswith("docs/")]
    assert all_pages(asked, limit=limit, recursive=True, path="docs") == below


def test_what_is_no_folder_is_how_names_begin(filled: Server) -> None:
    asked = admitted(filled)
    assert all_pages(asked, path="docs/gui", limit=1) == ["docs/guides/"]
    assert all_pages(asked, path="docs/guides/st") == ["docs/guides/start.md"]
    assert all_pages(asked, path="R", limit=1) == ["README.md"]
    assert all_pages(asked, path="do", recursive=True, limit=1)[0] == "docs-old/index.md"
    assert trouble(asked, "list", path="nothing") == (
        "There is nothing below “nothing”. Leave the path out to see what there is at the top."
    )


def test_files_are_listed_with_their_sizes_and_read_by_their_paths(docs: Server) -> None:
    factories.content(docs, "ü.md", "ä\n")
    entry = told(admitted(docs), "list")["entries"][0]
    assert entry == {"path": "ü.md", "type": "file", "size": 3}
    assert told(admitted(docs), "fetch", path=entry["path"])["text"] == "ä\n"


def test_a_version_lists_what_it_holds(filled: Server) -> None:
    version = cut_version(server=filled)
    before = all_pages(admitted(filled))
    Content.objects.filter(path__startswith="docs").delete()
    assert all_pages(admitted(filled, version=version)) == before
    assert told(admitted(filled, version=version), "list")["version"] == 1
    assert all_pages(admitted(filled)) == [path for path in before if not path.startswith("docs")]


def test_a_server_without_files_says_what_it_has_instead(docs: Server) -> None:
    asked = admitted(docs)
    assert told(asked, "list") == {"entries": [], "notes": ["There are no files yet."]}
    factories.source(docs, name="Handbook")
    assert told(asked, "list")["notes"] == ["There are no files. search finds what is in these sources: Handbook."]


@pytest.mark.parametrize("seed", range(3))
def test_what_stays_is_listed_once_while_other_files_come_and_go(docs: Server, seed: int) -> None:
    rand = random.Random(seed)
    stays = {f"{folder}/{number:02}.md" for folder in ("a", "m", "z") for number in range(8)} | {"k.md", "y.md"}
    for path in stays:
        factories.content(docs, path)
    asked = admitted(docs)
    for recursive in (True, False):
        found: list[str] = []
        more: dict[str, str] = {}
        while True:
            page = told(asked, "list", limit=2, recursive=recursive, **more)
            found += [entry["path"] + ("/" if entry["type"] == "folder" else "") for entry in page["entries"]]
            if "next_cursor" not in page:
                break
            more = {"cursor": page["next_cursor"]}
            for path in rand.sample(["a/00b.md", "aa.md", "l/x.md", "m/0.md", "zz.md", "k/x.md"], 2):
                if not Content.objects.filter(server=docs, path=path).delete()[0]:
                    factories.content(docs, path)
        assert len(found) == len(set(found))
        assert found == sorted(found)
        wanted = stays if recursive else {"a/", "m/", "z/", "k.md", "y.md"}
        assert wanted <= set(found)


def test_ten_thousand_files_are_listed_by_few_steps(docs: Server) -> None:
    blob = factories.blob("x\n")
    Content.objects.bulk_create(
        Content(server=docs, path=f"d{number % 50:02}/e{number % 7}/{number}.md", blob=blob) for number in range(10_000)
    )
    asked = admitted(docs)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert len(all_pages(asked, limit=20)) == 50
    assert len(queries) <= 2 * 3
    with connection.cursor() as cursor:
        # The statement looks up a name of the index for each entry, and reads no file it does not give.
        plan = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
        cursor.execute(plan + queries[-1]["sql"])
        steps = str(cursor.fetchall())
    assert (
        "content_path_unique_on_server" in steps or "catalog_content_server_id_path" in steps or "server_id=?" in steps
    )
    assert "SCAN f" not in steps
    assert "Seq Scan on catalog_content" not in steps


@pytest.mark.parametrize("bad", ["x", "x" * 20_000, "\x00", "\ud800", "a:b:c", "0"])
def test_a_bad_cursor_is_refused(filled: Server, bad: str) -> None:
    asked = admitted(filled)
    assert "no cursor" in trouble(asked, "list", cursor=bad)
    for listing in (resources.list_resources, resources.list_templates):
        with pytest.raises(paging.BadCursor) as refused:
            listing(asked, bad)
        assert refused.value.code == types.INVALID_PARAMS


def test_a_cursor_is_good_for_its_list_alone(filled: Server, acme: Organization) -> None:
    cursor = told(admitted(filled), "list", limit=1)["next_cursor"]
    assert "another list" in trouble(admitted(filled), "list", limit=1, path="docs", cursor=cursor)
    assert "another list" in trouble(admitted(filled), "list", limit=1, recursive=True, cursor=cursor)
    other = factories.server(acme)
    factories.content(other, "x.md")
    assert "another list" in trouble(admitted(other), "list", limit=1, cursor=cursor)
    with pytest.raises(paging.BadCursor):
        resources.list_resources(admitted(filled), cursor)


@pytest.mark.parametrize("odd", ["..", "../..", "a/../docs", "\x00", "\ud800", "a\x00b", "%2e%2e", "//", "x" * 50_000])
def test_odd_folders_hold_nothing(filled: Server, odd: str) -> None:
    if odd.strip("/"):
        assert len(trouble(admitted(filled), "list", path=odd)) < 400
        assert len(trouble(admitted(filled), "list", path=odd, recursive=True)) < 400
    else:
        assert told(admitted(filled), "list", path=odd)["entries"]


# --------------------------------------------------------------------------------------------------------- resources


def test_each_file_is_a_resource_that_can_be_read(filled: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = admitted(filled)
    everything = resources.list_resources(asked, None)
    assert everything.next_cursor is None
    monkeypatch.setattr(resources, "PAGE", 3)
    paged = all_resources(asked)
    assert paged == everything.resources
    assert [each.name for each in paged] == sorted(set(PATHS) - {"a/b.md"})
    for each in paged:
        contents = resources.read_resource(asked, each.uri).contents[0]
        assert getattr(contents, "text", "") == f"{each.name}\n"
        assert each.size == len(f"{each.name}\n".encode())
    template = resources.list_templates(asked, None).resource_templates[0].uri_template
    assert template == "millrace://docs/{+path}"


def test_a_resource_says_where_it_comes_from(docs: Server) -> None:
    provenance = {"repository": "acme/docs", "commit": "c0ffee"}
    put_file(docs, "a.md", "# Install it\n", origin=Origin.IMPORTED, provenance=provenance)
    factories.content(docs, "b.md", "# B\n", provenance=provenance)  # detached
    first, second = resources.list_resources(admitted(docs), None).resources
    assert (first.title, first.description, first.mime_type) == (
        "Install it",
        "From acme/docs at c0ffee.",
        "text/markdown",
    )
    assert (second.title, second.description) == (None, None)
    assert first.annotations is not None
    assert first.annotations.last_modified


def test_resources_are_listed_by_a_constant_number_of_queries(docs: Server) -> None:
    for number in range(30):
        factories.content(docs, f"{number:02}.md")
    asked = admitted(docs)
    with CaptureQueriesContext(connection) as queries:
        resources.list_resources(asked, None)
    assert len(queries) <= 8


# -------------------------------------------------------------------------------------------------------- completing


def complete(asked: Admitted, value: str, *, uri: str = "", name: str = "path") -> types.Completion:
    ref = types.ResourceTemplateReference(uri=uri or template_of("docs"))
    return completing.complete(asked, ref, types.CompletionArgument(name=name, value=value)).completion


def test_a_path_is_completed(filled: Server) -> None:
    asked = admitted(filled)
    assert complete(asked, "docs/g").values == ["docs/guides/start.md", "docs/guides/über.md"]
    assert complete(asked, "文").values == ["文書/始め.md"]
    assert complete(asked, "x").values == []
    assert len(complete(asked, "").values) == len(PATHS) - 1


def test_of_many_files_folders_are_told_first(docs: Server) -> None:
    blob = factories.blob("x\n")
    Content.objects.bulk_create(
        Content(server=docs, path=f"{folder}/{number}.md", blob=blob) for folder in "ab" for number in range(130)
    )
    found = complete(admitted(docs), "")
    assert (found.values, found.has_more) == (["a/", "b/"], False)
    found = complete(admitted(docs), "a/")
    assert (len(found.values), found.has_more) == (100, True)


def test_what_is_completed_makes_a_uri_that_can_be_read(docs: Server) -> None:
    factories.content(docs, "100%41 sure?#x.md", "yes\n")
    asked = admitted(docs)
    value = complete(asked, "100%").values[0]
    assert complete(asked, value).values == [value]
    uri = template_of("docs").replace("{+path}", value)
    assert getattr(resources.read_resource(asked, uri).contents[0], "text", "") == "yes\n"


@pytest.mark.parametrize("value", ["\x00", "\ud800", "..", "x" * 10_000, "%", "_", "'"])
def test_odd_values_complete_nothing(filled: Server, acme: Organization, value: str) -> None:
    other = factories.server(acme, "Secret", slug="secret")
    factories.content(other, "secret.md")
    asked = admitted(filled)
    assert complete(asked, value).values == []
    assert complete(asked, "s", uri=template_of("secret")).values == []
    assert complete(asked, "R", name="other").values == []
    prompt = types.PromptReference(name="x")
    assert completing.complete(asked, prompt, types.CompletionArgument(name="path", value="R")).completion.values == []


def test_pages_of_indexed_sites_are_no_resources(docs: Server) -> None:
    put_page(factories.source(docs), "https://docs.example.com/a", "# A\n")
    assert resources.list_resources(admitted(docs), None).resources == []
