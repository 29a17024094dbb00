"""What clients and attackers send that no client should: they get an error that says what is wrong."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
from mcp_types import PROTOCOL_VERSION_META_KEY
from pytest_django import Settings

from endpoint.protocol import asgi
from tests import factories
from tests.endpoint.live import ACCEPT, HANDSHAKE, MODERN, Live, heading, message

ERAS = pytest.mark.parametrize("era", [HANDSHAKE, MODERN])
PATH = "/mcp/acme/docs"
LISTING = heading("tools/list")

T = TypeVar("T")


@pytest.fixture(scope="module")
def _docs(standing: Live) -> Live:
    org = factories.organization("Acme", slug="acme")
    factories.server(org, "Docs", slug="docs", visibility="public")
    factories.server(org, "Secret", slug="secret")
    return standing


@pytest.fixture
def live(_docs: Live, settings: Settings) -> Live:
    settings.MCP_RATE_ANONYMOUS = 1_000
    return _docs


NO_MESSAGES: list[tuple[bytes, int]] = [
    (b"", -32700),
    (b"{", -32700),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "\xff"}', -32700),
    (b"[" * 10_000 + b"]" * 10_000, -32700),
    (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, -32700),
    (b'{"jsonrpc": "2.0", "method": "ping", "id": ' + b"9" * 10_000 + b"}", -32700),
    (b"[]", -32600),
    (json.dumps([message("tools/list"), message("ping")]).encode(), -32600),
    (b'"hello"', -32600),
    (b"null", -32600),
    (b'{"method": "tools/list"}', -32600),
    (b'{"jsonrpc": "1.0", "id": 1, "method": "tools/list"}', -32600),
    (b'{"jsonrpc": "2.0", "id": {"a": 1}, "method": "tools/list"}', -32600),
    (b'{"jsonrpc": "2.0", "id": null, "method": "tools/list"}', -32600),
    (b'{"jsonrpc": "2.0", "id": 1.5, "method": "tools/list"}', -32600),
    (b'{"jsonrpc": "2.0", "id": true, "method": "tools/list"}', -32600),
    (b'{"jsonrpc": "2.0", "id": 1, "method": 7}', -32600),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": []}', -32600),
]


@ERAS
def test_a_body_that_is_no_message_is_refused(live: Live, era: str) -> None:
    for body, code in NO_MESSAGES:
        reply = live.send(PATH, body, headers=heading("tools/list", era=era))
        assert (reply.status, reply.error["code"]) == (400, code), body[:80]
        assert len(reply.error["message"]) < 200
        assert "pydantic" not in reply.text


@ERAS
def test_an_unknown_method_is_told_so_under_its_id(live: Live, era: str) -> None:
    for method in ("tools/destroy", "__init__", "x" * 5_000, "resources/subscribe"):
        asked = message(method, {"uri": "a:b"}, era=era, id="seven")
        reply = live.send(PATH, asked, headers=heading(method, era=era))
        assert (reply.error["code"], reply.body["id"]) == (-32601, "seven")


@ERAS
def test_parameters_that_are_wrong_are_named(live: Live, era: str) -> None:
    reply = live.ask(PATH, "tools/call", {"name": ["a"], "arguments": {}}, era=era, headers={"Mcp-Name": "a"})
    assert reply.error["code"] in (-32602, -32020)
    reply = live.ask(PATH, "tools/list", {"cursor": 7}, era=era)
    assert reply.error["code"] == -32602
    assert "cursor" in reply.error["message"]


def test_a_message_that_is_too_long_is_refused_before_it_is_read(live: Live, settings: Settings) -> None:
    settings.MCP_MAX_REQUEST_BYTES = 1_000
    reply = live.send(PATH, b" " * 1_001, headers=LISTING)
    assert (reply.status, reply.error["message"]) == (413, "A message may have 1,000 bytes here.")
    # Also one that does not say how long it will be.
    head = _head("POST", PATH, {**LISTING, "Transfer-Encoding": "chunked"})
    status, body = _raw(live, head + b"400\r\n" + b" " * 0x400 + b"\r\n")
    assert (status, b"1,000 bytes" in body) == (413, True)


def test_a_message_of_more_values_than_anybody_means_is_refused_before_it_is_read(live: Live) -> None:
    """The event loop would check them for seconds, and nobody else be answered."""
    many = message("tools/call", {"name": "search", "arguments": {"query": "a", "x": [[]] * 1_000_000}})
    began = time.process_time()
    reply = live.send(PATH, json.dumps(many, separators=(",", ":")).encode(), headers=LISTING)
    assert (reply.status, reply.error["code"]) == (400, -32600)
    assert "20,000 values" in reply.error["message"]
    assert time.process_time() - began < 1.0
    # Commas and brackets in a text are none, also in one that does not end.
    prose = 'a, [b], {c} \\" d, ' * 20_000
    assert live.call(PATH, "list", {"path": prose})["isError"]
    for body in (b'{"a": "' + b'\\",' * 100_000, b'["a\\' + b"," * 100_000 + b"\\"):
        assert live.send(PATH, body, headers=LISTING).error["code"] == -32700


def test_another_content_type_is_refused(live: Live) -> None:
    """A form of a stranger's page can send these without the browser asking us first."""
    for kind in ("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json"):
        reply = live.send(PATH, message("tools/list"), headers={**LISTING, "Content-Type": kind})
        assert (reply.status, "application/json" in reply.error["message"]) == (415, True), kind


@ERAS
def test_a_client_that_accepts_no_json_is_told_what_to_accept(live: Live, era: str) -> None:
    for accept in ("text/html", "text/event-stream", ""):
        reply = live.ask(PATH, "tools/list", era=era, headers={"Accept": accept})
        assert (reply.status, ACCEPT in reply.error["message"]) == (406, True)
    for accept in ("*/*", "application/json", "application/*;q=0.5, text/html"):
        assert live.ask(PATH, "tools/list", era=era, headers={"Accept": accept}).status == 200


def test_other_methods_are_not_allowed_and_no_stream_is_opened(live: Live) -> None:
    for verb in ("GET", "DELETE", "PUT", "PATCH", "HEAD"):
        reply = live.send(PATH, b"", verb=verb, headers={"Accept": "text/event-stream"})
        assert (reply.status, reply.headers["allow"]) == (405, "POST, OPTIONS"), verb


def test_whoever_may_not_know_of_a_server_is_told_the_same_with_whatever_request(live: Live) -> None:
    """A server that there is not, and one that is private."""
    for verb, body, headers in (("GET", b"", {}), ("POST", b"{", LISTING), ("POST", b"[]", {}), ("DELETE", b"", {})):
        replies = [live.send(f"/mcp/acme/{slug}", body, verb=verb, headers=headers) for slug in ("secret", "nowhere")]
        assert [each.status for each in replies] == [401, 401]
        assert replies[0].text == replies[1].text
        assert all("bearer" in each.headers["www-authenticate"].lower() for each in replies)


def test_an_address_that_is_none_is_a_404_that_clients_can_read(live: Live) -> None:
    for path in ("/mcp/", "/mcp/acme", "/mcp/acme/docs/more/of/it", "/mcp/acme/..%2fdocs", "/mcp/acme/toolkits/a/b"):
        assert live.ask(path, "tools/list").error["message"]


ATTACKS: list[tuple[Mapping[str, str], int]] = [
    ({"Host": "evil.example"}, 421),
    ({"Host": "127.0.0.1.evil.example"}, 421),
    ({"Host": "evil.example:80@127.0.0.1"}, 421),
    ({"Host": ""}, 421),
    ({"Origin": "https://evil.example"}, 403),
    ({"Origin": "null"}, 403),
    ({"Origin": "http://127.0.0.1.evil.example"}, 403),
    ({"Origin": "http://evil.example#127.0.0.1"}, 403),
    ({"Origin": "http://127.0.0.1@evil.example"}, 403),
    ({"Origin": "file://"}, 403),
    ({"Origin": "http://["}, 403),
]


@ERAS
def test_a_page_of_a_stranger_reaches_nothing(live: Live, era: str) -> None:
    for headers, status in ATTACKS:
        reply = live.ask(PATH, "tools/list", era=era, headers=headers)
        assert reply.status == status, headers
        assert "access-control-allow-origin" not in reply.headers
        assert "tools" not in reply.text
        preflight = live.send(PATH, b"", verb="OPTIONS", headers={**headers, "Access-Control-Request-Method": "POST"})
        assert preflight.status == status, headers


def test_a_proxy_that_judges_hosts_lets_no_foreign_pages_in(live: Live, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    assert live.ask(PATH, "tools/list", headers={"Origin": "https://evil.example"}).status == 403
    assert live.ask(PATH, "tools/list", headers={"Origin": live.url}).status == 200


def test_a_header_that_is_there_twice_is_refused(live: Live) -> None:
    """A proxy in front may have believed the other one."""
    body = json.dumps(message("tools/list")).encode()
    head = _head("POST", PATH, {**LISTING, "Content-Length": str(len(body))})
    for header in ("Authorization", "Content-Type", "MCP-Protocol-Version", "Mcp-Method", "Origin"):
        twice = b"".join(f"{header}: {value}\r\n".encode() for value in ("a", "b"))
        status, answer = _raw(live, head[:-2] + twice + b"\r\n" + body)
        assert (status, b"more than once" in answer) == (400, True), header


def test_a_body_with_two_lengths_is_not_taken_for_two_requests(live: Live) -> None:
    smuggled = _head("POST", "/mcp/acme/secret", LISTING)
    head = _head("POST", PATH, {**LISTING, "Content-Length": "4", "Transfer-Encoding": "chunked"})
    status, answer = _raw(live, head + b"0\r\n\r\n" + smuggled)
    assert (status, answer.count(b"HTTP/1.1"), b"tools" in answer) == (400, 1, False), "the only answer"


def test_the_methods_in_header_and_body_must_be_the_same(live: Live) -> None:
    reply = live.ask(
        PATH, "tools/call", {"name": "search", "arguments": {}}, era=MODERN, headers={"Mcp-Method": "tools/list"}
    )
    assert (reply.status, reply.error["code"]) == (400, -32020)
    reply = live.ask(PATH, "tools/call", {"name": "search", "arguments": {}}, era=MODERN, headers={"Mcp-Name": "fetch"})
    assert (reply.status, reply.error["code"]) == (400, -32020)


def test_a_revision_that_there_is_not_is_told_which_there_are(live: Live) -> None:
    there_is_not = "2031-01-01"
    params = {"_meta": {PROTOCOL_VERSION_META_KEY: there_is_not}}
    reply = live.ask(PATH, "tools/list", params, era=MODERN, headers={"MCP-Protocol-Version": there_is_not})
    assert (reply.status, reply.error["code"]) == (400, -32022)
    assert MODERN in reply.error["data"]["supported"]


def test_a_slow_body_is_not_waited_for(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("endpoint.protocol.asgi.BODY_SECONDS", 0.2)
    head = _head("POST", PATH, {**LISTING, "Content-Length": "100"})
    status, body = _raw(live, head + b'{"jsonrpc"')
    assert status == 408
    assert b"was not sent within" in body


def test_slow_long_messages_fill_no_memory_and_keep_short_ones_from_nothing(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("endpoint.protocol.asgi.MOST_TAKEN", 300_000)
    place = urlsplit(live.url)
    long = message("tools/call", {"name": "list", "arguments": {"path": "a" * 150_000}})
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=10) as slow:
        slow.sendall(_head("POST", PATH, {**LISTING, "Content-Length": "1000000"}) + b" " * 200_000)
        _until(lambda: asgi._taken[0], lambda taken: taken == 200_000)  # or the slow one may be the one too many
        refused = live.send(PATH, long, headers=LISTING)
        assert refused.status == 503
        assert "in a while" in refused.error["message"]
        assert refused.headers["Retry-After"] == "10"
        assert live.ask(PATH, "tools/list").result
    _until(lambda: live.send(PATH, long, headers=LISTING), lambda reply: reply.status == 200)


def test_an_allowed_page_is_told_what_it_may_send_and_read(live: Live, settings: Settings) -> None:
    settings.MCP_ALLOWED_ORIGINS = ["https://inspector.example"]
    asked = "authorization,content-type,mcp-protocol-version,mcp-param-city,x-evil"
    preflight = live.send(
        PATH,
        b"",
        verb="OPTIONS",
        headers={
            "Origin": "https://inspector.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": asked,
        },
    )
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-origin"] == "https://inspector.example"
    assert preflight.headers["access-control-allow-headers"] == ", ".join(asked.split(",")[:-1])
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in preflight.headers
    for path in (PATH, "/mcp/acme/secret"):  # also what is refused, or the page could not start to sign in
        reply = live.ask(path, "tools/list", headers={"Origin": "https://inspector.example"})
        assert reply.headers["access-control-allow-origin"] == "https://inspector.example"
        assert "WWW-Authenticate" in reply.headers["access-control-expose-headers"]
        assert "Origin" in reply.headers["vary"]


def test_plain_http_is_refused_where_only_https_is_served(live: Live, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    reply = live.ask(PATH, "tools/list")
    assert (reply.status, "https" in reply.error["message"]) == (403, True)
    settings.TRUSTED_PROXY = True
    assert live.ask(PATH, "tools/list", headers={"X-Forwarded-Proto": "https"}).status == 200


def _head(verb: str, path: str, headers: Mapping[str, Any]) -> bytes:
    lines = [f"{verb} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _until(ask: Callable[[], T], is_it: Callable[[T], bool]) -> T:
    """The first such answer: what the other connection did reaches the server in its own time."""
    deadline = time.monotonic() + 10
    while not is_it(reply := ask()):
        assert time.monotonic() < deadline, reply
        time.sleep(0.02)
    return reply


def _raw(live: Live, sent: bytes) -> tuple[int, bytes]:
    """(status, all that came back) of bytes as they are."""
    place = urlsplit(live.url)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=10) as connection:
        connection.sendall(sent)
        connection.settimeout(3)
        taken = b""
        try:
            while part := connection.recv(65536):
                taken += part
                if b"\r\n\r\n" in taken and taken.endswith(b"}"):
                    break
        except TimeoutError:
            pass
    return int(taken.split(b" ", 2)[1]), taken
