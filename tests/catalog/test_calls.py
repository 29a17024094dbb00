"""A tool called at a real server: what agents get of its answers, and what happens when it is slow or broken."""

from __future__ import annotations

import socket
import time
from functools import partial
from typing import Any

import pytest
from django.db import connection, connections

from catalog.calls import call_tool, read_resource
from catalog.calls.results import BadArguments, Failed, Misconfigured, OutOfTime, Refused
from catalog.models import Provider
from tests import factories
from tests.catalog.calling import call, tool
from tests.catalog.conftest import together
from tests.catalog.upstream import Upstream

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def test_a_call_gives_the_answer_as_json(weather: Provider, api: Upstream) -> None:
    result = call(weather, "/cities/{city}", {"path": {"city": "Köln/Süd"}, "query": {"days": 3}}, path_schema=CITY)

    assert (result.status, result.is_error, result.tries) == (200, False, 1)
    assert result.value == {"city": "K%C3%B6ln%2FS%C3%BCd", "days": 3, "sunny": True}
    assert ("ETag", '"a1"') in result.headers
    assert api.asked == ["GET /v1/cities/K%C3%B6ln%2FS%C3%BCd?days=3"]
    assert result.sent.url == f"{api.base_url}/cities/K%C3%B6ln%2FS%C3%BCd?days=3"


def test_a_body_is_sent_as_json(weather: Provider, api: Upstream) -> None:
    result = call(weather, "/notes", {"body": {"text": "Grüße"}}, method="POST", body_schema={"type": "object"})
    assert (result.status, result.value) == (201, {"saved": {"text": "Grüße"}})


def test_arguments_that_do_not_fit_never_leave(weather: Provider, api: Upstream) -> None:
    with pytest.raises(BadArguments, match=r"“path\.city” has to be of the type string"):
        call(weather, "/cities/{city}", {"path": {"city": 5}}, path_schema=CITY)
    assert api.seen == []


def test_an_error_of_the_provider_is_a_result(weather: Provider) -> None:
    result = call(weather, "/teapot")
    assert (result.status, result.is_error) == (418, True)
    assert result.value == {"error": "short and stout"}


def test_a_long_answer_is_cut_and_says_so(weather: Provider, settings: Any) -> None:
    settings.CALL_MAX_RESPONSE_CHARACTERS = 10
    result = call(weather, "/text", {"query": {"say": "x" * 25}})
    assert result.text == "xxxxxxxxxx\n… (the last 15 characters of the answer are left out)"
    assert (result.cut, result.size, result.value) == (15, 25, None)


def test_a_picture_is_told_about_and_not_given(weather: Provider) -> None:
    assert call(weather, "/page").text == "[binary, 108 bytes of image/png]"


@pytest.mark.parametrize(
    ("kind", "body", "text", "value"),
    [
        ("application/json", b'{"a": NaN}', '{"a": NaN}', None),
        ("application/json", b'{"a": 1e400}', '{"a": 1e400}', None),
        ("application/json", b"[-1E+999, 1.5]", "[-1E+999, 1.5]", None),
        ("application/json", b"[" * 200_000, "[" * 100_000, None),
        ("application/json", b"\xef\xbb\xbf[1]", "[1]", [1]),
        ("application/json", b'"' + b"9" * 10 + b'"', '"9999999999"', "9999999999"),
        ("application/json", b"9" * 5000, "9" * 5000, None),
        ("application/problem+json", b'{"a": 1}', '{"a": 1}', {"a": 1}),
        ("", b'{"a": 1}', '{"a": 1}', {"a": 1}),
        ("", b"plain", "plain", None),
        ("", b"\xff\xfe\x00", "[binary, 3 bytes]", None),
        ("text/plain; charset=iso-8859-1", b"Gr\xfc\xdfe", "Grüße", None),
        ("text/plain; charset=zip", b"text", "text", None),
        ("text/html; charset=idna", b"\xff", "\ufffd", None),
    ],
)
def test_bodies_of_every_kind_are_read(
    weather: Provider, api: Upstream, kind: str, body: bytes, text: str, value: Any
) -> None:
    api.typed = (kind, body)
    result = call(weather, "/typed")
    assert result.text.startswith(text)
    assert result.value == value


def test_a_head_has_no_body(weather: Provider) -> None:
    result = call(weather, "/cities/x", method="HEAD")
    assert (result.status, result.text, result.size) == (200, "", 0)


def test_a_resource_is_read_at_its_path_and_its_braces_are_no_arguments(weather: Provider, api: Upstream) -> None:
    assert read_resource(factories.resource(weather, text="", upstream_path="/text")).text == "hello"
    assert read_resource(factories.resource(weather, text="", upstream_path="/cities/{x}")).status == 200
    assert read_resource(factories.resource(weather, text="", upstream_path="/text?say=a%26b&x")).text == "a&b"
    assert api.asked == ["GET /v1/text", "GET /v1/cities/%7Bx%7D", "GET /v1/text?say=a%26b&x"]
    with pytest.raises(Misconfigured, match="kept here"):
        read_resource(factories.resource(weather))


# --------------------------------------------------------------------------------------- too much, too slow


@pytest.mark.parametrize("path", ["/huge", "/bomb"])
def test_an_answer_that_is_too_large_is_refused(weather: Provider, settings: Any, path: str) -> None:
    settings.CALL_MAX_BYTES = 1 << 20
    with pytest.raises(Refused, match="larger than the limit of 1,048,576 bytes"):
        call(weather, path)


@pytest.mark.parametrize("path", ["/silent", "/slow"])
def test_an_answer_that_never_ends_is_given_up_in_time(weather: Provider, path: str) -> None:
    started = time.monotonic()
    with pytest.raises(OutOfTime, match="took too long"):
        call(weather, path, seconds=0.5)
    assert time.monotonic() - started < 15


def test_the_installation_s_own_limit_holds_whatever_is_asked_for(weather: Provider, settings: Any) -> None:
    settings.CALL_TOTAL_TIMEOUT = 0.3
    with pytest.raises(OutOfTime):
        call(weather, "/slow", seconds=600)


def test_one_wait_is_bounded_too(weather: Provider, settings: Any, api: Upstream) -> None:
    settings.CALL_TIMEOUT = 0.3
    with pytest.raises(OutOfTime):
        call(weather, "/silent")
    assert len(api.seen) == 1  # a timeout is not repeated: it has cost the time for it


def test_an_answer_that_breaks_off_is_a_sentence(weather: Provider, api: Upstream) -> None:
    with pytest.raises(Failed, match="broke off"):
        call(weather, "/broken")
    assert len(api.seen) == 3


def test_a_server_that_is_not_there_is_a_sentence(weather: Provider) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        weather.base_url = f"http://127.0.0.1:{unheard.getsockname()[1]}"
        with pytest.raises(Failed, match=r"127\.0\.0\.1 could not be reached"):
            call(weather, "/x")
    weather.base_url = "http://nowhere.invalid"
    with pytest.raises(Failed, match=r"no server by the name of nowhere\.invalid"):
        call(weather, "/x")
    weather.base_url = weather.base_url.replace("http://nowhere.invalid", "https://127.0.0.1:1")
    with pytest.raises(Failed):
        call(weather, "/x")


def test_plain_http_where_tls_was_expected_is_a_sentence(weather: Provider, api: Upstream) -> None:
    weather.base_url = api.base_url.replace("http:", "https:")
    with pytest.raises(Failed, match="speaks no TLS"):
        call(weather, "/x")


# ------------------------------------------------------------------------------------------------ repeating


def test_a_read_is_repeated_when_the_provider_is_not_available(weather: Provider, api: Upstream) -> None:
    api.failures = [(503, {}), (0, {})]
    result = call(weather, "/flaky")
    assert (result.status, result.tries, len(api.seen)) == (200, 3, 3)


def test_after_three_tries_the_last_answer_is_the_result(weather: Provider, api: Upstream) -> None:
    api.failures = [(502, {})] * 5
    result = call(weather, "/flaky")
    assert (result.status, result.tries, len(api.seen)) == (502, 3, 3)


@pytest.mark.parametrize(
    ("method", "idempotent", "times"),
    [("POST", None, 1), ("PATCH", None, 1), ("POST", True, 2), ("PUT", None, 2), ("PUT", False, 1)],
)
def test_a_write_is_repeated_only_where_that_harms_nothing(
    weather: Provider, api: Upstream, method: str, idempotent: bool | None, times: int
) -> None:
    api.failures = [(503, {})]
    call(weather, "/flaky", method=method, idempotent=idempotent)
    assert len(api.seen) == times


def test_retry_after_is_waited_for_when_there_is_time(weather: Provider, api: Upstream) -> None:
    api.failures = [(429, {"Retry-After": "1"})]
    started = time.monotonic()
    assert call(weather, "/flaky").status == 200
    assert time.monotonic() - started >= 1


@pytest.mark.parametrize("wait", ["Mon, 01 Jan 99999999999 00:00:00 GMT", "Mon, 01 Jan 2024 00:00:00 +9999999999", "²"])
def test_a_retry_after_that_is_no_moment_is_left_alone(weather: Provider, api: Upstream, wait: str) -> None:
    api.failures = [(503, {"Retry-After": wait})]
    assert call(weather, "/flaky").status == 200


@pytest.mark.parametrize("wait", ["3600", "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_retry_after_beyond_the_deadline_is_no_reason_to_wait(weather: Provider, api: Upstream, wait: str) -> None:
    api.failures = [(429, {"Retry-After": wait})]
    started = time.monotonic()
    result = call(weather, "/flaky")
    assert (result.status, dict(result.headers)["Retry-After"]) == (429, wait)
    assert time.monotonic() - started < 20


# -------------------------------------------------------------------------------------------------- at once


def test_the_database_is_not_asked_while_the_provider_is_waited_for(weather: Provider, api: Upstream) -> None:
    api.failures = [(503, {})]
    one = tool(weather, "/flaky")
    happened: list[str] = []
    api.on_request = lambda: happened.append("request")

    def query(execute: Any, *args: Any) -> Any:
        happened.append("query")
        return execute(*args)

    with connection.execute_wrapper(query):
        call_tool(one, {})
    assert happened == ["query", "request", "request"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL's own pool is looked at in tests/lib/test_database.py"
)
def test_a_pooled_connection_is_given_back_meanwhile(
    weather: Provider, api: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, mine, held = tool(weather, "/flaky"), connections["default"], list[bool]()
    monkeypatch.setitem(mine.settings_dict["OPTIONS"], "pool", True)
    api.on_request = lambda: held.append(mine.connection is not None)
    call_tool(one, {})
    assert held == [False]


@pytest.mark.django_db(transaction=True)
def test_many_calls_at_once_do_not_mix(weather: Provider, api: Upstream) -> None:
    one = tool(weather, "/cities/{city}", path_schema=CITY)

    def city(number: int) -> Any:
        return call_tool(one, {"path": {"city": f"c{number}"}}).value["city"]

    assert together(*[partial(city, number) for number in range(12)]) == [f"c{number}" for number in range(12)]
