"""The server itself: its log, its latency, its connections."""

from __future__ import annotations

import http.client
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.wire import faults
from tests.wire.conftest import Get
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository


def test_the_log_has_what_was_asked_and_answered(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    get("/repos/acme/docs/branches?per_page=2", token=forge.token("acme"))
    (request,) = forge.requests
    assert request.line == "GET /repos/acme/docs/branches"
    assert request.query == {"per_page": "2"}
    assert request.status == 200
    assert request.headers["authorization"].startswith("Bearer ghp_")


def test_the_log_is_counted_by_pattern(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    get("/repos/acme/docs")
    get("/api/v3/repos/acme/docs")
    get("/repos/acme/docs/git/trees/main")
    assert forge.requests.count() == 3
    assert forge.requests.count("GET /repos/acme/docs") == 2
    assert forge.requests.count("*/git/trees/*") == 1
    assert forge.requests.count("POST *") == 0


def test_latency_does_not_hold_up_others(forge: Forge, github_repo: HostedRepository) -> None:
    forge.latency = 0.5
    started = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: requests.get(f"{forge.url}/repos/acme/docs", timeout=10), range(20)))
    took = time.monotonic() - started
    assert [answer.status_code for answer in answers] == [200] * 20
    assert 0.5 <= took < 20 * 0.5 / 2


def test_a_connection_is_kept_for_the_next_request(forge: Forge, github_repo: HostedRepository) -> None:
    connection = http.client.HTTPConnection(forge.url.removeprefix("http://"), timeout=10)
    sockets = set()
    for _ in range(3):
        connection.request("GET", "/repos/acme/docs", headers={"User-Agent": "test"})
        assert connection.getresponse().read()
        sockets.add(connection.sock)
    connection.close()
    assert len(sockets) == 1
    assert None not in sockets


def test_another_host_has_the_same_content_and_log(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    other = forge.listen_also("127.0.0.2")
    body = get(f"{other}/repos/acme/docs").json()
    assert body["full_name"] == "acme/docs"
    assert body["url"].startswith(other)
    assert forge.requests[0].origin == other != forge.url


def test_a_head_request_has_no_body(forge: Forge, github_repo: HostedRepository, session: requests.Session) -> None:
    answer = session.head(f"{forge.url}/repos/acme/docs", timeout=10)
    assert answer.status_code == 200
    assert answer.content == b""
    assert int(answer.headers["Content-Length"]) > 1000


def test_what_nobody_speaks_is_not_found(forge: Forge, get: Get) -> None:
    assert get("/no/such/page").status_code == 404
    assert not forge.violations


def test_an_error_of_its_own_is_kept_for_the_test(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    with forge.fault(faults.first(broken)):
        assert get("/repos/acme/docs").status_code == 500
    assert isinstance(forge.errors.pop(), ZeroDivisionError)


def test_closing_is_quick_also_with_clients_that_wait(tmp_path: Path) -> None:
    with Forge(tmp_path) as forge, ThreadPoolExecutor(1) as pool:
        forge.repository("acme/docs").git.commit({"a.md": "one"})
        forge.latency = 30
        waiting = pool.submit(requests.get, f"{forge.url}/repos/acme/docs", timeout=20)
        while not len(forge.requests):
            time.sleep(0.005)
        started = time.monotonic()
        forge.close()
        waiting.exception(timeout=10)
        assert time.monotonic() - started < 10


def test_nothing_outlives_the_server(tmp_path: Path) -> None:
    threads = threading.active_count()
    with Forge(tmp_path) as forge:
        hosted = forge.repository("acme/docs")
        hosted.git.commit({"a.md": "one"})
        with requests.Session() as session, forge.fault(faults.slow(60), skip=1):
            session.get(f"{forge.url}/repos/acme/docs/commits/main", timeout=10)
            with pytest.raises(requests.Timeout):
                session.get(f"{forge.url}/repos/acme/docs/commits/main", timeout=0.1)
    assert threading.active_count() <= threads
    assert hosted.git.objects._process is None
