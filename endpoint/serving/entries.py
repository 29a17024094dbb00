"""What is directly in a folder: its files, and the folders in it, so many after one of them.

One statement finds them by jumping along the index from each name to the next, however many files lie below and however
many were given before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from endpoint.serving.served import AFTER_ALL, Served

_STATEMENT = """
WITH RECURSIVE walk(path, number) AS (
    SELECT (SELECT f.path FROM {table} f WHERE f.{owner} = %s AND f.path >= %s AND f.path < %s
            ORDER BY f.path LIMIT 1), 1
    UNION ALL
    SELECT (SELECT f.path FROM {table} f WHERE f.{owner} = %s AND f.path < %s AND f.path >=
                CASE WHEN {slash} > 0 THEN substr(walk.path, 1, {before} + {slash} - 1) || '0'
                ELSE walk.path || {least} END
            ORDER BY f.path LIMIT 1), walk.number + 1
    FROM walk WHERE walk.path IS NOT NULL AND walk.number < %s
)
SELECT f.path, f.blob_id, b.size FROM walk JOIN {table} f ON f.{owner} = %s AND f.path = walk.path
JOIN catalog_blob b ON b.id = f.blob_id ORDER BY f.path
"""
_WORDS = {
    "sqlite": ("instr(substr(walk.path, {before} + 1), '/')", "char(1)"),
    "postgresql": ("strpos(substr(walk.path, {before} + 1), '/')", "chr(1)"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    path: str
    """On its server, without a slash at its end."""
    is_folder: bool
    size: int = 0
    """Bytes, of a file."""
    blob: int = 0

    @property
    def key(self) -> str:
        """By which the list is ordered, and goes on."""
        return f"{self.path}/" if self.is_folder else self.path


def entries(it: Served, folder: str, *, beginning: str = "", after: str = "", limit: int) -> list[Entry]:
    """In the order of their keys: those of a folder ("" is the top) whose names begin so, after the one with a key."""
    prefix = f"{folder}/" if folder else ""
    first, end = prefix + beginning, prefix + beginning + AFTER_ALL
    if after:
        # The character after the slash is 0: a folder is the range between (see PathField).
        first = max(first, f"{after[:-1]}0" if after.endswith("/") else f"{after}\x01")
    return [_entry(row, prefix) for row in _walk(it, prefix, first, end, limit)]


def _walk(it: Served, prefix: str, first: str, end: str, limit: int) -> Sequence[Any]:
    table, owner, of = it.place
    slash, least = _WORDS[connection.vendor]
    statement = _STATEMENT.replace("{table}", table).replace("{owner}", owner).replace("{slash}", slash)
    statement = statement.replace("{least}", least).replace("{before}", str(len(prefix)))
    with connection.cursor() as cursor:
        cursor.execute(statement, [of, first, end, of, end, max(1, limit), of])
        found: Sequence[Any] = cursor.fetchall()
        return found


def _entry(row: Any, prefix: str) -> Entry:
    path, blob, size = row
    name, slash, _ = path[len(prefix) :].partition("/")
    return Entry(prefix + name, True) if slash else Entry(path, False, size, blob)
