"""Blobs: texts stored once by their SHA-256, and collected once nothing refers to them.

They go in before the short transaction that points to them, so a crash leaves only blobs that nobody uses; those are
deleted a day after they were last stored.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS, IntegrityError, models, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from catalog.bulk import insert_rows
from catalog.models import Blob

logger = logging.getLogger(__name__)

GRACE = timedelta(days=1)
"""How long a blob that nothing refers to is kept: longer than any import takes to get from its blobs to its rows."""
BATCH = 500
BATCH_BYTES = 8 << 20
"""A statement carries no more text than this, so that memory stays flat."""
TOUCH = timedelta(hours=1)
"""A blob stored again is marked so at most this often; far below GRACE, so that none in use is collected."""


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
            found = _spare(missing)
            ids.update(found)
            missing = {digest: text for digest, text in missing.items() if digest not in found}
    return ids


def _spare(digests: Iterable[str]) -> dict[str, int]:
    """The ids of the blobs that are there, each marked as just stored, so that none of them is collected now."""
    rows = list(Blob.objects.filter(sha256__in=list(digests)).values_list("sha256", "pk", "stored_at"))
    now = timezone.now()
    if old := [pk for _, pk, stored_at in rows if stored_at < now - TOUCH]:
        marked = Blob.objects.filter(pk__in=old)
        if marked.update(stored_at=now) < len(old):
            gone = set(old) - set(marked.values_list("pk", flat=True))
            rows = [row for row in rows if row[1] not in gone]
    return {digest: pk for digest, pk, _ in rows}


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
    """Delete the blobs that nothing refers to and that nobody stored within `older_than`; return how many went.

    Whatever has a foreign key to Blob counts as a use, in this app or in one above. The statement that deletes asks
    the same question again, and the foreign keys refuse it if a row came to refer to the blob meanwhile.
    """
    before = timezone.now() - older_than
    collected = 0
    last = 0
    while ids := list(_unused(before).filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        last = ids[-1]
        try:
            with transaction.atomic():
                # Not delete(): that reads the rows first and then deletes by id, also what was stored again between.
                collected += _unused(before).filter(pk__in=ids)._raw_delete(DEFAULT_DB_ALIAS)
        except IntegrityError:
            logger.info(
                "Some of %d unused blobs came into use while they were collected; the next run looks again", len(ids)
            )
    return collected


def _unused(before: Any) -> models.QuerySet[Blob]:
    unused = Blob.objects.filter(stored_at__lt=before)
    for relation in Blob._meta.get_fields(include_hidden=True):
        if isinstance(relation, models.ManyToOneRel):
            users = relation.related_model._default_manager.filter(**{relation.field.name: OuterRef("pk")})
            unused = unused.filter(~Exists(users))
    return unused
