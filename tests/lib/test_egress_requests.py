"""Bodies, time and surroundings of guarded requests, against servers that mean harm."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from lib.egress import (
    AddressRefused,
    BodyTooLarge,
    DeadlineExceeded,
    GuardedAdapter,
    GuardedSession,
    Policy,
    SchemeRefused,
    UrlRefused,
    check_url,
    iter_body,
    pool_manager,
)
from tests.lib.conftest import Names
from tests.lib.sites import Reply, Site, raw_site

LOCAL = Policy.parse([], ["127.0.0.0/8"])
Talk = Callable[[socket.socket, threading.Event], None]


def test_a_body_within_the_cap_is_whole(site: Site) -> None:
    site.replies["/"] = Reply(b"x" * 1000)
    with GuardedSession(LOCAL, max_bytes=1000) as session:
        assert session.get(site.url()).content == b"x" * 1000


def test_a_body_over_the_cap_is_refused_by_its_declared_length_before_any_of_it(site: Site) -> None:
    site.replies["/"] = Reply(b"", headers={"Content-Length": "9" * 12})
    with GuardedSession(LOCAL, max_bytes=1000) as session, pytest.raises(BodyTooLarge, match="limit of 1,000 bytes"):
        session.get(site.url())


def test_a_head_request_may_tell_of_a_large_body(site: Site) -> None:
    site.replies["/"] = Reply(b"", headers={"Content-Length": "9" * 12})
    with GuardedSession(LOCAL, max_bytes=1000) as session:
        assert session.head(site.url()).headers["Content-Length"] == "9" * 12


def endless(head: bytes, piece: bytes, pause: float = 0) -> Talk:
    def talk(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(head)
        while not over.wait(pause):
            connection.sendall(piece)

    return talk


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", b"1\r\nx\r\n" * 9999),
        (b"HTTP/1.1 200 OK\r\nContent-Length: nonsense\r\n\r\n", b"x" * 65536),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", b"x" * 65536),
    ],
    ids=["until closed", "chunked", "chunked with a lying length", "nonsense length", "negative length"],
)
def test_a_body_without_an_honest_length_is_cut_at_the_cap(head: bytes, piece: bytes) -> None:
    with (
        raw_site(endless(head, piece)) as url,
        GuardedSession(LOCAL, max_bytes=300_000, total_timeout=20) as session,
        pytest.raises(BodyTooLarge),
    ):
        session.get(url)


def test_a_body_longer_than_its_declared_length_ends_there() -> None:
    with (
        raw_site(endless(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", b"evil!")) as url,
        GuardedSession(LOCAL, max_bytes=5) as session,
    ):
        assert session.get(url).content == b"evil!"


def test_a_decompression_bomb_is_cut_at_the_cap_in_constant_memory(site: Site) -> None:
    site.replies["/"] = Reply(gzip.compress(bytes(64 << 20), 9), headers={"Content-Encoding": "gzip"})
    with GuardedSession(LOCAL, max_bytes=1 << 20) as session:
        session.get(site.url("/warm-up"))
        tracemalloc.start()
        with pytest.raises(BodyTooLarge):
            session.get(site.url())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 8 << 20


def test_an_honest_compressed_body_is_decoded(site: Site) -> None:
    site.replies["/"] = Reply(gzip.compress(b"hello"), headers={"Content-Encoding": "gzip"})
    with GuardedSession(LOCAL) as session:
        assert session.get(site.url()).text == "hello"


def test_a_bomb_inside_a_bomb_is_not_unpacked(site: Site) -> None:
    body = gzip.compress(gzip.compress(b"hello"))
    site.replies["/"] = Reply(body, headers={"Content-Encoding": "gzip, gzip"})
    with GuardedSession(LOCAL) as session, pytest.raises(BodyTooLarge, match="was not unpacked"):
        session.get(site.url())


TRICKLES = {
    "status line": (b"HTTP/1.1", b" "),
    "headers": (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
    "more and more headers": (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "continue for ever": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"x"),
    "chunk size": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    "chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n", b"x"),
    "trailers": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
}


@pytest.mark.parametrize(("head", "piece"), TRICKLES.values(), ids=TRICKLES.keys())
@pytest.mark.parametrize("by", ["session", "pools"])
def test_a_trickle_ends_at_the_total_timeout(by: str, head: bytes, piece: bytes) -> None:
    started = time.monotonic()
    client = (GuardedSession if by == "session" else pool_manager)(LOCAL, timeout=10, total_timeout=0.2)
    with raw_site(endless(head, piece, pause=0.02)) as url, pytest.raises(DeadlineExceeded, match="too long"):
        client.request("GET", url)
    assert time.monotonic() - started < 3


def silent(connection: socket.socket, over: threading.Event) -> None:
    over.wait(10)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_silence_ends_at_the_total_timeout_even_within_a_longer_read_timeout(scheme: str) -> None:
    started = time.monotonic()
    with (
        raw_site(silent) as url,
        GuardedSession(LOCAL, timeout=10, total_timeout=0.3) as session,
        pytest.raises(DeadlineExceeded),
    ):
        session.get(url.replace("http", scheme, 1))
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("body", [b"", bytes(32 << 20)], ids=["silent", "takes no body"])
def test_pools_give_up_a_server_that_neither_answers_nor_takes_our_body(body: bytes) -> None:
    started = time.monotonic()
    with raw_site(silent) as url, pytest.raises(DeadlineExceeded):
        pool_manager(LOCAL, timeout=10, total_timeout=0.3).request("POST", url, body=body)
    assert time.monotonic() - started < 3


def test_a_kept_connection_that_takes_no_second_body_is_given_up() -> None:
    def answer_once(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        over.wait(10)

    pools = pool_manager(LOCAL, timeout=10, total_timeout=0.3)
    started = time.monotonic()
    with raw_site(answer_once) as url:
        assert pools.request("POST", url, body=b"small").status == 200
        with pytest.raises(DeadlineExceeded):
            pools.request("POST", url, body=bytes(32 << 20))
    assert time.monotonic() - started < 3


def test_a_server_that_does_not_take_our_body_is_given_up() -> None:
    with (
        raw_site(silent) as url,
        GuardedSession(LOCAL, timeout=10, total_timeout=0.3) as session,
        pytest.raises(DeadlineExceeded),
    ):
        session.post(url, data=bytes(32 << 20))


def test_silence_within_the_deadline_is_an_ordinary_timeout() -> None:
    with raw_site(silent) as url, GuardedSession(LOCAL, timeout=0.2) as session, pytest.raises(requests.ReadTimeout):
        session.get(url)


@pytest.mark.parametrize("timeout", [0.2, (0.1, 0.2), (0.2, None)])
def test_a_request_can_bring_its_own_timeout(timeout: float | tuple[float, float | None]) -> None:
    started = time.monotonic()
    with raw_site(silent) as url, GuardedSession(LOCAL, timeout=10) as session, pytest.raises(requests.ReadTimeout):
        session.get(url, timeout=timeout)
    assert time.monotonic() - started < 3


def test_iter_body_takes_a_larger_cap_than_the_sessions(site: Site) -> None:
    site.replies["/"] = Reply(b"x" * 200_000)
    with GuardedSession(LOCAL, max_bytes=1000) as session:
        response = session.get(site.url(), stream=True)
        assert sum(map(len, iter_body(response, max_bytes=200_000))) == 200_000
        with pytest.raises(BodyTooLarge):
            list(iter_body(session.get(site.url(), stream=True), max_bytes=199_999))


def test_a_streamed_response_that_is_read_by_hand_keeps_the_sessions_cap(site: Site) -> None:
    site.replies["/"] = Reply(b"x" * 2000)
    with GuardedSession(LOCAL, max_bytes=1000) as session:
        with pytest.raises(BodyTooLarge):
            list(session.get(site.url(), stream=True).iter_lines())
        with pytest.raises(BodyTooLarge):
            _ = session.get(site.url(), stream=True).content


def test_iter_body_can_tighten_the_deadline() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    started = time.monotonic()
    with raw_site(endless(head, b"x", pause=0.02)) as url, GuardedSession(LOCAL) as session:
        response = session.get(url, stream=True)
        with pytest.raises(DeadlineExceeded):
            list(iter_body(response, max_bytes=1 << 20, deadline=started + 0.3))
    assert time.monotonic() - started < 3


def test_iter_body_refuses_a_response_that_nobody_guards() -> None:
    with pytest.raises(TypeError, match="GuardedSession"):
        next(iter_body(requests.Response(), max_bytes=1))


def test_a_response_that_was_read_can_be_read_again_after_its_deadline(site: Site) -> None:
    site.replies["/"] = Reply(b"one\ntwo")
    with GuardedSession(LOCAL, total_timeout=5) as session:
        response = session.get(site.url())
        response.budget.deadline = 0  # type: ignore[attr-defined]  # long ago
        assert list(response.iter_lines()) == [b"one", b"two"]


def test_connections_are_kept_and_each_request_on_them_has_its_own_deadline(site: Site, names: Names) -> None:
    site.replies["/"] = Reply(b"hello")
    asked = names("kept.test", ["127.0.0.1"])
    with GuardedSession(LOCAL, total_timeout=1) as session:
        for _ in range(3):
            response = session.get(site.url("/", "kept.test"))
            response.budget.deadline = 0  # type: ignore[attr-defined]  # spent: the next must not inherit it
    assert asked == ["kept.test"]
    assert len(site.seen) == 3


def test_the_environments_proxies_and_netrc_are_ignored(
    open_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site, proxy = open_site(), open_site()
    site.replies["/"] = Reply(b"direct")
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url())
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {site.address} login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    plain = requests.Session()
    plain.mount("http://", GuardedAdapter(LOCAL))
    with GuardedSession(LOCAL) as session:
        assert session.get(site.url(), proxies={"http": proxy.url()}).text == "direct"
        assert plain.get(site.url()).text == "direct"
        assert pool_manager(LOCAL, timeout=5).request("GET", site.url()).data == b"direct"
    assert proxy.seen == []
    assert "authorization" not in site.seen[0].headers


@pytest.mark.parametrize("url", ["http://bob:hunter2@127.0.0.1/", "http://hunter2@127.0.0.1/"])
def test_a_user_in_the_url_is_refused_without_repeating_it(url: str) -> None:
    for ask in (GuardedSession(LOCAL).get, lambda url: pool_manager(LOCAL, timeout=5).request("GET", url)):
        with pytest.raises(UrlRefused) as refused:
            ask(url)
        assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1:70/", "data:,x"])
def test_only_http_and_https_are_asked(url: str) -> None:
    with GuardedSession(LOCAL) as session, pytest.raises((SchemeRefused, requests.exceptions.InvalidSchema)):
        session.get(url)
    with pytest.raises(SchemeRefused):
        pool_manager(LOCAL, timeout=5).request("GET", url)


@pytest.mark.parametrize("url", ["http://good.test\\@127.0.0.1/", "http://127.0.0.1\\.good.test/", "http://[::1/"])
def test_a_url_that_is_read_in_two_ways_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused):
        check_url(url)
    with pytest.raises(UrlRefused):
        pool_manager(LOCAL, timeout=5).request("GET", url)


def test_cookies_are_neither_kept_nor_sent_to_the_next(site: Site) -> None:
    site.replies["/"] = Reply(b"", headers={"Set-Cookie": "session=1; Path=/"})
    with GuardedSession(LOCAL) as session:
        session.get(site.url())
        session.get(site.url())
        assert len(session.cookies) == 0
    assert "cookie" not in site.seen[1].headers


def test_the_adapter_guards_a_session_of_somebody_else(site: Site) -> None:
    site.replies["/"] = Reply(b"x" * 2000)
    requests_made = []
    session = requests.Session()
    session.mount("http://", GuardedAdapter(LOCAL, max_bytes=1000, on_request=lambda: requests_made.append(1)))
    with pytest.raises(BodyTooLarge):
        session.get(site.url())
    session.mount("http://", GuardedAdapter(Policy()))
    with pytest.raises(AddressRefused):
        session.get(site.url())
    assert len(requests_made) == len(site.seen) == 1


def test_pools_cap_what_comes_over_the_wire() -> None:
    with raw_site(endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536)) as url, pytest.raises(BodyTooLarge):
        pool_manager(LOCAL, timeout=5, max_bytes=300_000).request("GET", url)


def test_pools_refuse_compression_that_nobody_asked_for(site: Site) -> None:
    site.replies["/"] = Reply(gzip.compress(bytes(1 << 20)), headers={"Content-Encoding": "gzip"})
    with pytest.raises(BodyTooLarge):
        pool_manager(LOCAL, timeout=5).request("GET", site.url())


def test_pools_send_their_own_headers(site: Site) -> None:
    pool_manager(LOCAL, timeout=5, headers={"User-Agent": "git/millrace"}).request("GET", site.url())
    assert site.seen[0].headers["user-agent"] == "git/millrace"
