"""Texts in the index of a server: each is stored and cut once, whoever brings it and however often.

They go in before what points to them, like blobs (`catalog.blobs`), in transactions of their own that lock the server's
place in the index: that gives ids of chunks once, and lets one of two that bring the same text find the other's.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from catalog.bulk import insert_rows
from catalog.models import Content, Server, VersionFile
from indexing.chunking.cutting import cut
from indexing.chunking.model import CHUNKER, Cut
from indexing.matching import format_of as format_of
from indexing.matching import used_by
from indexing.models import CHUNK_BITS, Chunk, Page, ServerIndex, Text
from indexing.search.entering import entered
from indexing.search.identifiers import parts_of

logger = logging.getLogger(__name__)

GRACE = timedelta(hours=1)
"""How long a text that nothing uses is kept: longer than it takes to get from `store` to what points to it."""
TOUCH = timedelta(minutes=10)
"""One brought again is marked so at most this often; far below GRACE, so that none about to be used is deleted."""
BATCH_TEXTS, BATCH_CHUNKS = 200, 500
"""What one transaction stores at most, but for a single text that has more chunks."""
NAME = 300

Key = tuple[int, str, str]
"""Blob id, format and name: what makes a Text one of its server's index."""


@dataclass(frozen=True, slots=True)
class NewText:
    """What is to be in the index. `catalog.blobs.store_texts` has stored the text, and tells the blob's id."""

    blob_id: int
    text: str
    format: str
    """`indexing.models.Format`."""
    name: str = ""
    """What it is called from outside (a page's title, a file's name), for a text that has no title of its own."""

    @property
    def key(self) -> Key:
        return self.blob_id, self.format, self.name[:NAME]


def index_of(server: Server) -> ServerIndex:
    """The server's place in the index, made if it has none."""
    return ServerIndex.objects.get_or_create(server=server)[0]


def store(index: ServerIndex, new: Sequence[NewText]) -> list[Text]:
    """The Texts of these, in their order; those that were there already are not cut again.

    Commits in short transactions of bounded size: call it outside the transaction that points to the texts. Safe while
    others store the same texts. What nothing points to is kept for an hour (`forget_unused`).
    """
    wanted = {each.key: each for each in new}
    found: dict[Key, Text] = {}
    # Again for an old one that was deleted between being found and being marked: a fresh one never is.
    while missing := [each for key, each in wanted.items() if key not in found]:
        there = _find(index, missing)
        for batch in _batches(missing, there):
            found |= _write(index, batch)
    return [found[each.key] for each in new]


def forget_unused(index: ServerIndex) -> int:
    """Delete the texts, with their chunks, that no page, live file or version uses and that nobody brought for an hour.
    Returns how many."""
    forgotten = 0
    try:
        while count := _forget_some(index):
            forgotten += count
    except IntegrityError:
        logger.info("Unused texts of %s came into use while they were deleted; the next look tries again", index)
    return forgotten


@transaction.atomic
def _forget_some(index: ServerIndex) -> int:
    _lock(index)  # so that nobody marks one of them between our look and our deleting it
    unused = _unused(index).order_by("pk").values_list("pk", "chunks")[:BATCH_TEXTS]
    ids = list(_as_many_as_fit(unused))
    Chunk.objects.filter(text__in=ids).delete()
    Text.objects.filter(pk__in=ids).delete()
    return len(ids)


def _unused(index: ServerIndex) -> QuerySet[Text]:
    return Text.objects.filter(
        ~Exists(Page.objects.filter(text=OuterRef("pk"))),
        ~used_by(Content.objects.filter(server=index.server_id)),
        ~used_by(VersionFile.objects.filter(version__server=index.server_id)),
        index=index,
        stored_at__lt=timezone.now() - GRACE,
    )


def _as_many_as_fit(texts: Iterable[tuple[int, int]]) -> Iterator[int]:
    chunks = 0
    for number, (pk, count) in enumerate(texts):
        chunks += count
        if number and chunks > BATCH_CHUNKS:
            return
        yield pk


def _lock(index: ServerIndex) -> ServerIndex:
    return ServerIndex.objects.select_for_update().get(pk=index.pk)


def _find(index: ServerIndex, wanted: Collection[NewText]) -> dict[Key, Text]:
    """Those that are there, by the key that they were asked for; a text with a title of its own has no name."""
    blobs = {each.blob_id for each in wanted}
    rows: dict[Key, Text] = {}
    ids = iter(blobs)
    while some := list(islice(ids, BATCH_CHUNKS)):
        for text in Text.objects.filter(index=index, blob__in=some, chunker=CHUNKER):
            rows[(text.blob_id, text.format, text.name)] = text
    found = {}
    for each in wanted:
        blob_id, format_, name = each.key
        there = rows.get((blob_id, format_, "")) or rows.get((blob_id, format_, name))
        if there is not None:
            found[each.key] = there
    return found


@dataclass(frozen=True, slots=True)
class _Ready:
    """A text to be stored, cut unless it was there."""

    new: NewText
    cut: Cut | None


def _batches(missing: Iterable[NewText], there: Collection[Key]) -> Iterator[list[_Ready]]:
    """As much as one transaction takes. The cutting is done here, outside of it."""
    batch: list[_Ready] = []
    chunks = 0
    for each in missing:
        made = None if each.key in there else cut(each.text, each.format)
        size = len(made.pieces) if made else 0
        if batch and (len(batch) >= BATCH_TEXTS or chunks + size > BATCH_CHUNKS):
            yield batch
            batch, chunks = [], 0
        batch.append(_Ready(each, made))
        chunks += size
    if batch:
        yield batch


@transaction.atomic
def _write(index: ServerIndex, batch: Sequence[_Ready]) -> dict[Key, Text]:
    """The Texts that are there afterwards, by the keys they were asked for: all but those that were found a moment ago
    and are gone."""
    locked = _lock(index)
    there = _find(index, [ready.new for ready in batch])
    now = timezone.now()
    old = [text.pk for text in there.values() if text.stored_at < now - TOUCH]
    if old:
        Text.objects.filter(pk__in=old).update(stored_at=now)
    cuts: dict[Key, tuple[Cut, str]] = {}
    keys: dict[Key, Key] = {}
    for ready in batch:
        if ready.cut is None or ready.new.key in there:
            continue
        blob_id, format_, name = ready.new.key
        # One that has a title of its own may have come under two names.
        keys[ready.new.key] = key = (blob_id, format_, "" if ready.cut.title else name)
        cuts.setdefault(key, (ready.cut, ready.cut.title or name))
    made = _texts(locked, cuts)
    there |= {asked: made[key] for asked, key in keys.items()}
    if chunks := [chunk for key, (made_of, _) in cuts.items() for chunk in _chunks(locked, made[key], made_of)]:
        ServerIndex.objects.filter(pk=index.pk).update(last_chunk=locked.last_chunk)
        _insert(chunks)
        entered(chunks)
    return there


def _texts(index: ServerIndex, cuts: Mapping[Key, tuple[Cut, str]]) -> dict[Key, Text]:
    """Their rows, made, or emptied if they were cut by older rules. The index is locked, so nobody else makes them."""
    if not cuts:
        return {}
    now = timezone.now()
    rows = Text.objects.filter(index=index, blob__in={blob_id for blob_id, _, _ in cuts}).exclude(chunker=CHUNKER)
    old = {key: text for text in rows if (key := (text.blob_id, text.format, text.name)) in cuts}
    Chunk.objects.filter(text__in=old.values()).delete()
    made: dict[Key, Text] = {}
    for key, (cut_, title) in cuts.items():
        blob_id, format_, name = key
        text = made[key] = old.get(key) or Text(index=index, blob_id=blob_id, format=format_, name=name)
        text.title, text.chunks, text.chunker, text.stored_at = title[:NAME], len(cut_.pieces), CHUNKER, now
    if old:
        Text.objects.bulk_update(old.values(), ["title", "chunks", "chunker", "stored_at"])
    Text.objects.bulk_create([text for key, text in made.items() if key not in old])
    return made


def _insert(chunks: Sequence[Chunk]) -> None:
    fields = Chunk._meta.local_concrete_fields
    rows = ([getattr(chunk, field.attname) for field in fields] for chunk in chunks)
    if connection.vendor != "postgresql":
        insert_rows(Chunk, [field.name for field in fields], rows)
        return
    # A statement with seven thousand parameters takes longer to make than to run.
    columns = ", ".join(f'"{field.column}"' for field in fields)
    with connection.cursor() as cursor, cursor.copy(f"COPY indexing_chunk ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _chunks(locked: ServerIndex, text: Text, made: Cut) -> Iterator[Chunk]:
    for ordinal, piece in enumerate(made.pieces):
        locked.last_chunk += 1
        heading = "\n".join(piece.heading)
        yield Chunk(
            id=(locked.number << CHUNK_BITS) | locked.last_chunk,
            text=text,
            ordinal=ordinal,
            start=piece.start,
            end=piece.end,
            start_line=piece.start_line,
            end_line=piece.end_line,
            anchor=piece.anchor if len(piece.anchor) <= 255 else "",
            title=text.title,
            heading=heading,
            parts=parts_of(text.title, heading, piece.body),
            body=piece.body,
        )
