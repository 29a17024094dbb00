"""Search on PostgreSQL: BM25 over a table of postings, without an extension (migration 0003, docs/adr/0016)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from indexing.models import Chunk
from indexing.search.engines.base import Scored
from indexing.search.engines.postings import COLUMNS, as_copied, term_of, weights

CANDIDATES = 20_000
"""Postings that are read whole. What the commoner words add is looked up for the best of what the rarer ones found."""
WEIGHED = 200
"""So many of the best, or twice as many as are asked for."""
ALL = ""
"""The term whose `documents` is the number of all chunks when they were last counted."""
_NEW_TERMS, _WRITING, _COUNTING = 0x6D694C01, 0x6D694C02, 0x6D694C03
"""Advisory locks until the end of the transaction: of who brings new terms, (shared) of all who write postings, and of
who counts or forgets terms."""
_BATCH = 200
"""Chunks whose postings are held in memory at one time: some 30,000."""

_FIND = "SELECT chunk, score FROM indexing_find(%s::text[], %s::integer[], %s, %s, %s, %s)"
_WEIGH = """
SELECT (p.server::bigint << 32) | p.n, r.token, p.weight * r.rarity
FROM indexing_rarities(%s::text[]) r
CROSS JOIN unnest(%s::bigint[]) AS c(id)
JOIN indexing_posting p
    ON p.term = r.term AND p.server = (c.id >> 32)::integer AND p.n = (c.id & 4294967295)::integer
"""
_KNOWN = "SELECT token, id FROM indexing_term WHERE token = ANY(%s::text[])"
_MAKE_KNOWN = "INSERT INTO indexing_term (token) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING"
_COUNT = """
UPDATE indexing_term t SET documents = counted.n
FROM (SELECT term, count(*) AS n FROM indexing_posting GROUP BY term) counted
WHERE t.id = counted.term AND (t.documents IS NULL OR abs(t.documents - counted.n) * 20 > t.documents)
"""
_COUNT_ALL = """
INSERT INTO indexing_term (token, documents) SELECT %s, count(*) FROM indexing_chunk
ON CONFLICT (token) DO UPDATE SET documents = excluded.documents
"""
_FORGET = """
DELETE FROM indexing_term t
WHERE t.token <> %s AND NOT EXISTS (SELECT FROM indexing_posting p WHERE p.term = t.id)
"""


class PostgresEngine:
    def add(self, chunks: Sequence[Chunk]) -> None:
        with transaction.atomic(savepoint=False), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_WRITING])
            for start in range(0, len(chunks), _BATCH):
                _add(cursor, chunks[start : start + _BATCH])

    def find(self, terms: Sequence[str], *, indexes: Sequence[int], limit: int, offset: int = 0) -> list[Scored]:
        if not terms or limit <= 0:
            return []
        names = [term_of(term) for term in terms]
        with connection.cursor() as cursor:
            cursor.execute(_FIND, [names, list(indexes), limit, offset, CANDIDATES, WEIGHED])
            return [Scored(chunk_id, score) for chunk_id, score in cursor.fetchall()]

    def weigh(self, terms: Sequence[str], chunk_ids: Sequence[int]) -> dict[int, dict[str, float]]:
        weighed: dict[int, dict[str, float]] = {chunk_id: {} for chunk_id in chunk_ids}
        names = {term: term_of(term) for term in terms}
        with connection.cursor() as cursor:
            cursor.execute(_WEIGH, [list(names.values()), list(chunk_ids)])
            found = {(chunk_id, name): weight for chunk_id, name, weight in cursor.fetchall()}
        for chunk_id, of_chunk in weighed.items():
            for term in terms:
                if weight := found.get((chunk_id, names[term])):
                    of_chunk[term] = weight
        return weighed

    def catch_up(self) -> None:
        """Count how many chunks have each term, if the index has changed by a tenth since that was done last."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT documents FROM indexing_term WHERE token = %s", [ALL])
            row = cursor.fetchone()
            cursor.execute("SELECT count(*) FROM indexing_chunk")
            (now,) = cursor.fetchone()
        then = row[0] if row is not None else None
        if then is None or abs(now - then) * 10 > then:
            _count()

    def maintain(self) -> None:
        """The same in any case, and forget terms that no chunk has, if nobody is writing just now."""
        _count()
        with transaction.atomic(), connection.cursor() as cursor:
            # Who writes has read terms' ids, and may be about to use one that looks unused.
            if _locked(cursor, _COUNTING) and _locked(cursor, _WRITING):
                cursor.execute(_FORGET, [ALL])


def _add(cursor: Any, chunks: Sequence[Chunk]) -> None:
    weighed = [(chunk.pk, weights(chunk)) for chunk in chunks]
    ids = _ids_of(cursor, sorted(set().union(*(of_chunk for _, of_chunk in weighed))))
    rows = [(ids[term], pk, weight) for pk, of_chunk in weighed for term, weight in of_chunk.items()]
    rows.sort()  # as the index by term has them
    with cursor.copy(f"COPY indexing_posting ({COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy:
        for data in as_copied(rows):
            copy.write(data)


def _ids_of(cursor: Any, terms: list[str]) -> dict[str, int]:
    """The ids of these terms, those that are new made."""
    cursor.execute(_KNOWN, [terms])
    ids: dict[str, int] = dict(cursor.fetchall())
    if new := [term for term in terms if term not in ids]:
        # One writer with new terms at a time: two that wait for each other's, each having inserted some, would be a
        # deadlock, whatever the order within one statement.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_NEW_TERMS])
        cursor.execute(_MAKE_KNOWN, [new])
        cursor.execute(_KNOWN, [new])
        ids.update(cursor.fetchall())
    return ids


def _count() -> None:
    """Unless somebody is doing it already: two would wait for each other's rows."""
    with transaction.atomic(), connection.cursor() as cursor:
        if _locked(cursor, _COUNTING):
            cursor.execute(_COUNT)
            cursor.execute(_COUNT_ALL, [ALL])


def _locked(cursor: Any, lock: int) -> bool:
    """Whether it could be had without waiting."""
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock])
    return bool(cursor.fetchone()[0])
