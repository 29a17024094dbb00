"""Fetching in the threads of a crawl: in turn, once more where that can help, and along redirects to the same page."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import urlsplit

from indexing.crawling.asking import Answer, Asker
from indexing.crawling.model import HeldUp, Known, Limits
from indexing.crawling.pacing import Pace
from indexing.crawling.urls import Cover
from indexing.reasons import SkipReason
from lib.egress import EgressError, Policy
from lib.egress.urls import MAX_REDIRECTS, redirect_target

LIMITED_ATTEMPTS = 6
"""At an address that answers "too many"; with Limits.pause of a second half a minute without Retry-After."""
FAILED_ATTEMPTS = 3
"""At an address that answers with an error of the server."""
BROKEN_ATTEMPTS = 2
"""Where nothing is answered at all, which takes its time."""
MOST_SECONDS = 86_400.0
"""That a site can ask to be left alone for."""
UNSAID_SECONDS = 300.0
"""How long a site is left alone that says "too many" again and again, and not for how long."""


@dataclass(frozen=True, slots=True)
class Task:
    url: str
    """Canonical."""
    depth: int = 0
    known: Known | None = None
    spelled: str = ""
    """How it is asked for, where that is another spelling."""
    index: bool = False
    """Whether it may be there as `index.html` alone."""


@dataclass(frozen=True, slots=True)
class Fetched:
    task: Task
    answer: Answer
    target: str = ""
    """Where it redirects to, absolute; another page, or none of this site."""


class Fetcher:
    """Its methods are called in any thread; each thread has a connection of its own, which is kept open."""

    def __init__(self, limits: Limits, *, policy: Policy, user_agent: str, end: Callable[[], float]) -> None:
        self.pace = Pace(limits)
        self.requests = 0
        """Sent so far."""
        self._limits = limits
        self._make: Callable[[], Asker] = lambda: Asker(
            policy, limits, user_agent=user_agent, on_request=self._count, end=end
        )
        self._own = threading.local()
        self._askers: list[Asker] = []
        self._lock = threading.Lock()

    def stop(self) -> None:
        """Send nothing more; whoever waits for a turn gets Stopped."""
        self.pace.stop()
        with self._lock:
            for asker in self._askers:
                asker.close()

    def page(self, task: Task, cover: Cover) -> Fetched:
        """Raises HeldUp, Stopped."""
        url = task.spelled or task.url
        asked: set[str] = set()
        folder: Answer | None = None
        while True:
            asked.add(url)
            answer = self._answer(partial(Asker.page, url=url, known=task.known))
            if answer.status in (403, 404) and task.index and folder is None and url.endswith("/"):
                folder, url = answer, f"{url}index.html"
                continue
            if folder is not None and answer.status not in (200, 304) and not answer.redirect:
                return Fetched(task, folder)
            if not answer.redirect:
                return Fetched(task, answer)
            try:
                target = redirect_target(url, answer.redirect)
            except EgressError as error:
                return Fetched(task, replace(answer, skip=SkipReason.REDIRECTED_AWAY, detail=str(error)))
            if cover.canonical(target) != task.url:
                return Fetched(task, answer, target)
            if target in asked or len(asked) > MAX_REDIRECTS:
                detail = "It leads back to itself, as pages do that want a cookie."
                return Fetched(task, replace(answer, skip=SkipReason.SERVER_ERROR, detail=detail))
            url = target

    def file(self, url: str, max_bytes: int) -> Answer:
        """What a site says about itself. Raises HeldUp, Stopped."""
        return self._answer(partial(Asker.file, url=url, max_bytes=max_bytes))

    def _answer(self, ask: Callable[[Asker], Answer]) -> Answer:
        pause, attempt = self._limits.pause, 0
        others = self.pace.answers
        while True:
            attempt += 1
            with self.pace.turn():
                answer = ask(self._asker())
            if answer.limited:
                wait = max(pause, min(answer.wait or 0.0, MOST_SECONDS))
                if wait > self._limits.patience:
                    raise HeldUp(wait)
                if attempt >= LIMITED_ATTEMPTS:
                    if self.pace.answers == others:  # it is not this page alone
                        raise HeldUp(max(wait, UNSAID_SECONDS))
                    return answer
                self.pace.hold(wait)
            elif answer.again or (answer.status or 0) >= 500:
                if attempt >= (BROKEN_ATTEMPTS if answer.again else FAILED_ATTEMPTS):
                    return answer
                self.pace.sleep(pause)
            else:
                self.pace.answered()
                return answer
            pause *= 2

    def _asker(self) -> Asker:
        asker: Asker | None = getattr(self._own, "asker", None)
        if asker is None:
            asker = self._own.asker = self._make()
            with self._lock:
                self._askers.append(asker)
        return asker

    def _count(self) -> None:
        with self._lock:
            self.requests += 1


def origin_url(url: str, path: str) -> str:
    """An address at the root of the same host."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{path}"
