"""The site of the tests does what it says."""

from __future__ import annotations

import gzip
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.site import Site, sentence, traps
from tests.wire import faults


def get(site: Site, path: str, **headers: str) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.get(site.url + path, headers=named, timeout=5, allow_redirects=False)


def test_a_handbook_has_as_many_pages_as_asked_for_and_each_its_own_sentence() -> None:
    with Site(1200) as site:
        assert len(site.pages) == 1200
        assert sentence(900) in get(site, "/page/900").text
        assert sum(sentence(900) in str(page.body) for page in site.pages.values()) == 1


def test_conditional_requests_are_answered_until_a_page_changes(site: Site) -> None:
    site.add("/", "<h1>Hello</h1>")
    first = get(site, "/")
    known = {"If_None_Match": first.headers["ETag"], "If_Modified_Since": first.headers["Last-Modified"]}
    assert get(site, "/", **known).status_code == 304
    assert get(site, "/", If_Modified_Since=first.headers["Last-Modified"]).status_code == 304
    site.change("/", "<h1>Goodbye</h1>")
    assert get(site, "/", **known).text == "<h1>Goodbye</h1>"
    site.remove("/", status=410)
    assert get(site, "/", **known).status_code == 410


def test_a_page_fails_as_often_as_it_was_told_to(site: Site) -> None:
    site.add("/a", "<h1>A</h1>")
    site.fail("/a", status=503, times=2, retry_after=1)
    answers = [get(site, "/a") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "1"
    assert site.repeated() == {"/a": 3}


def test_requests_are_counted_by_path_and_at_their_peak(site: Site) -> None:
    site.add("/a", "<h1>A</h1>")
    site.arm_on("/a", faults.slow(0.2))
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: get(site, "/a"), range(3)))
    assert (site.peak, site.counts["/a"], site.statuses()[200]) == (3, 3, 3)
    site.reset()
    assert (site.peak, site.counts["/a"], len(site.requests)) == (0, 0, 0)


def test_a_sitemap_lists_the_pages_that_are_there(site: Site) -> None:
    site.sitemap = True
    site.add("/a", "<h1>A</h1>")
    site.redirect("/b", "/a")
    assert get(site, "/sitemap.xml").text.count("<url>") == 1


@pytest.mark.parametrize("trap", [traps.calendar, traps.calendar_by_parameter, traps.parameters, traps.repeating])
def test_an_endless_trap_goes_on(site: Site, trap: traps.Trap) -> None:
    path = trap(site)
    seen = set()
    for _ in range(5):
        seen.add(path)
        following = get(site, path).text.rsplit('href="', 1)[1].partition('"')[0].replace("&amp;", "&")
        path = following if following.startswith("/") else path + following
    assert len(seen) == 5


def test_a_private_redirect_has_its_hops_and_ends_elsewhere(site: Site) -> None:
    path = traps.private_redirect(site, hops=2)
    for _ in range(2):
        path = get(site, path).headers["Location"]
    assert get(site, path).headers["Location"] == f"{site.elsewhere()}/secret"


def test_slow_answers_have_no_end(site: Site) -> None:
    for path in (traps.slow_headers(site), traps.slow_body(site)):
        with pytest.raises(requests.RequestException):
            requests.get(site.url + path, timeout=0.02)


def test_large_answers_are_what_they_say(site: Site) -> None:
    path = traps.gzip_bomb(site, size=20 * traps.MIB)
    assert len(gzip.decompress(site.pages[path].bytes)) == 20 * traps.MIB
    assert len(get(site, traps.huge(site, size=traps.MIB)).content) > 0.9 * traps.MIB


@pytest.mark.parametrize(
    "trap",
    [
        *(traps.twins, traps.canonical_twin, traps.noindex, traps.redirects, traps.compressed, traps.charsets),
        *(traps.odd_types, traps.script_only, traps.llms, traps.sessions, traps.cookie_wall, traps.entity_bomb),
    ],
)
def test_every_other_trap_begins_where_it_says(site: Site, trap: traps.Trap) -> None:
    assert get(site, trap(site)).status_code in {200, 302}


def test_a_sitemap_index_is_named_in_robots_and_leads_to_gzipped_files(site: Site) -> None:
    path = traps.sitemap_index(site, [f"/p/{number}" for number in range(120)])
    assert path in get(site, "/robots.txt").text
    assert b"/p/119" in gzip.decompress(get(site, "/sitemaps/2.xml.gz").content)
