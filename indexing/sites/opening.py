"""How a crawl begins: with a number of its own, or where an earlier attempt at it was stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from forges.clients.errors import TooLarge
from forges.reading import InvalidPattern, PathFilter
from indexing import texts
from indexing.chunking.model import CHUNKER
from indexing.crawling.model import Limits
from indexing.crawling.urls import Cover, canonical
from indexing.models import Page, Source, Text
from indexing.reasons import Reason
from indexing.sites.deciding import CRAWLS_WITHOUT, FAILED
from indexing.sites.removing import remove, sweep
from indexing.texts import NewText
from jobs.context import RunContext
from jobs.outcomes import Cancelled, Failure

EXTRACTION = 1
"""The version of how pages are read: with another one all pages are asked for anew."""
STALE = timedelta(hours=6)
"""A crawl that goes on after so long asks again for what it had."""
PAUSE = 1.0
"""Seconds before a page that failed is asked for once more."""
_LOOK = 500
_CUT_AT_ONCE = 20


@dataclass(frozen=True)
class Crawl:
    """One crawl of a source, whichever attempt at it this is."""

    source: Source
    number: int
    cover: Cover
    limits: Limits
    claim: Callable[[], dict[str, int]]
    """Call it first in each transaction that writes: it keeps the source as it is until the end of it, and returns
    what the crawl did so far. Raises LeaseLost, or Cancelled where the source is gone."""

    @property
    def start(self) -> str:
        return self.cover.start


def claimed(context: RunContext, source: Source) -> Callable[[], dict[str, int]]:
    def claim() -> dict[str, int]:
        context.fence()
        found = Source.objects.select_for_update(of=("self",)).filter(pk=source.pk).values_list("crawl_counts").first()
        if found is None:
            raise Cancelled
        counts: dict[str, int] = found[0]
        return counts

    return claim


def begin(context: RunContext, source: Source) -> Crawl:
    """Raises Failure for an address or patterns that cannot be crawled by."""
    cover, limits = _cover(source), limits_of(source)
    claim = claimed(context, source)
    fingerprint = _fingerprint(cover, limits)
    changed = source.fingerprint not in ("", fingerprint)
    removed = 0
    if changed:
        context.progress("Looking at what was indexed before")
        removed = _remove_uncovered(context, source, cover, claim)
    sweep(source, claim, context.check)  # what the end of the last crawl was too short for
    _cut_anew(context, source)
    with transaction.atomic():
        claim()
        number = _number(source, fingerprint, removed)
        if changed:
            # Whatever is different: each page is read anew, and goes if it is not reached now.
            known = Page.objects.filter(source=source)
            known.update(etag="", last_modified="", missed=CRAWLS_WITHOUT - 1)
    return Crawl(source, number, cover, limits, claim)


def _cut_anew(context: RunContext, source: Source) -> None:
    """Texts that were cut into chunks by older rules: pages that have not changed are not read again."""
    index = texts.index_of(source.server)
    old = Text.objects.filter(pages__source=source).exclude(chunker=CHUNKER).order_by("pk").distinct()
    while some := list(old.values_list("blob_id", "blob__text", "format", "name")[:_CUT_AT_ONCE]):
        context.check()
        texts.store(index, [NewText(*each) for each in some])


def _number(source: Source, fingerprint: str, removed: int) -> int:
    row = Source.objects.get(pk=source.pk)
    rows = Source.objects.filter(pk=source.pk)
    if not row.crawl_open or row.fingerprint != fingerprint:
        counts = {"removed": removed}
        rows.update(crawl=row.crawl + 1, crawl_open=True, crawl_counts=counts, fingerprint=fingerprint)
        return row.crawl + 1
    asked = Page.objects.filter(source=source, fetched=row.crawl)
    asked.filter(skip_reason__in=FAILED).update(fetched=row.crawl - 1)
    asked.filter(fetched_at__lt=timezone.now() - STALE).update(fetched=row.crawl - 1)
    return row.crawl


def _cover(source: Source) -> Cover:
    try:
        return Cover.of(canonical(source.url), paths=PathFilter.parse(source.include, source.exclude))
    except InvalidPattern as error:
        raise Failure(Reason.EMPTY, f"The patterns cannot be used. {error}") from error
    except ValueError as error:
        raise Failure(Reason.NOT_FOUND, "The address is not one that can be asked. Check its spelling.") from error


def limits_of(source: Source) -> Limits:
    """What a crawl of it may cost: the operator's limits, and fewer pages where the source asks for fewer."""
    return Limits(
        pages=min(source.max_pages or settings.INDEX_MAX_PAGES, settings.INDEX_MAX_PAGES),
        depth=source.max_depth,
        seconds=settings.INDEX_CRAWL_SECONDS,
        max_bytes=settings.INDEX_CRAWL_MAX_BYTES,
        page_seconds=settings.INDEX_PAGE_TIMEOUT,
        page_bytes=settings.INDEX_PAGE_MAX_BYTES,
        concurrency=settings.INDEX_CRAWL_CONCURRENCY,
        delay=settings.INDEX_CRAWL_DELAY,
        pause=PAUSE,
    )


def _fingerprint(cover: Cover, limits: Limits) -> str:
    choices = [cover.start, cover.prefix, cover.paths.fingerprint, limits.pages, limits.depth, EXTRACTION]
    return hashlib.sha256(json.dumps(choices).encode()).hexdigest()


def _remove_uncovered(context: RunContext, source: Source, cover: Cover, claim: Callable[[], dict[str, int]]) -> int:
    """Pages that the source does not mean any more go at once; how many were in the index."""
    last = removed = 0
    while rows := list(Page.objects.filter(source=source, pk__gt=last).order_by("pk").values_list("pk", "url")[:_LOOK]):
        last = rows[-1][0]
        try:
            gone = [pk for pk, url in rows if not cover.covers(url)]
        except TooLarge as error:
            raise Failure(Reason.TOO_LARGE, str(error)) from error
        context.check()
        removed += remove(source, gone, claim)
    return removed
