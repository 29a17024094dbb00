"""Words as the indexes of both databases know them: cut and folded as SQLite's tokenizer `unicode61` does it. Pure.

A word is a run of letters, digits and marks; case goes, and the diacritics of Latin letters. What `unicode61` does
(remove_diacritics 2, categories L*, N*, Co, Mn, Mc) was compared code point by code point: it differs from what is here
for a few hundred rare ones.
https://www.sqlite.org/fts5.html#unicode61_tokenizer
"""

from __future__ import annotations

import re
import unicodedata

TOKENIZER = "porter unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'"
"""How SQLite is told to do the same. With marks, as Hindi or Thai have their vowels in them."""

_LATIN_ENDS = "\u0250"
"""What decomposes to a letter below it loses its diacritics; a Cyrillic й stays what it is."""
_DIACRITICS = frozenset(
    "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u0309\u030a\u030b\u030c\u030f\u0311\u031b"
    "\u0323\u0324\u0325\u0326\u0327\u0328\u032d\u032e\u0330\u0331"
)


def _marks() -> str:
    """The marks of all scripts, as ranges of a regular expression's class."""
    ranges: list[list[int]] = []
    for code in range(0x300, 0x20000):
        if unicodedata.category(chr(code)) in ("Mn", "Mc"):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


MARKS = _marks()
WORD = rf"(?:[^\W_]++|[{MARKS}]++)++"
"""A word within any text, as a part of regular expressions."""
_WORD = re.compile(WORD)
_ASCII_WORD = re.compile(r"[a-z0-9]+")


class _Folding(dict[int, str | None]):
    """A table for `str.translate`, filled as characters come by; `keep_length` leaves marks where they are."""

    def __init__(self, *, keep_length: bool) -> None:
        self.keep_length = keep_length

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        if character in _DIACRITICS:
            folded: str | None = character if self.keep_length else None
        else:
            lower = character.lower()[0].replace("ς", "σ")
            base = unicodedata.normalize("NFD", lower)[0]
            folded = base if base < _LATIN_ENDS else lower
        self[code] = folded
        return folded


_FOLDING = _Folding(keep_length=False)
_FOLDING_IN_PLACE = _Folding(keep_length=True)


def fold(text: str) -> str:
    """Without case and without the diacritics of Latin letters."""
    return text.lower() if text.isascii() else text.translate(_FOLDING)


def fold_in_place(text: str) -> str:
    """The same, each character for one: what is at a place of the result is at that place of the text."""
    return text.lower() if text.isascii() else text.translate(_FOLDING_IN_PLACE)


def tokens(text: str) -> list[str]:
    """The words of a text, folded, in their order; not stemmed."""
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    return _WORD.findall(fold(text))
