"""The web process: ASGI with its lifespan, and what every page carries."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.test import Client


@pytest.mark.django_db(transaction=True)
def test_the_lifespan_starts_and_ends() -> None:
    from asgiref.sync import async_to_sync

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


@pytest.mark.django_db
def test_a_page_allows_no_script_but_our_own_and_no_frame() -> None:
    answer = Client().get("/accounts/login/")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY"
