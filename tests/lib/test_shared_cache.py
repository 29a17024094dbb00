"""A Redis that several processes share as their cache, and what happens while it is away."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches

from lib import shared_cache
from lib.shared_cache import SharedCache
from tests.installation import free_port

needs_redis = pytest.mark.skipif(shutil.which("redis-server") is None, reason="there is no redis-server here")
AWAY = "The cache of CACHE_URL does not answer"


@pytest.fixture
def at(settings: Any) -> Callable[[int], SharedCache]:
    """The installation's cache, in a Redis on a port of this machine."""

    def named(port: int) -> SharedCache:
        settings.CACHES = {
            "default": {"BACKEND": "lib.shared_cache.SharedCache", "LOCATION": f"redis://127.0.0.1:{port}/0"}
        }
        found = caches["default"]
        assert isinstance(found, SharedCache)
        return found

    return named


@contextmanager
def redis(port: int, folder: Path) -> Iterator[None]:
    command = ["redis-server", "--port", str(port), "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(20)


def test_without_redis_each_process_has_a_cache_of_its_own(at: Callable[[int], SharedCache]) -> None:
    cache = at(free_port())
    cache.clear()
    assert cache.add("a", 1)
    assert not cache.add("a", 1), "it was counted"
    assert cache.incr("a") == 2
    with pytest.raises(ValueError, match="not found"):
        cache.incr("never")
    cache.set("b", {"some": ["thing"]}, timeout=60)
    assert cache.get("b") == {"some": ["thing"]}
    assert cache.get("c", "nothing") == "nothing"
    assert "b" in cache
    cache.set_many({"d": 1, "e": 2})
    assert cache.get_many(["d", "e", "f"]) == {"d": 1, "e": 2}
    assert cache.touch("d", 10)
    cache.delete_many(["d"])
    assert cache.get_or_set("d", lambda: 5) == 5
    assert cache.delete("d")
    assert not shared_cache.answers()


def test_that_redis_is_away_is_one_line_in_the_log(
    at: Callable[[int], SharedCache], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_cache, "AGAIN", 0.0)  # each of them tries
    cache = at(free_port())
    for _ in range(50):
        cache.get("a")
    told = [record for record in caplog.records if AWAY in record.getMessage()]
    assert len(told) == 1
    assert told[0].exc_info is None


def test_a_redis_that_is_silent_is_waited_for_once(
    at: Callable[[int], SharedCache], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_cache, "SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        cache = at(silent.getsockname()[1])
        began = time.monotonic()
        for number in range(100):
            cache.set(str(number), number)
        assert 0.2 < time.monotonic() - began < 2
        assert cache.get("7") == 7


@needs_redis
def test_processes_share_what_is_in_redis_and_it_is_used_again_when_it_is_back(
    at: Callable[[int], SharedCache], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shared_cache, "AGAIN", 0.0)
    port = free_port()
    cache = at(port)
    with redis(port, tmp_path):
        assert shared_cache.answers()
        cache.set("n", 1)
        others = SharedCache(f"redis://127.0.0.1:{port}/0", {})
        assert others.incr("n") == 2
        assert cache.get("n") == 2
    cache.clear()
    assert cache.get("n") is None, "this process has none of it"
    cache.set("n", 50)
    assert not shared_cache.answers()
    with redis(port, tmp_path):
        assert shared_cache.answers()
        assert cache.get("n") is None, "the new one is empty"
    assert [AWAY in record.getMessage() for record in caplog.records] == [True, False]


@needs_redis
def test_requests_share_their_connections_to_redis(at: Callable[[int], SharedCache], tmp_path: Path) -> None:
    port = free_port()
    with redis(port, tmp_path):
        cache = at(port)
        for _ in range(20):  # Django makes an instance of a cache for each request
            SharedCache(f"redis://127.0.0.1:{port}/0", {}).set("a", 1)
        clients = cache._cache.get_client().info("stats")["total_connections_received"]
    assert clients <= 2, "and one that looked whether it is there"
