"""A search is answered also by other MCP servers, and from pages of what is not in the index yet."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from catalog.models import Server
from indexing.live import sites
from indexing.models import Source
from indexing.reasons import Reason
from indexing.search import elsewhere
from indexing.search.model import Filters, Hit, Results
from indexing.search.searching import search
from orgs.models import Organization, User
from tests import factories
from tests.conftest import Browse
from tests.indexing.mcp_sources import URL, Add, answer, asked, handbook, mcp_server
from tests.indexing.repository_sources import Add as AddRepository
from tests.indexing.repository_sources import add
from tests.indexing.searched import put_file
from tests.mcp_server import McpServer, Tool
from tests.site import Site, html_page
from tests.site.pages import Page
from tests.wire.faults import slow
from tests.wire.forge import Forge

__all__ = ["add", "asked", "mcp_server"]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def patient(settings: Settings) -> Iterator[None]:
    """Nothing here waits for its end but where a test says so."""
    cache.clear()
    settings.SEARCH_ELSEWHERE_SECONDS = 20.0
    yield
    cache.clear()


@pytest.fixture
def manual(site: Site, docs: Server) -> Source:
    """A site of some pages that was added just now."""
    site.add("/", page("Manual", "Welcome to the manual of the mill."))
    site.add("/guide/waterwheel", page("Waterwheel", "The waterwheel drives the millstone."))
    site.add("/guide/sails", page("Sails", "Sails catch the wind."))
    for number in range(30):
        site.add(f"/notes/{number}", page(f"Note {number}", "Nothing of any use."))
    site.sitemap = True
    return factories.source(docs, url=f"{site.url}/", name="Manual")


def page(title: str, text: str, head: str = "") -> str:
    return html_page(title, f"<h1>{title}</h1><p>{text}</p>", head=head)


def live(results: Results) -> list[Hit]:
    return [hit for hit in results.hits if hit.live]


def federated(results: Results) -> list[Hit]:
    return [hit for hit in results.hits if hit.federated]


# -- MCP servers -------------------------------------------------------------------------------------------------------


def test_an_mcp_servers_answer_stands_among_what_the_index_has(docs: Server, asked: Add) -> None:
    asked()
    for number in range(3):
        put_file(docs, f"cats{number}.md", f"# Cats {number}\n\nCats of kind {number}.\n")
    results = search(docs, None, "cats")
    assert [hit.federated for hit in results.hits] == [False, True, False, False]
    assert results.hits[1].url == URL
    assert results.notes == ()


def test_it_alone_may_answer_and_is_no_miss(docs: Server, asked: Add) -> None:
    asked()
    results = search(docs, None, "unheard")
    assert [hit.title for hit in results.hits] == ["Cats"]
    assert not docs.empty_queries.exists()


def test_the_same_question_is_not_asked_twice(docs: Server, asked: Add, mcp_server: McpServer) -> None:
    asked()
    search(docs, None, "cats")
    mcp_server.reset()
    assert federated(search(docs, None, "cats"))
    assert mcp_server.methods == []
    assert federated(search(docs, None, "dogs"))
    assert mcp_server.methods == ["tools/call"]


def test_what_is_edited_is_asked_anew(docs: Server, asked: Add, mcp_server: McpServer) -> None:
    source = asked()
    search(docs, None, "cats")
    source.name = "Another"
    source.save()
    (hit,) = federated(search(docs, None, "cats"))
    assert hit.source_name == "Another"


def test_answers_are_of_one_source_and_no_other(
    docs: Server, acme: Organization, asked: Add, mcp_server: McpServer
) -> None:
    beta = factories.organization("Beta", slug="beta")
    theirs = factories.server(beta, "Theirs", slug="theirs")
    mine, their = asked(token="mine"), asked(server=theirs, token="their")
    assert [hit.source_id for hit in search(docs, None, "cats").hits] == [mine.pk]
    assert [hit.source_id for hit in search(theirs, None, "cats").hits] == [their.pk]
    assert mcp_server.methods.count("tools/call") == 2
    assert {seen.headers.get("authorization") for seen in mcp_server.requests} == {"Bearer mine", "Bearer their"}


def test_a_slow_one_costs_its_deadline_and_is_told(
    docs: Server, asked: Add, mcp_server: McpServer, settings: Settings
) -> None:
    asked()
    put_file(docs, "cats.md", "# Cats\n")
    settings.SEARCH_ELSEWHERE_SECONDS = 0.2
    mcp_server.delay = 60
    results = search(docs, None, "cats")
    assert [hit.path for hit in results.hits] == ["cats.md"]
    (note,) = results.notes
    assert note.startswith("“Handbook” did not answer")


def test_one_that_fails_again_and_again_is_left_alone_for_a_while(
    docs: Server, asked: Add, mcp_server: McpServer
) -> None:
    source = asked()
    mcp_server.status = 500
    for number in range(elsewhere.FAILURES):
        assert "did not answer" in search(docs, None, f"cats {number}").notes[0]
    mcp_server.reset()
    assert "left alone" in search(docs, None, "cats").notes[0]
    assert mcp_server.methods == []
    mcp_server.status = 0
    source.save()
    assert federated(search(docs, None, "cats")), "who edits it may have mended it"


def test_errors_of_the_tool_are_of_the_query_alone(docs: Server, asked: Add, mcp_server: McpServer) -> None:
    asked()
    mcp_server.tools["search_handbook"] = Tool(lambda _: answer(None, "Too many cats", error=True))
    for number in range(elsewhere.FAILURES + 1):
        (note,) = search(docs, None, f"cats {number}").notes
        assert "error" in note
        assert "Too many cats" not in note


@pytest.mark.parametrize(
    "fields",
    [{"paused_at": timezone.now()}, {"error_code": Reason.AUTH_REQUIRED}, {"error_code": Reason.EMPTY}],
)
def test_paused_ones_and_those_that_want_a_token_are_not_asked(
    fields: dict[str, Any], docs: Server, asked: Add, mcp_server: McpServer
) -> None:
    asked(**fields)
    search(docs, None, "cats")
    assert mcp_server.requests == []


def test_filters_say_who_is_asked(docs: Server, asked: Add, mcp_server: McpServer, manual: Source) -> None:
    source = asked()

    def kinds(**filters: Any) -> set[str]:
        return {hit.kind for hit in search(docs, None, "cats manual", filters=Filters(**filters)).hits}

    assert kinds() == {"mcp", "site"}
    assert kinds(kinds=("site",)) == {"site"}
    assert kinds(kinds=("content",)) == set()
    assert kinds(sources=(source.pk,)) == {"mcp"}
    assert kinds(path="/") == {"site"}, "nobody knows where things are that another server finds"
    assert kinds(path="/guide/") == set()


def test_several_servers_are_asked_at_the_same_moment(docs: Server, asked: Add, settings: Settings) -> None:
    met = threading.Barrier(3)

    def together(arguments: dict[str, Any]) -> Any:
        met.wait(15)
        return handbook(arguments)

    with (
        McpServer({"search": Tool(together)}) as one,
        McpServer({"search": Tool(together)}) as two,
        McpServer({"search": Tool(together)}) as three,
    ):
        for number, server in enumerate((one, two, three)):
            asked(url=server.url, name=f"Server {number}")
        results = search(docs, None, "cats")
    assert [hit.source_name for hit in results.hits] == ["Server 0", "Server 1", "Server 2"]


def test_asking_costs_one_query_however_many_there_are(docs: Server, asked: Add) -> None:
    def queries() -> int:
        cache.clear()
        with CaptureQueriesContext(
            connection,
        ) as captured:
            elsewhere.ask([docs], "cats", limit=10, filters=Filters())
        return len(captured)

    asked()
    search(docs, None, "cats")
    first = queries()
    asked(name="Another", branch="x")
    assert (first, queries()) == (1, 1)


def test_of_many_some_are_asked_and_that_is_said(docs: Server, asked: Add, mcp_server: McpServer) -> None:
    for number in range(elsewhere.MOST + 2):
        asked(name=f"Source {number}", branch=str(number))
    results = search(docs, None, "cats")
    assert len(federated(results)) == elsewhere.MOST
    assert results.notes == (f"Of the sources that are asked as you search, {elsewhere.MOST} were asked.",)


def test_the_operator_can_have_nobody_asked(
    docs: Server, asked: Add, mcp_server: McpServer, settings: Settings
) -> None:
    asked()
    settings.SEARCH_ELSEWHERE_SECONDS = 0
    assert search(docs, None, "cats").hits == ()
    assert mcp_server.requests == []


# -- sites that are not indexed yet ------------------------------------------------------------------------------------


def test_a_site_answers_before_it_is_indexed(docs: Server, manual: Source, site: Site) -> None:
    results = search(docs, None, "what drives the waterwheel")
    (hit,) = live(results)
    assert (hit.title, hit.url, hit.kind) == ("Waterwheel", f"{site.url}/guide/waterwheel#waterwheel", "site")
    assert (hit.source_id, hit.source_name, hit.chunk_id) == (manual.pk, "Manual", None)
    assert "waterwheel" in {part.text.lower() for part in hit.snippet if part.marked}
    assert results.notes == ("“Manual” is still being indexed.",)
    assert not any(path.startswith("/notes") for path in site.counts), "only what the words of the query name"
    assert next(iter(site.requests)).path == "/robots.txt"


def test_what_was_fetched_is_not_fetched_again(docs: Server, manual: Source, site: Site) -> None:
    search(docs, None, "waterwheel")
    site.reset()
    assert live(search(docs, None, "waterwheel"))
    assert live(search(docs, None, "the waterwheel"))
    assert not site.counts
    assert [hit.title for hit in live(search(docs, None, "sails"))] == ["Sails"]
    assert set(site.counts) == {"/guide/sails"}


def test_one_that_is_indexed_or_paused_or_in_error_is_not_fetched(docs: Server, manual: Source, site: Site) -> None:
    for fields in (
        {"indexed_at": timezone.now()},
        {"indexed_at": None, "paused_at": timezone.now()},
        {"paused_at": None, "error_code": Reason.ROBOTS_REFUSED},
    ):
        Source.objects.filter(pk=manual.pk).update(**fields)
        assert search(docs, None, "waterwheel").notes == ()
    assert not site.counts


def test_its_own_list_for_readers_is_searched_too(docs: Server, site: Site) -> None:
    site.add("/", page("Home", "Welcome."))
    site.add("/llms.txt", Page("# Mill\n\n- [Grinding](/a/7.md): how flour is made\n", "text/plain"))
    site.add("/a/7.md", Page("# Grinding\n\nFlour comes from grain.\n", "text/markdown"))
    factories.source(docs, url=f"{site.url}/", name="Mill")
    titles = {hit.title for hit in live(search(docs, None, "flour"))}
    assert titles == {"Mill", "Grinding"}


@pytest.mark.parametrize("robots", ["User-agent: *\nDisallow: /\n", "User-agent: *\nDisallow: /guide/\n"])
def test_robots_are_obeyed(robots: str, docs: Server, manual: Source, site: Site) -> None:
    site.robots = robots
    assert live(search(docs, None, "waterwheel")) == []
    assert "/guide/waterwheel" not in site.counts


def test_a_site_that_wants_to_be_asked_slowly_is_left_in_peace(
    docs: Server, manual: Source, site: Site, settings: Settings
) -> None:
    settings.SEARCH_ELSEWHERE_SECONDS = 0.5
    site.robots = "User-agent: *\nCrawl-delay: 9\n"
    assert live(search(docs, None, "waterwheel")) == []
    assert site.counts["/robots.txt"] == 1
    assert site.counts.total() <= 2  # one request more, and then a pause that is longer than anybody waits
    free = threading.Barrier(8)
    for task in [sites.FETCHERS.submit(free.wait, 4) for _ in range(8)]:
        task.result()


def test_robots_are_obeyed_behind_a_redirect_too(docs: Server, manual: Source, site: Site) -> None:
    site.robots = "User-agent: *\nDisallow: /private/\n"
    site.redirect("/guide/waterwheel", "/private/waterwheel")
    site.add("/private/waterwheel", page("Private", "The private waterwheel."))
    site.add("/sitemap.xml", Page(f"<urlset><url><loc>{site.url}/guide/waterwheel</loc></url></urlset>", "text/xml"))
    assert live(search(docs, None, "waterwheel")) == []
    assert site.counts["/guide/waterwheel"] == 1
    assert "/private/waterwheel" not in site.counts


def test_what_the_patterns_leave_out_or_is_not_to_be_indexed_is_not_shown(docs: Server, site: Site) -> None:
    site.add("/", page("Home", "The start."))
    site.add("/kept/mill", page("Kept", "About the mill."))
    site.add("/left/mill", page("Left", "About the mill."))
    site.add("/kept/mill-secret", page("Secret", "About the mill.", head='<meta name="robots" content="noindex">'))
    site.redirect("/kept/mill-moved", "/left/mill")
    site.sitemap = True
    factories.source(docs, url=f"{site.url}/", exclude="left/")
    assert [hit.title for hit in live(search(docs, None, "mill"))] == ["Kept"]
    assert "/left/mill" not in site.counts


def test_redirects_inward_are_not_followed(docs: Server, site: Site) -> None:
    site.add("/", page("Home", "The mill."))
    site.redirect("/mill", f"{site.elsewhere()}/secret-mill")
    site.add("/secret-mill", page("Secret", "The secret mill."))
    site.add("/sitemap.xml", Page(f"<urlset><url><loc>{site.url}/mill</loc></url></urlset>", "application/xml"))
    factories.source(docs, url=f"{site.url}/")
    assert [hit.title for hit in live(search(docs, None, "mill"))] == ["Home"]
    assert "/secret-mill" not in site.counts


def test_a_slow_page_costs_no_more_than_the_deadline(
    docs: Server, manual: Source, site: Site, settings: Settings
) -> None:
    settings.SEARCH_ELSEWHERE_SECONDS = 0.5
    site.arm_on("*", slow(30))
    results = search(docs, None, "waterwheel")
    assert results.hits == ()
    assert results.notes[0] == "“Manual” is still being indexed."


def test_a_site_that_is_down_or_hostile_says_nothing(docs: Server, site: Site) -> None:
    factories.source(docs, url="http://127.0.0.2:9/", name="Inward")
    factories.source(docs, url="http://127.0.0.1:9/", name="Dead")
    site.add("/", Page("<html>" + "<div>" * 50_000 + "waterwheel", "text/html"))
    site.add("/llms.txt", Page("[waterwheel](" * 50_000, "text/plain"))
    site.add("/sitemap.xml", Page("<urlset>" + "<url><loc>waterwheel" * 1000, "application/xml"))
    factories.source(docs, url=f"{site.url}/", name="Hostile")
    results = search(docs, None, "waterwheel")
    assert {hit.source_name for hit in results.hits} <= {"Hostile"}


def test_only_the_first_page_of_results_asks_anybody(docs: Server, manual: Source, site: Site) -> None:
    for number in range(5):
        put_file(docs, f"{number}.md", f"# Waterwheel {number}\n\nA waterwheel.\n")
    first = search(docs, None, "waterwheel", limit=2)
    site.reset()
    again = search(docs, None, "waterwheel", limit=2, cursor=first.cursor)
    assert not live(again)
    assert not site.counts
    assert search(docs, None, "waterwheel", elsewhere=False).notes == ()


# -- repositories ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_repositorys_readme_answers_before_it_is_indexed(add: AddRepository, forge: Forge, docs: Server) -> None:
    hosted = forge.repository("octo/secret", private=True)
    files = {f"chapters/{n:02}.md": f"# Chapter {n}\n\nNothing.\n" for n in range(12)}
    hosted.git.commit({**files, "README.md": "# Mill\n\nFlour.\n", "guide/flour.md": "# Sacks\n\nFlour in sacks.\n"})
    source = add(hosted, login="octo").source
    results = search(docs, None, "flour")
    assert {(hit.path, hit.live, hit.kind) for hit in results.hits} == {
        ("guide/flour.md", True, "repository"),
        ("README.md", True, "repository"),
    }
    hit = next(hit for hit in results.hits if hit.path == "README.md")
    assert hit.start_line == 1
    assert hit.commit in hit.url
    assert results.notes == (f"“{source.name}” is still being indexed.",)
    forge.requests.clear()
    assert live(search(docs, None, "mill"))
    assert not any("trees" in request.path for request in forge.requests), "what there is was kept"
    opened = [elsewhere._ASKERS.submit(lambda: connection.connection) for _ in range(32)]
    assert {task.result() for task in opened} == {None}, "the threads keep no connection to the database"


@pytest.mark.django_db(transaction=True)
def test_a_repository_that_cannot_be_read_says_nothing(add: AddRepository, forge: Forge, docs: Server) -> None:
    hosted = forge.repository("octo/secret", private=True)
    hosted.git.commit({"README.md": "# Mill\n"})
    add(hosted)
    assert search(docs, None, "mill").hits == ()


# -- pages -------------------------------------------------------------------------------------------------------------


def test_the_search_page_marks_what_is_live_and_what_others_answer(
    browse: Browse, carol: User, docs: Server, asked: Add, manual: Source
) -> None:
    asked()
    shown = browse(carol).get("/o/acme/servers/docs/search/", {"q": "waterwheel"}).content.decode()
    assert ">live</span>" in shown
    assert ">answered elsewhere</span>" in shown
    assert "“Manual” is still being indexed." in shown
    assert f'href="{URL}"' in shown
