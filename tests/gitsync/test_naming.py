"""A file's name follows from the name alone, and no disk takes two of them for one."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitsync.layout.naming import MAX_BYTES, for_identifier, for_text, for_text_unique_ignoring_case

IDENTIFIERS = st.from_regex(r"\A[a-z][a-zA-Z0-9]{0,63}\Z")
# Few letters, so that names that are nearly the same come up.
NEAR = st.text(alphabet="aAbB1-_ .éÉe\u0301/ıſK~", max_size=6) | st.sampled_from(
    ["con", "CON", "aux.json", "lpt1", ".git", "git~1", "..", ".", "", "readme", "getWeather", "get-weather", "a\x00b"]
)
TEXTS = st.text(max_size=130) | NEAR


def disk(name: str) -> str:
    """What a disk that ignores case, normalises, and drops trailing dots and spaces makes of a name."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).upper().lower().casefold()).rstrip(". ")


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("forecast", "forecast"),
        ("getWeather", "get-weather"),
        ("getweather", "getweather"),
        ("listV2Cities", "list-v2-cities"),
        ("getHTTPStatus", "get-http-status-7b40c9e9"),
    ],
)
def test_a_tools_name_becomes_words(name: str, file: str) -> None:
    assert for_identifier(name) == file


@pytest.mark.parametrize("name", ["forecast", "forecast guide", "guide.v2", "snake_case", "wetter für alle", "天気"])
def test_a_name_that_is_fine_stays_as_it_is(name: str) -> None:
    assert for_text(name) == name


def test_capitals_are_kept_where_names_are_unique_whatever_their_case() -> None:
    assert for_text_unique_ignoring_case("Open Weather") == "Open Weather"
    assert for_text("Open Weather").startswith("open-weather-")


@pytest.mark.parametrize(
    "name",
    [
        *("con", "PRN", "aux", "nul", "com1", "LPT9", "con.txt", "aux .txt", "nul.tar.gz"),
        *(".", "..", ".git", ".GIT", "git~1", ".gitmodules", "-rf", " x", "x ", "x.", "~", ""),
        *("a/b", "a\\b", "a:b", "a\nb", "a\x00b", "a\u202eb", "a\u200db", "a*b", 'a"b', "a|b", "<a>", "x" * 101),
        *("ﬁle", "e\u0301te", "straße", "ıx", "\ud800"),
    ],
)
@pytest.mark.parametrize("naming", [for_text, for_text_unique_ignoring_case])
def test_a_name_that_some_disk_or_git_does_not_take_is_replaced(naming: object, name: str) -> None:
    assert callable(naming)
    file = naming(name)
    assert file != name
    assert file.isascii()
    assert file[:1].isalnum()
    assert set(file) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_what_the_server_keeps_for_itself_is_not_given_to_a_provider() -> None:
    reserved = {"readme.md"}
    assert for_text_unique_ignoring_case("README.md", reserved).startswith("readme-md-")
    assert for_identifier("readme", {"readme"}).startswith("readme-")


def test_a_name_made_to_look_like_the_file_of_another_gets_another_file() -> None:
    taken = for_text("Guide")
    assert for_text(taken) != taken


@given(names=st.sets(IDENTIFIERS | st.sampled_from(["aB", "ab", "a1", "aBC", "abC", "aBc"]), max_size=8))
@settings(deadline=None)
def test_no_two_tools_get_the_same_file(names: set[str]) -> None:
    assert len({disk(for_identifier(name)) for name in names}) == len(names)


@given(names=st.sets(TEXTS, max_size=8))
@settings(deadline=None, max_examples=100)
def test_no_two_names_get_the_same_file(names: set[str]) -> None:
    assert len({disk(for_text(name)) for name in names}) == len(names)


@given(names=st.lists(TEXTS, unique_by=lambda name: name.lower(), max_size=8))
@settings(deadline=None, max_examples=100)
def test_no_two_names_that_differ_in_more_than_case_get_the_same_directory(names: list[str]) -> None:
    assert len({disk(for_text_unique_ignoring_case(name)) for name in names}) == len(names)


@given(name=TEXTS | IDENTIFIERS)
@settings(deadline=None)
def test_every_file_name_is_safe_and_short(name: str) -> None:
    for file in (for_text(name), for_identifier(name), for_text_unique_ignoring_case(name)):
        assert 0 < len(file.encode()) <= MAX_BYTES
        assert disk(file) == file.lower()  # nothing that a disk would alter but the case
        assert not set(file) & set('/\\:*?"<>|~')
        assert file[0] not in ".- "
        assert file.isprintable()
