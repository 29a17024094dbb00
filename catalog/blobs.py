"""Blobs: texts stored once by their SHA-256, and collected once nothing refers to them (see `catalog.collecting`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.utils import timezone

from catalog.bulk import insert_rows
from catalog.collecting import GRACE, collect, spare
from catalog.models import Blob

BATCH = 500
BATCH_BYTES = 8 << 20
"""A statement carries no more text than this, so that memory stays flat."""


def store_text(text: str) -> Blob:
    """The Blob of one text, made if there is none."""
    ids = store_texts([text])
    return Blob.objects.get(pk=next(iter(ids.values())))


def store_texts(texts: Iterable[str], *, batch_size: int = BATCH) -> dict[str, int]:
    """Store each text once and return {SHA-256 in hex: blob id}. The texts must have no NUL (PostgreSQL holds none).

    Takes a generator and holds `batch_size` texts or 8 MB at a time. Harmless to repeat, and safe while others store
    the same texts. Call it outside the transaction that points to the blobs, so that no other writer waits.
    """
    ids: dict[str, int] = {}
    for batch in _batches(texts, batch_size):
        missing = {digest: text for text in batch if (digest := Blob.digest(text)) not in ids}
        # Again for an old one that was collected between being found and being marked: a fresh one never is.
        while missing:
            now = timezone.now()
            insert_rows(
                Blob,
                ("sha256", "size", "text"),
                # In one order everywhere: two that insert the same rows wait for each other but never in a circle.
                ((digest, len(text.encode()), text) for digest, text in sorted(missing.items())),
                same={"created_at": now, "stored_at": now},
                ignore_conflicts=True,
            )
            found = spare(Blob.objects.filter(sha256__in=list(missing)), "sha256")
            ids.update(found)
            missing = {digest: text for digest, text in missing.items() if digest not in found}
    return ids


def _batches(texts: Iterable[str], batch_size: int) -> Iterator[list[str]]:
    batch: list[str] = []
    held = 0
    for text in texts:
        size = len(text.encode())
        if batch and (len(batch) >= batch_size or held + size > BATCH_BYTES):
            yield batch
            batch, held = [], 0
        batch.append(text)
        held += size
    if batch:
        yield batch


def collect_unused(older_than: timedelta = GRACE) -> int:
    """`catalog.collecting.collect` of texts."""
    return collect(Blob, older_than)
