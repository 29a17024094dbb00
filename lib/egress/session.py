"""Guarded requests: a session, the adapter under it, and responses whose bodies end at a cap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.hooks import default_hooks
from requests.structures import CaseInsensitiveDict

from lib.egress.addresses import Policy
from lib.egress.connections import Budget, Guard, GuardedPools
from lib.egress.errors import BodyTooLarge, RedirectRefused
from lib.egress.urls import MAX_REDIRECTS, check_url, count_hop, harmless, origin, redirect_target

CHUNK = 64 << 10


class GuardedResponse(requests.Response):
    """A response whose `content`, `text`, `json()` and `iter_content()` end at `max_bytes` and at the deadline.

    `raw` keeps to the deadline too, but is not capped: take `iter_body`.
    """

    max_bytes: int
    """Decoded bytes."""
    budget: Budget
    _content_consumed: bool

    def iter_content(self, chunk_size: int | None = 1, decode_unicode: bool = False) -> Iterator[Any]:
        chunks = super().iter_content(chunk_size or CHUNK, decode_unicode)
        if self._content_consumed:  # read and counted before
            yield from chunks
            return
        declared = self.headers.get("Content-Length", "")
        seen = int(declared) if declared.isdecimal() and self.request.method != "HEAD" else 0
        if seen <= self.max_bytes:
            seen = 0
            for chunk in chunks:
                seen += len(chunk)
                if seen > self.max_bytes:
                    break
                self.budget.patience()
                yield chunk
            else:
                return
        self.close()
        host = urlsplit(self.url).hostname
        raise BodyTooLarge(f"The answer of {host} is larger than the limit of {self.max_bytes:,} bytes.")


def iter_body(
    response: requests.Response, *, max_bytes: int, deadline: float | None = None, chunk_size: int = CHUNK
) -> Iterator[bytes]:
    """The decoded body of a response got with stream=True, in chunks; closes it at the end, however it ends.

    `max_bytes` replaces the session's cap and counts decoded bytes; `deadline` (time.monotonic()) can only tighten the
    session's. BodyTooLarge, DeadlineExceeded, TypeError for a response that is not from a guarded session.
    """
    if not isinstance(response, GuardedResponse):
        raise TypeError("iter_body takes the responses of a GuardedSession or GuardedAdapter.")
    response.max_bytes = max_bytes
    if deadline is not None:
        response.budget.deadline = min(response.budget.deadline, deadline)
    with response:
        yield from response.iter_content(chunk_size)


def _seconds(timeout: object) -> float | None:
    """requests takes one number, or two: to connect and to read."""
    given = timeout if isinstance(timeout, tuple) else (timeout,)
    return max((item for item in given if isinstance(item, int | float)), default=None)


class GuardedAdapter(HTTPAdapter):
    """Guards any requests session where it is mounted, with no proxies and no retries.

    Each hop of a redirect is checked, but which headers follow it stays the mounting session's business.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        timeout: float = 30.0,
        total_timeout: float = 600.0,
        max_bytes: int = 64 << 20,
        on_request: Callable[[], None] | None = None,
        end: Callable[[], float] | None = None,
    ) -> None:
        self.guard = Guard(policy, timeout, total_timeout, on_request=on_request, end=end)
        self.max_bytes = max_bytes
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        self.poolmanager = GuardedPools(self.guard, num_pools=connections, maxsize=maxsize, block=block, **kwargs)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        check_url(request.url or "")
        options = dict(zip(("stream", "timeout", "verify", "cert"), args, strict=False)) | kwargs
        with self.guard.budget(_seconds(options.get("timeout"))) as budget:
            options |= {"timeout": budget.patience(), "proxies": None}
            response = super().send(request, **options)
            guarded = GuardedResponse()
            guarded.__dict__.update(response.__dict__)
            guarded.max_bytes, guarded.budget = self.max_bytes, budget
            return guarded


class GuardedSession(requests.Session):
    """A requests session for addresses that a tenant can influence. Knows no proxies, netrc or cookies.

    `timeout` (seconds) is for one connect or read; a request's own `timeout` replaces it. `total_timeout` (seconds)
    covers a request with its redirects and its body, and `end` is when all requests are over, on the clock of
    time.monotonic(), asked as each begins. `max_bytes` caps the decoded body; a larger one is got with
    stream=True and `iter_body`. `on_request` is called for every request sent, redirects included.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        timeout: float = 30.0,
        total_timeout: float = 600.0,
        max_bytes: int = 64 << 20,
        max_redirects: int = MAX_REDIRECTS,
        on_request: Callable[[], None] | None = None,
        end: Callable[[], float] | None = None,
    ) -> None:
        super().__init__()
        self.trust_env = False
        self.max_redirects = max_redirects
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = GuardedAdapter(
            policy, timeout=timeout, total_timeout=total_timeout, max_bytes=max_bytes, on_request=on_request, end=end
        )
        self.guard = adapter.guard
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        follow, stream = kwargs.pop("allow_redirects", True), kwargs.pop("stream", False)
        check_url(request.url or "")
        history: list[requests.Response] = []
        with self.guard.budget(_seconds(kwargs.get("timeout"))):
            while True:
                response = super().send(request, stream=True, allow_redirects=False, **kwargs)
                if not (follow and response.is_redirect):
                    break
                response.close()
                history.append(response)
                count_hop(len(history), self.max_redirects)
                request = self._next_request(request, response)
        response.history = history
        if not stream:
            response.content  # noqa: B018  # read now, within the cap
        return response

    def resolve_redirects(self, *_args: Any, **_kwargs: Any) -> Iterator[Any]:
        """Nothing: `send` follows redirects itself."""
        return iter(())

    def _next_request(self, request: requests.PreparedRequest, response: requests.Response) -> requests.PreparedRequest:
        here = request.url or ""
        # http.client reads headers as Latin-1, while servers write UTF-8 where they write more than ASCII.
        location = response.headers["Location"].encode("latin-1", "replace").decode("utf-8", "replace")
        target = redirect_target(here, location)
        following = request.copy()
        following.prepare_url(target, None)
        same = origin(target) == origin(here)
        if response.status_code in (307, 308):
            if following.body is not None and not same:
                raise RedirectRefused("The server redirects a request with a body to another server. It was not sent.")
        elif following.method not in ("GET", "HEAD"):
            # RFC 9110, 15.4: 303 means GET, and so do 301 and 302 for a POST. Any other write would be lost silently.
            if response.status_code != 303 and following.method != "POST":
                raise RedirectRefused(f"The server redirects a {following.method} request. Use its new address.")
            following.method, following.body = "GET", None
            for name in ("Content-Length", "Content-Type", "Transfer-Encoding"):
                following.headers.pop(name, None)
        if not same:
            following.headers = CaseInsensitiveDict(harmless(following.headers))
            following.hooks = default_hooks()  # a digest login's hook would answer the other server's challenge
            following.prepare_hooks(self.hooks)
        return following
