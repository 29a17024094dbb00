"""Answers of several searches as one, by rank: their scores have nothing to do with each other. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from indexing.search.model import Hit

K = 60
"""Of reciprocal rank fusion (G. Cormack, C. Clarke, S. Büttcher, SIGIR 2009): a hit counts 1 / (K + its rank)."""


def fused(ours: Sequence[Hit], others: Sequence[Sequence[Hit]], *, limit: int) -> list[Hit]:
    """The best of all, ours first where two rank the same. A page that is among ours is not shown again."""
    known = {_page(hit) for hit in ours if hit.url}
    new = [[hit for hit in answer if not hit.url or _page(hit) not in known] for answer in others]
    if not any(new):
        return list(ours[:limit])
    ranked = [replace(hit, score=1 / (K + rank)) for answer in (ours, *new) for rank, hit in enumerate(answer, 1)]
    ranked.sort(key=lambda hit: -hit.score)
    return ranked[:limit]


def _page(hit: Hit) -> str:
    return hit.url.partition("#")[0]
