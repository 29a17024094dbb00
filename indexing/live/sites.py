"""A few pages of a web site, fetched while somebody waits: its start, its llms.txt, and those that its own lists name
in the words of the query. As politely as a crawl: robots.txt first, and no faster than it allows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from indexing.crawling import llms
from indexing.crawling.asking import Answer, Asker
from indexing.crawling.lists import read_llms, read_sitemaps
from indexing.crawling.model import Limits
from indexing.crawling.pacing import Pace, Stopped
from indexing.crawling.robots import MAX_BYTES as ROBOTS_BYTES
from indexing.crawling.robots import Robots, robots_url
from indexing.crawling.urls import Cover, may_be_page
from indexing.extracting import extract
from indexing.live.ranking import LONGEST, Document, likely
from indexing.search.snippets import Marker
from lib.egress import EgressError, Policy
from lib.egress.urls import redirect_target

PAGES = 4
"""Fetched beside the start and the llms.txt."""
JUDGED = 5 * PAGES
"""Of the likeliest ones that robots.txt is asked about."""
NAMED = 2000
"""Pages that are known by name."""
PAGE_BYTES = 1 << 20
FILES = 3
"""Sitemaps that are read."""
FIRST = 0.6
"""Of the time at most for the start and the lists."""
HOPS = 3

Result = TypeVar("Result")

FETCHERS = ThreadPoolExecutor(8, thread_name_prefix="live")
"""Of this process: however many people search."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What a site says of itself, kept for the next query."""

    robots: Answer
    cover: Cover
    documents: tuple[Document, ...] = ()
    """Its start, and its llms.txt."""
    named: tuple[tuple[str, str], ...] = ()
    """Addresses of pages, with the words that they go by."""


@dataclass(frozen=True)
class Visitor:
    """Asks one site. `end` is on the clock of time.monotonic()."""

    policy: Policy
    user_agent: str
    end: float
    concurrency: int = 4
    delay: float = 0.0
    pace: Pace = field(init=False)
    limits: Limits = field(init=False)

    def __post_init__(self) -> None:
        seconds = max(0.1, self.end - time.monotonic())
        limits = Limits(
            page_seconds=seconds, page_bytes=PAGE_BYTES, concurrency=self.concurrency, delay=self.delay, seconds=seconds
        )
        object.__setattr__(self, "limits", limits)
        object.__setattr__(self, "pace", Pace(limits))

    def look(self, cover: Cover) -> Listed | None:
        """None where robots.txt refuses, or nothing answers."""
        robots_answer = self._file(robots_url(cover.start), ROBOTS_BYTES)
        robots = self._obey(robots_answer)
        if robots_answer.skip is not None or robots_answer.limited or not robots.allows(cover.start):
            return None
        texts: dict[str, str] = {}

        def ask(url: str, max_bytes: int) -> Answer:
            answer = self._file(url, max_bytes)
            if answer.status == 200 and urlsplit(url).path.endswith("llms.txt"):
                texts[url] = answer.body.decode("utf-8", "replace")
            return answer

        first = FETCHERS.submit(self._page, cover.start, cover, robots, start=True)
        told = FETCHERS.submit(read_llms, cover, ask=ask, allows=robots.allows)
        mapped = FETCHERS.submit(
            read_sitemaps, cover, robots.sitemaps, ask=ask, allows=robots.allows, most=NAMED, files=FILES
        )
        self._wait([first, told, mapped], FIRST)
        start, own, sitemap = _result(first), _result(told), _result(mapped)
        documents = [start] if start else []
        named: dict[str, str] = {}
        if own is not None:
            text = texts[own.url]
            documents.append(Document("llms.txt", text[:LONGEST], "markdown", own.url))
            named |= dict(_in_llms(text, own.url, cover))
        for url in sitemap.pages if sitemap else ():
            named.setdefault(url, _words(url))
        if not documents and not named:
            return None
        return Listed(robots_answer, cover, tuple(documents), tuple(named.items())[:NAMED])

    def pages(
        self, listed: Listed, marker: Marker, *, kept: Callable[[str, Callable[[], Document | None]], Document | None]
    ) -> list[Document]:
        """What is to be ranked. `kept` gives a page that was fetched just before, or has it fetched."""
        robots = self._obey(listed.robots)
        there = {document.url for document in listed.documents}
        named = [(url, words) for url, words in listed.named if url not in there]
        # The best first, and the rules last: a robots.txt can have so many that asking it takes its time.
        best = [url for url in likely(named, marker, most=JUDGED) if robots.allows(url)][:PAGES]
        tasks = [FETCHERS.submit(kept, url, partial(self._page, url, listed.cover, robots)) for url in best]
        self._wait(tasks, 1.0)
        return [*listed.documents, *(found for task in tasks if (found := _result(task)) is not None)]

    def leave(self) -> None:
        """Nothing more is asked: threads that wait for their turn are free again."""
        self.pace.stop()

    # -- asking --------------------------------------------------------------------------------------------------------

    def _obey(self, answer: Answer) -> Robots:
        robots = Robots.of(answer, self.user_agent)
        self.pace.delay = max(self.limits.delay, min(robots.delay, self.limits.max_delay))
        return robots

    def _wait(self, tasks: Iterable[Future[Any]], share: float) -> None:
        wait(tasks, timeout=max(0.0, self.end - time.monotonic()) * share)

    def _asked(self, ask: Callable[[Asker], Answer]) -> Answer:
        if time.monotonic() >= self.end:
            raise Stopped
        asker = Asker(self.policy, self.limits, user_agent=self.user_agent, end=lambda: self.end)
        with closing(asker), self.pace.turn():
            return ask(asker)

    def _file(self, url: str, max_bytes: int) -> Answer:
        return self._asked(partial(Asker.file, url=url, max_bytes=max_bytes))

    def _page(self, url: str, cover: Cover, robots: Robots, *, start: bool = False) -> Document | None:
        """As a text; None for what is none, or is not to be indexed."""
        for _ in range(HOPS):
            if not robots.allows(url):
                return None
            answer = self._asked(partial(Asker.page, url=url))
            if not answer.redirect:
                return _read(answer)
            try:
                target = cover.canonical(redirect_target(url, answer.redirect))
            except EgressError:
                return None
            if not target or not (cover.covers(target) or (start and cover.same_host(target))):
                return None
            url = target
        return None


def _read(answer: Answer) -> Document | None:
    if answer.status != 200 or not answer.body:
        return None
    told = {name: answer.headers[name] for name in ("X-Robots-Tag", "Link") if name in answer.headers}
    page = extract(answer.body, url=answer.url, content_type=answer.headers.get("Content-Type", ""), headers=told)
    if page.noindex or page.trouble or not page.markdown.strip():
        return None
    return Document(page.title or _words(answer.url), page.markdown[:LONGEST], page.format, answer.url)


def _in_llms(text: str, at: str, cover: Cover) -> Iterable[tuple[str, str]]:
    """The pages that it names, with the lines in which they stand."""
    for line in text.splitlines()[: 2 * NAMED]:
        for link in llms.links(line):
            url = cover.canonical(link, base=at)
            if url and may_be_page(url) and cover.covers(url):
                yield url, f"{_words(url)} {line[:500]}"


def _words(url: str) -> str:
    return unquote(urlsplit(url).path)


def _result(task: Future[Result]) -> Result | None:
    """None also for what was not done in time, or could not be done."""
    if not task.done():
        task.cancel()
        return None
    try:
        return task.result()
    except Stopped:
        return None
