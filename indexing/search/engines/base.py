"""What a database's search engine does: chunks in, scores out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from indexing.models import Chunk

TITLE, HEADING, BODY, PARTS = 5.0, 3.0, 1.0, 1.0
"""Weights of a chunk's columns; both engines use them, with BM25's k1 = 1.2 and b = 0.75."""
K1, B = 1.2, 0.75


@dataclass(frozen=True, slots=True)
class Scored:
    chunk_id: int
    score: float
    """Higher is better."""


class Engine(Protocol):
    def add(self, chunks: Sequence[Chunk]) -> None:
        """Index rows that were just inserted, in the transaction that did it."""
        ...

    def find(self, terms: Sequence[str], *, indexes: Sequence[int], limit: int, offset: int = 0) -> list[Scored]:
        """The chunks with any of the terms, best first, of these servers' indexes (their numbers); of all if empty.

        A term is a folded word (lower case, no marks) that is not stemmed; letters and digits alone.

        Equal scores stand in the order of their ids, so that two pages of one answer fit together.
        """
        ...

    def weigh(self, terms: Sequence[str], chunk_ids: Sequence[int]) -> dict[int, dict[str, float]]:
        """What each term contributes to the score of each of these chunks: for people who ask why."""
        ...

    def maintain(self) -> None:
        """What is done now and then: statistics anew, segments merged."""
        ...
