"""What sites do to those who index them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from catalog.models import Server
from indexing.models import PageLinks, Text
from indexing.sites import indexing, writing
from indexing.sites.frontier import key_of
from jobs.context import RunContext
from jobs.execution import execute
from jobs.models import Run, Status
from orgs.models import Organization
from tests import factories
from tests.indexing.site_sources import Add, crawled, page
from tests.indexing.test_sites import book
from tests.jobs.conftest import on_disk, together
from tests.site import HTML, Page, Site, html_page, traps

__all__ = ["crawled", "on_disk", "together"]

pytestmark = pytest.mark.django_db
MB = 1 << 20


def test_what_no_database_keeps_is_left_out_of_titles_and_texts(site: Site, crawled: Add) -> None:
    site.add("/", page("Start", "/nul", "/half", "/long", "/tags"))
    site.add("/nul", html_page("A\0B", "<h1>A\0B</h1><p>Before\0after, and so on.</p><pre>a\0b</pre>"))
    site.add("/half", html_page("Half &#xD800; of one", "<h1>Half &#55296;</h1><p>Of a character &#xDFFF; it is.</p>"))
    site.add("/long", html_page("T" * 5000, f"<h1>{'L' * 5000}</h1><p>A title that does not end.</p>"))
    site.add("/tags", html_page("<script>alert(1)</script>", "<h1>Tags</h1><p>In the title.</p>"))
    indexed = crawled()
    run = indexed.index()
    assert (run.status, run.counts["indexed"]) == (Status.SUCCEEDED, 5), run.error_text
    assert indexed.index().counts["unchanged"] == 5
    assert "Before" in indexed.text("/nul")
    assert len(indexed.page("/long").title) == 300


def test_headers_that_are_longer_than_their_columns_are_not_sent_back(site: Site, crawled: Add) -> None:
    site.add(
        "/", Page(page("Start"), headers={"ETag": f'"{"e" * 4000}"', "X-Robots-Tag": "x" * 4000}, conditional=False)
    )
    indexed = crawled()
    assert indexed.index().status == Status.SUCCEEDED
    assert indexed.page("/").etag == ""


def test_addresses_are_taken_up_to_the_longest_that_is_kept(site: Site, crawled: Add) -> None:
    fits = "/" + "a" * (2047 - len(site.url))
    wide = "/" + "%E2%82%AC" * 200
    site.sitemap = True
    site.add("/", page("Start", wide, "/?q=" + "%20" * 600))
    site.add(fits, page("Long"))
    site.add(fits + "a", page("Longer"))
    site.add(wide, page("Wide"))
    indexed = crawled()
    run = indexed.index()
    assert run.status == Status.SUCCEEDED, run.error_text
    assert max(len(site.url + path) for path in indexed.paths) == 2048
    assert indexed.index().counts["unchanged"] == len(indexed.paths)


def test_ever_so_many_links_are_no_more_than_the_cap(site: Site, crawled: Add) -> None:
    links = "".join(f"<a href=/p{number}>x</a>" for number in range(15_000))
    prose = "<p>There are many of them, and this is what is told of them.</p>" * 20
    site.add("/", Page(f"<main><h1>Links</h1>{prose}</main><nav>{links}</nav>", HTML))
    indexed = crawled(max_pages=20)
    run = indexed.index()
    assert run.status == Status.SUCCEEDED, run.error_text
    assert indexed.paths == ["/"]
    assert len(site.requests) < 60
    assert len(PageLinks.objects.get(page=indexed.page("/")).targets) <= 60


def test_a_site_that_changes_while_it_is_crawled_is_told_as_it_was_seen(site: Site, crawled: Add) -> None:
    book(site, 20)
    indexed = crawled()
    site.routes["/c/7"] = lambda request: site.respond(request)
    there = site.pages.pop("/c/7")

    def changes(request: Any) -> Any:
        site.pages["/c/7"] = there
        site.change("/", page("Book", "/c/1", "/new"))
        site.add("/new", page("New"))
        site.remove("/c/1")
        return site.respond(request)

    site.routes["/c/7"] = changes
    assert indexed.index().status == Status.SUCCEEDED
    for _ in range(3):
        indexed.index()
    assert set(indexed.paths) == {"/", "/new"}


@pytest.mark.parametrize(
    "trap",
    [
        *(traps.calendar, traps.calendar_by_parameter, traps.parameters, traps.repeating, traps.sessions),
        *(traps.cookie_wall, traps.compressed, traps.charsets, traps.odd_types, traps.entity_bomb),
    ],
)
def test_no_trap_fails_a_run_or_fills_the_index(site: Site, crawled: Add, trap: traps.Trap) -> None:
    path = trap(site)
    site.add("/", page("Start", path))
    indexed = crawled()
    run = indexed.index()
    assert run.status in (Status.SUCCEEDED, Status.PARTIAL), run.error_text
    assert "/" in indexed.paths
    assert len(site.requests) < 250
    assert indexed.index().counts["removed"] == 0
    assert len(indexed.paths) < 200


def test_a_page_that_is_refused_is_one_page_and_not_the_run(site: Site, crawled: Add) -> None:
    inward = traps.private_redirect(site)
    site.add("/", page("Start", inward, traps.huge(site, size=8 * MB), traps.gzip_bomb(site, size=64 * MB)))
    indexed = crawled()
    assert indexed.index().status == Status.SUCCEEDED
    assert indexed.paths == ["/"]
    assert indexed.skips == {inward: "redirected_away", "/huge": "too_large", "/bomb": "too_large"}
    assert not site.counts["/secret"]


@pytest.mark.django_db(transaction=True)
def test_two_sources_of_one_server_share_texts_while_both_are_crawled(
    on_disk: None,
    site: Site,
    crawled: Add,
    docs: Server,
    together: Callable[..., list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writing, "BATCH", 3)
    for folder in ("one", "two"):
        site.add(f"/{folder}/", page(folder.title(), *(f"{number}" for number in range(25))))
        for number in range(25):
            site.add(f"/{folder}/{number}", page(f"Page {number}"))
    sources = [crawled(f"/{folder}/") for folder in ("one", "two")]
    asked = [each.ask() for each in sources]
    together(*(lambda run=run: execute(str(run.pk)) for run in asked))
    assert set(Run.objects.values_list("status", flat=True)) == {Status.SUCCEEDED}
    assert [len(each.paths) for each in sources] == [26, 26]
    assert Text.objects.filter(index__server=docs).count() == 27


def test_another_organisation_has_texts_of_its_own(site: Site, crawled: Add, docs: Server) -> None:
    site.add("/", page("Start"))
    other: Organization = factories.organization("Else")
    first, second = crawled(), crawled(server=factories.server(other, "Docs"))
    first.index()
    run = second.ask()
    Run.objects.filter(pk=run.pk).update(requested_by=None, unattended=True)
    execute(str(run.pk))
    assert Text.objects.count() == 2
    assert second.paths == ["/"]
    docs.delete()
    assert second.paths == ["/"]
    assert Text.objects.count() == 1


def test_progress_names_the_page_and_how_many_are_known(
    site: Site, crawled: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "_TELL_EVERY", 0.0)
    told: list[tuple[str, int, int | None]] = []
    progress = RunContext.progress

    def listen(context: RunContext, stage: str, done: int | None = None, total: int | None = None) -> None:
        progress(context, stage, done, total)
        told.append((context.run.stage, context.run.done, context.run.total))

    monkeypatch.setattr(RunContext, "progress", listen)
    book(site)
    crawled().index()
    pages = [each for each in told if each[0].startswith(site.url)]
    assert pages[0] == (f"{site.url}/", 0, 1)
    assert pages[-1][1:] == (12, 13)
    assert len({stage for stage, _, _ in pages}) == 13


def test_keys_tell_apart_what_a_database_might_not(site: Site) -> None:
    assert (
        len({key_of(url) for url in ("http://a/B", "http://a/b", "http://a/b ", "http://a/é", "http://a/e\u0301")}) == 5
    )
