"""Secrets that are known, found in whatever form they have slipped in.

As they are; percent-encoded; in base64, also as a part of something longer, as `user:token` of a Basic header is; and
with other line ends or spaces than the original, as a key that was wrapped has.
"""

from __future__ import annotations

import base64
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from gitsync.scanning.findings import KnownSecret

WORD_CHARACTERS = 6
"""A shorter secret is only found where it stands as a word of its own: “de” is a part of too many."""

_SQUEEZED_CHARACTERS = 12
"""Forms from this length on are found whatever spaces and line ends are within."""

_PREFIX = 5
_SPACE = re.compile(r"\s+")
_SPACED = re.compile(r"\S")
_FEWEST_BASE64 = 10
"""Characters that must be left of a base64 form, so that it is not found by chance."""


class KnownSecrets:
    def __init__(self, known: Iterable[KnownSecret]) -> None:
        words: dict[str, KnownSecret] = {}
        plain: dict[str, KnownSecret] = {}
        squeezed: dict[str, KnownSecret] = {}
        for secret in known:
            if not secret.value.strip():
                continue
            if len(secret.value) < WORD_CHARACTERS:
                words.setdefault(secret.value, secret)
                continue
            for form in _forms(secret.value):
                close = _SPACE.sub("", form)
                if len(close) >= _SQUEEZED_CHARACTERS:
                    squeezed.setdefault(close, secret)
                else:
                    plain.setdefault(form, secret)
        self._words = _Needles(words, whole_words=True)
        self._plain = _Needles(plain)
        self._squeezed = _Needles(squeezed)

    def find(self, text: str) -> Iterator[tuple[KnownSecret, int, str]]:
        """Each secret, where it begins, and in which form. NUL in the text parts what does not belong together."""
        yield from self._words.find(text)
        yield from self._plain.find(text)
        close = _SPACE.sub("", text)
        found = sorted(self._squeezed.find(close), key=lambda each: each[1])
        if found:
            characters = (match.start() for match in _SPACED.finditer(text))
            seen, at = -1, -1
            for secret, index, form in found:
                while seen < index:
                    seen, at = seen + 1, next(characters)
                yield secret, at, form


def _forms(value: str) -> set[str]:
    """Ways to write a secret; the shortest that stands for all that contain it."""
    forms = {value, value.strip()}
    raw = value.encode("utf-8", "surrogatepass")
    escaped = json.dumps(value)[1:-1]
    forms |= {escaped, json.dumps(value, ensure_ascii=False)[1:-1], escaped.replace("/", "\\/")}
    for encoded in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        forms |= {encoded, re.sub("%..", lambda found: found.group().lower(), encoded)}
    for shift in range(3):
        # Of what stands before it, `shift` bytes share its first characters; what stands behind, its last.
        coded = base64.b64encode(bytes(shift) + raw).decode()
        whole = coded[(0, 2, 3)[shift] : (shift + len(raw)) * 8 // 6]
        if len(whole) >= _FEWEST_BASE64:
            forms |= {whole, whole.replace("+", "-").replace("/", "_")}
    return {form for form in forms if len(form) >= WORD_CHARACTERS}


class _Needles:
    """Many texts to be found in one pass: those that begin alike are tried where that beginning is."""

    def __init__(self, needles: dict[str, KnownSecret], *, whole_words: bool = False) -> None:
        self._by_prefix: dict[str, list[tuple[str, KnownSecret]]] = defaultdict(list)
        self._whole_words = whole_words
        self._length = min((len(needle) for needle in needles), default=0)
        self._length = min(self._length, _PREFIX)
        for needle, secret in needles.items():
            self._by_prefix[needle[: self._length]].append((needle, secret))
        self._beginning = re.compile(_tree(self._by_prefix)) if needles else None

    def find(self, text: str) -> Iterator[tuple[KnownSecret, int, str]]:
        if self._beginning is None:
            return
        match = self._beginning.search(text)
        while match:
            at = match.start()
            for needle, secret in self._by_prefix[match.group()]:
                if text.startswith(needle, at) and not (self._whole_words and _is_part(text, at, at + len(needle))):
                    yield secret, at, needle
            match = self._beginning.search(text, at + 1)


def _is_part(text: str, start: int, end: int) -> bool:
    """Whether it is a part of a word."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return (before.isalnum() and text[start].isalnum()) or (after.isalnum() and text[end - 1].isalnum())


def _tree(words: Iterable[str]) -> str:
    """A regular expression for words of one length, which looks at each character of a text few times."""
    by_first: dict[str, set[str]] = defaultdict(set)
    for word in words:
        by_first[word[0]].add(word[1:])
    branches = (re.escape(first) + (_tree(rests) if rests != {""} else "") for first, rests in sorted(by_first.items()))
    return f"(?:{'|'.join(branches)})"
