"""The web process: `uvicorn config.asgi:application`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

# Before the settings are read: a web process pools its database connections, the others do not.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("MILLRACE_ROLE", "web")

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.db import connections

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# WhiteNoise streams files from plain iterators; Django reads them in a thread, which is as good as it says.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

_django = get_asgi_application()

from endpoint import recording  # noqa: E402  # they bring models, which want Django to be set up
from endpoint.protocol import threads  # noqa: E402
from endpoint.protocol.asgi import application as _endpoint  # noqa: E402

_INBOX = ("/hooks/", "/api/github/webhook", "/api/gitlab/webhook", "/api/bitbucket/webhook")
"""Where forges post (forges/inbox_urls.py)."""


async def application(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """MCP's endpoint, Django for all else, and the lifespan protocol, which Django itself does not speak.

    https://asgi.readthedocs.io/en/latest/specs/lifespan.html
    """
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    if scope["type"] == "http" and scope["path"].startswith("/mcp/") and not scope["path"].endswith(".txt"):
        await _endpoint(scope, receive, send)
        return
    most = settings.HOOK_MAX_BYTES if scope["path"].startswith(_INBOX) else settings.MAX_REQUEST_BYTES
    try:
        if _announced(scope) > most:
            raise _TooLarge
        await _django(scope, _counted(receive, most), send)  # type: ignore[arg-type]  # Django's names for the same three
    except _TooLarge:
        await _refuse(send, most)


class _TooLarge(Exception):
    """A request's body is over the limit. Raised before Django has answered anything."""


def _announced(scope: MutableMapping[str, Any]) -> int:
    """How long the body says it is; 0 where it does not say."""
    said = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(said[:20]) if said.isdigit() else 0


def _counted(receive: Receive, most: int) -> Receive:
    """Django keeps a body on disk before it asks who sends it, however long it goes on."""
    left = most

    async def counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise _TooLarge
        return message

    return counted


async def _refuse(send: Send, most: int) -> None:
    advice = "" if most == settings.HOOK_MAX_BYTES else " Upload fewer files at a time."
    text = f"This is larger than the {most / (1 << 20):,.0f} MB that one request may have here.{advice}\n"
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await sync_to_async(_close)()
            await send({"type": "lifespan.shutdown.complete"})
            return


def _close() -> None:
    """Write what was noted of the last requests. A pool keeps connections open that nobody would close otherwise."""
    recording.stop()  # first: a call of an upstream that is silent may keep its thread for a while
    threads.close()
    connections.close_all()
    for connection in connections.all():
        close_pool = getattr(connection, "close_pool", None)
        if close_pool is not None:
            close_pool()
