"""A crawl of one site: breadth first, each page once, politely, within limits."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from types import TracebackType
from typing import Self, TypeVar

from indexing.crawling import lists, sitemaps
from indexing.crawling.asking import Answer
from indexing.crawling.fetching import Fetched, Fetcher, Task, origin_url
from indexing.crawling.frontier import Frontier
from indexing.crawling.links import Links
from indexing.crawling.model import HeldUp, Limits, Via, Visit
from indexing.crawling.pacing import Stopped
from indexing.crawling.robots import MAX_BYTES as ROBOTS_BYTES
from indexing.crawling.robots import Robots
from indexing.crawling.urls import Cover, canonical
from indexing.crawling.visits import visit_of
from indexing.reasons import SkipReason
from lib.egress import Policy, origin
from lib.egress.urls import MAX_REDIRECTS

Result = TypeVar("Result")

AHEAD = 3
"""Times the concurrency: what is asked for before the caller has taken the answers before it."""


class Crawler:
    """Asks for a site's pages, each once, breadth first::

        with Crawler(url, cover=cover, limits=limits, policy=policy, frontier=frontier, user_agent=agent) as crawler:
            for visit in crawler:
                ...
                crawler.found(visit, links)

    A few threads ask; visits are handed out one at a time in the caller's thread, in which the frontier is called, too.
    `on_wait` is called there every second while nothing comes: to look whether the crawl is still wanted.

    The start is visited first, and again when a crawl is resumed. Of a page that was not modified the caller hands in
    the links that it had the last time. HeldUp ends the iteration where the site wants to be left alone.
    """

    def __init__(
        self,
        start: str,
        *,
        cover: Cover,
        limits: Limits,
        policy: Policy,
        frontier: Frontier,
        user_agent: str,
        on_wait: Callable[[], None] = lambda: None,
    ) -> None:
        self._start = cover.canonical(start)
        self._limits = limits
        self._frontier = frontier
        self._user_agent = user_agent
        self._on_wait = on_wait
        self._links = Links(cover, limits=limits, frontier=frontier)
        self._end = time.monotonic() + limits.seconds
        self._fetcher = Fetcher(limits, policy=policy, user_agent=user_agent, end=lambda: self._end)
        self._pool = ThreadPoolExecutor(max(1, limits.concurrency), thread_name_prefix="crawl")
        self._done: queue.SimpleQueue[Future[Fetched]] = queue.SimpleQueue()
        self._under_way = 0
        self._robots = Robots()
        self._asked: set[str] = set()
        self._bytes = 0
        self._held = 0.0
        self._exhausted = ""
        self._llms_full = ""
        self._lists_failed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._fetcher.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    # -- visits --------------------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Visit]:
        refused = self._read_robots(self._start)
        if refused is not None:
            yield refused
            return
        self._read_llms()
        yield self._visit_start()
        self._read_sitemaps()
        while True:
            yield from self._fill()
            if not self._under_way:
                break
            visit = self._receive()
            if visit is not None:
                yield visit
        if self._held:
            raise HeldUp(self._held)

    def found(self, visit: Visit, links: Iterable[str]) -> None:
        """Links of a page, absolute, without those that are not to be followed (rel=nofollow, a page's nofollow).

        What is covered, within depth and cap, and no trap is visited later. TooLarge of forges where the cover's
        patterns take far too long.
        """
        self._links.add(links, depth=visit.depth + 1)

    # -- how it went ---------------------------------------------------------------------------------------------------

    @property
    def cover(self) -> Cover:
        """As given, or of where the start led to."""
        return self._links.cover

    @property
    def traps(self) -> list[str]:
        """A sentence for each trap that was recognised and not walked into."""
        return self._links.traps.sentences

    @property
    def capped(self) -> bool:
        """Whether there were more pages than `limits.pages`."""
        return self._links.capped

    @property
    def beyond(self) -> tuple[tuple[str, int], ...]:
        """Pages that there was no room for, with their depths; as many as `limits.pages` are remembered."""
        return self._links.beyond

    @property
    def dropped(self) -> int:
        """How many there were beside these."""
        return self._links.dropped

    @property
    def twins(self) -> dict[str, str]:
        """Markdown that was read (llms.txt names it) -> the page that says the same, and was not asked for."""
        return self._links.twins

    @property
    def lists_failed(self) -> bool:
        """Whether a sitemap or llms.txt could not be had this time: pages that it alone names were not reached."""
        return self._lists_failed

    @property
    def exhausted(self) -> str:
        """Why it ended before its end (time, bytes), as a sentence; "" for a crawl that is complete but for its cap."""
        return self._exhausted

    @property
    def requests(self) -> int:
        """Sent so far, redirects, robots.txt and the site's lists included."""
        return self._fetcher.requests

    @property
    def llms_full(self) -> str:
        """Address of the site's llms-full.txt where it has an llms.txt, not asked for; "" without.

        It holds what pages hold: `found(visit, [crawler.llms_full])` where these cannot be read (needs_javascript).
        """
        return self._llms_full

    # -- what the site says of itself ----------------------------------------------------------------------------------

    def _read_robots(self, url: str) -> Visit | None:
        """Take the rules for an address's origin; a Visit of the start that says why nothing can be asked."""
        answer = self._file(origin_url(url, "/robots.txt"), ROBOTS_BYTES)
        unasked = Visit(url=self._start, via="start", final_url=url, skip=answer.skip, detail=answer.detail)
        if answer.skip in (SkipReason.NETWORK, SkipReason.BLOCKED_ADDRESS):
            return unasked
        self._robots = Robots.of(answer, self._user_agent)
        if self._robots.refused:
            detail = f"The site's robots.txt answers {answer.status}: until it can be read nothing may be asked."
            return replace(unasked, status=answer.status, skip=SkipReason.SERVER_ERROR, detail=detail)
        self._fetcher.pace.delay = max(self._limits.delay, min(self._robots.delay, self._limits.max_delay))
        return None

    def _read_llms(self) -> None:
        """Before the start's links, since Markdown is asked for in the place of pages that have it."""
        if self._limits.depth is not None:
            return
        told = lists.read_llms(self.cover, ask=self._list, allows=self._robots.allows)
        if told is not None:
            self._llms_full = told.full
            self._links.take_markdown(told.links, start=self._start)

    def _read_sitemaps(self) -> None:
        if self._limits.depth is not None:
            return
        most = 3 * self._limits.pages
        listed = lists.read_sitemaps(
            self.cover,
            self._robots.sitemaps,
            ask=self._list,
            allows=self._robots.allows,
            most=most,
            files=sitemaps.MAX_FILES,
        )
        self._links.add_listed(listed.pages, via="sitemap")

    # -- asking --------------------------------------------------------------------------------------------------------

    def _visit_start(self) -> Visit:
        """Its redirects are followed within its host: where it ends is the start, and its spelling of the host ours."""
        url, spelled = self._start, ""
        self._note_start(url)
        for _ in range(MAX_REDIRECTS):
            if not self._robots.allows(spelled or url):
                return self._refused(url, depth=0, via="start")
            task = Task(url, known=self._frontier.known(url), spelled=spelled, index=True)
            fetched = self._wait_for(self._pool.submit(self._fetcher.page, task, self.cover))
            landed = self.cover.canonical(fetched.target) if fetched.target else ""
            if not landed or not self.cover.same_host(landed):
                return self._arrive(fetched, url)
            url, spelled = landed, fetched.target
            self._note_start(url)
        detail = f"It redirects more than {MAX_REDIRECTS} times."
        return Visit(url=self._start, via="start", final_url=spelled, skip=SkipReason.SERVER_ERROR, detail=detail)

    def _arrive(self, fetched: Fetched, url: str) -> Visit:
        final = canonical(fetched.answer.url)
        if fetched.answer.status in (200, 304) and final and final != self._start:
            self._links.cover = self.cover.moved(final)
            url = final
            self._note_start(url)
            if origin(final) != origin(self._start) and (refused := self._read_robots(final)) is not None:
                return refused
        return self._counted(visit_of(fetched, via="start", url=url))

    def _note_start(self, url: str) -> None:
        self._asked.add(url)
        self._links.begin(url)

    def _fill(self) -> Iterator[Visit]:
        """Keep the threads busy; yields what robots.txt keeps us from."""
        while self._under_way < AHEAD * self._limits.concurrency and not self._held and not self._over():
            taken = self._frontier.take()
            if taken is None:
                if self._links.refill():
                    continue
                return
            url, depth = taken
            if url in self._asked:
                continue
            self._asked.add(url)
            if not self._robots.allows(url):
                yield self._counted(self._refused(url, depth=depth, via=self._links.came_by(url)[0]))
                continue
            task = Task(url, depth, self._frontier.known(url), index=url in self._links.indexes)
            self._under_way += 1
            self._pool.submit(self._fetcher.page, task, self.cover).add_done_callback(self._done.put)

    def _receive(self) -> Visit | None:
        """What one thread brings; None where that is nothing to be told of."""
        while True:
            try:
                future = self._done.get(timeout=1.0)
                break
            except queue.Empty:
                self._on_wait()
        self._under_way -= 1
        try:
            fetched = future.result()
        except Stopped:
            return None
        except HeldUp as held:
            self._held = max(self._held, held.seconds)
            self._fetcher.stop()
            return None
        if fetched.answer.skip == SkipReason.NETWORK and self._over():
            return None  # it was cut short by the crawl's own end
        return self._told(fetched)

    def _told(self, fetched: Fetched) -> Visit:
        url, depth = fetched.task.url, fetched.task.depth
        via, modified = self._links.came_by(url)
        landed = self.cover.canonical(fetched.target) if fetched.target else ""
        leads_to = landed if landed and self.cover.covers(landed) else ""
        visit = self._counted(visit_of(fetched, via=via, modified=modified, leads_to=leads_to))
        if leads_to:
            self._links.add([leads_to], depth=depth)
        return visit

    def _counted(self, visit: Visit) -> Visit:
        self._bytes += len(visit.body)
        if visit.skip is not None:
            self._links.wasted(visit.url)
        return visit

    def _refused(self, url: str, *, depth: int, via: Via) -> Visit:
        detail = "The site's robots.txt does not allow it."
        return Visit(url=url, depth=depth, via=via, final_url=url, skip=SkipReason.ROBOTS, detail=detail)

    def _over(self) -> bool:
        if not self._exhausted and time.monotonic() >= self._end:
            minutes = self._limits.seconds / 60
            self._exhausted = f"Reading the site was ended after {minutes:.0f} minutes."
        elif not self._exhausted and self._bytes >= self._limits.max_bytes:
            self._exhausted = f"Reading the site was ended after {self._bytes / 1e6:,.0f} MB."
        return bool(self._exhausted)

    def _file(self, url: str, max_bytes: int) -> Answer:
        return self._wait_for(self._pool.submit(self._fetcher.file, url, max_bytes))

    def _list(self, url: str, max_bytes: int) -> Answer:
        try:
            answer = self._file(url, max_bytes)
        except HeldUp:  # if it is not this file alone, the pages will say so
            answer = Answer(url, status=429)
        failed = answer.skip == SkipReason.NETWORK or answer.limited or (answer.status or 0) >= 500
        self._lists_failed = self._lists_failed or failed
        return answer

    def _wait_for(self, future: Future[Result]) -> Result:
        while not wait([future], timeout=1.0).done:
            self._on_wait()
        return future.result()
