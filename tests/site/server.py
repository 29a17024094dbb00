"""The site itself, on the tests' own HTTP server (tests.wire.server): pages by path, robots, sitemap, and counting."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from xml.sax.saxutils import escape

from tests.site.pages import Page, handbook
from tests.wire.faults import ArmedFault, Fault, instead
from tests.wire.messages import Headers, Reply, Request
from tests.wire.server import WireServer

Route = Callable[[Request], Reply]


class Site(WireServer):
    """See the package. `pages`: how many of a handbook, or pages by path (with the query where that matters).

    `robots` None is a 404. `sitemap` True lists, at /sitemap.xml, the pages there are at that moment.
    """

    def __init__(
        self,
        pages: int | Mapping[str, Page | str] = 0,
        *,
        robots: str | None = None,
        sitemap: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        latency: float = 0.0,
    ) -> None:
        super().__init__([_Pages(self)], host=host, port=port, latency=latency)
        self.robots = robots
        self.sitemap = sitemap
        self.pages: dict[str, Page] = {}
        self.routes: dict[str, Route] = {}
        """By the beginning of the path; for what is endless or depends on the request. Pages come first."""
        for path, page in (handbook(pages) if isinstance(pages, int) and pages else pages or {}).items():
            self.add(path, page)
        self.counts: Counter[str] = Counter()
        """Requests by path, with the query where there is one."""
        self.peak = 0
        """The most requests that were under way at one moment."""
        self._under_way = 0
        self._counting = threading.Lock()
        self._removed: dict[str, int] = {}
        self._elsewhere = self._neighbour = ""

    # -- what is served ------------------------------------------------------------------------------------------------

    def add(self, path: str, page: Page | str) -> None:
        self.pages[path] = page if isinstance(page, Page) else Page(page)

    def change(self, path: str, page: Page | str, *, modified: float | None = None) -> None:
        """Serve something else from now on, modified now. KeyError for a page that is not there."""
        before = self.pages[path]
        given = page if isinstance(page, Page) else Page(page, before.content_type, before.status, before.headers)
        when = time.time() if modified is None else modified
        self.pages[path] = Page(given.body, given.content_type, given.status, given.headers, when, given.conditional)

    def remove(self, path: str, *, status: int = 404) -> None:
        del self.pages[path]
        self._removed[path] = status

    def redirect(self, path: str, to: str, *, status: int = 302) -> None:
        """`to` may be relative, on this site, or anywhere."""
        self.pages[path] = Page("", status=status, headers={"Location": to}, conditional=False)

    def fail(
        self, path: str, *, status: int = 500, times: int | None = None, retry_after: str | int = ""
    ) -> ArmedFault:
        """Answer with a status instead, the first `times` times; `*` in `path` is anything. See `disarm`."""
        headers = {"Content-Type": "text/html", **({"Retry-After": str(retry_after)} if retry_after != "" else {})}
        page = b"<h1>Not now</h1>"
        return self.arm(instead(lambda: Reply(status, page, Headers(headers.items()))), on=path, times=times)

    def arm_on(self, path: str, fault: Fault, *, times: int | None = None) -> ArmedFault:
        """Any of `tests.wire.faults`, such as `slow(3)` or `cut_body()`."""
        return self.arm(fault, on=path, times=times)

    def elsewhere(self) -> str:
        """The same site at an address that the tests' egress policy refuses, without a slash at the end."""
        self._elsewhere = self._elsewhere or self.listen_also("127.0.0.2")
        return self._elsewhere

    def neighbour(self) -> str:
        """The same site as another origin that may be asked (its port is another), without a slash at the end."""
        self._neighbour = self._neighbour or self.listen_also("127.0.0.1")
        return self._neighbour

    # -- what was asked ------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Begin counting anew, as between two runs."""
        with self._counting:
            self.requests.clear()
            self.counts.clear()
            self.peak = self._under_way

    def repeated(self) -> dict[str, int]:
        """What was asked for more than once."""
        return {path: count for path, count in self.counts.items() if count > 1}

    def statuses(self) -> Counter[int]:
        """How often each status was answered."""
        return Counter(request.status for request in self.requests)

    # -- answering -----------------------------------------------------------------------------------------------------

    def answer(self, request: Request) -> Reply:
        """The whole way of a request: counted, then what WireServer does."""
        with self._counting:
            self.counts[request.target] += 1
            self._under_way += 1
            self.peak = max(self.peak, self._under_way)
        done = self._leaving()
        try:
            reply = super().answer(request)
        except BaseException:
            done()
            raise
        reply.close = done
        return reply

    def _leaving(self) -> Callable[[], None]:
        def done() -> None:
            with self._counting:
                self._under_way -= 1

        return done

    def respond(self, request: Request) -> Reply:
        """What is at this path, without any fault."""
        page = self.pages.get(request.target) or self.pages.get(request.target.partition("?")[0])
        if page is not None:
            return _reply(request, page)
        if request.path == "/robots.txt" and self.robots is not None:
            return _reply(request, Page(self.robots, "text/plain"))
        if request.path == "/sitemap.xml" and self.sitemap:
            return _reply(request, Page(self._sitemap(request.base), "application/xml"))
        for prefix in sorted(self.routes, key=len, reverse=True):
            if request.path.startswith(prefix):
                return self.routes[prefix](request)
        missing = Page("<h1>Not found</h1>", status=self._removed.get(request.target, 404), conditional=False)
        return _reply(request, missing)

    def _sitemap(self, base: str) -> str:
        entries = "".join(
            f"<url><loc>{escape(base + path)}</loc>"
            f"<lastmod>{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(page.modified))}</lastmod></url>"
            for path, page in self.pages.items()
            if page.status == 200 and page.content_type.startswith("text/html")
        )
        return f'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="{SITEMAP_XMLNS}">{entries}</urlset>'


@dataclass(frozen=True, slots=True)
class _Pages:
    """What the server hands requests to, behind its faults."""

    site: Site

    def knows(self, _request: Request, /) -> bool:
        return True

    def check(self, _request: Request, /) -> Reply | None:
        return None

    def answer(self, request: Request) -> Reply:
        return self.site.respond(request)


SITEMAP_XMLNS = "http://www.sitemaps.org/schemas/sitemap/0.9"


def _reply(request: Request, page: Page) -> Reply:
    headers = Headers(page.headers.items())
    if page.content_type:
        headers["Content-Type"] = page.content_type
    if page.conditional and page.status == 200:
        headers["ETag"], headers["Last-Modified"] = page.etag, page.last_modified
        if _unchanged(request, page):
            return Reply(304, b"", headers)
    return Reply(page.status, page.bytes, headers)


def _unchanged(request: Request, page: Page) -> bool:
    """RFC 9110, 13.2.2: where there is an If-None-Match, If-Modified-Since does not count."""
    if tags := request.headers.get("If-None-Match"):
        return page.etag in {tag.strip().removeprefix("W/") for tag in tags.split(",")}
    since = request.headers.get("If-Modified-Since")
    return bool(since) and parsedate_to_datetime(since or "").timestamp() >= int(page.modified)
