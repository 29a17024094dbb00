"""A crawl of the local site, with links read in the plainest way: what the crawler does with them is what is tested."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin

from lxml import html

from forges.reading.filters import EVERYTHING, PathFilter
from indexing.crawling.crawler import Crawler
from indexing.crawling.frontier import Frontier, MemoryFrontier
from indexing.crawling.model import HeldUp, Known, Limits, Visit
from indexing.crawling.urls import Cover
from indexing.reasons import SkipReason
from lib.egress import Policy
from tests.site import Site

POLICY = Policy.parse([], ["127.0.0.1/32"])
AGENT = "Millrace/0.1 (+https://millrace.example)"


@dataclass
class Crawled:
    site: Site
    crawler: Crawler
    visits: list[Visit] = field(default_factory=list)
    links: dict[str, list[str]] = field(default_factory=dict)
    held: float = 0.0
    """Seconds of the HeldUp that ended it."""

    def __getitem__(self, path: str) -> Visit:
        """The visit of a path of the site."""
        return next(visit for visit in self.visits if visit.url == self.site.url + path)

    @property
    def read(self) -> list[str]:
        """Paths of the pages with a body, sorted."""
        return sorted(visit.url.removeprefix(self.site.url) for visit in self.visits if visit.body)

    @property
    def skipped(self) -> dict[str, SkipReason]:
        return {visit.url.removeprefix(self.site.url): visit.skip for visit in self.visits if visit.skip}

    @property
    def known(self) -> dict[str, Known]:
        return {visit.url: Known(visit.etag, visit.last_modified) for visit in self.visits if visit.body}


def limits(**given: float | None) -> Limits:
    return Limits(**{"pause": 0.01, "page_seconds": 5.0, **given})  # type: ignore[arg-type]


def links_of(visit: Visit) -> list[str]:
    if not visit.body or not visit.content_type.startswith("text/html"):
        return []
    return list(_hrefs(visit))


def _hrefs(visit: Visit) -> Iterator[str]:
    for anchor in html.document_fromstring(visit.body).iter("a"):
        if anchor.get("rel") != "nofollow":
            yield urljoin(visit.final_url, anchor.get("href", ""))


def crawler(
    site: Site,
    path: str = "/",
    *,
    frontier: Frontier | None = None,
    paths: PathFilter = EVERYTHING,
    on_wait: Callable[[], None] = lambda: None,
    **given: float | None,
) -> Crawler:
    url = site.url + path
    return Crawler(
        url,
        cover=Cover.of(url, paths=paths),
        limits=limits(**given),
        policy=POLICY,
        frontier=frontier or MemoryFrontier(),
        user_agent=AGENT,
        on_wait=on_wait,
    )


def crawl(site: Site, path: str = "/", *, before: Crawled | None = None, **given: object) -> Crawled:
    """`before` is an earlier crawl: its pages are asked conditionally, its links stand for those of unchanged pages."""
    if before:
        given["frontier"] = MemoryFrontier(before.known)
    with crawler(site, path, **given) as running:  # type: ignore[arg-type]
        done = Crawled(site, running)
        try:
            for visit in running:
                done.visits.append(visit)
                links = before.links.get(visit.url, []) if before and visit.not_modified else links_of(visit)
                done.links[visit.url] = links
                running.found(visit, links)
        except HeldUp as held:
            done.held = held.seconds
    return done
