"""The passage of a chunk that shows why it was found, with marks on what matched. Pure; no HTML is made here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from indexing.search.identifiers import JOINTS, candidates, parts_of_candidate, written
from indexing.search.model import Fragment
from indexing.search.stems import stem
from indexing.search.words import WORD, fold, fold_in_place

LENGTH = 240
"""Characters of a snippet, without the ellipses."""
BEFORE = 60
"""Of them at most so many before what matched."""
MAX_BODY = 20_000
"""Characters of a chunk that are looked at."""
WORD_CUT = 24
"""Characters that are given up so that no word is cut."""
MAX_CLUSTER = 32
"""Code points; more of them are no character of any language."""
_ELLIPSIS = "…"
# Controls, and those that turn the direction of what follows, beyond the snippet (Unicode Technical Report 36, 2.10).
_UNSEEN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_WORD = re.compile(WORD)
_WITHOUT_JOINTS = str.maketrans("", "", JOINTS)
_JOINER = "\u200d"


@dataclass(frozen=True)
class Span:
    start: int
    end: int
    stem: str
    """The word of the query by which it matches, or the part of an identifier."""


@dataclass(frozen=True)
class Marker:
    """Finds the words of one query in texts."""

    words: tuple[str, ...]
    """As `indexing.search.queries` makes them: folded."""
    _parts: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def stems(self) -> frozenset[str]:
        return frozenset(stem(word) for word in self.words)

    def spans(self, text: str) -> list[Span]:
        """Where words of the query are in the text, in their order, none over another."""
        folded = fold_in_place(text)
        found = list(self._words(folded))
        if self._literal is not None:
            found += [Span(match.start(), match.end(), match.group()) for match in self._literal.finditer(folded)]
        if (missing := self.stems - {span.stem for span in found}) and _may_have(folded, missing):
            found += self._in_parts(text)
        return _apart(found)

    def seen(self, texts: Iterable[str]) -> set[str]:
        """The words of the query that are words of these texts."""
        stems: set[str] = set()
        for text in texts:
            stems.update(span.stem for span in self._words(fold_in_place(text)))
            if len(stems) == len(self.stems):
                break
        return {word for word in self.words if stem(word) in stems}

    def _words(self, folded: str) -> Iterator[Span]:
        for match in self._beginnings.finditer(folded):
            start = match.start()
            if start and folded[start - 1].isalnum():
                continue
            word = _WORD.match(folded, start)
            if word is not None and (stemmed := stem(fold(word.group()))) in self.stems:
                yield Span(start, word.end(), stemmed)

    @cached_property
    def _roots(self) -> tuple[str, ...]:
        """How words begin that can have the stems: as these do, but for the last letter. Happy is happi."""
        return tuple({_root(each) for each in self.stems})

    @cached_property
    def _beginnings(self) -> re.Pattern[str]:
        return re.compile("|".join(map(re.escape, self._roots)) or "(?!)")

    @cached_property
    def _literal(self) -> re.Pattern[str] | None:
        """Of what is not found as a word: C++, 3.11, and all that stands between no spaces."""
        ways = sorted({re.escape(way) for word in self.words if (way := written(word))}, key=len, reverse=True)
        return re.compile("|".join(ways)) if ways else None

    def _in_parts(self, text: str) -> Iterator[Span]:
        """Identifiers that match by their parts: `runMigrations` for `run`."""
        for each in candidates(text):
            if not (stemmed := self._part(each)):
                continue
            start = -1
            while (start := text.find(each, start + 1)) >= 0:
                if not start or not text[start - 1].isalnum():
                    yield Span(start, start + len(each), stemmed)

    def _part(self, candidate: str) -> str:
        if (known := self._parts.get(candidate)) is None:
            stems = (stem(part) for part in parts_of_candidate(candidate) if part.startswith(self._roots))
            known = self._parts[candidate] = next((each for each in stems if each in self.stems), "")
        return known


def _root(stemmed: str) -> str:
    return stemmed[:-1] or stemmed


def _may_have(folded: str, stems: Iterable[str]) -> bool:
    """Whether identifiers may have one of these as a part. A part is what stands in one piece once the joints went."""
    if not folded.isascii():
        return True
    joined = folded.translate(_WITHOUT_JOINTS)
    return any(_root(each) in joined for each in stems)


def snippet(body: str, marker: Marker, *, length: int = LENGTH) -> tuple[Fragment, ...]:
    """The passage with most of the query's words, on one line; the beginning if none is in the body."""
    text = body[:MAX_BODY]
    if not text.isascii():
        text = _UNSEEN.sub("", unicodedata.normalize("NFC", text))
    text = " ".join(text.replace("\0", "").split())
    spans = marker.spans(text)
    start, end = _passage(text, spans, length)
    return tuple(_fragments(text, start, end, [span for span in spans if span.start < end and span.end > start]))


def _passage(text: str, spans: list[Span], length: int) -> tuple[int, int]:
    if len(text) <= length:
        return 0, len(text)
    if not spans:
        return 0, _back(text, length, 0)
    first, last = _densest(spans, length)
    room = max(0, length - (last - first))
    start = first - min(BEFORE, room // 2)
    if start <= WORD_CUT:
        start = 0
    elif len(text) - start <= length:
        start = _forward(text, len(text) - length, first)
    else:
        start = _forward(text, start, first)
    end = start + length
    return start, len(text) if end >= len(text) else _back(text, end, min(last, end - WORD_CUT))


def _densest(spans: list[Span], length: int) -> tuple[int, int]:
    """Where the spans begin and end that show most of the query within the length; the earliest of equal ones."""
    best, place = (0, 0), (spans[0].start, spans[0].end)
    for at, first in enumerate(spans):
        stems: set[str] = set()
        count, end = 0, first.end
        for span in spans[at:]:
            if span.end > first.start + length:
                break
            stems.add(span.stem)
            count += 1
            end = span.end
        if (len(stems), count) > best:
            best, place = (len(stems), count), (first.start, end)
    return place


def _forward(text: str, at: int, limit: int) -> int:
    """The beginning of the next word, or of the character that `at` is in."""
    space = text.find(" ", max(0, at - 1), min(limit, at + WORD_CUT))
    return space + 1 if space >= 0 else _character(text, at)


def _back(text: str, at: int, limit: int) -> int:
    """The end of the last whole word, or of the last whole character."""
    space = text.rfind(" ", max(limit, at - WORD_CUT), at + 1)
    return space if space > 0 else _character(text, at)


def _character(text: str, at: int) -> int:
    """The beginning of the character at this place, as a reader sees characters
    (https://unicode.org/reports/tr29/#Grapheme_Cluster_Boundaries, the rules that matter)."""
    for place in range(at, max(0, at - MAX_CLUSTER), -1):
        if not _continues(text, place):
            return place
    return at


def _continues(text: str, at: int) -> bool:
    """Whether what is at this place belongs to the character before it."""
    if not 0 < at < len(text):
        return False
    here, before = text[at], text[at - 1]
    if here.isascii():
        return False
    if here == _JOINER or before == _JOINER or unicodedata.category(here) in ("Mn", "Mc", "Me"):
        return True
    if "\U0001f3fb" <= here <= "\U0001f3ff" or "\u1160" <= here <= "\u11ff":  # skin tones, vowels and finals of Hangul
        return True
    if _is_flag(here):
        start = at
        while start > 0 and _is_flag(text[start - 1]):
            start -= 1
        return (at - start) % 2 == 1
    return False


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _apart(spans: list[Span]) -> list[Span]:
    """In order, with those that touch or overlap made one."""
    apart: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if apart and span.start < apart[-1].end:
            last = apart.pop()
            span = Span(last.start, max(last.end, span.end), last.stem)
        apart.append(span)
    return apart


def _fragments(text: str, start: int, end: int, spans: list[Span]) -> Iterator[Fragment]:
    if start > 0:
        yield Fragment(_ELLIPSIS)
    at = start
    for span in spans:
        if span.start > at:
            yield Fragment(text[at : span.start])
        yield Fragment(text[max(span.start, at) : min(span.end, end)], marked=True)
        at = min(span.end, end)
    if at < end:
        yield Fragment(text[at:end])
    if end < len(text):
        yield Fragment(_ELLIPSIS)
