"""The frontier of a crawl, kept in the database: what was reached in it and not asked for yet is still to do.

The rows of `Page` remember it for whoever goes on after a crash; in memory are the addresses of one crawl, which are
as many as its cap allows.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.db import transaction

from catalog.bulk import insert_rows
from indexing.crawling.llms import twins
from indexing.crawling.model import Known
from indexing.models import Page, PageLinks, Source
from indexing.reasons import SkipReason

LOOKUP = 500
"""Values in one IN (…): some builds of SQLite allow 999 parameters."""
_LONGEST_PATH = 1024
_AHEAD = 100
"""Pages whose headers are looked up in one query."""
_MOST_SPELLINGS = 50_000
"""Links whose canonical address is remembered: the same ones stand on every page of a site."""
_Item = TypeVar("_Item")


def key_of(url: str) -> str:
    """What a page's address is found by: addresses themselves are longer than PostgreSQL's indexes take."""
    return hashlib.sha256(url.encode()).hexdigest()


def path_of(url: str) -> str:
    return urlsplit(url).path[:_LONGEST_PATH]


def asked_at(page: Page) -> str:
    """The address that is asked for the page: that of its Markdown, where people see it at another one."""
    asked: str = page.meta.get("asked") or page.url
    return asked


class PageFrontier:
    """`indexing.crawling.frontier.Frontier` of crawl `number` of a source. One object for each attempt at it.

    `claim` is called first in each transaction that writes. Pages that the last crawl found beyond its `cap` come when
    all others were asked for, if there is room.
    """

    def __init__(self, source: Source, number: int, *, cap: int, claim: Callable[[], object]) -> None:
        self._source, self._number, self._cap, self._claim = source, number, cap, claim
        self._ids: dict[str, int] = {}
        self._pks: set[int] = set()
        self._waiting: deque[tuple[str, int]] = deque()
        self._under_way: set[str] = set()
        self._visited: set[str] = set()
        self._wasted = 0
        self._known: dict[str, Known | None] = {}
        self._led: dict[str, list[int] | None] = {}
        self._spellings: dict[str, str] = {}
        self.asked_before = 0
        """Pages that an earlier attempt at this crawl has asked for."""
        reached = Page.objects.filter(source=source, reached=number).order_by("depth", "pk")
        for pk, url, asked, depth, fetched in _rows(reached, "depth", "fetched"):
            self._note(asked or url, pk)
            if fetched == number:
                self.asked_before += 1
            else:
                self._waiting.append((asked or url, depth))
        beyond = Page.objects.filter(source=source, skip_reason=SkipReason.BEYOND_LIMIT).exclude(reached=number)
        markdown = Page.objects.filter(source=source, meta__has_key="asked")
        self._pages_of_markdown = dict(markdown.values_list("pk", "url"))
        self._beyond = deque(
            (asked or url, depth) for _, url, asked, depth in _rows(beyond.order_by("depth", "pk"), "depth")
        )

    def _note(self, url: str, pk: int) -> None:
        self._ids[url] = pk
        self._pks.add(pk)

    # -- as the crawler sees it ----------------------------------------------------------------------------------------

    def add(self, urls: Sequence[str], depth: int) -> int:
        fresh = [url for url in dict.fromkeys(urls) if url not in self._ids]
        for batch in batches(fresh):
            with transaction.atomic():
                self._claim()
                found = self._written(batch, depth)
            for url in batch:
                self._note(url, found[key_of(url)])
        self._waiting.extend((url, depth) for url in fresh)
        return len(fresh)

    def _written(self, urls: Sequence[str], depth: int) -> dict[str, int]:
        """Rows for these, by their keys."""
        keys = {key_of(url): url for url in urls}
        rows = Page.objects.filter(source=self._source, key__in=keys)
        found = dict(rows.values_list("key", "pk"))
        rows.update(reached=self._number, depth=depth)
        new = {key: url for key, url in keys.items() if key not in found}
        if new:
            same = {"source": self._source.pk, "reached": self._number, "depth": depth}
            insert_rows(Page, ("key", "url", "path"), ((key, url, path_of(url)) for key, url in new.items()), same=same)
            found.update(rows.filter(key__in=new).values_list("key", "pk"))
        return found

    def take(self) -> tuple[str, int] | None:
        if not self._waiting:
            self._let_in()
        while self._waiting:
            url, depth = self._waiting.popleft()
            if url not in self._visited:
                self._under_way.add(url)
                return url, depth
        return None

    def _let_in(self) -> None:
        """Only once all that is reached by links was visited: it comes before what was beyond the cap."""
        room = self._cap + min(self._wasted, self._cap)
        while self._beyond and not self._waiting and not self._under_way and len(self._ids) < room:
            url, depth = self._beyond.popleft()
            self.add([url], depth)

    def known(self, url: str) -> Known | None:
        if url not in self._known:
            self._known = dict.fromkeys([url, *(each for each, _ in islice(self._waiting, _AHEAD))])
            keys = {key_of(each): each for each in self._known}
            rows = Page.objects.filter(source=self._source, key__in=keys).values_list("key", "etag", "last_modified")
            self._known.update((keys[key], Known(*told)) for key, *told in rows if any(told))
        return self._known.pop(url)

    @property
    def reached(self) -> int:
        return len(self._ids)

    # -- as the indexing sees it ---------------------------------------------------------------------------------------

    def visited(self, url: str, depth: int, *, is_page: bool = True) -> None:
        """It was asked for; what it leads to has been added. What is no page makes room for one that is."""
        self._wasted += not is_page
        self._under_way.discard(url)
        self._visited.add(url)
        if url not in self._ids:  # the start may lead to an address that nobody has linked
            self.add([url], depth)

    def starts(self) -> list[str]:
        """Addresses of the start that are not visited: those from which it has redirected."""
        return [url for url, depth in self._waiting if depth == 0 and url not in self._visited]

    def pages_at(self, links: Iterable[str], canonical: Callable[[str], str]) -> list[int]:
        """The pages of this crawl that links, as they stand in a page, lead to."""
        found: set[int] = set()
        for link in links:
            url = self._spellings.get(link)
            if url is None:
                if len(self._spellings) >= _MOST_SPELLINGS:
                    self._spellings.clear()
                url = self._spellings[link] = canonical(link)
            if not url:
                continue
            # Where a page is read as Markdown, links lead to the page all the same.
            found.update(self._ids[each] for each in (url, *twins(url)) if each in self._ids)
        return sorted(found)

    def remembered(self, url: str) -> list[str] | None:
        """Where a page led when it was last read, without what this crawl has reached already; None: nobody knows.

        Of what is read as Markdown the page itself: should there be no Markdown any more, it is asked for.
        """
        if url not in self._led:
            asked = {url, *self._under_way}
            keys = {key_of(each): each for each in asked}
            links = PageLinks.objects.filter(page__source=self._source, page__key__in=keys)
            led = dict(links.values_list("page__key", "targets"))
            self._led = {each: led.get(key) for key, each in keys.items()}
        targets = self._led.pop(url)
        if targets is None:
            return None
        found = [self._pages_of_markdown[pk] for pk in targets if pk in self._pks and pk in self._pages_of_markdown]
        for batch in batches([pk for pk in targets if pk not in self._pks]):
            pages = Page.objects.filter(source=self._source, pk__in=batch).order_by("depth", "pk")
            found += [asked or url for _, url, asked in _rows(pages)]
        return found


def _rows(pages: Any, *names: str) -> Iterator[tuple[Any, ...]]:
    """(primary key, address for people, address that is asked if that is another, …)."""
    rows: Iterator[tuple[Any, ...]] = pages.values_list("pk", "url", "meta__asked", *names).iterator()
    return rows


def batches(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(items), LOOKUP):
        yield items[start : start + LOOKUP]
