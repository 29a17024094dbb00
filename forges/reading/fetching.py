"""Getting the bytes, with as few requests as there can be and no more than one batch of files in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from forges.clients.base import Client, Entry, blob_id
from forges.reading.checks import Skip, SkipReason, check_bytes

BATCH = 100
"""Blobs in one request to a forge; GitHub's GraphQL answers a hundred at a time."""

BATCH_BYTES = 16 << 20
"""A batch ends early at this many bytes, so that its answer fits in memory."""


def fetch(
    client: Client,
    name: str,
    commit: str,
    entries: Sequence[Entry],
    *,
    total: int | None = None,
    archive_above: int = 100,
) -> Iterator[tuple[Entry, bytes | None]]:
    """The bytes of each entry, every one checked against its blob id; None for those that cannot be had.

    Up to `archive_above` blobs are asked for in batches. More come as one archive, unless they are less than a
    tenth of `total` (the files in the commit), where batches carry less. What the first way leaves out or alters
    comes by the other: an archive obeys export-ignore and export-subst, batches stop where they would cost more
    than an archive. Entries come in the order in which their bytes do; those that share a blob come together.

    Raises Moved when the commit is gone, and any other `ForgeError` of the client.
    """
    missing: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        missing[entry.oid].append(entry)
    archive_first = len(missing) > archive_above and (total is None or len(missing) * 10 >= total)
    for by_archive in (archive_first, not archive_first):
        if not missing:
            break
        files = _archived(client, name, commit) if by_archive else _batched(client, name, missing)
        for oid, data in files:
            for entry in missing.pop(oid, ()):
                yield entry, data
    for lost in missing.values():
        for entry in lost:
            yield entry, None


def _archived(client: Client, name: str, commit: str) -> Iterator[tuple[str, bytes]]:
    with client.archive(name, commit) as files:
        for _path, data in files:
            # By content and not by path: what was altered on the way has another id, wherever it lies.
            yield blob_id(data), data


def _batched(client: Client, name: str, missing: Mapping[str, Sequence[Entry]]) -> Iterator[tuple[str, bytes]]:
    batch: list[str] = []
    size = 0
    # A copy: the caller strikes out what arrives.
    for oid, weight in [(oid, entries[0].size or 0) for oid, entries in missing.items()]:
        if batch and (len(batch) == BATCH or size + weight > BATCH_BYTES):
            yield from _verified(client.blobs(name, batch))
            batch, size = [], 0
        batch.append(oid)
        size += weight
    if batch:
        yield from _verified(client.blobs(name, batch))


def _verified(blobs: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    return ((oid, data) for oid, data in blobs if blob_id(data) == oid)


def read_texts(
    client: Client,
    name: str,
    commit: str,
    entries: Sequence[Entry],
    *,
    max_bytes: int,
    total: int | None = None,
) -> Iterator[tuple[Entry, str | Skip]]:
    """`fetch` and `check_bytes` in one: each entry's text or the reason why it is skipped, one at a time."""
    for entry, data in fetch(client, name, commit, entries, total=total):
        if data is None:
            detail = "The forge listed this file and did not hand it out. Refresh again; if it stays, look at it there."
            yield entry, Skip(entry.path, SkipReason.UNREADABLE, detail)
        else:
            yield entry, check_bytes(entry, data, max_bytes=max_bytes)
