"""Pages go: with the rows by which they were known, or out of the index alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db import transaction
from django.db.models import QuerySet

from indexing.models import Page, Source
from indexing.sites.deciding import CRAWLS_WITHOUT
from indexing.sites.duplicates import release

BATCH = 200
"""Pages of one transaction: other writers wait for it."""


def remove(source: Source, ids: Sequence[int], claim: Callable[[], dict[str, int]]) -> int:
    """Forget these pages; how many of them were in the index."""
    removed = 0
    for start in range(0, len(ids), BATCH):
        with transaction.atomic():
            counts = claim()
            pages = Page.objects.filter(source=source, pk__in=ids[start : start + BATCH])
            left = _left(pages)
            pages.delete()
            release(source, left)
            _count(source, counts, len(left))
        removed += len(left)
    return removed


def sweep(source: Source, claim: Callable[[], dict[str, int]], check: Callable[[], None]) -> int:
    """Remove what the last crawl's end has marked: pages without which two complete crawls in a row came away."""
    overdue = Page.objects.filter(source=source, missed__gte=CRAWLS_WITHOUT)
    removed = 0
    number = Source.objects.filter(pk=source.pk).values_list("crawl", flat=True).first() or 0
    while ids := list(overdue.exclude(reached=number).values_list("pk", flat=True)[:BATCH]):
        check()
        removed += remove(source, ids, claim)
    while ids := list(overdue.filter(reached=number).values_list("pk", flat=True)[:BATCH]):
        check()
        removed += _clear(source, ids, claim)
    return removed


def _clear(source: Source, ids: Sequence[int], claim: Callable[[], dict[str, int]]) -> int:
    """Out of the index, but still known: each of them is there, and says nothing that can be indexed."""
    with transaction.atomic():
        counts = claim()
        pages = Page.objects.filter(source=source, pk__in=ids)
        left = _left(pages)
        pages.update(text=None, missed=0)
        release(source, left)
        _count(source, counts, len(left))
    return len(left)


def _left(pages: QuerySet[Page]) -> dict[str, int]:
    found = pages.filter(text__isnull=False).values_list("url", "meta__asked", "text_id")
    return {asked or url: text for url, asked, text in found if text is not None}


def _count(source: Source, counts: dict[str, int], removed: int) -> None:
    if removed:
        counts = {**counts, "removed": counts.get("removed", 0) + removed}
        Source.objects.filter(pk=source.pk).update(crawl_counts=counts)
