"""Search on SQLite: FTS5 over the rows of Chunk, kept in step by triggers (migration 0002)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from indexing.models import CHUNK_BITS, Chunk
from indexing.search.engines.base import BODY, HEADING, PARTS, TITLE, Scored

TABLE = "indexing_chunk_words"
# FTS5's bm25() has k1 = 1.2 and b = 0.75 built in, and takes document frequencies over all rows.
_SCORE = f"-bm25({TABLE}, {TITLE}, {HEADING}, {BODY}, {PARTS})"
_MATCHING = f"SELECT rowid, {_SCORE} AS score FROM {TABLE} WHERE {TABLE} MATCH %s"  # noqa: S608
_FIND = f"{_MATCHING} AND rowid BETWEEN %s AND %s ORDER BY score DESC, rowid LIMIT %s OFFSET %s"
# What is no range is asked of each match; of several ranges, FTS5 would look for all matches in each.
_FIND_IN_SEVERAL = (
    f"{_MATCHING} AND rowid BETWEEN %s AND %s AND rowid >> {CHUNK_BITS} IN (SELECT value FROM json_each(%s))"  # noqa: S608
    " ORDER BY score DESC, rowid LIMIT %s OFFSET %s"
)
_WEIGH = f"{_MATCHING} AND +rowid IN (SELECT value FROM json_each(%s))"  # noqa: S608
_MERGE = f"INSERT INTO {TABLE}({TABLE}, rank) VALUES ('merge', %s)"  # noqa: S608
MERGED_PAGES = 1_000
"""Of about 4 kB, in one transaction."""
_LAST = (1 << 63) - 1


class SQLiteEngine:
    """Statements have one shape each, whatever is asked; what is asked for is in their parameters."""

    def add(self, chunks: Sequence[Chunk]) -> None:
        """Triggers have done it."""

    def find(self, terms: Sequence[str], *, indexes: Sequence[int], limit: int, offset: int = 0) -> list[Scored]:
        if not terms or limit <= 0:
            return []
        first, last = (min(indexes) << CHUNK_BITS, ((max(indexes) + 1) << CHUNK_BITS) - 1) if indexes else (0, _LAST)
        match = _match(terms)
        if len(indexes) < 2:
            found = _rows(_FIND, [match, first, last, limit, offset])
        else:
            found = _rows(_FIND_IN_SEVERAL, [match, first, last, json.dumps(list(indexes)), limit, offset])
        return [Scored(chunk_id, score) for chunk_id, score in found]

    def weigh(self, terms: Sequence[str], chunk_ids: Sequence[int]) -> dict[int, dict[str, float]]:
        weights: dict[int, dict[str, float]] = {chunk_id: {} for chunk_id in chunk_ids}
        wanted = json.dumps(list(chunk_ids))
        # The score of several terms is the sum of each one's.
        for term in terms:
            for chunk_id, score in _rows(_WEIGH, [_match([term]), wanted]):
                weights[chunk_id][term] = score
        return weights

    def maintain(self) -> None:
        """Merge the segments of the index into one, a little at a time: nobody else can write meanwhile.

        https://www.sqlite.org/fts5.html#the_merge_command
        """
        pages = -MERGED_PAGES  # below zero: begin with all segments, however few
        while _merge(pages):
            pages = MERGED_PAGES


@transaction.atomic
def _merge(pages: int) -> bool:
    """Whether anything was left to merge. SQLite tells by the rows it changed, of which a call alone is one."""
    with connection.cursor() as cursor:
        before = _changes(cursor)
        cursor.execute(_MERGE, [pages])
        return _changes(cursor) - before > 1


def _changes(cursor: CursorWrapper) -> int:
    cursor.execute("SELECT total_changes()")
    return int(cursor.fetchone()[0])


def _match(terms: Sequence[str]) -> str:
    """FTS5's query: each token as a string of its own, so that none is an operator."""
    return " OR ".join('"' + term.replace('"', '""').replace("\0", " ") + '"' for term in terms)


def _rows(statement: str, parameters: Sequence[Any]) -> Iterator[tuple[int, float]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        yield from cursor.fetchall()
