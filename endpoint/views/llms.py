"""llms.txt, llms-full.txt and each file as it is, for clients that do not speak MCP. Who may is as for MCP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import wraps

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from endpoint import llms
from endpoint.addresses import Address
from endpoint.admission import Asked, admit
from endpoint.admitted import Admitted, Refused
from endpoint.serving.mime import MARKDOWN, PLAIN, mime_type
from endpoint.serving.served import served
from endpoint.serving.uris import parse_path
from lib.database import release_connections
from orgs.audit import address_of

Answer = Callable[..., HttpResponseBase]
_HEADERS = {"Vary": "Authorization", "Cache-Control": "private, no-cache"}
"""The same address answers others in another way."""


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
            base=f"{request.scheme}://{request.get_host()}",
        )
        try:
            found = admit(wanted)
        except Refused as error:
            headers = {**error.headers, **_HEADERS}
            return HttpResponse(f"{error}\n", status=error.status, headers=headers, content_type=_typed(PLAIN))
        response = view(request, found, **more)
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


def _typed(kind: str) -> str:
    return f"{kind}; charset=utf-8"


def _streamed(request: HttpRequest, texts: Iterator[str]) -> HttpResponseBase:
    if request.method == "HEAD":
        return HttpResponse(content_type=_typed(MARKDOWN))
    # Django would read a plain iterator to its end before it sends anything to a client of ASGI.
    parts = _one_by_one(texts) if isinstance(request, ASGIRequest) else texts
    return StreamingHttpResponse(parts, content_type=_typed(MARKDOWN))


async def _one_by_one(texts: Iterator[str]) -> AsyncIterator[str]:
    """Each asked for in the request's thread, which holds no database connection while a slow client reads."""

    def following() -> str | None:
        try:
            return next(texts, None)
        finally:
            release_connections()

    while (text := await sync_to_async(following)()) is not None:
        yield text
