"""The web process: ASGI with its lifespan, and what every page carries."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from django.test import Client
from pytest_django import Settings


@pytest.mark.django_db(transaction=True)
def test_the_lifespan_starts_and_ends() -> None:
    from config.asgi import application

    async def live() -> list[str]:
        process: Any = ApplicationCommunicator(application, {"type": "lifespan"})  # type: ignore[no-untyped-call]
        told = []
        for event in ("startup", "shutdown"):
            await process.send_input({"type": f"lifespan.{event}"})
            told.append((await process.receive_output(timeout=5))["type"])
        await process.wait(timeout=5)
        return told

    assert async_to_sync(live)() == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_body_without_end_is_refused_on_the_way_whoever_sends_it(settings: Settings) -> None:
    from config.asgi import application

    settings.MAX_REQUEST_BYTES = 2 << 20
    piece = {"type": "http.request", "body": b"x" * (1 << 20), "more_body": True}
    taken: list[int] = []
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        assert len(taken) < 10, "it is still taken"
        taken.append(len(piece))
        return piece

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/accounts/login/", "query_string": b"", "headers": []}
    async_to_sync(application)(scope, receive, send)

    assert (sent[0]["status"], len(taken)) == (413, 3)
    assert b"2 MB" in sent[1]["body"]


@pytest.mark.django_db
def test_a_page_allows_no_script_but_our_own_and_no_frame() -> None:
    answer = Client().get("/accounts/login/")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY"
