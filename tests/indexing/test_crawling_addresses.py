"""One spelling for each address, which ones belong to a site, and which ones are a trap."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forges.reading.filters import PathFilter
from indexing.crawling.traps import MOST_DATES, Traps
from indexing.crawling.urls import MAX_LENGTH, Cover, canonical, is_index, may_be_page


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTP://Docs.Example.COM:80/a/../b/./c#part", "http://docs.example.com/b/c"),
        ("https://example.com:443", "https://example.com/"),
        ("https://example.com/index.html", "https://example.com/"),
        ("https://example.com/a/INDEX.htm?b=1", "https://example.com/a/?b=1"),
        ("https://example.com/index.html.md", "https://example.com/index.html.md"),
        ("https://example.com/a?utm_source=x&b=2&utm_campaign=y&a=1&gclid=7", "https://example.com/a?a=1&b=2"),
        ("https://example.com/a?fbclid=1", "https://example.com/a"),
        ("https://example.com/a;jsessionid=0A?PHPSESSID=2&sid=3", "https://example.com/a"),
        ("https://example.com/%7euser/%6fne", "https://example.com/~user/one"),
        ("https://example.com/a%2Fb%2fc", "https://example.com/a%2Fb%2Fc"),
        ("https://example.com/größe?q=%E9", "https://example.com/gr%C3%B6%C3%9Fe?q=%E9"),
        ("https://münchen.example/a b", "https://xn--mnchen-3ya.example/a%20b"),
        ("  https://example.com/a\n", "https://example.com/a"),
        ("http://[::1]:80/x", "http://[::1]/x"),
        ("https://example.com/Case", "https://example.com/Case"),
    ],
)
def test_an_address_has_one_spelling(url: str, expected: str) -> None:
    assert canonical(url) == expected
    assert canonical(expected) == expected


@pytest.mark.parametrize(
    "url",
    [
        *("", "mailto:a@example.com", "javascript:alert(1)", "ftp://example.com/", "file:///etc/passwd", "/relative"),
        *("https://user:secret@example.com/", "https://", "http://[half", "https://example.com\\@evil.example/"),
        f"https://example.com/{'a' * MAX_LENGTH}",
        f"https://example.com/{'é' * 400}",
    ],
)
def test_what_is_no_page_s_address_has_none(url: str) -> None:
    assert canonical(url) == ""


def test_relative_links_are_read_against_their_page() -> None:
    assert canonical("../b?x=1#y", base="https://example.com/docs/a/") == "https://example.com/docs/b?x=1"
    assert canonical("//other.example/c", base="https://example.com/") == "https://other.example/c"
    assert canonical("http://[half", base="https://example.com/") == ""


@settings(max_examples=100)
@given(st.text(max_size=60))
def test_any_text_has_one_spelling_or_none(text: str) -> None:
    for url in (text, f"https://example.com/{text}", f"https://{text}", f"https://example.com/?{text}"):
        spelled = canonical(url)
        assert canonical(spelled) == spelled
        assert len(spelled) <= MAX_LENGTH
        canonical(text, base="https://example.com/docs/")


@pytest.mark.parametrize(
    ("start", "inside", "outside"),
    [
        ("https://e.com/", ["/", "/a", "/a/b?c=d"], []),
        ("https://e.com/docs/", ["/docs/", "/docs/a"], ["/docs", "/docs2/a", "/"]),
        ("https://e.com/docs", ["/docs", "/docs/a"], ["/docs2", "/docs.html", "/"]),
        ("https://e.com/docs/intro", ["/docs/intro", "/docs/other", "/docs/a/b"], ["/docs", "/blog/"]),
        ("https://e.com/docs/a.html", ["/docs/", "/docs/b.html"], ["/a.html"]),
        ("https://e.com/llms.txt", ["/", "/docs/a.md"], []),
    ],
)
def test_a_site_is_the_folder_of_its_start(start: str, inside: list[str], outside: list[str]) -> None:
    cover = Cover.of(start)
    assert all(cover.covers(f"https://e.com{path}") for path in inside)
    assert not any(cover.covers(f"https://e.com{path}") for path in outside)


def test_spellings_of_a_host_are_one_and_other_hosts_are_none() -> None:
    cover = Cover.of("https://www.e.com/")
    for url in ("http://e.com/a", "http://www.e.com:80/a", "https://E.com/a", "https://e.com:443/a"):
        assert cover.canonical(url) == "https://www.e.com/a"
    for url in ("https://e.com:8443/a", "https://docs.e.com/a", "https://e.com.evil.example/a", "https://wwwe.com/a"):
        assert not cover.covers(cover.canonical(url))


def test_patterns_are_of_paths_and_leave_the_start_in() -> None:
    cover = Cover.of("https://e.com/docs/", paths=PathFilter.parse("docs/v2/\n*.html", "docs/v2/old/"))
    assert cover.covers("https://e.com/docs/")
    assert cover.covers("https://e.com/docs/v2/a")
    assert cover.covers("https://e.com/docs/v1/a.html")
    assert cover.covers("https://e.com/docs/caf%C3%A9.html")
    assert not cover.covers("https://e.com/docs/v2/old/a")
    assert not cover.covers("https://e.com/docs/v1/a")


def test_a_start_that_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="not the address of a web page"):
        Cover.of("mailto:a@example.com")


def test_endings_tell_what_is_no_page() -> None:
    assert not any(may_be_page(f"https://e.com/a.{ending}?b=1") for ending in ("png", "ZIP", "woff2", "tar.gz", "mp4"))
    assert all(may_be_page(f"https://e.com/{name}") for name in ("", "a", "node.js", "a.html", "a.pdf", "v1.0", "a.md"))
    assert is_index("https://e.com/a/index.html?b#c")
    assert not is_index("https://e.com/a/myindex.html")


def test_a_calendar_is_caught_after_a_while_and_dated_posts_are_not() -> None:
    traps = Traps()
    months = [f"https://e.com/cal/{year}/{month:02}/" for year in range(2000, 2020) for month in range(1, 13)]
    assert [traps.catches(url) for url in months].count(False) == MOST_DATES
    posts = [f"https://e.com/2026/01/{day:02}/post-{day}" for day in range(1, 29)] * 4
    assert not any(traps.catches(url) for url in posts)
    assert traps.sentences == [f"A calendar at /cal goes on without an end: {MOST_DATES} of its pages are read."]


def test_numbers_of_pages_and_titles_in_parameters_are_no_trap() -> None:
    traps = Traps()
    assert not any(traps.catches(f"https://e.com/index.php?title=Page_{number}") for number in range(900))
    assert not any(traps.catches(f"https://e.com/page/{number}") for number in range(900))
    assert not traps.sentences


@pytest.mark.parametrize(
    "url",
    [
        "https://e.com/a/b/a/b/a/b",
        "https://e.com/docs/docs/docs/",
        "https://e.com/" + "/".join(f"s{number}" for number in range(30)),
        "https://e.com/list?a=1&b=2&c=3&d=4&e=5",
    ],
)
def test_one_address_can_be_enough(url: str) -> None:
    assert Traps().catches(url)
