"""Slow, huge and endless answers: a crawl goes on, within its time, its bytes and its memory."""

from __future__ import annotations

import tracemalloc

import pytest

from indexing.reasons import SkipReason
from tests.indexing.crawls import crawl
from tests.site import XML, Page, Site, html_page, traps


def linked(site: Site, *paths: str) -> None:
    site.add("/", html_page("Start", "".join(f'<a href="{path}">x</a>' for path in (*paths, "/last"))))
    site.add("/last", html_page("Last", "Last"))


@pytest.mark.parametrize("trap", [traps.slow_headers, traps.slow_body])
def test_an_answer_that_trickles_ends_at_its_time(site: Site, trap: traps.Trap) -> None:
    linked(site, path := trap(site))
    done = crawl(site, page_seconds=0.3)
    assert done.skipped == {path: SkipReason.NETWORK}
    assert "took too long" in done[path].detail
    assert site.counts[path] == 1
    assert done.read == ["/", "/last"]


@pytest.mark.parametrize("declared", [False, True])
def test_a_page_of_50_mb_is_left_without_reading_it_all(site: Site, declared: bool) -> None:
    linked(site, path := traps.huge(site, declared=declared))
    tracemalloc.start()
    done = crawl(site, page_bytes=200_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert done.skipped == {path: SkipReason.TOO_LARGE}
    assert done.read == ["/", "/last"]
    assert peak < 5 << 20


def test_a_gzip_bomb_is_not_unpacked(site: Site) -> None:
    linked(site, path := traps.gzip_bomb(site))
    tracemalloc.start()
    done = crawl(site)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert done.skipped == {path: SkipReason.TOO_LARGE}
    assert peak < 40 << 20


def test_a_bomb_as_sitemap_or_robots_does_no_harm(site: Site) -> None:
    linked(site)
    for path in ("/robots.txt", "/sitemap.xml", "/llms.txt"):
        traps.gzip_bomb(site, content_type="text/plain", path=path)
    packed = Page(site.pages["/sitemap.xml"].bytes, "application/gzip", conditional=False)
    assert crawl(site).read == ["/", "/last"]
    site.add("/sitemap.xml", packed)
    assert crawl(site).read == ["/", "/last"]


def test_entities_in_a_sitemap_are_not_followed(site: Site) -> None:
    linked(site)
    traps.entity_bomb(site)
    assert crawl(site).read == ["/", "/last"]
    site.add("/sitemap.xml", Page("<urlset>" * 100_000, XML))
    assert crawl(site).read == ["/", "/last"]


def test_compressed_pages_are_unpacked_and_a_lie_is_told(site: Site) -> None:
    done = crawl(site, traps.compressed(site))
    assert b"It came compressed." in done["/compressed/gzip"].body
    assert b"It came compressed." in done["/compressed/deflate"].body
    assert done.skipped == {"/compressed/broken": SkipReason.UNREADABLE}


@pytest.mark.parametrize(
    ("trap", "most", "said"),
    [
        (traps.calendar, 140, "A calendar at /calendar goes on without an end"),
        (traps.calendar_by_parameter, 70, "A calendar at /events goes on without an end"),
        (traps.parameters, 40, "The parameters of /list combine without an end"),
        (traps.repeating, 40, "Folders that repeat without an end, such as /deep/"),
    ],
)
def test_an_endless_trap_is_left_and_told(site: Site, trap: traps.Trap, most: int, said: str) -> None:
    site.add("/", html_page("Start", f'<a href="{trap(site)}">trap</a><a href="/last">last</a>'))
    site.add("/last", html_page("Last", "Last"))
    done = crawl(site)
    assert len(done.visits) <= most
    assert done.crawler.traps[0].startswith(said)
    assert len(done.crawler.traps) < 5
    assert "/last" in done.read
    assert not done.crawler.capped


def test_what_only_looks_like_a_trap_is_read_whole(site: Site) -> None:
    paths = [f"/page/{number}" for number in range(150)]
    paths += [f"/doc?id={number}" for number in range(150)]
    paths += [f"/blog/2026/{month:02}/{day:02}/post-{day}" for month in range(1, 7) for day in range(1, 26)]
    site.add("/", html_page("Start", "".join(f'<a href="{path}">x</a>' for path in paths)))
    for path in paths:
        site.add(path, html_page(path, path))
    done = crawl(site)
    assert len(done.read) == 1 + len(paths)
    assert not done.crawler.traps


def test_a_page_with_more_links_than_are_looked_at_holds_nothing_up(site: Site) -> None:
    site.add("/", html_page("Start", "".join(f'<a href="/p/{number}">x</a>' for number in range(12_000))))
    done = crawl(site, pages=20, page_bytes=50 << 20)
    assert len(done.visits) == 40  # none of them is there, so that as many again as the cap were tried
    assert done.crawler.capped
