"""The passage that shows why a chunk was found."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexing.search.model import Fragment
from indexing.search.queries import parse
from indexing.search.snippets import LENGTH, Marker, snippet

FILLING = "Lorem ipsum dolor sit amet. " * 30


def shown(query: str, body: str, length: int = LENGTH) -> str:
    return "".join(f"[{part.text}]" if part.marked else part.text for part in made(query, body, length))


def made(query: str, body: str, length: int = LENGTH) -> tuple[Fragment, ...]:
    return snippet(body, Marker(parse(query).tokens), length=length)


def test_words_are_marked_by_their_stems() -> None:
    assert shown("happiness of running", "Happy runners run.") == "[Happy] runners [run]."
    assert shown("cafes", "Au Café") == "Au [Café]"


@pytest.mark.parametrize(
    ("query", "body", "marked"),
    [
        ("run migrations", "Call runMigrations()", "Call [runMigrations]()"),
        ("runMigrations", "Call run_migrations()", "Call [run_migrations]()"),
        ("C++", "A C++ book", "A [C++] book"),
        ("c#", "In C# only", "In [C#] only"),
        (".NET", "For ASP.NET", "For ASP[.NET]"),
        ("3.11", "Python 3.11.4", "Python [3.11].4"),
        ("配置", "如何配置服务器", "如何[配置]服务器"),
        ("تثبيت", "كيف تثبيت هذا", "كيف [تثبيت] هذا"),
    ],
)
def test_identifiers_and_what_has_no_spaces_are_marked(query: str, body: str, marked: str) -> None:
    assert shown(query, body) == marked


def test_the_passage_with_most_of_the_query_is_shown() -> None:
    body = f"{FILLING} A migration. {FILLING} Run the migration by hand. {FILLING}"
    text = shown("run migration by hand", body)
    assert "[Run] the [migration] by [hand]" in text
    assert text.startswith("…")
    assert text.endswith("…")


def test_a_snippet_begins_and_ends_with_whole_words() -> None:
    words = {*FILLING.split(), "needle"}
    text = shown("needle", f"{FILLING} needle {FILLING}")
    assert set(text.strip("…").replace("[", "").replace("]", "").split()) <= words


def test_without_a_word_of_the_query_the_beginning_is_shown() -> None:
    assert shown("elsewhere", FILLING).startswith("Lorem ipsum")
    assert shown("elsewhere", "Short.") == "Short."
    assert made("elsewhere", "") == ()


def test_it_is_one_line_without_what_turns_or_hides_text() -> None:
    assert shown("one", "one\n\n  two\tthree\x07\0 \u202eevil\u2066") == "[one] two three evil"


@pytest.mark.parametrize(
    "character", ["👨‍👩‍👧‍👦", "🇩🇪", "👍🏽", "e\u0301\u0323", "한", "\u1112\u1161\u11ab", "ก็", "❤\ufe0f"]
)
@pytest.mark.parametrize("length", range(20, 32))
def test_no_character_is_cut(character: str, length: int) -> None:
    whole = unicodedata.normalize("NFC", character)
    text = shown("nothing", character * 60, length).rstrip("…")
    assert text
    assert text == whole * (len(text) // len(whole))


def test_html_is_text_as_any_other() -> None:
    assert shown("script", "<script>alert(1)</script>") == "<[script]>alert(1)</[script]>"


@given(st.text(max_size=600), st.text(max_size=60), st.integers(min_value=1, max_value=300))
def test_any_text_has_a_snippet_of_its_own_words(body: str, query: str, length: int) -> None:
    fragments = made(query, body, length)
    text = "".join(part.text for part in fragments)
    assert len(text) <= length + 2 + 32
    assert all(part.text for part in fragments)


@pytest.mark.parametrize("unit", ["run ", "runMigrations ", "a_", "e\u0301", "如", "🇩", "\u200d", "run"])
def test_hostile_bodies_have_a_snippet(unit: str) -> None:
    text = "".join(part.text for part in made("run a migration 如何", unit * 40_000))
    assert len(text) <= LENGTH + 34
