"""The SDK's HTTP over our guard: each of its requests goes to a checked address, within one deadline and one cap."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import requests
import urllib3
from anyio import to_thread

from lib.egress import BodyTooLarge, EgressError, GuardedSession, origin

_PIECE = 64 << 10
_LEFT_OUT = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "user-agent"})
_NOT_TOLD = frozenset({"content-length", "transfer-encoding", "connection", "content-encoding"})
_ERRORS = (EgressError, requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError)


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Sends in threads, which are left alone when nobody waits any more: they end with the session's own deadline.

    The token goes to the origin of `url` alone. What went wrong is kept, since the SDK tells only that something did.
    """

    def __init__(self, session: GuardedSession, *, url: str, token: str, max_bytes: int) -> None:
        self._session = session
        self._origin = origin(url)
        self._token = token
        self._left = max_bytes
        """Of all answers together."""
        self.status: int | None = None
        """Of the last answer to a message."""
        self.headers: dict[str, str] = {}
        """Of the same, names in small letters."""
        self.error: Exception | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET" and "last-event-id" not in request.headers:
            # A stream of what the server says by itself: nobody here would listen, and a thread would wait for it.
            return httpx2.Response(405, request=request)
        body = await request.aread()
        response = await to_thread.run_sync(self._send, request, body, abandon_on_cancel=True)
        if request.method == "POST":
            self.status = response.status_code
            self.headers = {name.lower(): value for name, value in response.headers.items()}
        told = [(name, value) for name, value in response.headers.items() if name.lower() not in _NOT_TOLD]
        return httpx2.Response(response.status_code, headers=told, stream=_Body(self, response), request=request)

    def _send(self, request: httpx2.Request, body: bytes) -> requests.Response:
        url = str(request.url)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _LEFT_OUT}
        headers.pop("authorization", None)
        headers["Accept-Encoding"] = "identity"
        if self._token and origin(url) == self._origin:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            response = self._session.request(
                request.method, url, data=body or None, headers=headers, stream=True, allow_redirects=False
            )
        except _ERRORS as error:
            raise self._noted(error) from error
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            response.close()
            raise self._noted(BodyTooLarge("The server packs its answer, which it was asked not to."))
        return response

    def read(self, response: requests.Response) -> bytes:
        """What has come, at least one byte; b"" at the end."""
        try:
            piece: bytes = response.raw.read1(_PIECE, decode_content=False)
        except _ERRORS as error:
            raise self._noted(error) from error
        self._left -= len(piece)
        if self._left < 0:
            raise self._noted(BodyTooLarge("The server answers with more than is read."))
        return piece

    def _noted(self, error: Exception) -> httpx2.TransportError:
        self.error = self.error or error
        return httpx2.ReadError("The request was given up.")


class _Body(httpx2.AsyncByteStream):
    def __init__(self, transport: GuardedTransport, response: requests.Response) -> None:
        self._transport, self._response = transport, response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await to_thread.run_sync(self._transport.read, self._response, abandon_on_cancel=True):
            yield piece

    async def aclose(self) -> None:
        self._response.close()


def session_of(policy: Any, *, end: float, user_agent: str) -> GuardedSession:
    """`end` is on the clock of time.monotonic()."""
    session = GuardedSession(policy, timeout=30.0, total_timeout=60.0, end=lambda: end)
    session.headers = requests.structures.CaseInsensitiveDict({"User-Agent": user_agent})
    return session
