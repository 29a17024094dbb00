"""The lists that a site keeps of its own pages: where they are, and what they name."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import urljoin

from indexing.crawling import llms, sitemaps
from indexing.crawling.asking import Answer
from indexing.crawling.urls import Cover, canonical, may_be_page

MOST_ENTRIES = 100_000
"""Of all sitemaps of a site that are looked at: some seconds of this processor."""
MOST_FILES_NAMED = 1_000
"""By one sitemap that are looked at: far more than are read."""

Ask = Callable[[str, int], Answer]
"""An address and the most bytes that are read of it."""


@dataclass(frozen=True, slots=True)
class Llms:
    url: str
    links: tuple[str, ...]
    """Absolute, as they stand there."""
    full: str
    """Where its llms-full.txt is, or would be."""


@dataclass(slots=True)
class Listed:
    """What sitemaps name of a site: canonical addresses, covered, that may be pages."""

    pages: dict[str, str] = field(default_factory=dict)
    """With their last change as ISO 8601, or ""."""
    complete: bool = True
    """Whether all files were read to their end."""


def read_llms(cover: Cover, *, ask: Ask, allows: Callable[[str], bool]) -> Llms | None:
    """That of the cover's folder, or else of its host."""
    for url in dict.fromkeys(urljoin(cover.start, path) for path in (f"{_folder(cover)}llms.txt", "/llms.txt")):
        answer = ask(url, llms.MAX_BYTES) if allows(url) else None
        if answer is None or answer.status != 200 or not answer.body:
            continue
        links = tuple(urljoin(url, link) for link in llms.links(answer.body.decode("utf-8", "replace")))
        if links:
            full = next((link for link in links if link.endswith("/llms-full.txt")), urljoin(url, "llms-full.txt"))
            return Llms(url, tuple(link for link in links if link != full), full)
    return None


def read_sitemaps(
    cover: Cover, named: Iterable[str], *, ask: Ask, allows: Callable[[str], bool], most: int, files: int
) -> Listed:
    """`named`: in robots.txt; without any, where they usually are. Read until `most` pages are known."""
    guesses = [urljoin(cover.start, path) for path in ("/sitemap.xml", f"{_folder(cover)}sitemap.xml")]
    waiting = deque(dict.fromkeys([url for url in named if canonical(url)] or guesses))
    asked: set[str] = set()
    found = Listed()
    entries = 0
    while waiting:
        url = waiting.popleft()
        if url in asked or not allows(url):
            continue
        if len(asked) >= files or len(found.pages) >= most or entries >= MOST_ENTRIES:
            found.complete = False
            break
        asked.add(url)
        answer = ask(url, sitemaps.MAX_BYTES)
        read = sitemaps.read(answer.body) if answer.status == 200 else sitemaps.Sitemap()
        entries += len(read.entries)
        for entry in read.entries:
            address = cover.canonical(entry.url)
            if address and may_be_page(address) and cover.covers(address):
                found.pages.setdefault(address, entry.modified)
                if len(found.pages) >= most:
                    found.complete = False
                    break
        found.complete = found.complete and len(read.sitemaps) <= MOST_FILES_NAMED
        more = [each for each in read.sitemaps[:MOST_FILES_NAMED] if canonical(each)]
        # Of many files those of this folder first: they are the likelier ones to name its pages.
        waiting.extend(sorted(more, key=lambda each: not cover.covers(cover.canonical(each))))
    return found


def _folder(cover: Cover) -> str:
    return cover.prefix if cover.prefix.endswith("/") else f"{cover.prefix}/"
