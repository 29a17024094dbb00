"""The files of a repository as pages of its source: as they are here, and written batch by batch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from catalog.models import Blob
from forges.clients.base import Entry
from forges.reading import SkipReason
from indexing import texts
from indexing.chunking.model import CHUNKER
from indexing.models import Page, ServerIndex, Source
from indexing.repositories.comparing import Row, Unfit
from indexing.texts import NewText
from jobs.context import RunContext
from jobs.outcomes import Failure

BATCH = 500
"""Rows of one transaction."""
_URL, _DETAIL = 2048, 254
"""Characters that the columns take."""
_SAID = ("url", "path", "skip_reason", "skip_detail", "oid", "size", "fetched_at")


def take_picture(source: Source) -> dict[str, Row]:
    """What is here, by path, in one query."""
    found = Page.objects.filter(source=source).values_list(
        "path", "pk", "oid", "text_id", "skip_reason", "text__chunker", "text__blob_id"
    )
    return {
        path: Row(pk, oid, text, skip_reason, is_current=chunker in (None, CHUNKER), blob=blob or 0)
        for path, pk, oid, text, skip_reason, chunker, blob in found.iterator()
    }


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes pages of one source, each batch in a transaction of its own, so that a search finds what is there so
    far and what was there before, and a Run that is stopped goes on where it was."""

    context: RunContext
    source: Source
    index: ServerIndex
    url_of: Callable[[str], str]
    """Where a person sees the file of a path."""

    def write(self, files: Sequence[tuple[Entry, int]]) -> int:
        """Put files into the index, whose texts are stored as these blobs; how many that were. A batch in memory."""
        bodies = dict(Blob.objects.filter(pk__in={blob for _, blob in files}).values_list("pk", "text"))
        batch = [(entry, blob, bodies[blob]) for entry, blob in files if blob in bodies]
        new = [
            NewText(blob, text, texts.format_of(entry.path), entry.path.rpartition("/")[2])
            for entry, blob, text in batch
        ]
        now = timezone.now()
        stored = texts.store(self.index, new)
        pages = [
            self._page(entry.path, entry.oid, size=len(text.encode()), text=made, changed_at=now, title=made.title)
            for (entry, _, text), made in zip(batch, stored, strict=True)
        ]
        self._save(pages, (*_SAID, "text", "changed_at", "title"))
        return len(batch)

    def skip(self, skips: Sequence[Unfit]) -> None:
        """Say of files why they are not in the index; what was there of them goes, unless the forge merely did not
        hand it out this time."""
        for start in range(0, len(skips), BATCH):
            some = skips[start : start + BATCH]
            pages = [
                self._page(skip.path, skip.oid, skip_reason=skip.reason, skip_detail=skip.detail[:_DETAIL])
                for skip in some
            ]
            unread = [page for page in pages if page.skip_reason == SkipReason.UNREADABLE]
            self._save(unread, ("skip_reason", "skip_detail", "fetched_at"))
            self._save([page for page in pages if page.skip_reason != SkipReason.UNREADABLE], (*_SAID, "text"))

    def remove(self, rows: Sequence[int]) -> None:
        for start in range(0, len(rows), BATCH):
            with transaction.atomic():
                self.context.fence()
                Page.objects.filter(source=self.source, pk__in=rows[start : start + BATCH]).delete()
            self.context.check()

    def _page(self, path: str, oid: str, **fields: Any) -> Page:
        url = self.url_of(path)
        return Page(
            source=self.source,
            key=hashlib.sha256(path.encode()).hexdigest(),
            path=path,
            oid=oid,
            url=url if len(url) <= _URL else "",
            fetched_at=timezone.now(),
            **fields,
        )

    def _save(self, pages: Sequence[Page], fields: Sequence[str]) -> None:
        if not pages:
            return
        with transaction.atomic():
            self.context.fence()
            if not Source.objects.filter(pk=self.source.pk).exists():
                raise Failure("deleted", "The source was deleted while it was being indexed.")
            Page.objects.bulk_create(
                pages,
                update_conflicts=True,
                unique_fields=["source", "key"],
                update_fields=list(fields),
                batch_size=BATCH,
            )
        self.context.check()
