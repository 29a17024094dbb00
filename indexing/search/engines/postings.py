"""What PostgreSQL's index holds of a chunk: its terms, and what each weighs in it. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from struct import Struct

from indexing.models import CHUNK_BITS, Chunk
from indexing.search.engines.base import BODY, HEADING, K1, PARTS, TITLE, B
from indexing.search.stems import stem
from indexing.search.words import tokens

TYPICAL_LENGTH = 100
"""Words of a chunk, all columns together. BM25 wants the mean of all chunks; as texts are cut to one size a constant
stands for it, and what is written need not be weighed again when the mean moves. Short pages have some 85, long ones
200; how much longer than others a chunk is matters more among the short."""
MAX_TERM = 100
"""Characters by which a term is known; a longer one is of no language."""
_MASK = (1 << CHUNK_BITS) - 1
# https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4: each value follows its length.
_ROW = Struct("!h ii ii ii if")
_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TAIL = b"\xff\xff"
COLUMNS = "term, server, n, weight"


@lru_cache(maxsize=1 << 17)
def term_of(token: str) -> str:
    """The term that a word is found by."""
    return stem(token)[:MAX_TERM]


def weights(chunk: Chunk) -> dict[str, float]:
    """By term: its part of BM25 but for how rare it is, with the columns' weights counted as so many occurrences (as
    FTS5's bm25() does it)."""
    counts: defaultdict[str, float] = defaultdict(float)
    length = 0
    columns = ((TITLE, chunk.title), (HEADING, chunk.heading), (BODY, chunk.body), (PARTS, chunk.parts))
    for weight, text in columns:
        words = tokens(text)
        length += len(words)
        for term in map(term_of, words):
            counts[term] += weight
    norm = K1 * (1 - B + B * length / TYPICAL_LENGTH)
    return {term: count * (K1 + 1) / (count + norm) for term, count in counts.items()}


def rarity(documents: int, total: int) -> float:
    """The other part: the logarithm of how few chunks have a term. One that is in half of them says next to nothing."""
    return max(math.log((total - documents + 0.5) / (documents + 0.5)), 1e-6) if documents <= total else 1e-6


def as_copied(rows: list[tuple[int, int, float]]) -> Iterator[bytes]:
    """`(id of the term, id of the chunk, weight)` as what COPY takes in its binary format."""
    yield _HEAD
    pack = _ROW.pack
    yield b"".join(
        pack(4, 4, term, 4, chunk >> CHUNK_BITS, 4, chunk & _MASK, 4, weight) for term, chunk, weight in rows
    )
    yield _TAIL
