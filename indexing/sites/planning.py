"""What a batch of readings means for the rows of their pages, before anything is written: who has a text of its own,
whose text another page has already, and what was as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from catalog.models import Blob
from indexing.chunking.model import CHUNKER
from indexing.models import Page, Source, Text
from indexing.reasons import SkipReason
from indexing.sites.deciding import Fate
from indexing.sites.duplicates import ADDRESS, HOPS, TEXT
from indexing.sites.frontier import asked_at, key_of
from indexing.sites.reading import Reading


@dataclass(slots=True)
class Planned:
    """One page: `row` is what is known of it, `reading` what it says now."""

    row: Page
    reading: Reading
    targets: list[int] | None
    """Pages that it leads to; None: those that it led to before."""
    digest: str = ""
    """SHA-256 of its text, "" without one."""
    duplicate_of: str = ""
    duplicate_by: str = ""
    settled: bool = True
    """False where the page that it stands for has not been asked for yet in this crawl."""
    changed: bool = False
    """Whether its text is another than the one in the index."""
    text_id: int | None = None
    """The Text that says what the reading says; where there is none yet, it has to be stored."""

    @property
    def needs_text(self) -> bool:
        return bool(self.digest) and self.text_id is None and (not self.duplicate_of or not self.settled)


class Planning:
    """Of one batch: the pages in the order in which they came."""

    def __init__(self, source: Source, number: int, readings: Sequence[tuple[Reading, list[int] | None]]) -> None:
        self._source, self._number = source, number
        self._readings = readings
        self._rows = self._rows_at(reading.url for reading, _ in readings)
        self._others = self._rows_at(reading.stands_for for reading, _ in readings)
        self._had = self._texts()
        self._holders = self._holding(
            {Blob.digest(reading.text) for reading, _ in readings if reading.text and reading.fate is Fate.TAKE}
        )
        self._planned: dict[str, Planned] = {}

    def plan(self) -> list[Planned]:
        # Nearest to the start first, whichever was quicker to answer: of two that say the same that one is kept.
        for reading, targets in sorted(self._readings, key=self._place):
            each = Planned(self._rows[reading.url], reading, targets)
            if reading.fate is Fate.TAKE:
                self._take(each)
            elif reading.fate is Fate.GO:
                self._leaves(each)
            self._planned[reading.url] = each
        return list(self._planned.values())

    def _place(self, read: tuple[Reading, list[int] | None]) -> tuple[int, int]:
        row = self._rows[read[0].url]
        return row.depth, row.pk

    def _rows_at(self, urls: Iterable[str]) -> dict[str, Page]:
        keys = [key_of(url) for url in urls if url]
        return {asked_at(row): row for row in Page.objects.filter(source=self._source, key__in=keys)} if keys else {}

    def _texts(self) -> Mapping[int, tuple[str, str, int]]:
        """id -> (digest, format, version of the rules by which it was cut)."""
        ids = [row.text_id for row in self._rows.values() if row.text_id is not None]
        found = Text.objects.filter(pk__in=ids).values_list("pk", "blob__sha256", "format", "chunker")
        return {pk: (digest, form, chunker) for pk, digest, form, chunker in found}

    def _holding(self, digests: set[str]) -> dict[str, str]:
        """digest -> the page of this source that has such a text, the nearest to the start where several do."""
        pages = Page.objects.filter(source=self._source, text__blob__sha256__in=digests).order_by("-depth", "-pk")
        found = pages.exclude(skip_reason=SkipReason.DUPLICATE).values_list("text__blob__sha256", "url", "meta__asked")
        return {digest: asked or url for digest, url, asked in found}

    def _take(self, each: Planned) -> None:
        reading, row = each.reading, each.row
        each.digest = "" if reading.redirects else Blob.digest(reading.text)
        if reading.stands_for and (kept := self._kept_for(each)) is not None:
            each.duplicate_of, each.settled = kept
            each.duplicate_by = ADDRESS
        elif reading.redirects:
            each.duplicate_of, each.duplicate_by, each.settled = reading.stands_for, ADDRESS, False
        elif (holder := self._holders.get(each.digest, reading.url)) != reading.url:
            each.duplicate_of, each.duplicate_by = holder, TEXT
        if each.duplicate_of:
            self._leaves(each)
            return
        had = self._had.get(row.text_id or 0)
        each.changed = had is not None and had[0] != each.digest
        if each.changed:
            self._leaves(each)
        if had == (each.digest, reading.format, CHUNKER) and row.title == reading.title:
            each.text_id = row.text_id
        self._holders[each.digest] = reading.url

    def _leaves(self, each: Planned) -> None:
        """Its text is not its own any more: another page of this batch may have it."""
        had = self._had.get(each.row.text_id or 0)
        if had is not None and self._holders.get(had[0]) == each.reading.url:
            del self._holders[had[0]]

    def _kept_for(self, each: Planned) -> tuple[str, bool] | None:
        """The page that is kept in place of this one, and whether that is settled; None: this one is kept itself."""
        url = each.reading.stands_for
        for _ in range(HOPS):
            page = self._rows.get(url) or self._others.get(url) or self._rows_at([url]).get(url)
            if page is None or page.pk == each.row.pk:
                return None
            self._others[url] = page
            now = self._planned.get(url)
            reads = now.reading if now else None
            duplicate_of, by = (now.duplicate_of, now.duplicate_by) if now else _duplicate_of(page)
            asked = now is not None or page.fetched == self._number
            if by == TEXT and duplicate_of == each.reading.url:
                return url, True  # it has waited for this page to leave it its text
            if duplicate_of:
                url = duplicate_of
                continue
            if reads is not None and reads.fate in (Fate.TAKE, Fate.GO):
                has_text = reads.fate is Fate.TAKE
            else:
                has_text = page.text_id is not None
            if has_text:
                return url, True
            return None if asked else (url, False)
        return None


def _duplicate_of(page: Page) -> tuple[str, str]:
    """Of which page, and by what."""
    if page.skip_reason != SkipReason.DUPLICATE:
        return "", ""
    return page.meta.get("duplicate_of", ""), page.meta.get("duplicate_by", "")
