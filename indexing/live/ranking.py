"""Texts that were fetched just now, cut as the index would cut them, and ranked by the words of the query. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from indexing.chunking.cutting import cut
from indexing.chunking.model import Piece
from indexing.search.snippets import MAX_BODY, Marker
from indexing.search.stems import stem
from indexing.search.words import tokens

LONGEST = 100_000
"""Characters of a text that are looked at."""
OF_ONE = 2
"""Pieces of one text among the best."""
_TITLE, _HEADING = 5.0, 3.0
_ENOUGH = 1.2
"""Of how little use it is that a word is there again: as in BM25."""


@dataclass(frozen=True, slots=True)
class Document:
    title: str
    text: str
    format: str
    """`indexing.models.Format`."""
    url: str = ""
    path: str = ""
    """Of a repository's file."""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Scored:
    document: Document
    piece: Piece
    title: str
    score: float


def ranked(documents: Iterable[Document], marker: Marker, *, limit: int) -> list[Scored]:
    """The pieces that have words of the query, best first. What has more of them comes before what has one often."""
    found: list[Scored] = []
    for document in documents:
        own = cut(document.text[:LONGEST], document.format)
        title = own.title or document.title
        best = [
            Scored(document, piece, title, score)
            for piece in own.pieces
            if (score := _score(marker, title, " ".join(piece.heading), piece.body[:MAX_BODY]))
        ]
        best.sort(key=lambda each: -each.score)
        found += best[:OF_ONE]
    found.sort(key=lambda each: -each.score)
    return found[:limit]


def _score(marker: Marker, title: str, heading: str, body: str) -> float:
    times: Counter[str] = Counter()
    for text, weight in ((title, _TITLE), (heading, _HEADING), (body, 1.0)):
        for span in marker.spans(text):
            times[span.stem] += weight  # type: ignore[assignment]
    return sum(count / (count + _ENOUGH) for count in times.values())


def likely(named: Iterable[tuple[str, str]], marker: Marker, *, most: int) -> list[str]:
    """Of addresses or paths with the words that they go by, those with words of the query: the most of them first."""
    scored = [
        (-hits, len(address), address)
        for address, words in named
        if (hits := len(marker.stems & {stem(each) for each in islice(tokens(words), 40)}))
    ]
    return [address for _, _, address in sorted(scored)[:most]]
