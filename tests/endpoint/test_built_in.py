"""The tools that each server has: what they tell, how they are set up, and of which servers in a toolkit."""

from __future__ import annotations

import uuid

import pytest
from jsonschema import Draft202012Validator
from pytest_django import DjangoAssertNumQueries, Settings

from catalog.models import Content, Origin, Server, Toolkit
from catalog.versions import cut_version
from endpoint.serving import built_in, resources
from indexing.models import Source
from orgs.models import Organization, User
from tests import factories
from tests.endpoint.asking import admitted, called, offered, told, tool, trouble
from tests.endpoint.test_listing import all_pages
from tests.endpoint.test_reading import PROVENANCE
from tests.indexing.searched import put_file, put_page

pytestmark = pytest.mark.django_db


# -------------------------------------------------------------------------------------------------------------- search


def test_a_passage_is_found_cited_and_read_on(docs: Server) -> None:
    text = "# Install\n\nTurn the crank.\n"
    put_file(docs, "docs/install.md", text, origin=Origin.IMPORTED, provenance=PROVENANCE)
    asked = admitted(docs)
    found = told(asked, "search", query="How do I turn the crank?")
    assert (asked.trace.query, asked.trace.found) == ("How do I turn the crank?", 1)
    hit = found["results"][0]
    assert (hit["title"], hit["path"], hit["source"]) == ("Install", "docs/install.md", "This server's content")
    assert "Turn the crank." in hit["snippet"]
    assert hit["citation"].items() >= {"title": "Install", "path": "docs/install.md", "repository": "acme/docs"}.items()
    assert (hit["citation"]["commit"], hit["citation"]["start_line"]) == ("c0ffee", 1)
    assert hit["citation"]["url"].startswith(PROVENANCE["url"])
    assert told(asked, "fetch", id=hit["id"])["text"] == text
    assert resources.read_resource(asked, hit["id"])


def test_where_a_file_is_seen_depends_on_who_may_see_it(docs: Server) -> None:
    put_file(docs, "a b.md", "# Crank\n")
    asked = admitted(docs)
    here = "http://127.0.0.1:8000"
    assert told(asked, "search", query="crank")["results"][0]["url"] == (
        f"{here}/o/acme/servers/docs/content/at/?path=a+b.md"
    )
    version = cut_version(server=docs)
    assert told(admitted(docs, version=version), "fetch", path="a b.md")["url"] == (
        f"{here}/o/acme/servers/docs/versions/1/"
    )
    docs.visibility = Server.Visibility.PUBLIC
    docs.save()
    assert told(admitted(docs), "fetch", path="a b.md")["url"] == f"{here}/files/acme/docs/a%20b.md"
    assert told(admitted(docs, version=version, pinned=True), "fetch", path="a b.md")["url"].endswith(".md?version=1")


def test_a_version_is_searched_as_it_was_cut(docs: Server) -> None:
    put_file(docs, "old.md", "# Old\n\nThe crank.\n")
    version = cut_version(server=docs)
    Content.objects.all().delete()
    put_file(docs, "new.md", "# New\n\nThe crank.\n")
    assert [hit["path"] for hit in told(admitted(docs), "search", query="crank")["results"]] == ["new.md"]
    found = told(admitted(docs, version=version), "search", query="crank")
    assert ([hit["path"] for hit in found["results"]], found["version"]) == (["old.md"], 1)


def test_more_is_found_by_the_cursor(docs: Server) -> None:
    for number in range(7):
        put_file(docs, f"{number}.md", f"# File {number}\n\nThe crank of {'it ' * number}.\n")
    asked = admitted(docs)
    page = told(asked, "search", query="crank", limit=3)
    ids = [hit["id"] for hit in page["results"]]
    while "next_cursor" in page:
        page = told(asked, "search", query="crank", limit=3, cursor=page["next_cursor"])
        ids += [hit["id"] for hit in page["results"]]
    assert len(ids) == len(set(ids)) == 7
    cursor = told(asked, "search", query="crank", limit=3)["next_cursor"]
    assert "belongs to another search" in trouble(asked, "search", query="other", cursor=cursor)
    assert "no cursor" in trouble(asked, "search", query="crank", cursor="x")


def test_a_search_keeps_to_a_folder(docs: Server) -> None:
    put_file(docs, "a/x.md", "# A\n\nThe crank.\n")
    put_file(docs, "b/x.md", "# B\n\nThe crank.\n")
    found = told(admitted(docs), "search", query="crank", path="b/")
    assert [hit["path"] for hit in found["results"]] == ["b/x.md"]
    assert told(admitted(docs), "search", query="crank", path="c/")["notes"] == [
        "Nothing was found. Try fewer or other words. Leave the path out to search everything. "
        "list shows what files there are."
    ]


@pytest.mark.parametrize("odd", ["\x00", "\ud800", "AND OR NOT", '"', "*", "%", "a" * 200_000, "🙂", "' OR 1=1", "( "])
def test_any_query_is_taken(docs: Server, odd: str) -> None:
    put_file(docs, "a.md", "# A\n\nText.\n")
    asked = admitted(docs)
    assert told(asked, "search", query=odd)["results"] == []
    assert (asked.trace.query or "").isprintable()
    asked = admitted(docs)
    if "\x00" in odd or "\ud800" in odd:
        assert "Nothing can be below" in trouble(asked, "search", query="text", path=odd)
    else:
        assert told(asked, "search", query="text", path=odd)["results"] == []


def test_a_whole_number_may_be_written_with_a_point(docs: Server) -> None:
    for name in ("a.md", "b.md"):
        put_file(docs, name, "# Crank\n\nTurn the crank.\n")
    asked = admitted(docs)
    assert len(told(asked, "search", query="crank", limit=1.0)["results"]) == 1
    assert len(told(asked, "list", limit=1.0)["entries"]) == 1
    assert told(asked, "fetch", path="a.md", offset=2.0, max_tokens=50.0)["text"].startswith("Crank")
    assert told(asked, "fetch", path="a.md", start_line=3.0, end_line=3e0)["text"] == "Turn the crank.\n"


def test_a_mistyped_word_is_told(docs: Server) -> None:
    put_file(docs, "a.md", "# Configuration of the crankshaft\n\nIt turns.\n")
    found = told(admitted(docs), "search", query="crankshaftt")
    assert found["results"]
    assert found["notes"] == ["“crankshaftt” was not found; searched instead: crankshaft."]


def test_searching_and_reading_take_few_queries(
    docs: Server, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        put_file(docs, f"{number}.md", f"# File {number}\n\nThe crank.\n")
    asked = admitted(docs)
    told(asked, "search", query="crank")
    with django_assert_max_num_queries(6):
        told(asked, "search", query="crank")
    with django_assert_max_num_queries(1):
        called(asked, "fetch", path="1.md")


# --------------------------------------------------------------------------------------------------------------- setup


def test_the_tools_say_that_they_only_read(docs: Server) -> None:
    found = offered(admitted(docs))
    assert list(found) == ["search", "fetch", "list"]
    for each in found.values():
        Draft202012Validator.check_schema(each.tool.input_schema)
        Draft202012Validator.check_schema(each.tool.output_schema or {})
        assert each.tool.annotations is not None
        assert each.tool.annotations.read_only_hint
        assert "“Docs”" in (each.tool.description or "")
        assert not each.patient
    assert [each.tool for each in found.values()] == built_in.listed(admitted(docs))


def test_a_search_that_may_wait_for_others_says_so(docs: Server, settings: Settings) -> None:
    settings.SEARCH_ELSEWHERE_SECONDS = 1
    factories.source(docs, Source.Kind.MCP)
    assert [each.patient for each in offered(admitted(docs)).values()] == [True, False, False]


def test_tools_are_switched_off_renamed_and_described(docs: Server) -> None:
    text = "line\n" * 1_000
    put_file(docs, "a.md", text)
    chosen = {"search": {"enabled": False}, "fetch": {"name": "read_docs", "description": "Reads."}}
    asked = admitted(docs, built_in=chosen)
    assert built_in.names(asked) == ["read_docs", "list"]
    assert tool(asked, "read_docs").description == "Reads."
    assert "search" not in (tool(asked, "list").description or "").lower()
    assert "call read_docs with" in told(asked, "read_docs", path="a.md", max_tokens=50)["more"]
    assert trouble(asked, "read_docs", path="b.md").endswith("list tells what there is.")
    assert "fetch" not in built_in.names(asked)


@pytest.mark.parametrize(
    "odd",
    [
        {"search": {"name": "a b"}},
        {"search": {"name": ""}},
        {"search": {"name": 5}},
        {"search": {"name": "x" * 65}},
        {"search": {"name": "search\n"}},
        {"search": {"name": "same"}, "list": {"name": "same"}},
        {"search": []},
        {"search": None, "other": {}},
    ],
)
def test_names_that_no_client_takes_are_not_used(docs: Server, odd: dict[str, object]) -> None:
    assert built_in.names(admitted(docs, built_in=odd)) == ["search", "fetch", "list"]


# ------------------------------------------------------------------------------------------------------------ toolkits


def toolkit_of(organization: Organization, *servers: Server, **fields: object) -> Toolkit:
    tools = [factories.tool(factories.provider(server)) for server in servers]
    return factories.toolkit(organization, "Kit", *tools, **fields)  # type: ignore[arg-type]


@pytest.fixture
def guides(acme: Organization) -> Server:
    return factories.server(acme, "Guides", slug="guides")


def test_a_toolkit_has_them_only_where_it_is_set_up_so(acme: Organization, docs: Server) -> None:
    put_file(docs, "a.md", "# A\n")
    kit = toolkit_of(acme, docs)
    assert built_in.listed(admitted(kit)) == []
    assert resources.list_resources(admitted(kit), None).resources == []
    assert resources.list_templates(admitted(kit), None).resource_templates == []
    with pytest.raises(resources.ResourceNotFound):
        resources.read_resource(admitted(kit), "millrace://docs/a.md")
    assert len(built_in.listed(admitted(kit, search_contents=True))) == 3


def test_a_toolkit_searches_reads_and_lists_what_its_servers_serve(
    acme: Organization, docs: Server, guides: Server
) -> None:
    put_file(docs, "x/a.md", "# A\n\nThe crank.\n")
    put_file(docs, "draft.md", "# Draft\n\nThe crank.\n")
    put_file(guides, "x/a.md", "# B\n\nThe crank handle.\n")
    cut_version(server=docs, activate=True)
    put_file(docs, "later.md", "# Later\n\nThe crank.\n")
    Content.objects.filter(server=docs, path="draft.md").delete()
    asked = admitted(toolkit_of(acme, docs, guides), search_contents=True)
    paths = {hit["path"]: hit["id"] for hit in told(asked, "search", query="crank")["results"]}
    assert set(paths) == {"docs/x/a.md", "docs/draft.md", "guides/x/a.md"}
    for path, id_ in paths.items():
        by_id = told(asked, "fetch", id=id_)
        assert by_id == told(asked, "fetch", path=path)
        assert by_id["metadata"]["path"] == path
    assert all_pages(asked) == ["docs/", "guides/"]
    for limit in (1, 100):
        assert all_pages(asked, limit=limit, path="docs") == ["docs/draft.md", "docs/x/"]
        assert all_pages(asked, limit=limit, path="docs/x") == ["docs/x/a.md"]
        assert all_pages(asked, limit=limit, recursive=True) == ["docs/draft.md", "docs/x/a.md", "guides/x/a.md"]
        assert all_pages(asked, limit=limit, recursive=True, path="guides") == ["guides/x/a.md"]
        assert all_pages(asked, limit=limit, path="d") == ["docs/"]
    assert [hit["path"] for hit in told(asked, "search", query="crank", path="guides/x")["results"]] == [
        "guides/x/a.md"
    ]
    assert "There is none for “nothing/x”" in trouble(asked, "search", query="crank", path="nothing/x")
    uris = [each.uri for each in resources.list_resources(asked, None).resources]
    assert uris == ["millrace://docs/draft.md", "millrace://docs/x/a.md", "millrace://guides/x/a.md"]
    assert all(resources.read_resource(asked, uri).contents for uri in uris)
    assert [each.uri_template for each in resources.list_templates(asked, None).resource_templates] == [
        "millrace://docs/{+path}",
        "millrace://guides/{+path}",
    ]


def test_a_toolkit_s_pages_go_on_from_server_to_server(
    acme: Organization, docs: Server, guides: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = factories.server(acme, "Empty", slug="e")
    last = factories.server(acme, "Docs more", slug="docs-more")
    wanted = []
    for server in (docs, last, guides):
        for number in range(3):
            factories.content(server, f"{number}.md")
            wanted.append(f"{server.slug}/{number}.md")
    asked = admitted(toolkit_of(acme, docs, guides, empty, last), search_contents=True)
    monkeypatch.setattr(resources, "PAGE", 2)
    found = []
    cursor = None
    while True:
        page = resources.list_resources(asked, cursor)
        found += [each.name for each in page.resources]
        if (cursor := page.next_cursor) is None:
            break
    assert found == sorted(wanted)
    assert all_pages(asked, limit=2, recursive=True) == sorted(wanted)
    assert all_pages(asked, limit=1) == ["docs-more/", "docs/", "guides/"]


def test_what_a_toolkit_did_not_choose_from_stays_unseen(
    acme: Organization, docs: Server, guides: Server, alice: User, bob: User
) -> None:
    """Other servers of the organisation, personal ones of other people, and those of other organisations."""
    personal = factories.server(acme, "Mine", slug="mine", owner=alice)
    foreign = factories.server(factories.organization("Other", slug="other"), "Foreign", slug="foreign")
    for server in (docs, guides, personal, foreign):
        put_file(server, "a.md", f"# {server.slug}\n\nThe crank.\n")
    site = factories.source(guides, name="Vault", url="https://vault.example.com/")
    put_page(site, "https://vault.example.com/a", "# Vault\n\nThe crank.\n")
    kit = toolkit_of(acme, docs, personal, foreign)
    of_bob = factories.toolkit(acme, "Bob's", *[item.tool for item in kit.items.all() if item.tool], owner=bob)
    for asked in (admitted(kit, search_contents=True), admitted(of_bob, search_contents=True)):
        assert {hit["path"] for hit in told(asked, "search", query="crank")["results"]} == {"docs/a.md"}
        assert all_pages(asked, recursive=True) == ["docs/a.md"]
        for forged in (
            "guides/a.md",
            "mine/a.md",
            "foreign/a.md",
            "a.md",
            "docs/../guides/a.md",
            "millrace://guides/a.md",
            "millrace://mine/a.md",
            "millrace://foreign/a.md",
            f"page:{site.pk}:https://vault.example.com/a",
            f"live:{site.pk}:https://vault.example.com/a",
            f"page:{uuid.uuid4()}:https://vault.example.com/a",
        ):
            assert trouble(asked, "fetch", id=forged).startswith("There is nothing at")
    of_alice = factories.toolkit(acme, "Alice's", *[item.tool for item in kit.items.all() if item.tool], owner=alice)
    assert all_pages(admitted(of_alice, search_contents=True), recursive=True) == ["docs/a.md", "mine/a.md"]
