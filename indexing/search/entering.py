"""What follows when chunks come into the index."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from indexing.models import CHUNK_BITS, Chunk
from indexing.search import vocabulary
from indexing.search.engines import engine


def entered(chunks: Sequence[Chunk]) -> None:
    """Make rows that were just inserted findable, in the transaction that inserted them.

    `chunks` are as they were inserted: with their ids, and with `parts`. Nothing is to be said of those that go.
    """
    if not chunks:
        return
    engine().add(chunks)
    of_server = sorted(chunks, key=lambda chunk: chunk.pk)
    for number, group in groupby(of_server, key=lambda chunk: chunk.pk >> CHUNK_BITS):
        vocabulary.learn(number, list(group))
