"""The first look at an address: what it is, how much of it there is, and why it cannot be read."""

from __future__ import annotations

import time

import pytest

from indexing.crawling.survey import Survey, survey
from indexing.reasons import Reason
from lib.egress import Policy
from tests.indexing.crawls import AGENT, POLICY
from tests.site import PDF, Page, Site, html_page, pdf, traps
from tests.wire import faults


def look(site: Site, path: str = "/", **given: float) -> Survey:
    return survey(site.url + path, policy=POLICY, user_agent=AGENT, **given)


def start(site: Site, path: str = "/") -> None:
    body = "<h1>Pump</h1><p>All about the pump, its valves, its filters and its many other parts, in plain words.</p>"
    edit = '<a href="https://github.com/acme/pump/edit/main/docs/index.md">Edit this page</a>'
    site.add(path, html_page("Pump", f"{body}{edit}"))


def test_pages_are_counted_by_the_sitemap_in_a_handful_of_requests() -> None:
    with Site(1200, sitemap=True) as site:
        found = look(site)
        assert (found.pages, found.by, found.more) == (1200, "sitemap", False)
        assert found.status == 200
        assert found.title == "Handbook"
        assert found.trouble is None
        assert len(site.requests) <= 5


def test_only_pages_of_the_folder_are_counted(site: Site) -> None:
    site.sitemap = True
    for path in ("/docs/", "/docs/a", "/docs/b", "/blog/c"):
        start(site, path)
    assert look(site, "/docs/").pages == 3


def test_pages_are_counted_by_an_llms_txt_where_there_is_no_sitemap(site: Site) -> None:
    traps.llms(site)
    start(site)
    found = look(site)
    assert (found.llms, found.by, found.pages, found.more) == (True, "llms", 4, True)


def test_nothing_is_said_where_nothing_tells(site: Site) -> None:
    start(site)
    found = look(site)
    assert (found.pages, found.by, found.llms) == (None, "unknown", False)


def test_a_page_s_repository_is_named(site: Site) -> None:
    start(site)
    assert any("github.com/acme/pump" in each for each in look(site).repositories)


def test_a_redirect_is_followed_to_where_it_leads(site: Site) -> None:
    site.redirect("/", f"{site.neighbour()}/docs")
    site.redirect("/docs", "/docs/", status=301)
    start(site, "/docs/")
    assert look(site).final_url == f"{site.neighbour()}/docs/"


@pytest.mark.parametrize(
    ("status", "reason", "private"),
    [
        (401, Reason.AUTH_REQUIRED, True),
        (403, Reason.AUTH_REQUIRED, True),
        (404, Reason.NOT_FOUND, False),
        (410, Reason.NOT_FOUND, False),
        (500, Reason.NETWORK, False),
    ],
)
def test_a_refusal_is_told_with_its_reason(site: Site, status: int, reason: Reason, private: bool) -> None:
    site.fail("*", status=status)
    found = look(site)
    assert (found.trouble, found.private, found.status) == (reason, private, status)
    assert found.detail == f"The site answered with {status}."


def test_a_site_that_is_asked_too_often_says_for_how_long(site: Site) -> None:
    site.fail("*", status=429, retry_after=600)
    found = look(site)
    assert (found.trouble, found.wait) == (Reason.RATE_LIMITED, 600)


def test_private_addresses_are_not_asked_at_any_hop(site: Site) -> None:
    start(site)
    refused = survey(site.url, policy=Policy(), user_agent=AGENT)
    assert refused.trouble == Reason.BLOCKED_ADDRESS
    assert not site.requests
    assert look(site, traps.private_redirect(site, hops=2)).trouble == Reason.BLOCKED_ADDRESS
    assert not site.counts["/secret"]


def test_robots_txt_is_obeyed(site: Site) -> None:
    start(site)
    site.robots = "User-agent: *\nDisallow: /"
    found = look(site)
    assert (found.trouble, found.robots_allowed) == (Reason.ROBOTS_REFUSED, False)
    site.fail("/robots.txt", status=503)
    assert look(site).trouble == Reason.NETWORK


def test_a_page_that_a_script_makes_is_told_unless_there_is_an_llms_txt(site: Site) -> None:
    traps.script_only(site, "/")
    assert look(site).trouble == Reason.NEEDS_JAVASCRIPT
    traps.llms(site)
    assert look(site).trouble is None


def test_what_is_no_text_is_told(site: Site) -> None:
    site.add("/a.bin", Page(b"\x00\x01" * 500, "image/png"))
    assert look(site, "/a.bin").trouble == Reason.EMPTY
    site.add("/a.pdf", Page(pdf("The manual of the pump"), PDF))
    assert look(site, "/a.pdf").trouble is None


@pytest.mark.parametrize("trap", [traps.slow_headers, traps.slow_body])
def test_a_look_ends_in_time(site: Site, trap: traps.Trap) -> None:
    begun = time.monotonic()
    found = look(site, trap(site), seconds=0.5)
    assert found.trouble == Reason.NETWORK
    assert time.monotonic() - begun < 5


def test_slow_lists_do_not_keep_a_person_waiting(site: Site) -> None:
    start(site)
    for path in ("/sitemap.xml", "/llms.txt"):
        site.arm_on(path, faults.slow(30))
    found = look(site, seconds=1.0)
    assert (found.status, found.pages, found.trouble) == (200, None, None)


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="not the address"):
        survey("mailto:a@example.com", policy=POLICY, user_agent=AGENT)
