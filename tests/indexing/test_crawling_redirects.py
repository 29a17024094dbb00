"""Redirects: each hop is judged, none leads out of a site or to an inward address, and none makes a page twice."""

from __future__ import annotations

import pytest

from indexing.reasons import SkipReason
from lib.egress import Policy
from tests.indexing import crawls
from tests.indexing.crawls import crawl
from tests.site import Site, html_page, traps


def linked(site: Site, *paths: str) -> None:
    site.add("/", html_page("Start", "".join(f'<a href="{path}">x</a>' for path in paths)))


@pytest.mark.parametrize("hops", [0, 1, 3])
def test_a_page_that_redirects_to_a_private_address_is_left_at_that_hop(site: Site, hops: int) -> None:
    linked(site, traps.private_redirect(site, hops=hops))
    done = crawl(site)
    assert not site.counts["/secret"]
    assert done.skipped[f"/hop/{hops}/0"] == SkipReason.REDIRECTED_AWAY
    assert done.read == ["/"]


@pytest.mark.parametrize("hops", [0, 1, 3])
def test_a_start_that_redirects_to_a_private_address_is_left_at_that_hop(site: Site, hops: int) -> None:
    done = crawl(site, traps.private_redirect(site, hops=hops))
    assert not site.counts["/secret"]
    assert [visit.skip for visit in done.visits] == [SkipReason.REDIRECTED_AWAY]
    assert done.visits[0].leads_to == f"{site.elsewhere()}/secret"


@pytest.mark.parametrize("target", traps.PRIVATE)
def test_robots_and_lists_that_redirect_to_private_addresses_are_not_followed(site: Site, target: str) -> None:
    linked(site)
    for path in ("/llms.txt", "/sitemap.xml"):
        site.redirect(path, target)
    assert crawl(site).read == ["/"]
    site.redirect("/robots.txt", target)
    done = crawl(site)
    assert [visit.skip for visit in done.visits] == [SkipReason.BLOCKED_ADDRESS]


def test_a_site_at_a_private_address_is_not_asked(site: Site) -> None:
    linked(site)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crawls, "POLICY", Policy())
        done = crawl(site)
    assert [visit.skip for visit in done.visits] == [SkipReason.BLOCKED_ADDRESS]
    assert "loopback" in done.visits[0].detail
    assert not site.requests


def test_redirects_lead_to_pages_of_their_own_and_circles_end(site: Site) -> None:
    done = crawl(site, traps.redirects(site))
    assert done.read == ["/moved/", "/moved/there"]
    assert done.skipped == {
        "/moved/here": SkipReason.DUPLICATE,
        "/moved/a": SkipReason.DUPLICATE,
        "/moved/b": SkipReason.DUPLICATE,
        "/moved/away": SkipReason.REDIRECTED_AWAY,
        "/moved/gone": SkipReason.DUPLICATE,
        "/moved/nowhere": SkipReason.NOT_FOUND,
        "/moved/broken": SkipReason.REDIRECTED_AWAY,
    }
    assert done["/moved/here"].leads_to == f"{site.url}/moved/there"
    assert not site.repeated()


def test_a_start_that_moved_within_its_host_is_visited_where_it_is_now(site: Site) -> None:
    site.redirect("/docs", "/docs/", status=301)
    site.add("/docs/", html_page("Docs", '<a href="/docs/a">a</a><a href="/docs">self</a><a href="/b">b</a>'))
    site.add("/docs/a", html_page("A", "A"))
    done = crawl(site, "/docs")
    assert done.read == ["/docs/", "/docs/a"]
    assert done.visits[0].via == "start"


def test_a_start_that_moved_to_another_folder_is_followed_there(site: Site) -> None:
    site.redirect("/docs/", "/manual/en/")
    site.add("/manual/en/", html_page("Docs", '<a href="a">a</a><a href="/docs/b">b</a>'))
    site.add("/manual/en/a", html_page("A", "A"))
    assert crawl(site, "/docs/").read == ["/manual/en/", "/manual/en/a"]


def test_a_redirect_to_another_spelling_of_the_same_page_is_followed(site: Site) -> None:
    linked(site, "/a?utm_source=x")
    site.redirect("/a", "/a?utm_source=seen")
    site.add("/a?utm_source=seen", html_page("A", "A"))
    done = crawl(site)
    assert done.read == ["/", "/a"]
    assert done["/a"].final_url == f"{site.url}/a?utm_source=seen"


def test_a_wall_that_wants_a_cookie_is_asked_once_and_none_is_sent(site: Site) -> None:
    linked(site, traps.cookie_wall(site))
    site.add("/next", html_page("Next", "Next"))
    done = crawl(site)
    assert done.skipped == {"/wall": SkipReason.SERVER_ERROR}
    assert site.counts["/wall"] == 1
    assert not any("Cookie" in request.headers for request in site.requests)
