"""How good a ranking is, held against judgements. Pure."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


def ndcg(ranked: Sequence[str], gains: Mapping[str, float], *, at: int = 10) -> float:
    """Normalised discounted cumulative gain of the first `at`, from 0 to 1: linear gains, as trec_eval has them."""
    best = _discounted(sorted(gains.values(), reverse=True)[:at])
    return _discounted([gains.get(document, 0.0) for document in ranked[:at]]) / best if best else 0.0


def recall(ranked: Sequence[str], gains: Mapping[str, float], *, at: int = 10) -> float:
    """Which part of what was judged to answer is among the first `at`."""
    answers = {document for document, gain in gains.items() if gain > 0}
    return len(answers & set(ranked[:at])) / len(answers) if answers else 0.0


def _discounted(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(place + 2) for place, gain in enumerate(gains))


@dataclass(frozen=True, slots=True)
class Judged:
    """A folder as BEIR has them: `corpus.jsonl`, `queries.jsonl`, and `qrels.tsv` (or `qrels/test.tsv`)."""

    folder: Path
    gains: Mapping[str, Mapping[str, float]]
    """By query, then by document."""

    @property
    def name(self) -> str:
        return self.folder.name

    def documents(self) -> Iterator[tuple[str, str, str]]:
        """`(id, title, text)`, one at a time."""
        for each in _lines(self.folder / "corpus.jsonl"):
            yield str(each["_id"]), str(each.get("title") or ""), str(each.get("text") or "")

    def queries(self) -> dict[str, str]:
        """Those that were judged, by id."""
        asked = {str(each["_id"]): str(each["text"]) for each in _lines(self.folder / "queries.jsonl")}
        return {key: asked[key] for key in self.gains if key in asked}


def read(folder: Path) -> Judged:
    path = next((path for path in (folder / "qrels.tsv", folder / "qrels" / "test.tsv") if path.exists()), None)
    if path is None:
        raise SystemExit(f"{folder} has no qrels.tsv.")
    gains: dict[str, dict[str, float]] = {}
    with path.open(newline="") as file:
        for row in csv.reader(file, delimiter="\t"):
            # Three columns with a head as BEIR has it, or four as TREC has it.
            query, document, gain = (row[0], row[-2], row[-1])
            if _is_number(gain):
                gains.setdefault(query, {})[document] = float(gain)
    return Judged(folder, gains)


def _is_number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdigit()


def _lines(path: Path) -> Iterator[dict[str, object]]:
    with path.open() as file:
        for line in file:
            if line.strip():
                yield json.loads(line)
