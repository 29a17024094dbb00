"""The words of a server's titles, headings and identifiers, and which of them a mistyped one may have been meant to be.

A word is kept in three pieces. Two edits leave one piece of three as it was, moved by two characters at the most: so
every word within reach is found by its pieces, in three indexes, and few others are (G. Li, D. Deng, J. Wang, J. Feng:
Pass-Join, VLDB 2012).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from operator import or_

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from catalog.bulk import insert_rows
from indexing.models import Chunk, Word
from indexing.search import engines
from indexing.search.identifiers import is_unspaced
from indexing.search.stems import stem
from indexing.search.words import tokens

SHORTEST, LONGEST = 4, 40
"""Characters of a word that is remembered, or that others are looked for."""
TWO_EDITS = 7
"""From so many characters on two edits are forgiven, below it one."""
MAX_DIGITS = 3
"""A word with more of them is a number or a digest, and nobody's slip."""
CANDIDATES = 2_000
"""Compared with one mistyped word at the most."""
BATCH = 500
_COMPOUND = re.compile(r"(?<![^\W_])(?:[^\W_]++(?:[_\-./:]{1,2}[^\W_]++)++|[^\W_]*?[a-z0-9][A-Z][^\W_]*)")
"""`run_migrations` and `runMigrations`."""
_PIECES = ("first", "middle", "last")
_LEARN = """
INSERT INTO indexing_word (index_id, word, first, middle, last, chunk_id)
SELECT %s, w.* FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[]) w
ON CONFLICT DO NOTHING
"""


def learn(index_number: int, chunks: Sequence[Chunk]) -> None:
    """Remember the words of these chunks of one server, in the transaction that inserted them."""
    seen: dict[str, int] = {}
    for chunk in chunks:
        for word in _words_of(chunk):
            seen.setdefault(word, chunk.pk)
    words = sorted(seen)
    for start in range(0, len(words), BATCH):
        batch = words[start : start + BATCH]
        known = _known(index_number, batch)
        new = [(word, *_pieces(word), seen[word]) for word in batch if word not in known]
        if new and connection.vendor == "postgresql":
            # Thousands of parameters take longer to put into a statement than it takes to run.
            with connection.cursor() as cursor:
                cursor.execute(_LEARN, [index_number, *map(list, zip(*new, strict=True))])
        elif new:
            same = {"index": index_number}
            insert_rows(Word, ("word", *_PIECES, "chunk_id"), new, same=same, ignore_conflicts=True)


def _known(index_number: int, words: list[str]) -> set[str]:
    if connection.vendor != "postgresql":
        return set(Word.objects.filter(index=index_number, word__in=words).values_list("word", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("SELECT word FROM indexing_word WHERE index_id = %s AND word = ANY(%s)", [index_number, words])
        return {word for (word,) in cursor.fetchall()}


def near(word: str, *, indexes: Sequence[int], limit: int = 3) -> list[str]:
    """Words of these servers, and of no other, that one or two edits (a letter more, fewer, another, or two swapped)
    make of this one, nearest first. `word` is folded. Others of its stem are found with it anyway and left out."""
    edits = _edits_forgiven(word)
    if not edits or not indexes:
        return []
    alike = reduce(or_, (Q(**{f"{piece}__in": keys}) for piece, keys in _keys(word, edits).items()))
    candidates = Word.objects.filter(alike, index__in=indexes).values_list("word", flat=True)[:CANDIDATES]
    root = stem(word)
    found = []
    for candidate in set(candidates):
        distance = _distance(word, candidate, edits)
        if distance <= edits and stem(candidate) != root:
            found.append((distance, candidate[0] != word[0], abs(len(candidate) - len(word)), candidate))
    return [candidate for *_, candidate in sorted(found)[:limit]]


def forget() -> int:
    """Look again at the words whose chunk is gone: those that no other chunk of their server has are forgotten.
    Returns how many. For the night: it asks the index once for each such word."""
    forgotten = last = 0
    gone = Word.objects.filter(~Exists(Chunk.objects.filter(pk=OuterRef("chunk_id")))).order_by("pk")
    while rows := list(gone.filter(pk__gt=last).values_list("pk", "index_id", "word")[:BATCH]):
        last = rows[-1][0]
        unused = []
        for pk, index, word in rows:
            if elsewhere := engines.engine().find([word], indexes=[index], limit=1):
                Word.objects.filter(pk=pk).update(chunk_id=elsewhere[0].chunk_id)
            else:
                unused.append(pk)
        forgotten += Word.objects.filter(pk__in=unused).delete()[0]
    return forgotten


def _words_of(chunk: Chunk) -> Iterator[str]:
    yield from _worth_knowing(tokens(f"{chunk.title}\n{chunk.heading}\n{chunk.parts}"))
    for compound in set(_COMPOUND.findall(chunk.body)):
        yield from _worth_knowing(tokens(compound))


def _worth_knowing(words: Iterable[str]) -> Iterator[str]:
    for word in words:
        if SHORTEST <= len(word) <= LONGEST and sum(map(str.isdigit, word)) <= MAX_DIGITS and not is_unspaced(word):
            yield word


def _edits_forgiven(word: str) -> int:
    if not SHORTEST <= len(word) <= LONGEST:
        return 0
    return 2 if len(word) >= TWO_EDITS else 1


def _cuts(length: int) -> tuple[tuple[int, int], ...]:
    return ((0, length // 3), (length // 3, length * 2 // 3), (length * 2 // 3, length))


def _pieces(word: str) -> tuple[str, ...]:
    """Each with the word's length before it: pieces of words of other lengths are cut elsewhere."""
    return tuple(f"{len(word)}{word[start:end]}" for start, end in _cuts(len(word)))


def _keys(word: str, edits: int) -> dict[str, set[str]]:
    """For each piece, what it can be in a word that is so many edits away."""
    keys: dict[str, set[str]] = {piece: set() for piece in _PIECES}
    for length in range(max(SHORTEST, len(word) - edits), len(word) + edits + 1):
        for piece, (start, end) in zip(_PIECES, _cuts(length), strict=True):
            for moved in range(-edits, edits + 1):
                if start + moved >= 0 and end + moved <= len(word):
                    keys[piece].add(f"{length}{word[start + moved : end + moved]}")
    return keys


def _distance(one: str, other: str, most: int) -> int:
    """Edits between two words, where two neighbours swapped count as one; `most + 1` stands for all that is more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        earlier, before, row = before, row, [place]
        for at, against in enumerate(other, 1):
            cost = min(row[at - 1] + 1, before[at] + 1, before[at - 1] + (letter != against))
            if place > 1 and at > 1 and letter == other[at - 2] and one[place - 2] == against:
                cost = min(cost, earlier[at - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)
