"""Which addresses a crawl asks for: covered, no trap, no twin of what is asked for anyway, and no more than its cap."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from indexing.crawling import llms
from indexing.crawling.frontier import Frontier
from indexing.crawling.model import Limits, Via
from indexing.crawling.traps import Traps
from indexing.crawling.urls import Cover, is_index, may_be_page

MOST_LINKS = 10_000
"""Of one page."""
MOST_JUDGED = 100_000
"""Links that are remembered as they stood in pages: the same ones stand on every page of a site."""
MOST_SEEN = 20
"""Times the cap: addresses that are remembered as wanted. Beyond them nobody counts how many more there are."""


class Links:
    """Between what pages and lists name and the frontier. Of one crawl, and of one thread."""

    def __init__(self, cover: Cover, *, limits: Limits, frontier: Frontier) -> None:
        self.cover = cover
        self.traps = Traps()
        self.indexes: set[str] = set()
        """Folders that were named with an index.html: it may be there by that name alone."""
        self._limits = limits
        self._frontier = frontier
        self._wasted = 0
        self._judged: set[int] = set()
        self._seen: set[str] = set()
        self._listed: dict[str, tuple[Via, str]] = {}
        self._markdown: set[str] = set()
        self._left_out: dict[str, str] = {}
        self._beyond: deque[tuple[str, int]] = deque()
        self.dropped = 0
        """Addresses beyond the cap that are too many to be remembered."""

    # -- in ------------------------------------------------------------------------------------------------------------

    def begin(self, url: str) -> None:
        """The start's address, which is visited without being taken."""
        self._seen.add(url)
        self._frontier.add([url], 0)

    def add(self, links: Iterable[str], *, depth: int) -> None:
        """Those of a page, absolute. TooLarge of forges where the cover's patterns take far too long."""
        if self._limits.depth is not None and depth > self._limits.depth:
            return
        if len(self._judged) > MOST_JUDGED:
            self._judged.clear()
        fresh = []
        for link in islice(links, MOST_LINKS):
            known_by = hash(link)  # a thousand pages may have ten thousand long ones each
            if known_by in self._judged:
                continue
            self._judged.add(known_by)
            url = self._wanted(link)
            if url:
                fresh.append(url)
                if is_index(link):
                    self.indexes.add(url)
        self._put(fresh, depth)

    def add_listed(self, entries: Mapping[str, str], *, via: Via) -> None:
        """Canonical and covered addresses of a list, with what it says of their last change."""
        fresh = [url for url in entries if self._wanted(url)]
        self._listed.update((url, (via, entries[url])) for url in fresh)
        self._put(fresh, 1)

    def take_markdown(self, urls: Iterable[str], *, start: str) -> None:
        """Of an llms.txt: pages that are asked for, and whose HTML is not, since it says the same."""
        known_as = set(llms.twins(start))
        addresses = {self.cover.canonical(url): "" for url in urls}
        wanted = {url: "" for url in addresses if self.cover.covers(url) and url not in known_as}
        self._markdown.update(filter(llms.is_twin, wanted))
        self.add_listed(wanted, via="llms")

    def wasted(self, url: str) -> None:
        """It turned out to be no page: another one may come in its place, its HTML for one."""
        self._wasted += 1
        self._markdown.discard(url)
        if html := self._left_out.pop(url, ""):
            self._put([html], 1)

    def refill(self) -> bool:
        """Bring in what was beyond the cap, as far as there is room now; whether anything came."""
        room, came = self._room(), 0
        while self._beyond and came < room:
            url, depth = self._beyond.popleft()
            came += self._frontier.add([url], depth)
        return came > 0

    # -- out -----------------------------------------------------------------------------------------------------------

    @property
    def capped(self) -> bool:
        return bool(self.dropped or self._beyond)

    @property
    def beyond(self) -> tuple[tuple[str, int], ...]:
        """Addresses that there was no room for, with their depths."""
        return tuple(self._beyond)

    @property
    def twins(self) -> dict[str, str]:
        """Markdown that was asked for -> the address of its page, which was not."""
        return dict(self._left_out)

    def came_by(self, url: str) -> tuple[Via, str]:
        """How an address was found, and what was said there of its last change."""
        return self._listed.get(url, ("link", ""))

    # -- judging -------------------------------------------------------------------------------------------------------

    def _wanted(self, link: str) -> str:
        """Its canonical address if it is to be asked for, and was not wanted before."""
        if len(self._seen) > MOST_SEEN * self._limits.pages + MOST_LINKS:
            return ""
        url = self.cover.canonical(link)
        if not url or url in self._seen or not may_be_page(url) or not self.cover.covers(url):
            return ""
        if self._has_twin(url) or self.traps.catches(url):
            return ""
        self._seen.add(url)
        return url

    def _has_twin(self, url: str) -> bool:
        if not self._markdown:
            return False
        twin = next((twin for twin in llms.twins(url) if twin in self._markdown), "")
        if twin:
            self._left_out.setdefault(twin, url)
        return bool(twin)

    def _room(self) -> int:
        return self._limits.pages + min(self._wasted, self._limits.pages) - self._frontier.reached

    def _put(self, urls: Sequence[str], depth: int) -> None:
        while urls and (room := self._room()) > 0:
            self._frontier.add(urls[:room], depth)
            urls = urls[room:]
        kept = urls[: max(0, self._limits.pages - len(self._beyond))]
        self._beyond.extend((url, depth) for url in kept)
        self.dropped += len(urls) - len(kept)
