"""How the crawl of a site ends: what keeps it from beginning, what stops it, what is told, what goes on by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from indexing.models import Page
from indexing.reasons import SkipReason
from jobs.models import Run, Status, Trigger
from jobs.sweeper import sweep
from tests.indexing.site_sources import Add, Indexed, crawled, page
from tests.indexing.test_sites import book
from tests.site import MARKDOWN, Site, traps
from tests.site import Page as Served
from tests.wire import faults

__all__ = ["crawled"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def indexed(site: Site, crawled: Add) -> Indexed:
    """A book of twelve chapters, indexed."""
    book(site)
    made = crawled()
    assert made.index().status == Status.SUCCEEDED
    return made


def failed(run: Run, code: str) -> str:
    assert (run.status, run.error_code) == (Status.FAILED, code), run.error_text
    return run.error_text


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "auth_required"),
        (403, "auth_required"),
        (404, "not_found"),
        (410, "not_found"),
        (500, "network"),
        (503, "network"),
    ],
)
def test_a_first_page_that_is_not_had_is_an_error_and_the_index_stays(indexed: Indexed, status: int, code: str) -> None:
    fault = indexed.site.fail("/", status=status)
    text = failed(indexed.index(), code)
    assert str(status) in text
    source = indexed.source
    assert (source.error_code, source.error_text, source.pages) == (code, text, 13)
    assert len(indexed.paths) == 13
    indexed.site.disarm(fault)
    assert indexed.index().counts["unchanged"] == 13
    assert indexed.source.error_code == ""


def test_a_site_that_refuses_robots_is_not_read(indexed: Indexed) -> None:
    indexed.site.robots = "User-agent: *\nDisallow: /"
    failed(indexed.index(), "robots_refused")
    assert len(indexed.paths) == 13
    assert not indexed.site.counts["/c/1"]


def test_a_first_page_that_redirects_to_a_private_address_is_refused(site: Site, crawled: Add) -> None:
    indexed = crawled(traps.private_redirect(site, hops=2))
    text = failed(indexed.index(), "blocked_address")
    assert "secret" not in text
    assert not site.counts["/secret"]


def test_a_first_page_that_leads_to_another_site_is_not_followed(site: Site, crawled: Add) -> None:
    site.redirect("/", f"{site.neighbour()}/else")
    indexed = crawled()
    assert "leads to" in failed(indexed.index(), "not_found")


def test_a_host_that_does_not_answer_is_an_error_of_the_network(site: Site, crawled: Add) -> None:
    indexed = crawled()
    indexed.change(url="http://127.0.0.1:9/")
    failed(indexed.index(), "network")


def test_a_run_that_nobody_clicked_tries_again_by_itself(indexed: Indexed) -> None:
    fault = indexed.site.fail("/", status=502)
    run = indexed.index(trigger=Trigger.SCHEDULE)
    assert (run.status, run.error_code) == (Status.WAITING, "")
    assert run.waiting_for.endswith("to answer again")
    assert indexed.source.error_code == ""
    indexed.site.disarm(fault)
    Run.objects.update(wait_until=timezone.now())
    assert sweep().resumed == 1
    assert indexed.index(trigger=Trigger.SCHEDULE).status == Status.SUCCEEDED


def test_a_site_without_a_text_is_empty(site: Site, crawled: Add) -> None:
    site.add("/", "")
    failed(crawled().index(), "empty")


def test_a_site_whose_pages_are_made_by_scripts_says_so(site: Site, crawled: Add) -> None:
    site.add("/", site.pages[traps.script_only(site)])
    indexed = crawled()
    failed(indexed.index(), "needs_javascript")
    assert indexed.source.skipped == 1


def test_what_a_site_says_of_itself_is_read_where_its_pages_cannot_be(site: Site, crawled: Add) -> None:
    site.add("/", site.pages[traps.script_only(site)])
    site.add("/llms.txt", Served(f"# Pump\n\n- [All]({site.url}/llms-full.txt)\n", "text/plain"))
    site.add("/llms-full.txt", Served("# Pump\n\nAll that there is about the pump.\n", MARKDOWN))
    indexed = crawled()
    run = indexed.index()
    assert run.status == Status.SUCCEEDED, run.error_text
    assert indexed.paths == ["/llms-full.txt"]


def test_a_site_that_wants_to_be_left_alone_is_and_goes_on_by_itself(indexed: Indexed) -> None:
    for number in range(1, 13):
        indexed.site.change(f"/c/{number}", page(f"Chapter {number}", "/", text=f"Changed {number}."))
    fault = indexed.site.fail("/c/9", status=429, retry_after=900)
    run = indexed.index()
    assert run.status == Status.WAITING
    assert run.wait_until is not None
    assert timedelta(minutes=14) < run.wait_until - timezone.now() < timedelta(minutes=16)
    source = indexed.source
    assert source.crawl_open
    assert source.error_code == ""
    indexed.site.disarm(fault)
    asked_before = {path for path in indexed.site.counts if path.startswith("/c/") and path != "/c/9"}
    done = {each for each in asked_before if indexed.page(each).fetched == source.crawl}
    Run.objects.update(wait_until=timezone.now())
    sweep()
    assert indexed.index().status == Status.SUCCEEDED
    assert not done & set(indexed.site.counts), "nothing is asked twice"
    assert len(indexed.found("Changed")) == 12
    assert indexed.source.crawl == source.crawl


def test_traps_are_told_of_and_not_walked_into(site: Site, crawled: Add) -> None:
    calendar = traps.calendar(site)
    site.add("/", page("Start", "/a", calendar))
    site.add("/a", page("A"))
    indexed = crawled()
    run = indexed.index()
    assert run.status == Status.SUCCEEDED
    assert "calendar" in indexed.source.notice.lower()
    assert len(site.counts) < 200
    assert {"/", "/a"} <= set(indexed.paths)


def test_what_is_beyond_the_cap_is_told_of_and_comes_when_there_is_room(site: Site, crawled: Add) -> None:
    book(site, 15)
    indexed = crawled(max_pages=10)
    run = indexed.index()
    assert run.counts["indexed"] == 10
    assert "more than the 10 pages" in indexed.source.notice
    assert "6 pages that are known are left out" in indexed.source.notice
    assert list(indexed.skips.values()) == [SkipReason.BEYOND_LIMIT] * 6
    before = indexed.paths
    for _ in range(2):
        assert indexed.index().counts["unchanged"] == 10
        assert indexed.paths == before
        assert "6 pages that are known are left out" in indexed.source.notice
    site.remove("/c/3")
    indexed.index()
    indexed.index()
    assert len(indexed.paths) == 10, "another one has come in its place"
    indexed.change(max_pages=None)
    indexed.index()
    assert len(indexed.paths) == 15
    assert indexed.source.notice == ""


def test_a_lower_cap_makes_the_index_as_small(indexed: Indexed) -> None:
    indexed.change(max_pages=5)
    run = indexed.index()
    assert len(indexed.paths) == 5
    assert run.counts["removed"] == 8
    assert "more than the 5 pages" in indexed.source.notice


def test_a_changed_filter_is_a_difference(indexed: Indexed) -> None:
    before = indexed.written()
    indexed.change(exclude="/c/1*")
    run = indexed.index()
    assert run.counts["removed"] == 4
    assert not set(indexed.paths) & {"/c/1", "/c/10", "/c/11", "/c/12"}
    assert indexed.written() == before
    indexed.change(exclude="", include="/c/2")
    indexed.index()
    assert indexed.paths == ["/", "/c/2"], "the start stays, whatever the patterns say"
    indexed.change(include="")
    assert indexed.index().counts["indexed"] == 11
    assert len(indexed.paths) == 13


def test_a_smaller_depth_takes_what_is_deeper_out(site: Site, crawled: Add) -> None:
    site.add("/", page("Start", "/a"))
    site.add("/a", page("A", "/b"))
    site.add("/b", page("B"))
    indexed = crawled()
    indexed.index()
    indexed.change(max_depth=1)
    indexed.index()
    assert indexed.paths == ["/", "/a"]


def test_another_folder_of_the_site_replaces_what_was_there(site: Site, crawled: Add) -> None:
    for folder in ("one", "two"):
        site.add(f"/{folder}/", page(folder.title(), "a"))
        site.add(f"/{folder}/a", page(f"{folder.title()} A"))
    indexed = crawled("/one/")
    indexed.index()
    indexed.change(url=f"{site.url}/two/")
    indexed.index()
    assert indexed.paths == ["/two/", "/two/a"]
    assert Page.objects.filter(source=indexed.pk).count() == 2


def test_a_crawl_whose_time_is_up_goes_on_the_next_time(site: Site, crawled: Add, settings: Settings) -> None:
    book(site, 30)
    site.arm_on("/c/*", faults.slow(0.1))
    settings.INDEX_CRAWL_SECONDS = 0.5
    indexed = crawled()
    run = indexed.index()
    assert run.status == Status.PARTIAL
    assert "left for the next refresh" in indexed.source.notice
    source = indexed.source
    assert source.crawl_open
    first = set(indexed.paths)
    assert 0 < len(first) < 31
    settings.INDEX_CRAWL_SECONDS = 30
    run = indexed.index()
    assert run.status == Status.SUCCEEDED
    assert not (first - {"/"}) & set(site.counts)
    assert (len(indexed.paths), run.counts["indexed"]) == (31, 31)
    assert indexed.source.notice == ""


def test_bytes_that_are_used_up_end_a_crawl_as_well(site: Site, crawled: Add, settings: Settings) -> None:
    book(site, 30)
    settings.INDEX_CRAWL_MAX_BYTES = 5_000
    indexed = crawled()
    assert indexed.index().status == Status.PARTIAL
    assert "MB" in indexed.source.notice


def test_a_paused_source_is_not_asked(indexed: Indexed) -> None:
    indexed.change(paused_at=timezone.now())
    assert indexed.index().result == {"paused": True}
    assert not indexed.site.counts
