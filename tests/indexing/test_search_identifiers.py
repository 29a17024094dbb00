"""Identifiers are found whole and in parts, however they are written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexing.search.identifiers import MAX_PARTS, parts_of
from indexing.search.queries import parse
from indexing.search.stems import stem
from indexing.search.words import fold, fold_in_place, tokens


def found(query: str, text: str) -> set[str]:
    """The stems by which the text is found."""
    of_text = {stem(word) for word in [*tokens(text), *parts_of(text).split()]}
    return {stem(word) for word in parse(query).tokens} & of_text


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("run_migrations", "runMigrations"),
        ("runMigrations", "run_migrations"),
        ("RunMigrations", "runmigrations"),
        ("run_migrations", "runmigrations"),
        ("runmigrations", "run_migrations"),
        ("runmigrations", "run migrations"),
        ("runMigrations", "run migrations"),
        ("config.yaml", "config.yaml"),
        ("config.yaml", "configyaml"),
        ("--dry-run", "dryrun"),
        ("dryrun", "--dry-run"),
        ("HTTP2Server", "http2 server"),
        ("HTTP2Server", "http2_server"),
        ("http2_server", "HTTP2Server"),
        ("XMLHttpRequest", "http request"),
        ("a.b.c", "abc"),
        ("x/y", "xy"),
        ("kebab-case", "kebabCase"),
        ("utf-8", "utf8"),
        ("utf8", "UTF-8"),
        ("std::vector", "stdvector"),
        ("Node.js", "nodejs"),
        ("ASP.NET", "dotnet"),
        ("WebSocket", "web socket"),
        ("websocket", "web socket"),
    ],
)
def test_an_identifier_is_found_however_it_is_written(written: str, asked: str) -> None:
    assert found(asked, f"Call {written} first.")


@pytest.mark.parametrize("name", ["C++", "C#", "F#", ".NET", "v1.2.3", "3.11"])
def test_what_is_not_made_of_letters_is_found_by_more_than_its_letters(name: str) -> None:
    alike = {"C++": "C C# g", "C#": "C++ C", "F#": "F C#", ".NET": "net", "v1.2.3": "v1 2 3 1.23", "3.11": "3 11 31.1"}
    only = found(name, f"Written in {name}.") - found(name, alike[name])
    assert only


def test_c_alone_is_not_asked_for_where_c_plus_plus_is_meant() -> None:
    assert "c" not in parse("C++ templates").tokens
    assert "c" in parse("C templates").tokens


def test_versions_that_read_alike_when_joined_are_told_apart() -> None:
    assert found("1.23", "Since 1.23") > found("1.23", "Since 12.3")
    assert found("3.11", "Python 3.11.4") > found("3.11", "Python 3.1.14")


def test_words_that_are_indexed_anyhow_are_not_said_again() -> None:
    assert parts_of("A plain sentence, with Names and SHOUTING.") == ""
    assert parts_of("run_migrations run_migrations") == "runmigrations"


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("如何配置服务器", "配置"),
        ("使用Docker配置服务器", "docker"),
        ("データベースを設定する", "設定"),
        ("설정을 변경합니다", "설정"),
        ("ตัวอย่างการตั้งค่า", "ตัวอย่าง"),
    ],
)
def test_what_is_written_without_spaces_is_found_by_a_part_of_it(text: str, query: str) -> None:
    assert found(query, text)


def test_accents_and_case_make_no_difference() -> None:
    assert tokens("Café CAFE\u0301 Ångström ΟΔΟΣ") == ["cafe", "cafe", "angstrom", "οδοσ"]
    assert tokens("हिन्दी й") == ["हिन्दी", "й"]


@settings(max_examples=100)
@given(st.text(max_size=200))
def test_folding_in_place_keeps_each_character_where_it_is(text: str) -> None:
    assert len(fold_in_place(text)) == len(text)
    assert fold(fold(text)) == fold(text)


@settings(max_examples=100)
@given(st.text(max_size=300))
def test_any_text_has_parts_that_are_words(text: str) -> None:
    assert all(tokens(part) == [part] for part in parts_of(text).split())


@pytest.mark.parametrize("unit", ["a.", "aB", "a_", "如", "C++", "1.", "-", "e\u0301", "A1", "./:"])
def test_hostile_texts_have_no_more_parts_than_a_chunk_may_have(unit: str) -> None:
    assert len(parts_of(unit * 20_000).split()) <= MAX_PARTS
