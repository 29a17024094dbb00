"""What the engine found, as somebody should see it: what is visible alone, the document that was named before others,
and none in the way of all others."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice

from indexing.models import CHUNK_BITS
from indexing.search import reading
from indexing.search.cursors import Position
from indexing.search.engines import engine
from indexing.search.engines.base import Scored
from indexing.search.queries import STOP_WORDS
from indexing.search.reading import ChunkRow
from indexing.search.stems import stem
from indexing.search.visible import Place, Scope, few_chunks, places
from indexing.search.words import tokens

WINDOWS = (60, 300, 1_500, 7_500)
"""How many of the engine's chunks are looked at, at first and then for as long as too few are visible. Each window is
ranked by itself, so that what was shown stays where it was."""
FEW = 2_000
"""Where filters leave no more chunks than this, these alone are weighed."""
NAMED = 0.6
"""What is added, of the best score, where the query is the title of a document (to its best chunk), or a heading."""
CROWD = 0.8
"""What the score of a document's second chunk is multiplied by, its third's once more, and so on."""


@dataclass(frozen=True, slots=True)
class Ranked:
    chunk: ChunkRow
    score: float
    scope: Scope
    place: Place
    others: dict[str, float] = field(default_factory=dict)
    """What is in the score beside the engine's."""

    @property
    def chunk_id(self) -> int:
        return self.chunk.id


@dataclass(frozen=True, slots=True)
class Question:
    """A query as the engine is asked it."""

    terms: tuple[str, ...]
    title: tuple[str, ...] = ()
    """Its words, if it can be a title."""


def ranked(question: Question, scopes: Sequence[Scope], position: Position) -> Iterator[tuple[Ranked, Position]]:
    """What is visible, best first, from the position on; each with the position after it."""
    few = _weighed(question, scopes)
    window, offset = 0, 0
    given: set[int] = set()  # the index may change between two windows, and what moved down come again
    while True:
        size = WINDOWS[min(window, len(WINDOWS) - 1)]
        if window >= position.window:
            if few is None:
                numbers = [scope.number for scope in scopes]
                scored = engine().find(question.terms, indexes=numbers, limit=size, offset=offset)
            else:
                scored = few[offset : offset + size]
            order = _order(_visible(scored, scopes), question)
            start = _start(order, position) if window == position.window else 0
            for place, hit in enumerate(islice(order, start, None), start + 1):
                if hit.chunk_id in given:
                    continue
                given.add(hit.chunk_id)
                yield hit, replace(position, window=window, place=place, after=hit.chunk_id)
            if len(scored) < size:
                return
        window, offset = window + 1, offset + size


def _weighed(question: Question, scopes: Sequence[Scope]) -> list[Scored] | None:
    """All that match of what the filters leave, if that is little: it may be far down among all that match."""
    if not any(scope.filters.confines for scope in scopes):
        return None
    chunk_ids = few_chunks(scopes, FEW)
    if chunk_ids is None:
        return None
    weights = engine().weigh(question.terms, chunk_ids)
    scored = [Scored(chunk_id, sum(of_terms.values())) for chunk_id, of_terms in weights.items() if of_terms]
    return sorted(scored, key=lambda each: (-each.score, each.chunk_id))


def _visible(scored: Sequence[Scored], scopes: Sequence[Scope]) -> list[Ranked]:
    """Those that the scopes see, in the engine's order."""
    rows = reading.chunks([each.chunk_id for each in scored])
    by_number = {scope.number: scope for scope in scopes}
    of_server: dict[int, list[ChunkRow]] = defaultdict(list)
    for row in rows.values():
        of_server[row.id >> CHUNK_BITS].append(row)
    found = {number: places(by_number[number], of) for number, of in of_server.items() if number in by_number}
    visible = []
    for each in scored:
        if (chunk := rows.get(each.chunk_id)) is None:
            continue  # it went meanwhile
        number = chunk.id >> CHUNK_BITS
        if (place := found.get(number, {}).get(chunk.text_id)) is not None:
            visible.append(Ranked(chunk, each.score, by_number[number], place))
    return visible


def _order(hits: Sequence[Ranked], question: Question) -> list[Ranked]:
    best = hits[0].score if hits else 0.0
    seen: Counter[int] = Counter()
    ordered = []
    names = _naming(question)
    for hit in hits:
        before = seen[hit.chunk.text_id]
        seen[hit.chunk.text_id] += 1
        others: dict[str, float] = {}
        if names(hit.chunk.heading.rpartition("\n")[2]):
            others["the query is its heading"] = best * NAMED
        elif before == 0 and names(hit.chunk.title):
            others["the query is its title"] = best * NAMED
        if before:
            others["better hits in the same document"] = hit.score * (CROWD**before - 1)
        if others:
            hit = Ranked(hit.chunk, hit.score + sum(others.values()), hit.scope, hit.place, others)
        ordered.append(hit)
    ordered.sort(key=lambda hit: (-hit.score, hit.chunk_id))
    return ordered


def _naming(question: Question) -> Callable[[str], bool]:
    """Tells whether the query is this heading, in any form of its words and with or without those that say nothing."""
    told = _told(question.title)

    @cache
    def names(heading: str) -> bool:
        return bool(heading and told) and _told(tokens(heading)) == told

    return names


def _told(words: Iterable[str]) -> list[str]:
    told = list(words)
    return [stem(word) for word in told if word not in STOP_WORDS] or told


def _start(order: Sequence[Ranked], position: Position) -> int:
    """Where the window goes on: after the hit that was given last, or, if that is gone, after as many."""
    for place, hit in enumerate(order):
        if hit.chunk_id == position.after:
            return place + 1
    return position.place
