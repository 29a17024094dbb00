"""What is remembered of how the index of a source was brought up to date."""

from __future__ import annotations

import pytest

from indexing import running
from indexing.models import Source
from jobs.context import RunContext
from jobs.models import Status
from jobs.outcomes import Outcome
from tests.indexing.site_sources import Add, crawled, page
from tests.site import Site

__all__ = ["crawled"]

pytestmark = pytest.mark.django_db


def test_an_unforeseen_error_has_a_reference_that_the_log_has_too(
    site: Site, crawled: Add, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(context: RunContext, source: Source) -> Outcome:
        raise RuntimeError("out of order, with the secret word xyzzy")

    site.add("/", page("Start"))
    indexed = crawled()
    indexed.index()
    monkeypatch.setitem(running.INDEXERS, Source.Kind.SITE, broken)
    run = indexed.index()
    source = indexed.source
    assert (run.status, run.error_code, source.error_code) == (Status.FAILED, "unknown", "unknown")
    assert len(source.error_reference) == 8
    assert source.error_reference in caplog.text
    assert source.error_reference in source.error_text
    assert "xyzzy" not in source.error_text
    assert source.pages == 1
    monkeypatch.undo()
    indexed.index()
    assert (indexed.source.error_code, indexed.source.error_reference) == ("", "")


def test_what_breaks_because_the_source_is_gone_is_no_error(
    site: Site, crawled: Add, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stands_on_nothing(context: RunContext, source: Source) -> Outcome:
        Source.objects.filter(pk=source.pk).delete()
        raise Source.DoesNotExist

    indexed = crawled()
    monkeypatch.setitem(running.INDEXERS, Source.Kind.SITE, stands_on_nothing)
    assert indexed.index().status == Status.CANCELLED
    assert not caplog.records
