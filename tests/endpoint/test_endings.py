"""Requests that end before they are answered: clients that go, upstreams that never answer, mistakes of ours."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from pytest_django import Settings

from endpoint import recording
from endpoint.models.log import RequestLog
from endpoint.protocol import leaving, threads
from orgs.models import Membership, Organization, Role
from tests import factories
from tests.catalog.upstream import Upstream, upstream
from tests.endpoint.live import HANDSHAKE, MODERN, Live, heading, message

ERAS = pytest.mark.parametrize("era", [HANDSHAKE, MODERN])
PATH = "/mcp/acme/docs"
CALL = {"name": "wait", "arguments": {}}


@pytest.fixture
def silent() -> Iterator[Upstream]:
    """An API that takes every request, and answers none until the test is over."""
    with upstream() as found:
        yield found


@pytest.fixture
def key(transactional_db: None, silent: Upstream, settings: Settings) -> str:
    """Of Acme, whose server has a tool that waits, and one file."""
    from endpoint.keys import make_key

    settings.CALL_TOTAL_TIMEOUT = 8.0
    settings.MCP_RATE_KEY = 10_000
    org = factories.organization("Acme", slug="acme")
    owner = factories.membership(factories.user(), org, Role.OWNER)
    _waiting(org, "docs", silent)
    return _key(owner, make_key)


@ERAS
def test_a_client_that_goes_leaves_nothing_behind(live: Live, key: str, silent: Upstream, era: str) -> None:
    tasks = _tasks(live)
    body = json.dumps(message("tools/call", CALL, era=era)).encode()
    headers = {**heading("tools/call", CALL, era, key), "Content-Length": str(len(body)), "Host": "127.0.0.1"}
    head = "\r\n".join([f"POST {PATH} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())])
    place = urlsplit(live.url)
    gone = []
    for _ in range(5):
        connection = socket.create_connection((place.hostname or "", place.port or 0))
        connection.sendall(head.encode() + b"\r\n\r\n" + body)
        gone.append(connection)
    _until(lambda: len(silent.seen) == 5)
    for connection in gone:
        connection.close()

    _until(lambda: _logged("disconnected") == 5)
    _until(lambda: _tasks(live) <= tasks)
    silent.over.set()  # and the threads end with their calls, which know nothing of clients
    threads.close()


@ERAS
def test_a_request_that_takes_too_long_is_told_so(live: Live, key: str, settings: Settings, era: str) -> None:
    settings.MCP_REQUEST_SECONDS = 0.5
    reply = live.ask(PATH, "tools/call", CALL, key=key, era=era)
    assert (reply.status, reply.error["message"]) == (504, "This took longer than 0.5 seconds.")
    assert reply.body["id"] == 1
    _until(lambda: _logged("504") == 1)


@ERAS
def test_a_client_that_waits_for_a_slow_answer_is_not_taken_for_one_that_went(live: Live, key: str, era: str) -> None:
    """A server of HTTP says that a request is over once it is answered, too."""
    with upstream() as slow:
        _waiting(Organization.objects.get(), "slow", slow, path="/text")
        slow.on_request = lambda: time.sleep(4 * leaving.UNWATCHED)
        assert live.call("/mcp/acme/slow", "wait", key=key, era=era)["content"][0]["text"] == "hello"
    _until(lambda: bool(_outcomes()))  # it is noted after the answer
    assert _outcomes() == ["ok"]


def test_a_silent_upstream_stops_neither_reading_nor_the_tools_of_others(
    live: Live, key: str, silent: Upstream, settings: Settings
) -> None:
    org = Organization.objects.get()
    with upstream() as other, ThreadPoolExecutor(settings.MCP_PATIENT_THREADS) as clients:
        _waiting(org, "other", other, path="/text")
        for _ in range(settings.MCP_PATIENT_THREADS):
            clients.submit(live.ask, PATH, "tools/call", CALL, key=key)
        # One server has half of the threads that wait; the rest of its calls wait for their turn.
        _until(lambda: len(silent.seen) == settings.MCP_PATIENT_THREADS // 2)

        assert live.call(PATH, "fetch", {"path": "a.md"}, key=key)["structuredContent"]["text"] == "Hello\n"
        answered = live.call("/mcp/acme/other", "wait", key=key)
        assert answered.get("isError") in (None, False), answered
        assert len(silent.seen) == settings.MCP_PATIENT_THREADS // 2
        silent.over.set()


@ERAS
def test_a_mistake_of_ours_is_a_reference_that_the_log_knows(
    live: Live, key: str, era: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("the secret is 1234")

    monkeypatch.setattr("endpoint.serving.prompts.list_prompts", broken)
    with caplog.at_level(logging.ERROR):
        reply = live.ask(PATH, "prompts/list", key=key, era=era)
    assert reply.error["code"] == -32603
    assert "1234" not in reply.text
    assert "ValueError" not in reply.text
    reference = reply.error["data"]["reference"]
    assert reference in reply.error["message"]
    logged = [each for each in caplog.records if reference in each.getMessage()]
    assert [each.exc_info[0] for each in logged if each.exc_info] == [ValueError]


@ERAS
def test_what_asks_for_nothing_is_in_no_log(live: Live, key: str, era: str) -> None:
    """Whatever its method is: without an id it is a notification, and nothing is done for it."""
    for method in ("notifications/initialized", "tools/list", "prompts/get"):
        sent = message(method, {"name": "wait"}, era=era)
        del sent["id"]
        reply = live.send(PATH, sent, headers=heading(method, era=era, key=key))
        assert (reply.status, reply.text) == (202, ""), method
    asked = live.ask(PATH, "notifications/initialized", key=key, era=era)
    assert asked.error["code"] == -32601
    _until(lambda: _outcomes() == ["error -32601"])
    assert RequestLog.objects.get().method == "notifications/initialized"


def test_what_is_cancelled_before_its_turn_is_never_done() -> None:
    done: list[int] = []
    hold = threading.Event()

    async def work() -> None:
        held = [asyncio.ensure_future(threads.run(hold.wait)) for _ in range(8)]
        await asyncio.sleep(0)
        late = asyncio.ensure_future(threads.run(done.append, 1))
        await asyncio.sleep(0)
        late.cancel()
        await asyncio.gather(late, return_exceptions=True)
        hold.set()
        await asyncio.gather(*held)
        await threads.run(lambda: None)

    threads.close()
    asyncio.run(work())
    threads.close()
    assert not done


def _waiting(org: Organization, slug: str, at: Upstream, *, path: str = "/silent") -> None:
    server = factories.server(org, slug, slug=slug)
    factories.content(server, "a.md", "Hello\n")
    factories.tool(factories.provider(server, base_url=at.base_url), "wait", path=path)


def _key(owner: Membership, make_key: Callable[..., tuple[object, str]]) -> str:
    values = {"name": "tests", "everything": True, "servers": [], "toolkits": [], "may_call": True}
    values |= {"rate_per_minute": None, "expires_at": None}
    return make_key(by=owner, values=values)[1]


def _tasks(live: Live) -> int:
    """Those of the server's event loop."""
    return len(asyncio.all_tasks(live.loop))


def _logged(code: str) -> int:
    return _outcomes().count(f"error {code}")


def _outcomes() -> list[str]:
    recording.flush()
    return [f"{each.outcome} {each.code}".strip() for each in RequestLog.objects.all()]


def _until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def test_a_request_over_a_limit_is_in_the_log_of_what_it_was_for(live: Live, key: str, settings: Settings) -> None:
    settings.MCP_RATE_KEY = 1
    assert [live.ask(PATH, "ping", key=key).status for _ in range(2)] == [200, 429]
    _until(lambda: "limited 429" in _outcomes())
    limited = RequestLog.objects.get(outcome="limited")
    assert limited.server is not None
    assert (limited.server.slug, limited.method, limited.code) == ("docs", "ping", "429")
