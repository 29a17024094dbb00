"""What a search reads, in statements of one shape each: the ORM takes longer to compose them than they take to run."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from catalog.models import Server, Version

_INDEXES = """
SELECT i.server_id, i.number, s.id, s.kind, s.name, s.repository, s.last_commit
FROM indexing_serverindex i LEFT JOIN indexing_source s ON s.server_id = i.server_id WHERE i.server_id {among}
"""
_CHUNKS = """
SELECT c.id, c.text_id, c.title, c.heading, c.body, c.anchor, c.start_line, c.end_line, t.blob_id, t.format, t.name,
    b.sha256
FROM indexing_chunk c JOIN indexing_text t ON t.id = c.text_id JOIN catalog_blob b ON b.id = t.blob_id
WHERE c.id {among}
"""
_FILES = """
SELECT f.blob_id, f.path, f.origin, f.provenance FROM {table} f
WHERE f.{owner} = %s AND f.blob_id {among} {below} ORDER BY length(f.path), f.path LIMIT %s
"""
_BELOW = "AND f.path >= %s AND f.path < %s"
"""A range, as LIKE ignores case on SQLite and uses no index."""
_PAGES = """
SELECT p.text_id, p.source_id, p.path, p.url FROM indexing_page p
WHERE p.source_id {among} AND p.text_id {among} ORDER BY length(p.url), p.id LIMIT %s
"""
AFTER_ALL = "\U0010ffff"
_AMONG = {"postgresql": "= ANY(%s)", "sqlite": "IN (SELECT value FROM json_each(%s))"}


@dataclass(frozen=True, slots=True)
class SourceRow:
    id: uuid.UUID
    kind: str
    name: str
    repository: str
    last_commit: str


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """A chunk, and what its text is in the index by."""

    id: int
    text_id: int
    title: str
    heading: str
    body: str
    anchor: str
    start_line: int
    end_line: int
    blob_id: int
    format: str
    name: str
    blob: str


def indexes(servers: Collection[uuid.UUID]) -> dict[uuid.UUID, tuple[int, list[SourceRow]]]:
    """The number of each server's index, if it has one, and the server's sources."""
    found: dict[uuid.UUID, tuple[int, list[SourceRow]]] = {}
    for server, number, source, *rest in _rows(_INDEXES, [_list(servers)]):
        _, sources = found.setdefault(_uuid(server), (number, []))
        if source is not None:
            sources.append(SourceRow(_uuid(source), *rest))
    return found


def chunks(ids: Collection[int]) -> dict[int, ChunkRow]:
    """By id, those of them that are there."""
    return {row[0]: ChunkRow(*row) for row in _rows(_CHUNKS, [_list(ids)])}


def files(
    server: Server, version: Version | None, blobs: Collection[int], *, below: str, most: int
) -> list[tuple[int, str, str, str]]:
    """Blob, path, origin and provenance (JSON) of the files with one of these blobs, short paths first; of the live
    content without a version."""
    of_version = version is not None
    table, owner = ("catalog_versionfile", "version_id") if of_version else ("catalog_content", "server_id")
    statement = _FILES.replace("{table}", table).replace("{owner}", owner)
    confined = [below, below + AFTER_ALL] if below else []
    of = version.pk if version is not None else _id(server.pk)
    return list(_rows(statement.replace("{below}", _BELOW if below else ""), [of, _list(blobs), *confined, most]))


def pages(
    sources: Collection[uuid.UUID], texts: Collection[int], *, most: int
) -> list[tuple[int, uuid.UUID, str, str]]:
    """Text, source, path and address of the pages with one of these texts, short addresses first."""
    rows = _rows(_PAGES, [_list(sources), _list(texts), most])
    return [(text, _uuid(source), path, url) for text, source, path, url in rows]


def _rows(statement: str, parameters: Sequence[Any]) -> Iterator[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement.replace("{among}", _AMONG[connection.vendor]), parameters)
        yield from cursor.fetchall()


def _list(ids: Collection[Any]) -> Any:
    """A parameter for `{among}`."""
    return list(ids) if connection.vendor == "postgresql" else json.dumps([_id(each) for each in ids])


def _id(value: Any) -> Any:
    return value.hex if isinstance(value, uuid.UUID) and connection.vendor != "postgresql" else value


def _uuid(value: Any) -> uuid.UUID:
    return value if isinstance(value, uuid.UUID) else uuid.UUID(value)
