"""Words and stems are SQLite's own, so that both databases know the same ones: compared with SQLite itself."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Sequence

from indexing.search.stems import stem
from indexing.search.words import TOKENIZER, tokens

ROOTS = (
    "run migrate index configure database possible technology assemble probable terrible analog query happy relation "
    "condition rational hope fall control permit agree plaster motor conflate trouble size file fail decide commit "
    "retry vault snapshot restore cache encrypt token schedule deliver refer prefer proxy replicate parse object lock"
)
ENDINGS = (
    "s es ed ing ly y ation ational ization izer alism iveness fulness ousness ality ivity bility ably ibly logy "
    "logies ness ement ment ent er able ance ence ion icate ative alize ical ful eed ies sses"
)
LEFT = {"eed", "ies", "sses", "specced"}
"""Words that Snowball's version stems otherwise; found among the 105,664 that programs and their documentation use
at least twice, of 166,226."""

SCRIPTS = [
    *((0x20, 0x52F), (0x5D0, 0x5EA), (0x620, 0x64A), (0x904, 0x939), (0x1E00, 0x1EFF), (0x2010, 0x2060)),
    *((0x2150, 0x2189), (0x2460, 0x24FF), (0x3041, 0x30FF), (0x4E00, 0x4E20), (0xFB00, 0xFB06), (0xFF10, 0xFF5A)),
]
OTHERWISE = "µſẛǠǡǢǣǼǽǾǿͅͿϐϑϕϖϰϱϵԨԪԬԮ"
"""Symbols that SQLite folds to the letter they are, two marks that it keeps, and letters newer than its tables."""


def sqlite_tokens(texts: Sequence[str]) -> list[list[str]]:
    """What SQLite's index has of each text."""
    database = sqlite3.connect(":memory:")
    database.execute(f'CREATE VIRTUAL TABLE t USING fts5(x, tokenize="{TOKENIZER}")')
    database.execute("CREATE VIRTUAL TABLE v USING fts5vocab(t, 'instance')")
    database.executemany("INSERT INTO t(rowid, x) VALUES (?, ?)", enumerate(texts))
    found: list[list[str]] = [[] for _ in texts]
    for term, document in database.execute("SELECT term, doc FROM v ORDER BY doc, offset"):
        found[document].append(term)
    database.close()
    return found


def test_stems_are_those_of_sqlite() -> None:
    roots, endings = ROOTS.split(), ENDINGS.split()
    words = sorted({root + ending for root in roots for ending in ["", *endings]} | {"possibly", "c", "go", "x" * 70})
    theirs = sqlite_tokens(words)
    assert {word for word, stems in zip(words, theirs, strict=True) if [stem(word)] != stems} <= LEFT


def test_words_are_cut_and_folded_as_sqlite_does_it() -> None:
    texts = [
        "Überprüfung naïve ÅNGSTRÖM Đorđe Strassen",
        "run_migrations config.yaml C++ a.b.c x/y don't foo-bar 3.11.4",
        "Ёлка Йод ΣΊΣΥΦΟΣ σίσυφος 東京都 ไทย हिन्दी",
        "e\u0301te\u0301 zero\u200bwidth soft\u00adhyphen non\u00a0breaking",
        "İstanbul ﬁne ２０２６ ½ x² №5",
    ]
    for text, theirs in zip(texts, sqlite_tokens(texts), strict=True):
        assert [stem(token) for token in tokens(text)] == theirs, text


def test_letters_are_kept_cut_and_folded_as_sqlite_does_it() -> None:
    """Each of the scripts that people write documentation in, by itself."""
    letters = [
        chr(code)
        for first, last in SCRIPTS
        for code in range(first, last + 1)
        if unicodedata.category(chr(code)) != "Cn"
    ]
    texts = [f"zq{letter}qz" for letter in letters]
    both = zip(letters, texts, sqlite_tokens(texts), strict=True)
    assert {letter for letter, text, theirs in both if tokens(text) != theirs} == set(OTHERWISE)
