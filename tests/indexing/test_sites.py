"""A web site becomes pages of an index, and stays in step with the site."""

from __future__ import annotations

import pytest

from catalog.models import Blob
from indexing.models import Page
from jobs.models import Status
from tests.indexing.site_sources import Add, crawled, page
from tests.site import Site, traps

__all__ = ["crawled"]

pytestmark = pytest.mark.django_db


def book(site: Site, chapters: int = 12) -> None:
    """A start page, and chapters that it leads to."""
    site.add("/", page("Book", *(f"/c/{number}" for number in range(1, chapters + 1))))
    for number in range(1, chapters + 1):
        site.add(f"/c/{number}", page(f"Chapter {number}", "/"))


def test_every_page_of_a_site_is_in_the_index_once(site: Site, crawled: Add) -> None:
    book(site)
    indexed = crawled()
    run = indexed.index()
    assert run.status == Status.SUCCEEDED, run.error_text
    assert run.counts == {"indexed": 13, "changed": 0, "unchanged": 0, "removed": 0, "skipped": 0, "failed": 0}
    assert len(indexed.paths) == 13
    assert indexed.found("about chapter 7 and") == ["/c/7"]
    assert not {path for path in site.repeated() if path != "/robots.txt"}
    source = indexed.source
    assert (source.pages, source.skipped, source.error_code, source.notice) == (13, 0, "", "")
    assert source.chunks >= 13
    assert source.indexed_at is not None
    assert not source.crawl_open


def test_an_unchanged_site_costs_conditional_requests_and_no_text_is_written(site: Site, crawled: Add) -> None:
    book(site)
    indexed = crawled()
    indexed.index()
    before, blobs = indexed.written(), set(Blob.objects.values_list("pk", "stored_at"))
    run = indexed.index()
    assert run.counts == {"indexed": 0, "changed": 0, "unchanged": 13, "removed": 0, "skipped": 0, "failed": 0}
    assert site.statuses()[304] == 13
    assert indexed.written() == before
    assert set(Blob.objects.values_list("pk", "stored_at")) == blobs


def test_a_changed_page_is_found_after_a_refresh_and_the_others_are_as_they_were(site: Site, crawled: Add) -> None:
    book(site)
    indexed = crawled()
    indexed.index()
    before = indexed.written()
    site.change("/c/7", page("Chapter 7", "/", text="Now it is about quinces."))
    run = indexed.index()
    assert (run.counts["changed"], run.counts["unchanged"]) == (1, 12)
    assert indexed.found("quinces") == ["/c/7"]
    assert not indexed.found("about chapter 7 and")
    assert len(indexed.written() - before) == 1


def test_the_same_content_from_a_site_without_etags_is_not_indexed_again(site: Site, crawled: Add) -> None:
    book(site)
    for path, each in list(site.pages.items()):
        site.pages[path] = type(each)(each.body, conditional=False)
    indexed = crawled()
    indexed.index()
    before = indexed.written()
    run = indexed.index()
    assert run.counts["unchanged"] == 13
    assert site.statuses()[200] >= 13
    assert indexed.written() == before


def test_a_page_that_is_gone_leaves_the_index_at_once(site: Site, crawled: Add) -> None:
    book(site)
    indexed = crawled()
    indexed.index()
    site.remove("/c/3")
    site.remove("/c/4", status=410)
    run = indexed.index()
    assert run.counts["removed"] == 2
    assert "/c/3" not in indexed.paths
    assert indexed.skips == {"/c/3": "not_found", "/c/4": "not_found"}
    assert not indexed.found("about chapter 3 and")


def test_a_page_that_nothing_leads_to_goes_after_two_complete_crawls(site: Site, crawled: Add) -> None:
    book(site, 3)
    indexed = crawled()
    indexed.index()
    site.change("/", page("Book", "/c/1", "/c/2"))
    site.reset()
    first = indexed.index()
    assert first.counts["removed"] == 0
    assert "/c/3" in indexed.paths
    second = indexed.index()
    assert second.counts["removed"] == 1
    assert "/c/3" not in indexed.paths
    assert not Page.objects.filter(source=indexed.pk, url__endswith="/c/3").exists()


def test_a_page_that_is_linked_again_in_time_stays(site: Site, crawled: Add) -> None:
    book(site, 3)
    indexed = crawled()
    indexed.index()
    whole = site.pages["/"]
    for _ in range(2):
        site.change("/", page("Book", "/c/1", "/c/2"))
        indexed.index()
        site.change("/", whole)
        indexed.index()
    assert "/c/3" in indexed.paths


def test_what_unchanged_pages_lead_to_stays_reached(site: Site, crawled: Add) -> None:
    site.add("/", page("Start", "/a"))
    site.add("/a", page("A", "/b"))
    site.add("/b", page("B", "/c"))
    site.add("/c", page("C"))
    indexed = crawled()
    for _ in range(4):
        run = indexed.index()
    assert run.counts["unchanged"] == 4
    assert indexed.paths == ["/", "/a", "/b", "/c"]


def test_a_page_that_fails_keeps_its_text_and_makes_the_run_partial(site: Site, crawled: Add) -> None:
    book(site)
    indexed = crawled()
    indexed.index()
    site.change("/c/1", page("Chapter 1", "/", text="Never seen."))
    fault = site.fail("/c/1", status=500)
    for _ in range(3):
        run = indexed.index()
        assert (run.status, run.counts["failed"], run.counts["removed"]) == (Status.PARTIAL, 1, 0)
    assert indexed.found("about chapter 1 and") == ["/c/1"]
    assert indexed.skips == {"/c/1": "server_error"}
    site.disarm(fault)
    run = indexed.index()
    assert (run.status, run.counts["changed"]) == (Status.SUCCEEDED, 1)
    assert indexed.found("Never seen") == ["/c/1"]
    assert not indexed.skips


def test_more_than_a_third_of_failures_stops_and_keeps_the_old_index(site: Site, crawled: Add) -> None:
    book(site, 40)
    indexed = crawled()
    indexed.index()
    fault = site.fail("/c/*", status=500)
    run = indexed.index()
    assert (run.status, run.error_code) == (Status.FAILED, "too_many_failures")
    assert "stays" not in run.error_text, "what to do says so already"
    assert len(indexed.paths) == 41
    assert len(site.counts) < 40, "it stopped well before it had asked for all"
    source = indexed.source
    assert (source.error_code, source.pages) == ("too_many_failures", 41)
    site.disarm(fault)
    assert indexed.index().status == Status.SUCCEEDED
    assert indexed.source.error_code == ""
    assert len(indexed.paths) == 41


def test_a_crawl_in_which_a_new_page_fails_removes_nothing(site: Site, crawled: Add) -> None:
    book(site, 3)
    indexed = crawled()
    indexed.index()
    site.change("/", page("Book", "/c/1", "/c/2", "/new"))
    site.add("/new", page("New", "/c/3"))
    site.fail("/new", status=500)
    assert indexed.index().result["complete"] is False
    assert "/c/3" in indexed.paths
    # It has never led anywhere that is known, so it does not keep what is gone for ever.
    assert indexed.index().result["complete"] is True
    assert "/c/3" in indexed.paths


def test_a_failing_page_still_leads_where_it_led(site: Site, crawled: Add) -> None:
    site.add("/", page("Start", "/a"))
    site.add("/a", page("A", "/b"))
    site.add("/b", page("B"))
    indexed = crawled()
    indexed.index()
    site.fail("/a", status=500)
    for _ in range(3):
        assert indexed.index().result["complete"] is True
    assert indexed.paths == ["/", "/a", "/b"]


def test_a_page_without_a_text_for_once_keeps_the_one_it_had(site: Site, crawled: Add) -> None:
    site.add("/", page("Start", "/a"))
    site.add("/a", page("A", "/b"))
    site.add("/b", page("B"))
    indexed = crawled()
    indexed.index()
    site.change("/a", "")
    assert indexed.index().counts["removed"] == 0
    assert indexed.paths == ["/", "/a", "/b"]
    assert indexed.skips == {"/a": "empty"}
    assert indexed.index().counts["removed"] == 1
    assert indexed.paths == ["/", "/b"], "what it led to is not gone with it"


def test_noindex_takes_a_page_out_at_once_and_its_links_are_followed(site: Site, crawled: Add) -> None:
    indexed = crawled(traps.noindex(site))
    indexed.index()
    assert indexed.skips["/hidden/meta"] == "noindex"
    assert "/hidden/behind" in indexed.paths
    assert "/hidden/unfollowed" not in indexed.paths
    site.change("/hidden/behind", page("Behind", head='<meta name="robots" content="noindex">'))
    assert indexed.index().counts["removed"] == 1


def test_a_sitemap_that_cannot_be_had_removes_nothing(site: Site, crawled: Add) -> None:
    site.add("/", page("Start"))
    site.add("/orphan", page("Orphan"))
    site.sitemap = True
    indexed = crawled()
    indexed.index()
    assert indexed.paths == ["/", "/orphan"]
    site.fail("/sitemap.xml", status=500)
    for _ in range(3):
        run = indexed.index()
        assert run.result["complete"] is False
    assert indexed.paths == ["/", "/orphan"]
    assert "sitemap" in indexed.source.notice
