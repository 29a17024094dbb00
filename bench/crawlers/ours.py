"""Millrace's crawler: `python -m bench.crawlers.ours '{"url": …}'`. `"markdown": true` has pages made into text."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin

from lxml import html

from indexing.crawling.crawler import Crawler
from indexing.crawling.frontier import MemoryFrontier
from indexing.crawling.model import Known, Limits, Visit
from indexing.crawling.urls import Cover
from indexing.extracting import extract
from lib.egress import Policy

AGENT = "Millrace/bench"


def links_only(visit: Visit) -> list[str]:
    root = html.document_fromstring(visit.body)
    return [urljoin(visit.final_url, anchor.get("href", "")) for anchor in root.iter("a")]


def as_markdown(visit: Visit) -> list[str]:
    found = extract(visit.body, url=visit.final_url, content_type=visit.content_type)
    assert found.markdown
    return [link.url for link in found.links]


def crawl(
    url: str,
    *,
    pages: int,
    concurrency: int,
    before: dict[str, tuple[str, str]],
    read: Callable[[Visit], list[str]],
    links: dict[str, list[str]],
) -> dict[str, tuple[str, str]]:
    """What the pages that were read came with; `links` is brought up to date."""
    known = {address: Known(*headers) for address, headers in before.items()}
    told: dict[str, tuple[str, str]] = {}
    with Crawler(
        url,
        cover=Cover.of(url),
        limits=Limits(pages=pages, concurrency=concurrency),
        policy=Policy.parse([], ["127.0.0.1/32"]),
        frontier=MemoryFrontier(known),
        user_agent=AGENT,
    ) as crawler:
        for visit in crawler:
            if visit.body:
                links[visit.url] = read(visit)
                told[visit.url] = (visit.etag, visit.last_modified)
            crawler.found(visit, links.get(visit.url, ()))
    return told


def main() -> None:
    asked = json.loads(sys.argv[1])
    state = Path(asked["state"]) / "ours.json"
    kept = json.loads(state.read_text()) if state.exists() else {"known": {}, "links": {}}
    begun = time.perf_counter()
    told = crawl(
        asked["url"],
        pages=asked["pages"],
        concurrency=asked["concurrency"],
        before=kept["known"],
        read=as_markdown if asked.get("markdown") else links_only,
        links=kept["links"],
    )
    seconds = time.perf_counter() - begun
    kept["known"].update(told)
    state.write_text(json.dumps(kept))
    print(json.dumps({"seconds": seconds, "pages": len(kept["links"]), "read": len(told)}))


if __name__ == "__main__":
    main()
