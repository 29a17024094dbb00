"""The crawler on the local site: each page once, what changed, what failed, and where it ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from forges.reading.filters import PathFilter
from indexing.crawling.frontier import MemoryFrontier
from indexing.crawling.model import Known, Visit
from indexing.reasons import SkipReason
from tests.indexing.crawls import crawl, crawler, links_of
from tests.site import Page, Site, html_page, sentence, traps
from tests.wire import faults


@pytest.fixture(scope="module")
def handbook() -> Iterator[Site]:
    """1,200 pages, of which no test changes any."""
    with Site(1200) as running:
        yield running


def pages(site: Site, count: int) -> list[str]:
    """`/` with links to so many pages `/p/<n>`; their paths."""
    paths = [f"/p/{number}" for number in range(count)]
    site.add("/", html_page("Start", "".join(f'<a href="{path}">x</a>' for path in paths)))
    for path in paths:
        site.add(path, html_page(path, f"<p>{path}</p>"))
    return paths


def test_each_of_1200_pages_is_asked_once_over_few_connections(handbook: Site) -> None:
    handbook.reset()
    done = crawl(handbook, pages=1200)
    assert len(done.read) == 1200
    assert not handbook.repeated()
    assert handbook.peak <= 4
    assert sentence(900).encode() in done["/page/900"].body
    assert not done.crawler.capped
    assert not done.crawler.exhausted
    assert done.crawler.requests == len(handbook.requests) == 1203  # robots.txt, llms.txt and a sitemap, all missing


def test_a_cap_is_kept_and_told(handbook: Site) -> None:
    done = crawl(handbook, pages=100)
    assert len(done.read) == 100
    assert done.crawler.capped
    assert len(done.crawler.beyond) == 100
    assert not {url for url, _ in done.crawler.beyond} & {visit.url for visit in done.visits}


def test_what_is_no_page_takes_no_place_under_the_cap(site: Site) -> None:
    paths = pages(site, 20)
    for path in paths[:8]:
        site.remove(path)
    done = crawl(site, pages=13)
    assert len(done.read) == 13
    assert not done.crawler.capped
    site.reset()
    for path in paths[8:]:
        site.remove(path)
    assert len(crawl(site, pages=5).visits) == 10  # as many again as the cap, and no more


def test_a_second_crawl_of_an_unchanged_site_brings_no_body(site: Site) -> None:
    pages(site, 30)
    first = crawl(site)
    site.reset()
    second = crawl(site, before=first)
    assert [visit.url for visit in second.visits if not visit.not_modified] == []
    assert len(second.visits) == 31
    assert site.statuses()[200] == 0
    assert not site.repeated()


def test_a_changed_page_is_read_again_and_the_others_are_not(site: Site) -> None:
    pages(site, 10)
    first = crawl(site)
    site.change("/p/7", html_page("Seven", "<p>Another text</p>"))
    second = crawl(site, before=first)
    assert second.read == ["/p/7"]
    assert second["/p/7"].etag != first["/p/7"].etag


@pytest.mark.parametrize("kept", ["etag", "last_modified"])
def test_one_of_etag_and_date_is_enough_to_ask_by(site: Site, kept: str) -> None:
    pages(site, 1)
    first = crawl(site)
    known = {url: Known(**{kept: getattr(each, kept)}) for url, each in first.known.items()}
    with crawler(site, frontier=MemoryFrontier(known)) as running:
        visits = list(running)
    assert visits[0].not_modified


def test_a_304_that_nobody_asked_for_is_an_error_of_the_site(site: Site) -> None:
    pages(site, 1)
    site.fail("/p/0", status=304)
    assert crawl(site).skipped == {"/p/0": SkipReason.SERVER_ERROR}


def test_statuses_say_why_a_page_is_left_out(site: Site) -> None:
    pages(site, 5)
    for path, status in {"/p/0": 401, "/p/1": 403, "/p/2": 410, "/p/3": 500, "/p/4": 204}.items():
        site.fail(path, status=status)
    done = crawl(site)
    assert done.skipped == {
        "/p/0": SkipReason.AUTH_REQUIRED,
        "/p/1": SkipReason.AUTH_REQUIRED,
        "/p/2": SkipReason.NOT_FOUND,
        "/p/3": SkipReason.SERVER_ERROR,
        "/p/4": SkipReason.EMPTY,
    }
    assert done["/p/3"].failed
    assert not done["/p/2"].failed
    assert done["/p/2"].detail == "The site answered with 410."


def test_a_burst_of_errors_passes(site: Site) -> None:
    pages(site, 20)
    site.fail("/p/*", status=502, times=2)  # any page is asked three times
    done = crawl(site)
    assert len(done.read) == 21


def test_a_broken_line_is_asked_once_more(site: Site) -> None:
    pages(site, 2)
    site.arm_on("/p/0", faults.cut_before_reply(), times=1)
    site.arm_on("/p/1", faults.cut_body(after=20), times=9)
    done = crawl(site)
    assert done.read == ["/", "/p/0"]
    assert done.skipped == {"/p/1": SkipReason.NETWORK}
    assert "broke the connection" in done["/p/1"].detail
    assert site.counts["/p/1"] == 2


def test_depth_is_counted_in_links_and_lists_have_none(site: Site) -> None:
    site.sitemap = True
    for number in range(5):
        site.add(f"/{number or ''}", html_page(str(number), f'<a href="/{number + 1}">on</a>'))
    assert crawl(site, depth=2).read == ["/", "/1", "/2"]
    assert crawl(site, depth=0).read == ["/"]
    assert not site.counts["/sitemap.xml"]
    assert crawl(site).read == ["/", "/1", "/2", "/3", "/4"]


def test_only_the_folder_and_the_patterns_of_a_source_are_asked(site: Site) -> None:
    links = (
        "/docs/a",
        "/docs/b",
        "/docs/old/c",
        "/blog/d",
        "https://example.com/docs/e",
        "/docs/f.png",
        "mailto:a@b.c",
    )
    site.add("/docs/", html_page("Docs", "".join(f'<a href="{link}">x</a>' for link in links)))
    for path in ("/docs/a", "/docs/b", "/docs/old/c", "/blog/d", "/docs/f.png"):
        site.add(path, html_page(path, path))
    assert crawl(site, "/docs/").read == ["/docs/", "/docs/a", "/docs/b", "/docs/old/c"]
    narrowed = crawl(site, "/docs/", paths=PathFilter.parse("docs/*", "docs/b\ndocs/old/"))
    assert narrowed.read == ["/docs/", "/docs/a"]
    assert not site.counts["/blog/d"]
    assert not site.counts["/docs/f.png"]


def test_spellings_of_one_address_are_one_page(site: Site) -> None:
    done = crawl(site, traps.twins(site))
    assert done.read == ["/twins/", "/twins/one", "/twins/two?a=1&b=2"]
    assert not site.repeated()


def test_sessions_in_addresses_are_left_out(site: Site) -> None:
    done = crawl(site, traps.sessions(site))
    assert done.read == ["/shop/", "/shop/a", "/shop/b"]


def test_a_folder_that_is_there_by_its_index_alone_is_found(site: Site) -> None:
    site.add("/index.html", html_page("Start", '<a href="/guide/index.html">x</a>'))
    site.add("/guide/index.html", html_page("Guide", "Guide"))
    done = crawl(site)
    assert done.read == ["/", "/guide/"]
    assert done["/guide/"].final_url == f"{site.url}/guide/index.html"


def test_types_that_are_no_text_are_not_read(site: Site) -> None:
    site.add("/", html_page("Start", '<a href="/a">a</a><a href="/b.md">b</a><a href="/c.pdf">c</a><a href="/d">d</a>'))
    served = {"/a": "image/png", "/b.md": "application/octet-stream", "/c.pdf": "application/pdf", "/d": ""}
    for path, content_type in served.items():
        site.add(path, Page(b"\x89PNG" + b"x" * 100_000, content_type))
    done = crawl(site)
    assert done.read == ["/", "/b.md", "/c.pdf", "/d"]
    assert done.skipped == {"/a": SkipReason.NOT_TEXT}
    assert done["/a"].detail == "It is image/png."


def test_headers_about_indexing_come_with_the_page(site: Site) -> None:
    done = crawl(site, traps.noindex(site))
    assert done["/hidden/header"].headers == {"x-robots-tag": "noindex, nofollow"}
    assert "/hidden/unfollowed" not in done.read


def test_a_crawl_that_takes_too_long_ends_and_says_so(site: Site) -> None:
    pages(site, 50)
    site.arm_on("/p/*", faults.slow(0.1))
    done = crawl(site, seconds=0.5)
    assert done.crawler.exhausted == "Reading the site was ended after 0 minutes."
    assert 1 <= len(done.visits) < 40
    assert not done.skipped


def test_a_crawl_that_brings_too_much_ends_and_says_so(site: Site) -> None:
    pages(site, 60)
    done = crawl(site, max_bytes=3_000)
    assert done.crawler.exhausted == "Reading the site was ended after 0 MB."
    assert len(done.visits) < 40


def test_a_crawl_that_is_no_longer_wanted_stops_asking(site: Site) -> None:
    pages(site, 50)
    with crawler(site) as running:
        visits = iter(running)
        running.found(start := next(visits), links_of(start))
        next(visits)
    asked = len(site.requests)
    assert asked < 30


def test_while_nothing_comes_the_caller_is_asked_whether_to_go_on(site: Site) -> None:
    site.add("/", "x")
    site.arm_on("/", faults.slow(3))
    with crawler(site, on_wait=_interrupt) as running, pytest.raises(KeyboardInterrupt):
        list(running)


def _interrupt() -> None:
    raise KeyboardInterrupt


def test_a_resumed_crawl_visits_what_is_left_and_its_start(site: Site) -> None:
    pages(site, 40)
    frontier = MemoryFrontier()
    before: list[Visit] = []
    with crawler(site, frontier=frontier, concurrency=1) as running:
        for visit in running:
            before.append(visit)
            running.found(visit, links_of(visit))
            if len(before) == 10:
                break
    rest = _without(frontier, {visit.url for visit in before})
    with crawler(site, frontier=rest) as running:
        after = []
        for visit in running:
            after.append(visit)
            running.found(visit, links_of(visit))
    assert len({visit.url for visit in before + after}) == 41
    assert {visit.url for visit in before} & {visit.url for visit in after} == {f"{site.url}/"}


class _without(MemoryFrontier):  # noqa: N801 - reads as a word of its test
    """A frontier as a database has it after a crash: all that was reached, without what was visited."""

    def __init__(self, before: MemoryFrontier, visited: set[str]) -> None:
        super().__init__()
        self.add(list(before._depths), 1)
        self._waiting = type(self._waiting)(url for url in self._waiting if url not in visited)
