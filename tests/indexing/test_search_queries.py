"""What somebody types is made into words to look for, whatever it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexing.search.queries import MAX_TERMS, STOP_WORDS, parse
from indexing.search.words import tokens


def test_what_every_text_has_is_not_looked_for() -> None:
    assert parse("How do I run the migrations?").tokens[:2] == ("run", "migrations")
    assert not STOP_WORDS & set(parse("What's in it, and why don't you say so about docs?").tokens)


def test_a_query_of_nothing_else_is_looked_for_as_it_is() -> None:
    assert parse("to be or not to be").tokens == ("to", "be", "or", "not")
    assert parse("don't").tokens == ("don",)


def test_a_word_in_capitals_is_a_name() -> None:
    assert parse("a GET request in the WHERE clause AND more").tokens == ("get", "request", "where", "clause")
    assert "get" not in parse("how to get a request").tokens
    assert "the" not in parse("WHAT IS THE QUOTA").tokens


def test_an_identifier_is_looked_for_whole_and_in_parts() -> None:
    assert parse("run_migrations").tokens == ("run", "migrations", "runmigrations")
    assert parse("runMigrations").tokens == ("runmigrations", "run", "migrations")


@pytest.mark.parametrize("query", ["", "   ", "???", "😀", "\0", "\ud800", "++", '"', "-- * ^ ()", "x" * 20_000])
def test_what_has_no_word_is_no_error(query: str) -> None:
    assert parse(query).tokens == ()


@pytest.mark.parametrize(
    "query",
    ['"a phrase"', "NEAR(one two, 3)", "col:word", "one AND two OR NOT three", "pre*", "^first", "{a b}: c", "a + b"],
)
def test_operators_are_words_or_nothing(query: str) -> None:
    assert all(tokens(token) == [token] for token in parse(query).tokens)


def test_of_too_many_words_the_longest_are_taken_in_their_order() -> None:
    words = [f"w{number}" for number in range(40)]
    query = " ".join([*words[:20], "deadlock", *words[20:], "transaction"])
    parsed = parse(query)
    assert len(parsed.tokens) == MAX_TERMS
    assert [token for token in parsed.tokens if len(token) > 3] == ["deadlock", "transaction"]
    assert parsed.cut


def test_ten_thousand_characters_are_looked_at() -> None:
    assert "needle" in parse("x " * 4_000 + "needle").tokens
    beyond = parse("x " * 6_000 + "needle")
    assert "needle" not in beyond.tokens
    assert beyond.cut


def test_numbers_and_short_words_are_not_taken_for_mistyped() -> None:
    assert parse("cat 20241 migratoins v12 配置服务").words == ("migratoins",)


@given(st.text(max_size=400))
def test_any_text_is_a_query(query: str) -> None:
    parsed = parse(query)
    assert len(parsed.tokens) <= MAX_TERMS
    assert len(set(parsed.tokens)) == len(parsed.tokens)
    assert all(tokens(token) == [token] for token in parsed.tokens)
