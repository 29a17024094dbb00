"""Identifiers, so that they are found whole and in parts, joined and split, however they are written. Pure.

Words are cut at everything that is no letter or digit, so `run_migrations` is indexed as two words and `runMigrations`
as one. What is missing of either is made here, for texts and for queries alike: a column of its own in the index holds
it. The same goes for what is written without spaces (Chinese, Japanese, Thai, and Korean with its endings): there it is
each pair of neighbouring characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice, pairwise

from indexing.search.words import MARKS, fold, tokens

MAX_PARTS = 2_000
"""Of one chunk; the words themselves are found in any case."""
MAX_CANDIDATE = 240
"""Characters of one identifier that are looked at: a longer one is a path, or nothing that anybody types."""
MAX_RUNS = 3
"""Runs of letters between the digits of a word; with more of them it is a digest."""
MAX_JOINED = 64
"""Characters of a joined form. Both stemmers leave longer ones alone."""

JOINTS = "_-./:\\#@>"
"""What holds the words of an identifier together."""
_JOINTS = f"[{re.escape(JOINTS)}]"
_CANDIDATE = re.compile(rf"[^\W_]++(?:{_JOINTS}{{1,2}}[^\W_]++)*+")
_COMPOUNDS = re.compile(r"[./:\\#@>]+")
_WORDS = re.compile(r"[_\-]+")
_CASES = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+|[^\W\d_]+")
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_NUMBERS = re.compile(r"(?<![\w.])[vV]?(\d+(?:\.\d+)+)")
_SYMBOLS = re.compile(r"(?<!\w)([A-Za-z])(\+\+|#)(?![#+])")
_SYMBOL_NAMES = {"++": "plusplus", "#": "sharp"}
_NAMED_SYMBOLS = {name: symbol for symbol, name in _SYMBOL_NAMES.items()}
_SYMBOLIC = re.compile(r"([a-z])(plusplus|sharp)")
_DOTTED = re.compile(r"\d+(?:dot\d+)+")
_DOTNET = re.compile(r"\.NET\b|(?<![\w.])\.net\b")
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"  # Han, kana
    "\uac00-\ud7af"  # Hangul
)
_RUN = re.compile(rf"[{_UNSPACED}]+")
_MIXED = re.compile(rf"(?:[^\W_{_UNSPACED}]|[{MARKS}])+")


def parts_of(*texts: str) -> str:
    """What a search has to find of these texts beside their words: words again, folded, each once, parted by spaces."""
    return " ".join(parts(texts))


def parts(texts: Iterable[str]) -> list[str]:
    """The same as a list, in the order of the texts."""
    found: dict[str, None] = {}
    for text in texts:
        for candidate in candidates(text):
            for part in parts_of_candidate(candidate):
                found[part] = None
        for part in _symbols(text):
            found[part] = None
        if not text.isascii():
            for part in islice(_pairs(text), MAX_PARTS):
                found[part] = None
    return list(found)[:MAX_PARTS]


def is_unspaced(word: str) -> bool:
    """Whether it is of a script that is written without spaces."""
    return _RUN.search(word) is not None


def candidates(text: str) -> list[str]:
    """What may be an identifier, each once: words, with what holds them together; no plain words."""
    return [each for each in dict.fromkeys(_CANDIDATE.findall(text)) if not _is_plain(each)]


@lru_cache(maxsize=1 << 15)
def _is_plain(word: str) -> bool:
    return word.isalpha() and (word.islower() or word.istitle())


def written(part: str) -> str:
    """How what is no word is written where it stands, folded: cplusplus as c++, 3dot11 as 3.11; "" for others."""
    if part == "dotnet":
        return ".net"
    if is_unspaced(part):
        return part
    if named := _SYMBOLIC.fullmatch(part):
        return named[1] + _NAMED_SYMBOLS[named[2]]
    return part.replace("dot", ".") if _DOTTED.fullmatch(part) else ""


def parts_of_candidate(candidate: str) -> tuple[str, ...]:
    """Of `HTTP2Server`: http2, server, http. Of `run_migrations`: runmigrations. Of `os.path.join`: ospath, pathjoin,
    ospathjoin."""
    return _parts_of_candidate(candidate[:MAX_CANDIDATE])


@lru_cache(maxsize=1 << 15)
def _parts_of_candidate(candidate: str) -> tuple[str, ...]:
    made: dict[str, None] = {}
    compounds = [_WORDS.split(compound) for compound in _COMPOUNDS.split(candidate)]
    for compound in compounds:
        for word in compound:
            cased = _CASES.findall(word)
            pieces = cased if len(cased) > 1 else []
            letters = _LETTERS.findall(word) if not word.isalpha() else []
            made |= dict.fromkeys(piece for piece in pieces if len(piece) > 1)
            if len(letters) <= MAX_RUNS:
                made |= dict.fromkeys(letters)
        if len(compound) > 1:
            made["".join(compound)] = None
    whole = ["".join(compound) for compound in compounds]
    ambiguous = False  # the numbers of a version, which have a form of their own
    for first, second in pairwise(whole):
        if first[-1:].isdigit() and second[:1].isdigit():
            ambiguous = True
        else:
            made[first + second] = None
    if 2 < len(whole) <= 6 and not ambiguous:
        made["".join(whole)] = None
    # What is cut as words anyhow need not be said twice.
    words = set(tokens(candidate))
    folded = dict.fromkeys(fold(part) for part in made if len(part) <= MAX_JOINED)
    return tuple(part for part in folded if part and part not in words)


def _symbols(text: str) -> Iterator[str]:
    """What has symbols in its name, and numbers with dots."""
    if "." in text:
        for number in _NUMBERS.findall(text):
            yield from _numbers(number)
        if ".net" in text.lower() and _DOTNET.search(text):
            yield "dotnet"
    if "++" in text or "#" in text:
        for letter, symbol in _SYMBOLS.findall(text):
            yield letter.lower() + _SYMBOL_NAMES[symbol]


def _numbers(dotted: str) -> Iterator[str]:
    """Of `3.11.4`: 3dot11, 3dot11dot4. Joined without a word between, 1.23 and 12.3 would be the same."""
    numbers = dotted.split(".")[:6]
    for end in range(2, len(numbers) + 1):
        yield "dot".join(numbers[:end])[:MAX_JOINED]


def _pairs(text: str) -> Iterator[str]:
    """Each two neighbours of what is written without spaces, and the other words that stand within it."""
    for match in _RUN.finditer(text):
        run = fold(match.group())
        for place in range(len(run) - 1):
            yield run[place : place + 2]
        for beside in (_MIXED.match(text, match.end()), _before(text, match.start())):
            if beside is not None:
                yield fold(beside.group())


def _before(text: str, end: int) -> re.Match[str] | None:
    """The other word that ends where a run begins."""
    start = end
    while start > max(0, end - MAX_JOINED) and _MIXED.match(text[start - 1]):
        start -= 1
    return _MIXED.match(text, start, end)
