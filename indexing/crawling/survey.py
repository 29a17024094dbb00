"""A first look at an address, while a person waits: whether it can be read, and how much there is. A few requests."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Literal

from indexing.crawling import lists
from indexing.crawling.asking import Answer
from indexing.crawling.fetching import Fetcher, origin_url
from indexing.crawling.model import HeldUp, Limits
from indexing.crawling.robots import MAX_BYTES as ROBOTS_BYTES
from indexing.crawling.robots import Robots
from indexing.crawling.urls import Cover, canonical, may_be_page
from indexing.extracting import Trouble, extract
from indexing.reasons import Reason, SkipReason
from lib.egress import Policy

MOST_PAGES = 5_000
"""Counting ends there: `Survey.more`."""
MOST_FILES = 5
"""Of sitemaps."""
PAGE_BYTES = 5 << 20

_TROUBLES = {
    SkipReason.BLOCKED_ADDRESS: Reason.BLOCKED_ADDRESS,
    SkipReason.TOO_LARGE: Reason.TOO_LARGE,
    SkipReason.NETWORK: Reason.NETWORK,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    final_url: str
    """Canonical: where the address leads, on whatever host."""
    status: int | None = None
    """None where nothing was answered."""
    title: str = ""
    pages: int | None = None
    """That a crawl from there would cover, as far as the site tells; None where nothing does."""
    more: bool = False
    """Whether there are more than `pages`: not all was counted."""
    by: Literal["sitemap", "llms", "unknown"] = "unknown"
    robots_allowed: bool = True
    private: bool = False
    """It wants somebody to sign in (401, 403)."""
    repositories: tuple[str, ...] = ()
    """That the page names as its own source."""
    llms: bool = False
    """Whether there is an llms.txt."""
    trouble: Reason | None = None
    """Why it cannot be indexed as it is."""
    detail: str = ""
    """With `trouble`: what happened, as a sentence for a person."""
    wait: float = 0.0
    """Seconds that the site wants to be left alone (rate_limited)."""


def survey(url: str, *, policy: Policy, user_agent: str, seconds: float = 8.0) -> Survey:
    """`seconds` is for all of it. ValueError for an address that is no web page's."""
    start = canonical(url)
    if not start:
        raise ValueError("This is not the address of a web page.")
    end = time.monotonic() + seconds
    limits = Limits(page_seconds=seconds, page_bytes=PAGE_BYTES, concurrency=1, pause=0.2, patience=1.0)
    fetcher = Fetcher(limits, policy=policy, user_agent=user_agent, end=lambda: end)
    try:
        return _look(start, fetcher, user_agent)
    except HeldUp as held:
        detail = "The site answers that it is asked too often."
        return Survey(final_url=start, trouble=Reason.RATE_LIMITED, detail=detail, wait=held.seconds)
    finally:
        fetcher.stop()


def _look(start: str, fetcher: Fetcher, user_agent: str) -> Survey:
    answer = fetcher.file(start, PAGE_BYTES)
    if answer.status in (403, 404) and start.endswith("/"):
        by_name = fetcher.file(f"{start}index.html", PAGE_BYTES)
        answer = by_name if by_name.status == 200 else answer
    found = Survey(
        final_url=canonical(answer.url) or start, status=answer.status, private=answer.status in (401, 403, 407)
    )
    trouble, detail = _trouble(answer)
    if trouble is not None:
        return replace(found, trouble=trouble, detail=detail)
    robots_answer = fetcher.file(origin_url(found.final_url, "/robots.txt"), ROBOTS_BYTES)
    robots = Robots.of(robots_answer, user_agent)
    found = replace(found, robots_allowed=robots.allows(found.final_url))
    if robots.refused:
        detail = f"The site's robots.txt answers {robots_answer.status}: until it can be read nothing may be asked."
        return replace(found, trouble=Reason.NETWORK, detail=detail)
    if not found.robots_allowed:
        detail = "The site's robots.txt does not allow this address to be read."
        return replace(found, trouble=Reason.ROBOTS_REFUSED, detail=detail)
    return _read(_count(found, fetcher, robots), answer)


def _count(found: Survey, fetcher: Fetcher, robots: Robots) -> Survey:
    """With how many pages there are, by the site's own lists."""
    cover = Cover.of(found.final_url)
    told = lists.read_llms(cover, ask=fetcher.file, allows=robots.allows)
    listed = lists.read_sitemaps(
        cover, robots.sitemaps, ask=fetcher.file, allows=robots.allows, most=MOST_PAGES, files=MOST_FILES
    )
    found = replace(found, llms=told is not None)
    if listed.pages:
        count = len(listed.pages | {cover.start: ""})
        return replace(found, pages=count, more=not listed.complete, by="sitemap")
    named = {address for link in (told.links if told else ()) if may_be_page(address := cover.canonical(link))}
    covered = {address for address in named if cover.covers(address)}
    return replace(found, pages=len(covered | {cover.start}), more=True, by="llms") if covered else found


def _read(found: Survey, answer: Answer) -> Survey:
    """With what the page itself says."""
    page = extract(answer.body, url=answer.url, content_type=answer.headers.get("Content-Type", ""))
    found = replace(found, title=page.title, repositories=page.repositories)
    if page.trouble == Trouble.NEEDS_JAVASCRIPT and not found.llms:
        return replace(found, trouble=Reason.NEEDS_JAVASCRIPT, detail=page.detail)
    if page.trouble == Trouble.NOT_TEXT:
        return replace(found, trouble=Reason.EMPTY, detail=page.detail)
    return found


def _trouble(answer: Answer) -> tuple[Reason | None, str]:
    if answer.skip is not None:
        return _TROUBLES.get(answer.skip, Reason.NETWORK), answer.detail
    told = f"The site answered with {answer.status}."
    match answer.status:
        case 200:
            return None, ""
        case 401 | 403 | 407:
            return Reason.AUTH_REQUIRED, told
        case 404 | 410:
            return Reason.NOT_FOUND, told
        case 429:
            return Reason.RATE_LIMITED, told
        case _:
            return Reason.NETWORK, told
