"""llms.txt, llms-full.txt and each file as it is, for clients that do not speak MCP. Who may is as for MCP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from functools import wraps
from weakref import WeakKeyDictionary

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from endpoint import llms, recording
from endpoint.addresses import PREFIX, Address, base_of
from endpoint.admission import Asked, admit
from endpoint.admitted import Admitted, Refused
from endpoint.protocol import threads
from endpoint.protocol.messages import client_of
from endpoint.serving.mime import MARKDOWN, PLAIN, mime_type
from endpoint.serving.served import served
from endpoint.serving.uris import parse_path
from lib.database import release_connections
from orgs.audit import address_of

Answer = Callable[..., HttpResponseBase]
_HEADERS = {"Vary": "Authorization", "Cache-Control": "private, no-cache"}
"""The same address answers others in another way."""
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()
"""What is read for all of them at the same moment; the other threads are for MCP."""


def admitted(view: Answer) -> Callable[..., HttpResponseBase]:
    """Hand a view what was admitted; what is refused is told in plain text, with the same status as over MCP."""

    @require_safe
    @wraps(view)
    def asked(request: HttpRequest, org: str, server: str, **more: str) -> HttpResponseBase:
        wanted = Asked(
            address=Address(org, server),
            version=request.GET.get("version", ""),
            authorization=request.headers.get("Authorization", ""),
            remote=address_of(request) or "",
            base=base_of(request),
        )
        try:
            found = admit(wanted)
        except Refused as error:
            headers = {**error.headers, **_HEADERS}
            return HttpResponse(f"{error}\n", status=error.status, headers=headers, content_type=_typed(PLAIN))
        began, at = time.perf_counter(), timezone.now()
        response = view(request, found, **more)
        recording.record(_event(request, found, response, at, (time.perf_counter() - began) * 1000))
        release_connections()  # a slow client reads on for long
        for name, value in _HEADERS.items():
            response[name] = value
        return response

    return asked


@admitted
def index(request: HttpRequest, admitted: Admitted) -> HttpResponseBase:
    """What there is: https://llmstxt.org."""
    return _streamed(request, llms.index(admitted, llms.Links(request.build_absolute_uri("/"), admitted)))


@admitted
def full(request: HttpRequest, admitted: Admitted) -> HttpResponseBase:
    """All of it, up to LLMS_FULL_MAX_BYTES."""
    return _streamed(request, llms.full(admitted, llms.Links(request.build_absolute_uri("/"), admitted)))


@admitted
def file(_request: HttpRequest, admitted: Admitted, path: str) -> HttpResponseBase:
    """One file as it is. Never as HTML: it would run in our pages' origin."""
    found = parse_path(path)
    document = served(admitted)[0].document(found) if found is not None else None
    if document is None:
        return HttpResponse("There is no such file.\n", status=404, content_type=_typed(PLAIN))
    return HttpResponse(document.text, content_type=_typed(MARKDOWN if mime_type(path) == MARKDOWN else PLAIN))


def _event(
    request: HttpRequest, found: Admitted, response: HttpResponseBase, at: datetime, milliseconds: float
) -> recording.Event:
    """For the request log, and the quota. What is streamed goes on after it, so its size is not known."""
    method = request.path.rpartition("/")[2] if request.path.startswith(PREFIX) else "file"
    return recording.Event(
        organization_id=found.organization.pk,
        server_id=found.target.pk,
        toolkit_id=None,
        version=found.version.number if found.version else None,
        at=at,
        caller=found.caller.name,
        key_id=found.caller.key_id,
        client=found.caller.client or client_of(request.headers.get("User-Agent", "")),
        method=method,
        subject=request.path if method == "file" else "",
        arguments=None,
        query="",
        found=None,
        outcome="ok" if response.status_code < 400 else "error",
        code="" if response.status_code < 400 else str(response.status_code),
        milliseconds=milliseconds,
        bytes_in=0,
        bytes_out=0 if response.streaming else len(response.content),  # type: ignore[attr-defined]
    )


def _typed(kind: str) -> str:
    return f"{kind}; charset=utf-8"


def _streamed(request: HttpRequest, texts: Iterator[str]) -> HttpResponseBase:
    if request.method == "HEAD":
        return HttpResponse(content_type=_typed(MARKDOWN))
    # Django would read a plain iterator to its end before it sends anything to a client of ASGI.
    parts = _one_by_one(texts) if isinstance(request, ASGIRequest) else texts
    return StreamingHttpResponse(parts, content_type=_typed(MARKDOWN))


async def _one_by_one(texts: Iterator[str]) -> AsyncIterator[bytes]:
    """Each asked for in the endpoint's threads, of which readers have some at most. Django has a thread for each
    request, and on SQLite each of them would come to hold a cache of 32 MB."""

    def following() -> bytes | None:
        text = next(texts, None)
        return None if text is None else text.encode()

    loop = asyncio.get_running_loop()
    turns = _turns.get(loop)
    if turns is None:
        turns = _turns[loop] = asyncio.Semaphore(max(settings.MCP_THREADS // 4, 1))
    while True:
        async with turns:
            part = await threads.run(following)
        if part is None:
            return
        yield part
