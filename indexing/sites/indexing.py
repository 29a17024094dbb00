"""A web site, crawled and indexed: for the first time, again, or on from where it was stopped."""

from __future__ import annotations

import time
from datetime import timedelta
from urllib.parse import urlsplit

from django.utils import timezone

from forges.clients.errors import TooLarge, Unavailable
from forges.clients.transport import USER_AGENT
from forges.patience import waits_for
from indexing import texts
from indexing.crawling.crawler import Crawler
from indexing.crawling.model import HeldUp, Visit
from indexing.models import Source
from indexing.reasons import Reason, SkipReason
from indexing.sites import ending, opening
from indexing.sites.deciding import Fate, Tally
from indexing.sites.ending import Told
from indexing.sites.frontier import PageFrontier
from indexing.sites.opening import Crawl
from indexing.sites.reading import Reading, read, redirected
from indexing.sites.writing import Writer
from jobs.context import RunContext
from jobs.models import Trigger
from jobs.outcomes import Cancelled, Ending, Failure, Interrupted, Outcome, Waiting
from lib.egress import AddressRefused, resolve
from lib.policy import egress_policy

_PASSES = 2
"""Times through what is left to ask: the second is for pages that turn out to have to be asked for again."""
_TELL_EVERY = 0.5
"""Seconds between two addresses that are shown."""
_AUTOMATIC = (Trigger.SCHEDULE, Trigger.WEBHOOK)
_AGAIN_FOR = timedelta(hours=1)
"""How long a Run that nobody clicked tries again by itself where the site was not to be reached."""


def index(context: RunContext, source: Source) -> Outcome:
    """Bring the index of a site up to date. Raises Failure with a Reason as its code, or Waiting."""
    crawl = opening.begin(context, source)
    return _Indexing(context, crawl).run()


class _Indexing:
    """One attempt at a crawl."""

    def __init__(self, context: RunContext, crawl: Crawl) -> None:
        self._context, self._crawl = context, crawl
        self._index = texts.index_of(crawl.source.server)
        self._writer = Writer(crawl, self._index)
        self._tally = Tally()
        self._told_at = 0.0

    def run(self) -> Outcome:
        try:
            told = self._passes()
            outcome = ending.close(self._context, self._crawl, told)
        except HeldUp as held:
            until = timezone.now() + timedelta(seconds=held.seconds)
            raise Waiting(until, f"{self._host} to allow more requests") from held
        except TooLarge as error:
            raise Failure(Reason.TOO_LARGE, str(error)) from error
        texts.forget_unused(self._index)
        return outcome

    @property
    def _host(self) -> str:
        return urlsplit(self._crawl.start).netloc

    def _passes(self) -> Told:
        told = Told()
        for _ in range(_PASSES):
            told = self._ask_for_all(told)
            if told.exhausted or ending.settled(self._crawl):
                break
        return told

    def _ask_for_all(self, before: Told) -> Told:
        crawl = self._crawl
        frontier = PageFrontier(crawl.source, crawl.number, cap=crawl.limits.pages, claim=crawl.claim)
        self._tally = Tally(asked=frontier.asked_before)
        crawler = Crawler(
            crawl.start,
            cover=crawl.cover,
            limits=crawl.limits,
            policy=egress_policy(),
            frontier=frontier,
            user_agent=USER_AGENT,
            on_wait=self._wait,
        )
        with crawler:
            try:
                for visit in crawler:
                    self._context.check()
                    self._tell(visit.url, frontier.reached)
                    self._take(crawler, frontier, visit)
            except (HeldUp, Cancelled, Interrupted):
                self._remember(crawler)  # who goes on does not read the pages again that named these
                raise
        self._remember(crawler)
        return Told(
            traps=tuple(crawler.traps),
            dropped=crawler.dropped,
            exhausted=crawler.exhausted,
            lists_failed=crawler.lists_failed,
            requests=before.requests + crawler.requests,
        )

    def _remember(self, crawler: Crawler) -> None:
        self._writer.flush()
        ending.remember(self._crawl, beyond=crawler.beyond, twins=crawler.twins)

    def _wait(self) -> None:
        self._context.check()
        self._writer.flush_if_late()

    def _tell(self, url: str, total: int) -> None:
        now = time.monotonic()
        if now - self._told_at >= _TELL_EVERY:
            self._told_at = now
            self._context.progress(url, done=self._tally.asked, total=max(total, self._tally.asked))

    def _take(self, crawler: Crawler, frontier: PageFrontier, visit: Visit) -> None:
        if visit.via == "start":
            self._take_start(frontier, visit)
        reading = read(visit, cover=crawler.cover)
        self._follow(crawler, frontier, visit, reading)
        self._tally.add(reading.fate)
        if self._tally.too_many_failures:
            self._writer.flush()
            raise ending.too_many_failures(self._tally)

    def _take_start(self, frontier: PageFrontier, visit: Visit) -> None:
        failure = ending.start_missed(visit, inward=_refused(visit.leads_to))
        if failure is not None:
            raise self._again(failure) or failure
        for url in frontier.starts():
            if url != visit.url:
                frontier.visited(url, 0, is_page=False)
                self._writer.add(redirected(url, visit.url), None)

    def _again(self, failure: Failure) -> Ending | None:
        """A Run that nobody clicked asks once more by itself where the site could not be reached."""
        if failure.code != Reason.NETWORK:
            return None
        waiting = waits_for(self._context, Unavailable(failure.text), tries_for=_AGAIN_FOR, triggers=_AUTOMATIC)
        return waiting and Waiting(waiting.until, f"{self._host} to answer again")

    def _follow(self, crawler: Crawler, frontier: PageFrontier, visit: Visit, reading: Reading) -> None:
        """What the page leads to, and led to before where it says nothing of that now, comes next."""
        links = reading.links or ()
        before = frontier.remembered(visit.url) if reading.fate in (Fate.STAY, Fate.FAIL, Fate.DOUBT) else None
        crawler.found(visit, [*links, *(before or ())])
        if reading.skip == SkipReason.NEEDS_JAVASCRIPT and crawler.llms_full:
            crawler.found(visit, [crawler.llms_full])
        frontier.visited(visit.url, visit.depth, is_page=visit.skip is None)
        said = reading.links is not None and before is None
        targets = frontier.pages_at(links, crawler.cover.canonical) if said else None
        self._writer.add(reading, targets)


def _refused(url: str) -> str:
    """Why an address that a site leads to may not be asked; "" where it may, or where there is none."""
    parts = urlsplit(url)
    try:
        resolve(parts.hostname or "", parts.port or 0, egress_policy())
    except AddressRefused as error:
        return str(error)
    except (OSError, ValueError):
        return ""
    return ""
