"""Searching a server, or several as one: ranked, corrected, merged with what others answer, and cited."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from catalog.models import Server, Version
from indexing.search import cursors, misses, reading, vocabulary
from indexing.search import elsewhere as others
from indexing.search.citing import cited
from indexing.search.cursors import Position
from indexing.search.engines import engine
from indexing.search.fusing import fused
from indexing.search.model import EVERYTHING, Filters, Hit, Results
from indexing.search.queries import MAX_CHARACTERS, MAX_TERMS, Parsed, parse
from indexing.search.ranking import Question, Ranked, ranked
from indexing.search.reading import ChunkRow
from indexing.search.snippets import Marker
from indexing.search.visible import Scope

MAX_LIMIT = 50
NEAR = 2
"""Words that are searched in place of a mistyped one."""
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_CUT = "The query was long: its {words} longest words were searched."


def search(
    server: Server,
    version: Version | None,
    query: str,
    *,
    limit: int = 10,
    cursor: str = "",
    filters: Filters = EVERYTHING,
    explain: bool = False,
    elsewhere: bool = True,
) -> Results:
    """What of this version (of the live content without one) and of the server's sources answers the query, best first.

    `limit` is 1 to 50. Any query is taken: nothing in it is an operator. Raises BadCursor. With `elsewhere`, the first
    page has what MCP servers answer and what is fetched from sources that are not indexed yet.
    """
    return search_many(
        [(server, version)],
        query,
        limit=limit,
        cursor=cursor,
        filters=filters,
        explain=explain,
        elsewhere=elsewhere,
    )


def search_many(
    servers: Sequence[tuple[Server, Version | None]],
    query: str,
    *,
    limit: int = 10,
    cursor: str = "",
    filters: Filters = EVERYTHING,
    explain: bool = False,
    elsewhere: bool = True,
) -> Results:
    """The same over several servers, each in its version, in one ranking."""
    began = time.perf_counter()
    limit = max(1, min(limit, MAX_LIMIT))
    query, filters = _storable(query), replace(filters, path=_storable(filters.path))
    bound_to = cursors.binding(servers, query, filters)
    position = cursors.read(cursor, bound_to)
    parsed = parse(query)
    scopes = _scopes(servers, filters)
    page = _page(parsed, scopes, position, limit=limit, explain=explain, first=not cursor)
    hits, notes = page.hits, [_CUT.format(words=MAX_TERMS)] if parsed.cut else []
    if elsewhere and not cursor and parsed.tokens:
        answered = others.ask([server for server, _ in servers], query, limit=limit, filters=filters)
        hits = fused(hits, answered.hits, limit=limit)
        notes += answered.notes
    if not hits and not cursor and parsed.tokens and not filters.confines:
        for scope in scopes:
            misses.note(scope.server, query)
    return Results(
        hits=tuple(hits),
        cursor=_next(page, hits, bound_to),
        corrected={word: ", ".join(near) for word, near in page.corrected.items()},
        notes=tuple(notes),
        milliseconds=(time.perf_counter() - began) * 1000,
    )


@dataclass(frozen=True, slots=True)
class _Page:
    begin: Position
    found: list[tuple[Ranked, Position]]
    """One more than was asked for, if there is one; each with the position after it."""
    hits: list[Hit]

    @property
    def corrected(self) -> Mapping[str, list[str]]:
        return self.begin.corrected


def _page(parsed: Parsed, scopes: Sequence[Scope], begin: Position, *, limit: int, explain: bool, first: bool) -> _Page:
    if not scopes or not parsed.tokens:
        return _Page(begin, [], [])
    asked = _corrected(parsed, begin.corrected)
    found = _found(asked, scopes, begin, limit)
    if first and (near := _near(parsed, _chunks(found), scopes)):
        instead = _corrected(parsed, near)
        again = _found(instead, scopes, begin, limit)
        # A word that is only in what nobody sees from here is none to offer.
        unseen = _unseen([way for ways in near.values() for way in ways], _chunks(again))
        helpful = {word: seen for word, ways in near.items() if (seen := [way for way in ways if way not in unseen])}
        if helpful:
            begin, asked = replace(begin, corrected=helpful), instead
            found = [(hit, replace(after, corrected=helpful)) for hit, after in again]
    given = [hit for hit, _ in found[:limit]]
    weights = engine().weigh(asked.tokens, [hit.chunk_id for hit in given]) if explain else None
    return _Page(begin, found, cited(given, Marker(asked.tokens), weights))


def _found(parsed: Parsed, scopes: Sequence[Scope], begin: Position, limit: int) -> list[tuple[Ranked, Position]]:
    question = Question(parsed.tokens, parsed.title)
    return list(islice(ranked(question, scopes, begin), limit + 1))


def _chunks(found: Iterable[tuple[Ranked, Position]]) -> list[ChunkRow]:
    return [hit.chunk for hit, _ in found]


def _near(parsed: Parsed, chunks: Iterable[ChunkRow], scopes: Sequence[Scope]) -> dict[str, list[str]]:
    """What may have been meant, by the words that are nowhere on these servers."""
    numbers = [scope.number for scope in scopes]
    near: dict[str, list[str]] = {}
    for word in _unseen(parsed.words, chunks):
        if engine().find([word], indexes=numbers, limit=1):
            continue
        if ways := vocabulary.near(word, indexes=numbers, limit=NEAR):
            near[word] = ways
    return near


def _unseen(words: Sequence[str], chunks: Iterable[ChunkRow]) -> list[str]:
    seen = Marker(tuple(words)).seen(f"{chunk.title}\n{chunk.heading}\n{chunk.body}" for chunk in chunks)
    return [word for word in words if word not in seen]


def _corrected(parsed: Parsed, by: Mapping[str, list[str]]) -> Parsed:
    if not by:
        return parsed
    instead = [near for token in parsed.tokens for near in by.get(token, [token])]
    title = tuple(by[word][0] if word in by else word for word in parsed.title)
    return replace(parsed, tokens=tuple(dict.fromkeys(instead))[:MAX_TERMS], title=title)


def _next(page: _Page, hits: Sequence[Hit], bound_to: str) -> str:
    """Where the next page begins: after the last hit of the index that is on this one."""
    given = {hit.chunk_id for hit in hits}
    last, rest = page.begin, page.found
    for place, (hit, after) in enumerate(page.found, 1):
        if hit.chunk_id in given:
            last, rest = after, page.found[place:]
    return cursors.write(last, bound_to) if rest else ""


def _scopes(servers: Sequence[tuple[Server, Version | None]], filters: Filters) -> list[Scope]:
    """Those that have an index."""
    indexes = reading.indexes([server.pk for server, _ in servers])
    return [
        Scope(server, version, indexed[0], filters, indexed[1])
        for server, version in servers
        if (indexed := indexes.get(server.pk)) is not None
    ]


def _storable(text: str) -> str:
    """Without what PostgreSQL takes in no text, and UTF-8 has no bytes for."""
    return _UNSTORABLE.sub(" ", text[: MAX_CHARACTERS + 1])
