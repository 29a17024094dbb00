"""The request that a tool and arguments make: arguments stay where they are put, secrets where they may be."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from catalog.calls.building import Request, build
from catalog.calls.results import BadArguments, Misconfigured, SecretWithheld
from catalog.checking import hosts as host_rules
from tests.catalog.test_calls_schema import endpoint, of

BASE = "https://api.example.com/v1"


@dataclass(frozen=True)
class Value:
    value: str
    hosts: tuple[str, ...] | None = None

    @property
    def is_secret(self) -> bool:
        return self.hosts is not None

    @property
    def is_set(self) -> bool:
        return bool(self.value)

    def may_go_to(self, url: str) -> bool:
        return self.hosts is None or host_rules.allows(self.hosts, url)


def built(arguments: Any = None, values: dict[str, Value] | None = None, **fields: Any) -> Request:
    return build(endpoint(**{"base_url": BASE, "path": "/cities", **fields}), arguments, values or {})


def for_city(city: Any, **fields: Any) -> str:
    return built({"path": {"city": city}}, path="/cities/{city}/now", **fields).url


# -------------------------------------------------------------------------------------------- the path


@pytest.mark.parametrize(
    ("city", "wire"),
    [
        ("Berlin", "Berlin"),
        ("São Paulo", "S%C3%A3o%20Paulo"),
        ("a/b", "a%2Fb"),
        ("//evil.example", "%2F%2Fevil.example"),
        ("\\\\evil.example\\x", "%5C%5Cevil.example%5Cx"),
        ("@evil.example", "%40evil.example"),
        ("x?admin=1#top", "x%3Fadmin%3D1%23top"),
        ("100%", "100%25"),
        ("%2f", "%252f"),
        ("${TOKEN}", "%24%7BTOKEN%7D"),
        ("{other}", "%7Bother%7D"),
        ("a;b=c", "a%3Bb%3Dc"),
        ("...", "..."),
        (5, "5"),
        (5.0, "5"),
        (True, "true"),
    ],
)
def test_an_argument_is_one_segment_of_the_path_whatever_it_holds(city: Any, wire: str) -> None:
    assert for_city(city) == f"{BASE}/cities/{wire}/now"


@pytest.mark.parametrize(
    "city",
    [
        "..", ".", "../..", "a/../../../admin", "..\\..", "%2e%2e", "%2E%2e/x", "%252e%252e", ".%2e", "a%2f..%2f..",
        "..;", "..;x=1", "a/..;/b", "x%5c..%5cadmin",
    ],
)  # fmt: skip
def test_an_argument_that_some_program_on_the_way_would_read_as_up_is_refused(city: str) -> None:
    with pytest.raises(BadArguments, match=r"segment “.” or “..”"):
        for_city(city)


@pytest.mark.parametrize("city", ["", None, [], {}, "a\r\nHost: evil", "a\0", "\x7f", "\x85"])
def test_an_argument_that_is_no_segment_is_refused(city: Any) -> None:
    with pytest.raises(BadArguments, match=r"“path\.city”"):
        for_city(city)


def test_half_a_character_is_refused_with_a_sentence() -> None:
    with pytest.raises(BadArguments, match="half of a character"):
        for_city("\ud800")


def test_two_arguments_cannot_make_a_way_up_together() -> None:
    with pytest.raises(BadArguments, match=r"segment “.” or “..”"):
        built({"path": {"a": ".", "b": "."}}, path="/x/{a}{b}/admin")


@pytest.mark.parametrize("path", ["@evil.example/", ".evil.example/", "//evil.example/x", ":8080/x", "\\evil.example"])
def test_a_path_template_cannot_change_the_host(path: str) -> None:
    url = built(path=path, base_url="https://api.example.com").url
    assert urlsplit(url).netloc == "api.example.com"


def test_an_argument_for_which_the_path_has_no_place_is_refused() -> None:
    with pytest.raises(BadArguments, match=r"“path\.planet”"):
        built({"path": {"city": "x", "planet": "Mars"}}, path="/cities/{city}")


def test_an_address_that_is_too_long_is_refused() -> None:
    with pytest.raises(BadArguments, match="longer than 8,000"):
        for_city("x" * 8_000)


# -------------------------------------------------------------------------------------- query and body


def test_a_query_repeats_lists_writes_objects_as_json_and_leaves_null_out() -> None:
    query = {"q": "a&b=c", "tag": ["x", "y z"], "deep": True, "max": 2.5, "filter": {"a": [1]}, "none": None}
    url = built({"query": query}, query_schema=of(q={})).url
    assert urlsplit(url).query == "q=a%26b%3Dc&tag=x&tag=y%20z&deep=true&max=2.5&filter=%7B%22a%22%3A%5B1%5D%7D"


def test_a_reference_in_an_argument_is_never_filled_in() -> None:
    request = built(
        {"path": {"city": "${TOKEN}"}, "query": {"q": "${TOKEN}"}, "body": {"x": "${TOKEN}"}},
        {"TOKEN": Value("s3cret-value", ("api.example.com",))},
        path="/cities/{city}",
        query_schema=of(q={}),
        body_schema=of(x={}),
        headers={"Authorization": "Bearer ${TOKEN}"},
        method="POST",
    )
    assert request.headers["Authorization"] == "Bearer s3cret-value"
    assert "s3cret-value" not in request.url
    assert b"s3cret-value" not in (request.body or b"")
    assert json.loads(request.body or b"") == {"x": "${TOKEN}"}


def test_what_a_variable_holds_is_not_filled_in_again() -> None:
    values = {"A": Value("${B}"), "B": Value("inner", ("elsewhere.example",))}
    assert built(values=values, headers={"X-A": "${A}"}).headers["X-A"] == "${B}"


def test_a_body_is_json_or_what_the_content_type_says() -> None:
    body = {"city": "Köln", "days": [1, 2], "dry": True}
    assert json.loads(built({"body": body}, body_schema={}, method="POST").body or b"") == body
    form = built(
        {"body": body}, body_schema={}, method="POST", headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert form.body == b"city=K%C3%B6ln&days=1&days=2&dry=true"
    assert built({"body": "Hi"}, body_schema={}, method="PUT", headers={"content-type": "text/plain"}).body == b"Hi"
    assert built(body_schema=of(a={}), method="POST").body is None


@pytest.mark.parametrize("arguments", [[], "x", {"extra": 1}, {"query": {"a": float("nan")}}, {"query": {1, 2}}])
def test_arguments_that_do_not_fit_are_refused(arguments: Any) -> None:
    with pytest.raises(BadArguments):
        built(arguments, query_schema=of(a={}))


def test_arguments_that_are_too_long_or_too_deep_are_refused() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    for body in ("x" * 2_000_001, deep):
        with pytest.raises(BadArguments):
            built({"body": body}, body_schema={}, method="POST")


# --------------------------------------------------------------------------------------------- secrets


@pytest.mark.parametrize(
    ("base", "hosts"),
    [
        ("https://evil.example", ["api.example.com"]),
        ("https://api.example.com.evil.example", ["api.example.com"]),
        ("https://api.example.com:8443", ["api.example.com"]),
        ("https://api.example.com", ["api.example.com:8443"]),
        ("https://sub.api.example.com", ["api.example.com"]),
        ("https://api.example.com", []),
        ("http://api.example.com", ["api.example.com"]),
        ("https://api.example.com", ["http://api.example.com"]),
    ],
)
def test_a_secret_is_not_sent_to_a_host_that_it_does_not_name(base: str, hosts: list[str]) -> None:
    with pytest.raises(SecretWithheld, match="TOKEN may not be sent to") as caught:
        built(values={"TOKEN": Value("s3cret-value", tuple(hosts))}, base_url=base, headers={"X-Key": "${TOKEN}"})
    assert "s3cret-value" not in str(caught.value)


def test_a_secret_goes_to_the_hosts_that_it_names_and_is_never_shown() -> None:
    values = {"TOKEN": Value("s3cret-value", ("api.example.com:8443",)), "USER": Value("alice")}
    request = built(
        values=values,
        base_url="https://API.example.com:8443",
        headers={"X-Key": "${TOKEN}", "X-User": "${USER}", "X-Session": "${USER}"},
    )
    assert request.headers["X-Key"] == "s3cret-value"
    shown = dict(request.shown.headers)
    assert (shown["X-Key"], shown["X-User"], shown["X-Session"]) == ("••••••", "alice", "••••••")
    assert "s3cret-value" not in repr(request)


def test_a_secret_has_no_place_in_an_address() -> None:
    with pytest.raises(Misconfigured, match="no place in the base URL"):
        built(values={"KEY": Value("s3cret-value", ("api.example.com",))}, base_url="https://api.example.com/${KEY}")


@pytest.mark.parametrize("value", ["a\r\nX-Admin: 1", "a\nb", "a\0b", "naïve", "\x7f"])
def test_a_variable_cannot_begin_another_header(value: str) -> None:
    with pytest.raises(Misconfigured, match="line break or another character") as caught:
        built(values={"NAME": Value(value)}, headers={"X-Name": "${NAME}"})
    assert value not in str(caught.value)


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "Connection", "X: y", "X\r\nY"])
def test_headers_that_say_whom_a_request_is_for_or_where_it_ends_cannot_be_set(name: str) -> None:
    with pytest.raises(Misconfigured):
        built(headers={name: "evil"})


def test_a_variable_that_is_not_there_or_has_no_value_says_so() -> None:
    with pytest.raises(Misconfigured, match="There is no variable NAME"):
        built(headers={"X-Name": "${NAME}"})
    with pytest.raises(Misconfigured, match="NAME has no value yet"):
        built(values={"NAME": Value("")}, headers={"X-Name": "${NAME}"})


# ---------------------------------------------------------------------------------------- the base URL


def test_a_plain_variable_may_be_in_the_base_url() -> None:
    assert built(values={"REGION": Value("eu")}, base_url="https://${REGION}.example.com/v1/").url == (
        "https://eu.example.com/v1/cities"
    )


@pytest.mark.parametrize(
    "value",
    [
        "evil.example/?x=",
        "evil.example#",
        "user:pass@evil.example",
        "evil.example\\",
        "evil example",
        "a\nb",
        "[::1",
        ":99999",
    ],
)
def test_a_variable_cannot_turn_the_base_url_into_something_else(value: str) -> None:
    with pytest.raises(Misconfigured):
        built(values={"HOST": Value(value)}, base_url="https://${HOST}/v1")


@pytest.mark.parametrize("base", ["", "file:///etc/passwd", "ftp://example.com", "gopher://x", "https://", "//x"])
def test_only_http_addresses_are_asked(base: str) -> None:
    with pytest.raises(Misconfigured):
        built(base_url=base)
