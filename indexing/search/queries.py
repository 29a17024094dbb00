"""What somebody types, as words to look for. Pure, and content with anything: nothing in a query is an operator."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from indexing.search.identifiers import is_unspaced, parts
from indexing.search.words import tokens

MAX_CHARACTERS = 10_000
"""Of a query that are looked at."""
MAX_TERMS = 24
MAX_TOKEN = 100
"""Characters of a word; nobody looks for a longer one, and no index of terms need hold it."""
MAX_JOINED_WORDS = 4
"""Words of a query that may be an identifier written apart (`run migrations`); in longer ones that would be chance."""
SHORTEST_MISTYPED = 4
_TELLING = 12
"""From this length on, a word is as telling as a longer one."""

_STOP = (
    "a about all also am an and any are as at be because been being but by can could did do does doing each "
    "either etc every few for from further get gets getting got had happen happens has have having he her here "
    "hers him his how however i if in into is it its itself just know let may me might more most much must my "
    "neither no nor not of on once one only or other our ours own please rather really s same see shall she "
    "should since so some somebody someone something such t tell than that the their them then there therefore "
    "these they this those though thus to too until upon us very want wants was we were what whatever when where "
    "whether which while who whom whose why will with within without would yet you your yours "
)
STOP_WORDS = frozenset(_STOP.split())
"""What nearly each English text has, and what people ask with: looking for it takes time and finds nothing."""
_OPERATORS = frozenset({"and", "or", "not"})

_CONTRACTIONS = re.compile(r"\b\w+n['’]t\b|['’](?:s|m|d|ll|re|ve)\b", re.IGNORECASE)
_CAPITALS = re.compile(r"\b[A-Z]{2,}\b")
_SYMBOLIC = re.compile(r"(?<!\w)[A-Za-z](?:\+\+|#)")


@dataclass(frozen=True, slots=True)
class Parsed:
    tokens: tuple[str, ...]
    """What the engine is asked for, folded; at most 24."""
    words: tuple[str, ...] = ()
    """Those of them that somebody typed as they are, and may have mistyped."""
    title: tuple[str, ...] = ()
    """All its words, to compare with titles; () if it is longer than a title."""
    cut: bool = False
    """There was more of it than is looked for."""


def parse(query: str) -> Parsed:
    """Words in the order in which they stand, then what they are besides (`indexing.search.identifiers`); of too many
    the longest. Without stop words, unless it has nothing else."""
    text = query[:MAX_CHARACTERS]
    typed = _typed(_CONTRACTIONS.sub(" ", text)) or _typed(text)
    # GET and WHERE among small letters are names; AND, OR and NOT are for other search engines.
    named = set() if text.isupper() else {word.lower() for word in _CAPITALS.findall(text)} - _OPERATORS
    told = [word for word in typed if word not in STOP_WORDS or word in named]
    words = dict.fromkeys(told or typed)
    # The C of C++ alone is another language.
    for symbolic in _SYMBOLIC.findall(text):
        words.pop(symbolic[0].lower(), None)
    made = [*parts([text]), *_joined(typed)]
    found = [*words, *(part for part in dict.fromkeys(made) if part not in words and part not in STOP_WORDS)]
    chosen = sorted(sorted(range(len(found)), key=lambda at: -min(len(found[at]), _TELLING))[:MAX_TERMS])
    return Parsed(
        tokens=tuple(found[at] for at in chosen),
        words=tuple(word for at in chosen if at < len(words) and _may_be_mistyped(word := found[at])),
        title=tuple(typed) if len(typed) <= MAX_TERMS else (),
        cut=len(query) > MAX_CHARACTERS or len(words) > MAX_TERMS,
    )


def _typed(text: str) -> list[str]:
    return [word for word in tokens(text) if len(word) <= MAX_TOKEN]


def _joined(typed: list[str]) -> list[str]:
    """`run migrations` is also runmigrations."""
    if not 1 < len(typed) <= MAX_JOINED_WORDS:
        return []
    pairs = [
        first + second
        for first, second in pairwise(typed)
        if not {first, second} & STOP_WORDS and not (first[-1].isdigit() and second[0].isdigit())
    ]
    return [pair for pair in pairs if not is_unspaced(pair)]


def _may_be_mistyped(word: str) -> bool:
    return len(word) >= SHORTEST_MISTYPED and word.isalpha() and not is_unspaced(word)
