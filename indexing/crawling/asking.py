"""One request, and what came of it as a value: no error of the network leaves this module."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests
import urllib3

from indexing.crawling.model import Known, Limits
from indexing.crawling.pacing import reset_after, retry_after
from indexing.reasons import SkipReason
from lib.egress import (
    AddressRefused,
    BodyTooLarge,
    DeadlineExceeded,
    EgressError,
    GuardedSession,
    Policy,
    TooManyRedirects,
    iter_body,
)

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
DRAINED = 64 << 10
"""Bytes of an answer that nobody wants that are read all the same: so that its connection can be used again."""
PAGES = "text/html,application/xhtml+xml,text/markdown;q=0.9,text/plain;q=0.8,application/pdf;q=0.7,*/*;q=0.1"
_READABLE = ("text/", "application/xhtml+xml", "application/pdf", "application/x-pdf", "application/markdown")
_UNSAID = ("", "application/octet-stream", "binary/octet-stream")
_TEXT_ENDINGS = (".md", ".mdx", ".markdown", ".rst", ".adoc", ".txt", ".pdf")


@dataclass(frozen=True, slots=True)
class Answer:
    """`skip` is set where there is no body for a reason that no status tells."""

    url: str
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in any case."""
    body: bytes = field(default=b"", repr=False)
    skip: SkipReason | None = None
    detail: str = ""
    again: bool = False
    """Whether asking once more can help."""

    @property
    def redirect(self) -> str:
        """What the Location of a redirect says, "" for any other answer."""
        if self.status not in (301, 302, 303, 307, 308):
            return ""
        # Headers are read as Latin-1, while servers write UTF-8 where they write more than ASCII.
        return self.headers.get("Location", "").encode("latin-1", "replace").decode("utf-8", "replace")

    @property
    def wait(self) -> float | None:
        """Seconds that the site wants to be left alone; None if it does not say so."""
        seconds = retry_after(self.headers.get("Retry-After", ""))
        if seconds is None and self.headers.get("X-RateLimit-Remaining") == "0":
            seconds = reset_after(self.headers.get("X-RateLimit-Reset", ""))
        if self.status in (429, 503) or (self.status == 403 and seconds is not None):
            return seconds
        return None

    @property
    def limited(self) -> bool:
        """Whether it is about how often we ask, and not about this page."""
        if self.status in (403, 429) and self.headers.get("X-RateLimit-Remaining") == "0":
            return True
        return self.status == 429 or self.wait is not None

    @property
    def readable(self) -> bool:
        """Whether its type is one that can be made into text."""
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind in _UNSAID:
            path = urlsplit(self.url).path.lower()
            return not kind or path.endswith(_TEXT_ENDINGS)
        return kind.startswith(_READABLE)


class Asker:
    """Of one thread: keeps its connection."""

    def __init__(
        self,
        policy: Policy,
        limits: Limits,
        *,
        user_agent: str,
        on_request: Callable[[], None] | None = None,
        end: Callable[[], float] | None = None,
    ) -> None:
        self._page_bytes = limits.page_bytes
        self._session = GuardedSession(
            policy,
            timeout=min(CONNECT_SECONDS, limits.page_seconds),
            total_timeout=limits.page_seconds,
            on_request=on_request,
            end=end,
        )
        self._session.headers = requests.structures.CaseInsensitiveDict(
            {"User-Agent": user_agent, "Accept": PAGES, "Accept-Encoding": "gzip, deflate"}
        )

    def close(self) -> None:
        self._session.close()

    def page(self, url: str, known: Known | None = None) -> Answer:
        """A page; redirects are the caller's to follow. The body is read of what can be made into text."""
        headers = {}
        if known and known.etag:
            headers["If-None-Match"] = known.etag
        if known and known.last_modified:
            headers["If-Modified-Since"] = known.last_modified
        return self._ask(url, headers, follow=False, max_bytes=self._page_bytes, any_type=False)

    def file(self, url: str, *, max_bytes: int) -> Answer:
        """What a site says about itself (robots.txt, sitemaps), of any type, redirects followed."""
        return self._ask(url, {"Accept": "*/*"}, follow=True, max_bytes=max_bytes, any_type=True)

    def _ask(self, url: str, headers: dict[str, str], *, follow: bool, max_bytes: int, any_type: bool) -> Answer:
        try:
            response = self._session.get(url, headers=headers, stream=True, allow_redirects=follow)
            with response:
                answer = Answer(response.url, response.status_code, response.headers)
                if answer.status != 200 or not (any_type or answer.readable):
                    _drain(response)
                    return answer
                body = b"".join(iter_body(response, max_bytes=max_bytes))
                return Answer(answer.url, answer.status, answer.headers, body)
        except EgressError as error:
            return _refused(url, error)
        except requests.exceptions.ContentDecodingError:
            detail = "The answer is not packed in the way that its headers say."
            return Answer(url, skip=SkipReason.UNREADABLE, detail=detail)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            return Answer(url, skip=SkipReason.NETWORK, detail=_told(url, error), again=True)
        except Exception:
            # Whatever a server can make the libraries stumble over is that page's matter, not the crawl's.
            logger.exception("Asking for a page failed in a way that is not known")
            return Answer(url, skip=SkipReason.NETWORK, detail="The answer could not be understood.")


def _drain(response: requests.Response) -> None:
    try:
        for _ in iter_body(response, max_bytes=DRAINED):
            pass
    except (EgressError, requests.RequestException, urllib3.exceptions.HTTPError, OSError):
        response.close()


def _refused(url: str, error: EgressError) -> Answer:
    match error:
        case AddressRefused():
            return Answer(url, skip=SkipReason.BLOCKED_ADDRESS, detail=str(error))
        case BodyTooLarge():
            return Answer(url, skip=SkipReason.TOO_LARGE, detail=str(error))
        case DeadlineExceeded() | TooManyRedirects():
            return Answer(url, skip=SkipReason.NETWORK, detail=str(error))
        case _:
            return Answer(url, skip=SkipReason.REDIRECTED_AWAY, detail=str(error))


def _told(url: str, error: Exception) -> str:
    host = urlsplit(url).hostname or "the site"
    reason = getattr(error, "args", [None])[:1]
    cause = getattr(reason[0] if reason else None, "reason", None)
    if isinstance(cause, urllib3.exceptions.NameResolutionError):
        return f"The name {host} was not found."
    if isinstance(error, requests.exceptions.SSLError):
        return f"The certificate of {host} is not one to be trusted."
    if isinstance(error, requests.Timeout | TimeoutError):
        return f"{host} did not answer in time."
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return f"{host} broke the connection in the middle of its answer."
    return f"No connection with {host} could be made or kept."
