"""What was read goes into the database: texts first, then, in one short transaction, the pages that point to them.

Whoever searches sees the old text of a page or the new one. A worker that is killed leaves pages that are asked for
again, and texts that nothing points to.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from catalog import blobs as blob_store
from indexing import texts
from indexing.models import Page, PageLinks, ServerIndex, Source
from indexing.sites.deciding import FAILED, PASSING, Fate
from indexing.sites.duplicates import DETAIL, TEXT, hide, mark, release, show
from indexing.sites.frontier import asked_at, path_of
from indexing.sites.opening import Crawl
from indexing.sites.planning import Planned, Planning
from indexing.sites.reading import Reading
from indexing.totals import counted

BATCH = 50
"""Pages of one transaction,"""
CHARACTERS = 2 << 20
"""or as many as have so much text,"""
SECONDS = 1.0
"""or as came within this time: so much is asked for again after a crash."""
TOTALS_EVERY = 2.0
"""Seconds between two looks at how much is in the index."""
_WRITTEN = (
    *("url", "path", "text", "title", "skip_reason", "skip_detail", "meta", "status", "etag", "last_modified"),
    *("fetched", "fetched_at", "changed_at"),
)


class Writer:
    """Of one attempt at a crawl. `add` what was read, `flush` at the end."""

    def __init__(self, crawl: Crawl, index: ServerIndex) -> None:
        self._crawl, self._index = crawl, index
        self._waiting: list[tuple[Reading, list[int] | None]] = []
        self._characters = 0
        self._since = self._counted_at = time.monotonic()

    def add(self, reading: Reading, targets: list[int] | None) -> None:
        """`targets`: the pages that it leads to, None where those of the last time still hold."""
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting.append((reading, targets))
        self._characters += len(reading.text)
        if len(self._waiting) >= BATCH or self._characters >= CHARACTERS:
            self.flush()
        else:
            self.flush_if_late()

    def flush_if_late(self) -> None:
        if self._waiting and time.monotonic() - self._since >= SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what waits. Raises LeaseLost, or Cancelled where the source is gone."""
        waiting, self._waiting, self._characters = self._waiting, [], 0
        if not waiting:
            return
        planned = Planning(self._crawl.source, self._crawl.number, waiting).plan()
        self._store(planned)
        self._write(planned)

    def _store(self, planned: Sequence[Planned]) -> None:
        wanted = [each for each in planned if each.needs_text]
        if not wanted:
            return
        ids = blob_store.store_texts([each.reading.text for each in wanted])
        new = [
            texts.NewText(ids[each.digest], each.reading.text, each.reading.format, each.reading.title)
            for each in wanted
        ]
        for each, text in zip(wanted, texts.store(self._index, new), strict=True):
            each.text_id = text.pk

    def _write(self, planned: Sequence[Planned]) -> None:
        source, number, now = self._crawl.source, self._crawl.number, timezone.now()
        with transaction.atomic():
            counts = Counter(self._crawl.claim())
            left: dict[str, int] = {}
            as_it_was: list[int] = []
            for each in planned:
                row, before = each.row, each.row.text_id
                if each.reading.fate is Fate.STAY and row.skip_reason not in PASSING:
                    as_it_was.append(row.pk)
                    continue
                row.status, row.fetched, row.fetched_at = each.reading.status, number, now
                counts.update(_apply(each, number, now))
                row.save(update_fields=_WRITTEN)
                if before is not None and before != row.text_id:
                    left[asked_at(row)] = before
            Page.objects.filter(pk__in=as_it_was).update(fetched=number, fetched_at=now, status=304)
            release(source, left)
            _remember_links(planned)
            Source.objects.filter(pk=source.pk).update(crawl_counts=dict(counts), **self._totals())

    def _totals(self) -> dict[str, int]:
        """How much there is, if it was not looked at a moment ago."""
        if time.monotonic() - self._counted_at < TOTALS_EVERY:
            return {}
        self._counted_at = time.monotonic()
        return counted(self._crawl.source)


def _apply(each: Planned, number: int, now: datetime) -> list[str]:
    """Make the row what the reading says; not saved. Returns what that counts as."""
    row, reading = each.row, each.reading
    match reading.fate:
        case Fate.STAY:
            row.skip_reason = row.skip_detail = ""
            row.meta.pop("failing_since", None)
        case Fate.FAIL | Fate.DOUBT:
            _without_text(row, reading, number)
        case Fate.GO:
            removed = ["removed"] if row.text_id is not None else []
            row.text = None
            if "asked" in row.meta:  # people see the page, which is there, and not its Markdown
                row.url = asked_at(row)
                row.path = path_of(row.url)
            row.meta = {}
            _leave_out(row, reading)
            return removed
        case Fate.TAKE:
            return _take(each, now)
    return []


def _without_text(row: Page, reading: Reading, number: int) -> None:
    failed_before = row.skip_reason in FAILED
    if reading.skip not in PASSING:
        _leave_out(row, reading)
    row.skip_reason, row.skip_detail = reading.skip or "", reading.detail[:DETAIL]
    if reading.skip in PASSING and row.text_id is None:
        row.etag = row.last_modified = ""  # nothing is left of what they stood for
    if reading.skip in FAILED and not failed_before:
        row.meta = {**row.meta, "failing_since": number}


def _leave_out(row: Page, reading: Reading) -> None:
    row.skip_reason, row.skip_detail = reading.skip or "", reading.detail[:DETAIL]
    row.etag, row.last_modified = reading.etag, reading.last_modified
    if row.text_id is None:
        row.title, row.meta = reading.title, _meta(row, reading)


def _take(each: Planned, now: datetime) -> list[str]:
    row, reading, before = each.row, each.reading, each.row.text_id
    row.title, row.etag, row.last_modified = reading.title, reading.etag, reading.last_modified
    row.meta = _meta(row, reading)
    if each.duplicate_of and each.settled:
        hide(row, each.duplicate_of, each.duplicate_by, digest=each.digest if each.duplicate_by == TEXT else "")
        return []
    if each.duplicate_of:
        if each.text_id is not None:
            row.meta |= {"held": each.text_id}
        mark(row, each.duplicate_of, each.duplicate_by)
        return []
    show(row, each.text_id or 0)
    if before is None:
        row.changed_at = now
        return ["indexed"]
    if each.changed:
        row.changed_at = now
        return ["changed"]
    return []


def _meta(row: Page, reading: Reading) -> dict[str, Any]:
    """What it says now; at which address it is asked for is none of that."""
    kept = {name: row.meta[name] for name in ("asked",) if name in row.meta}
    if reading.stands_for:
        kept["stands_for"] = reading.stands_for
    if reading.redirects:
        kept["redirects"] = True
    return {**reading.meta, **kept}


def _remember_links(planned: Sequence[Planned]) -> None:
    told = {each.row.pk: each.targets for each in planned if each.targets is not None}
    known = dict(PageLinks.objects.filter(page__in=told).values_list("page_id", "targets"))
    PageLinks.objects.bulk_create(
        [PageLinks(page_id=pk, targets=targets) for pk, targets in told.items() if known.get(pk) != targets],
        update_conflicts=True,
        unique_fields=["page"],
        update_fields=["targets"],
    )
