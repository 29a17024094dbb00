"""A crawl that was stopped goes on where it was: nothing is lost, and nothing that is indexed is asked for again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from indexing.models import Page, Source
from indexing.sites import ending, writing
from jobs import context, leases, runs
from jobs.context import STOP_VARIABLE
from jobs.execution import execute
from jobs.models import Run, Status
from tests.indexing.site_sources import Add, Indexed, crawled, page
from tests.indexing.test_sites import book
from tests.site import Site
from tests.wire.messages import Reply, Request

__all__ = ["crawled"]

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = 60


@pytest.fixture
def indexed(site: Site, crawled: Add, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Indexed:
    """A book of sixty chapters, not indexed yet; what was read is written after every tenth page. One page is asked for
    at a time, and whether to go on before each: what happens at the thirtieth is known at the next."""
    monkeypatch.setattr(writing, "BATCH", 10)
    monkeypatch.setattr(context, "ASK_EVERY", 0.0)
    settings.INDEX_CRAWL_CONCURRENCY = 1
    book(site, PAGES)
    return crawled()


def when_asked(site: Site, path: str, act: Callable[[], object]) -> None:
    """Do something, once, when a page is asked for; then answer with it."""
    page_there = site.pages.pop(path)

    def answer(request: Request) -> Reply:
        site.pages[path] = page_there
        del site.routes[path]
        act()
        connection.close()
        return site.respond(request)

    site.routes[path] = answer


def in_index(indexed: Indexed) -> set[str]:
    return set(indexed.paths)


def finish(indexed: Indexed, before: set[str]) -> Run:
    """Go on to the end; none of `before` but the first page is asked for again."""
    number = indexed.source.crawl
    run = indexed.index()
    assert run.status == Status.SUCCEEDED, run.error_text
    assert not (before - {"/"}) & set(indexed.site.counts)
    assert len(indexed.paths) == PAGES + 1
    assert run.counts["indexed"] == PAGES + 1
    source = indexed.source
    assert (source.crawl, source.crawl_open, source.pages) == (number, False, PAGES + 1)
    return run


def test_a_cancelled_crawl_goes_on_with_the_next_run(indexed: Indexed) -> None:
    run = indexed.ask()
    when_asked(indexed.site, "/c/30", lambda: runs.cancel_run(run, by=None))
    execute(str(run.pk))
    run.refresh_from_db()
    assert run.status == Status.CANCELLED
    before = in_index(indexed)
    assert 0 < len(before) < PAGES
    source = indexed.source
    assert (source.crawl_open, source.pages, source.error_code) == (True, len(before), "")
    finish(indexed, before)


def test_a_crawl_that_a_stopping_worker_gives_back_goes_on(
    indexed: Indexed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = tmp_path / "stop"
    monkeypatch.setenv(STOP_VARIABLE, str(stop))
    run = indexed.ask()
    when_asked(indexed.site, "/c/30", stop.touch)
    execute(str(run.pk))
    run.refresh_from_db()
    assert run.status == Status.QUEUED
    before = in_index(indexed)
    assert before
    stop.unlink()
    finish(indexed, before)
    run.refresh_from_db()
    assert run.status == Status.SUCCEEDED


def test_a_worker_that_lost_its_lease_writes_nothing_more(indexed: Indexed) -> None:
    run = indexed.ask()

    @transaction.atomic  # or it renews its lease in between
    def take_over() -> None:
        Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        leases.recover(Run.objects.all())
        before.extend(in_index(indexed))

    before: list[str] = []
    when_asked(indexed.site, "/c/30", take_over)
    execute(str(run.pk))
    run.refresh_from_db()
    assert run.status == Status.QUEUED
    assert in_index(indexed) == set(before)
    finish(indexed, set(before))


def test_a_source_that_is_deleted_meanwhile_ends_quietly(indexed: Indexed, caplog: pytest.LogCaptureFixture) -> None:
    run = indexed.ask()

    @transaction.atomic
    def delete() -> None:
        source = Source.objects.select_for_update().get(pk=indexed.pk)
        Page.objects.filter(source=source).delete()
        source.delete()

    when_asked(indexed.site, "/c/30", delete)
    execute(str(run.pk))
    run.refresh_from_db()
    assert (run.status, run.error_code) == (Status.CANCELLED, "cancelled")
    assert not Page.objects.exists()
    assert not caplog.records


def test_pages_that_failed_are_asked_for_again_by_the_next_attempt(indexed: Indexed) -> None:
    fault = indexed.site.fail("/c/2", status=500)
    run = indexed.ask()
    when_asked(indexed.site, "/c/40", lambda: runs.cancel_run(run, by=None))
    execute(str(run.pk))
    before = in_index(indexed)
    assert indexed.skips == {"/c/2": "server_error"}
    indexed.site.disarm(fault)
    finish(indexed, before)


def test_what_a_crawl_had_long_ago_is_asked_for_again(indexed: Indexed) -> None:
    run = indexed.ask()
    when_asked(indexed.site, "/c/30", lambda: runs.cancel_run(run, by=None))
    execute(str(run.pk))
    old = in_index(indexed)
    indexed.site.change("/c/1", page("Chapter 1", "/", text="It changed a day later."))
    Page.objects.update(fetched_at=timezone.now() - timedelta(days=1))
    indexed.index()
    assert "/c/1" in old
    assert indexed.found("a day later") == ["/c/1"]


def test_a_removal_that_was_interrupted_is_made_up_for(
    indexed: Indexed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexed.index()
    indexed.site.change("/", page("Book", *(f"/c/{number}" for number in range(1, 31))))
    indexed.index()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ending, "sweep", killed)
    run = indexed.ask()
    with pytest.raises(KeyboardInterrupt):
        execute(str(run.pk))
    monkeypatch.undo()
    assert len(indexed.paths) == PAGES + 1
    Run.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    leases.recover(Run.objects.all())
    execute(str(run.pk))
    assert len(indexed.paths) == 31


def test_what_is_beyond_the_cap_is_known_to_who_goes_on(indexed: Indexed) -> None:
    indexed.change(max_pages=40)
    run = indexed.ask()
    when_asked(indexed.site, "/c/20", lambda: runs.cancel_run(run, by=None))
    execute(str(run.pk))
    indexed.index()
    assert len(indexed.paths) == 40
    assert "21 pages that are known are left out" in indexed.source.notice


def test_how_much_there_is_can_be_seen_while_it_grows(indexed: Indexed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "TOTALS_EVERY", 0.0)
    seen: list[tuple[int, int]] = []
    when_asked(indexed.site, "/c/50", lambda: seen.append((indexed.source.pages, indexed.source.chunks)))
    indexed.index()
    ((pages, chunks),) = seen
    assert 0 < pages <= chunks < PAGES
    assert indexed.source.pages == PAGES + 1
