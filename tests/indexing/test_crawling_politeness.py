"""How a site is asked: what its robots.txt allows, how quickly, and not while it wants to be left alone."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexing.crawling.asking import Answer
from indexing.crawling.pacing import retry_after
from indexing.crawling.robots import Robots
from indexing.reasons import SkipReason
from tests.indexing.crawls import AGENT, crawl
from tests.site import Site, html_page
from tests.wire import faults
from tests.wire.messages import Headers, Reply


def pages(site: Site, count: int) -> None:
    site.add("/", html_page("Start", "".join(f'<a href="/p/{number}">x</a>' for number in range(count))))
    for number in range(count):
        site.add(f"/p/{number}", html_page(str(number), f"Page {number}"))


def test_what_robots_txt_does_not_allow_is_not_asked(site: Site) -> None:
    pages(site, 4)
    site.robots = "User-agent: *\nDisallow: /p/1\nDisallow: /p/2$\nAllow: /p/3\n"
    done = crawl(site)
    assert done.read == ["/", "/p/0", "/p/3"]
    assert done.skipped == {"/p/1": SkipReason.ROBOTS, "/p/2": SkipReason.ROBOTS}
    assert not site.counts["/p/1"]
    assert site.counts["/robots.txt"] == 1


def test_rules_for_us_by_name_go_before_those_for_all(site: Site) -> None:
    pages(site, 1)
    site.robots = "User-agent: *\nDisallow: /\n\nUser-agent: millrace\nDisallow: /p/\n"
    assert crawl(site).read == ["/"]
    assert all(request.headers["User-Agent"] == AGENT for request in site.requests)


def test_a_start_that_robots_txt_does_not_allow_is_told(site: Site) -> None:
    pages(site, 1)
    site.robots = "User-agent: *\nDisallow: /\n"
    done = crawl(site)
    assert done.skipped == {"/": SkipReason.ROBOTS}
    assert list(site.counts) == ["/robots.txt"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_robots_txt_that_is_not_there_allows_all(site: Site, status: int) -> None:
    pages(site, 1)
    site.fail("/robots.txt", status=status)
    assert crawl(site).read == ["/", "/p/0"]


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_robots_txt_that_cannot_be_read_allows_nothing(site: Site, status: int) -> None:
    pages(site, 1)
    site.fail("/robots.txt", status=status)
    done = crawl(site)
    assert done.skipped == {"/": SkipReason.SERVER_ERROR}
    assert done["/"].failed
    assert f"robots.txt answers {status}" in done["/"].detail
    assert not site.counts["/"]


def test_a_robots_txt_that_redirects_is_followed(site: Site) -> None:
    pages(site, 2)
    site.redirect("/robots.txt", f"{site.neighbour()}/rules.txt")
    site.add("/rules.txt", "User-agent: *\nDisallow: /p/1")
    assert crawl(site).read == ["/", "/p/0"]


def test_a_site_whose_line_is_dead_is_told_as_that(site: Site) -> None:
    site.arm(faults.cut_before_reply())
    done = crawl(site)
    assert done.skipped == {"/": SkipReason.NETWORK}


def test_a_crawl_delay_is_kept_up_to_a_limit(site: Site) -> None:
    pages(site, 4)
    site.robots = "User-agent: *\nCrawl-delay: 600\n"
    begun = time.monotonic()
    crawl(site, max_delay=0.1)
    assert time.monotonic() - begun >= 0.1 * (len(site.requests) - 2)
    assert site.peak <= 4


def test_a_delay_of_ours_is_kept(site: Site) -> None:
    pages(site, 4)
    begun = time.monotonic()
    crawl(site, delay=0.05)
    assert time.monotonic() - begun >= 0.05 * (len(site.requests) - 1)


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_more_are_asked_at_once_than_allowed(site: Site, concurrency: int) -> None:
    pages(site, 12)
    site.arm_on("/p/*", faults.slow(0.02))
    crawl(site, concurrency=concurrency)
    assert site.peak == concurrency


@pytest.mark.parametrize("status", [429, 503])
def test_a_site_that_says_when_is_asked_then(site: Site, status: int) -> None:
    pages(site, 20)
    site.fail("/p/5", status=status, times=1, retry_after=1)
    begun = time.monotonic()
    done = crawl(site)
    assert len(done.read) == 21
    assert time.monotonic() - begun >= 0.9
    assert site.counts["/p/5"] == 2


def test_a_burst_of_too_many_requests_is_waited_out(site: Site) -> None:
    pages(site, 30)
    site.fail("/p/*", status=429, times=5)  # any page is asked six times
    done = crawl(site)
    assert len(done.read) == 31
    assert len(site.requests) <= 31 + 5 + 3


def test_a_site_that_wants_to_be_left_alone_for_long_ends_the_crawl(site: Site) -> None:
    pages(site, 20)
    site.fail("/p/9", status=429, retry_after=3600)
    done = crawl(site, concurrency=1)
    assert done.held == 3600
    assert not done.skipped
    assert 1 <= len(done.visits) <= 20


def test_a_date_says_when_too(site: Site) -> None:
    pages(site, 1)
    site.fail("/p/0", status=503, retry_after=formatdate(time.time() + 900, usegmt=True))
    assert 800 < crawl(site).held <= 900


def test_a_site_that_says_too_many_without_an_end_ends_the_crawl(site: Site) -> None:
    pages(site, 20)
    site.fail("/p/*", status=429)
    done = crawl(site, pause=0.001)
    assert done.held == 300
    assert not done.skipped


def test_one_page_that_always_says_too_many_does_not_end_it(site: Site) -> None:
    pages(site, 40)
    site.arm_on("/p/*", faults.slow(0.005))
    site.fail("/p/3", status=429)
    done = crawl(site)
    assert not done.held
    assert done.skipped == {"/p/3": SkipReason.SERVER_ERROR}
    assert len(done.read) == 40


def test_403_with_rate_limit_headers_is_no_question_of_access(site: Site) -> None:
    pages(site, 3)
    site.fail("/p/1", status=403, retry_after=900)
    assert crawl(site).held == 900


@pytest.mark.parametrize("from_now", [True, False])
def test_a_site_may_say_when_its_limit_is_reset(site: Site, from_now: bool) -> None:
    pages(site, 1)
    reset = 900 if from_now else int(time.time()) + 900
    headers = Headers([("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", str(reset))])
    site.arm(faults.instead(lambda: Reply(403, b"Later", headers)), on="/p/0")
    assert 800 < crawl(site).held <= 900


def test_a_time_without_reason_is_cut(site: Site) -> None:
    pages(site, 1)
    site.fail("/p/0", status=429, retry_after="9" * 40)
    assert crawl(site).held == 86_400


def test_a_site_that_says_now_is_not_asked_at_once_again_and_again(site: Site) -> None:
    pages(site, 1)
    site.fail("/p/0", status=429, retry_after=0)
    begun = time.monotonic()
    assert crawl(site, pause=0.02).held == 300
    assert time.monotonic() - begun >= 0.02 * (1 + 2 + 4 + 8 + 16)


@pytest.mark.parametrize("path", ["/sitemap.xml", "/llms.txt"])
def test_a_list_that_always_says_too_many_does_not_end_it(site: Site, path: str) -> None:
    pages(site, 3)
    site.fail(path, status=429)
    done = crawl(site, pause=0.001)
    assert len(done.read) == 4
    assert done.crawler.lists_failed


def test_a_robots_txt_that_says_too_many_is_waited_for(site: Site) -> None:
    pages(site, 1)
    site.fail("/robots.txt", status=429, retry_after=600)
    done = crawl(site)
    assert done.held == 600
    assert not done.visits


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("", None), ("soon", None), ("0", 0), ("120", 120), ("-5", None), ("1.5", None), ("9" * 400, 999_999_999)],
)
def test_retry_after_is_read_or_left(header: str, seconds: float | None) -> None:
    assert retry_after(header) == seconds
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0


@settings(max_examples=60)
@given(st.binary(max_size=300), st.sampled_from([b"User-agent: *\n", b"", b"\xef\xbb\xbfUser-agent: millrace\n"]))
def test_any_robots_txt_can_be_read(noise: bytes, head: bytes) -> None:
    body = head + b"Disallow: /" + noise + b"\nCrawl-delay: 9" + noise + b"\nRequest-rate: 1/" + noise
    robots = Robots.of(Answer("https://example.com/robots.txt", 200, {}, body), AGENT)
    robots.allows("https://example.com/a/b?c=d")
    assert robots.delay >= 0
    assert isinstance(robots.sitemaps, list)


def test_rates_in_robots_txt_count_as_delays() -> None:
    def delay(line: str) -> float:
        body = f"User-agent: *\n{line}\nDisallow:".encode()
        return Robots.of(Answer("https://example.com/robots.txt", 200, {}, body), AGENT).delay

    assert delay("Crawl-delay: 2.5") == 2.5
    assert delay("Request-rate: 1/5") == 5.0
    assert delay(f"Request-rate: 1/{'9' * 4000}") == 86_400
    assert delay("Crawl-delay: never") == 0.0
