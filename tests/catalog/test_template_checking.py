"""What may be written into headers, addresses and paths, and where `${NAME}` may stand."""

from __future__ import annotations

import pytest

from catalog.checking.headers import BadHeader, as_lines, check_header, parse_lines, problems
from catalog.checking.templates import BadTemplate, UnknownVariable, check_template, fill, only_reference, references
from catalog.checking.tool_paths import BadPath, check_path, places
from catalog.checking.urls import BadUrl, check_base_url, check_link, check_token_url


def test_references_are_found_once_and_in_order() -> None:
    assert references("${B}/${A_1}?${B}$X$$ {C} ${A_1}") == ["B", "A_1"]
    assert only_reference("${TOKEN}") == "TOKEN"
    assert only_reference(" ${TOKEN}") == ""


def test_what_a_value_holds_is_not_filled_again() -> None:
    assert fill("${A}-${B}-$A", {"A": "${B}", "B": "b"}) == "${B}-b-$A"
    with pytest.raises(UnknownVariable, match="There is no variable C"):
        fill("${C}", {"A": "a"})


@pytest.mark.parametrize(("text", "position"), [("x${name}", 1), ("${A", 0), ("${A}${}", 4), ("${1A}", 0), ("${", 0)])
def test_a_reference_that_is_none_is_refused_with_its_position(text: str, position: int) -> None:
    with pytest.raises(BadTemplate, match=f"At character {position + 1},") as error:
        check_template(text)
    assert error.value.position == position


@pytest.mark.parametrize(
    "name",
    ["Host", "content-length", "Transfer-Encoding", "Connection", "TE", "Upgrade", "Proxy-Authorization", "Keep-Alive"],
)
def test_headers_that_each_request_sets_itself_are_refused(name: str) -> None:
    with pytest.raises(BadHeader, match="set by each request itself"):
        check_header(name, "${X}")


@pytest.mark.parametrize("value", ["a\r\nX-Admin: 1", "a\nb", "a\rb", "a\0b", "a\x7fb", "a\u2028b", "é", "a\tb"])
def test_a_line_break_does_not_begin_another_header(value: str) -> None:
    with pytest.raises(BadHeader, match="line break or another character"):
        check_header("X-Note", value)


@pytest.mark.parametrize("name", ["", "X Note", "X:Y", "X\r\nY", "Ünicode", "a" * 129, "X\0"])
def test_what_is_no_name_of_a_header_is_refused(name: str) -> None:
    with pytest.raises(BadHeader, match="no header’s name"):
        check_header(name, "x")


@pytest.mark.parametrize(
    "name",
    ["Authorization", "X-API-Key", "X-Auth", "PRIVATE-TOKEN", "X-Secret", "X-Password", "X-Session-Id"],
)
def test_a_header_that_carries_a_credential_holds_nothing_but_a_reference(name: str) -> None:
    for good in ("${TOKEN}", "Bearer ${TOKEN}", "token ${TOKEN}"):
        check_header(name, good)
    for bad in ("s3cret", "Bearer s3cret", "${TOKEN}s3cret", "s3cret ${TOKEN}", "Bearer ${TOKEN} s3cret", "Bearer"):
        with pytest.raises(BadHeader, match="carries a credential") as error:
            check_header(name, bad)
        assert "s3cret" not in str(error.value)


def test_cookies_hold_references_alone() -> None:
    check_header("Cookie", "session=${SESSION}; csrf=${CSRF}")
    with pytest.raises(BadHeader, match=r"session=\$\{SESSION\}"):
        check_header("Cookie", "session=s3cret; csrf=${CSRF}")


def test_other_headers_hold_what_they_like() -> None:
    assert problems({"Accept": "application/json", "X-Region": "eu-${REGION}"}) == []
    assert [error.text for error in problems({"X-A": "1", "x-a": "2"})] == [
        "x-a is there twice. Put both values in one line, parted by a comma, where the API takes several."
    ]
    assert "50 headers at most" in problems({f"X-{n}": "1" for n in range(51)})[0].text


def test_headers_are_read_from_lines_as_they_look_in_a_request() -> None:
    text = "Accept: application/json\r\n\r\n  X-Time:  12:30 \n"
    assert parse_lines(text) == {"Accept": "application/json", "X-Time": "12:30"}
    assert parse_lines(as_lines(parse_lines(text))) == parse_lines(text)
    with pytest.raises(BadHeader, match="Line 2 has no colon"):
        parse_lines("A: 1\nnothing")
    with pytest.raises(BadHeader, match="Line 2: a is there twice"):
        parse_lines("A: 1\na: 2")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://api.example.com/v1/", "https://api.example.com/v1"),
        (" http://10.0.0.1:8080 ", "http://10.0.0.1:8080"),
        ("https://${REGION}.example.com:${PORT}/v1", "https://${REGION}.example.com:${PORT}/v1"),
        ("${BASE_URL}/v1", "${BASE_URL}/v1"),
        ("", ""),
    ],
)
def test_a_base_url_is_kept_without_the_slash_at_its_end(text: str, kept: str) -> None:
    assert check_base_url(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "api.example.com",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://me:pass@example.com",
        "https://example.com/?a=1",
        "https://example.com/#a",
        "https://",
        "https://example.com:99999",
        "https://exa mple.com",
        "https://example.com\\@evil.example",
        "https://example.com/\r\nX: 1",
        "${BASE}.evil.example",
        "${BASE}@evil.example",
        "https://example.com/" + "x" * 1_024,
    ],
)
def test_what_is_no_base_url_is_refused(text: str) -> None:
    with pytest.raises(BadUrl):
        check_base_url(text)


def test_a_token_url_can_have_a_query_and_a_link_holds_no_references() -> None:
    assert check_token_url("https://${TENANT}.example.com/token?v=2") == "https://${TENANT}.example.com/token?v=2"
    assert check_link("https://example.com/docs?a=${A}#b") == "https://example.com/docs?a=${A}#b"
    for link in ("javascript:alert(1)", "data:text/html,x", "//example.com", "JAVASCRIPT:alert(1)"):
        with pytest.raises(BadUrl):
            check_link(link)


def test_the_places_of_a_path_are_found_once_and_in_order() -> None:
    assert places(check_path("/cities/{city}/days/{day-of.week}/{city}")) == ["city", "day-of.week"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cities", "begins with a slash"),
        ("//evil.example/x", "another host"),
        ("/a?b=1", "has no ?"),
        ("/a#b", "no #"),
        ("/${TOKEN}", "holds no ${NAME}"),
        ("/{a", "no partner"),
        ("/{}", "no partner"),
        ("/{a b}", "is no argument"),
        ("/a b", "a space. Write it as %20"),
        ("/a%zz", "a % alone"),
        ("/é", "Write it as %C3%A9"),
        ("/a\\b", "Write it as %5C"),
        ("/a/../b", "no segments"),
        ("/a/%2e%2E/b", "no segments"),
        ("/" + "x" * 1_024, "1,024 characters"),
    ],
)
def test_what_is_no_path_is_refused(text: str, said: str) -> None:
    with pytest.raises(BadPath) as error:
        check_path(text)
    assert said in str(error.value)
