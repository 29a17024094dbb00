"""What becomes of a page, of a crawl and of what it did not reach. Pure: tables of cases.

Nothing that is in the index goes on doubt. It goes when the site says so (404, 410, noindex), when another page has
the same text, or when two complete crawls in a row came away without it. A failure changes nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from indexing.reasons import Reason, SkipReason

ASKED_BEFORE_JUDGING = 10
"""Pages asked for before a share of failures means anything."""
FAILURES = 3
"""More than one in so many that fail end a crawl."""
CRAWLS_WITHOUT = 2
"""Complete crawls in a row that came away without a page before it goes."""


class Fate(enum.Enum):
    """What becomes of what the index has of a page."""

    TAKE = "take"
    """Its text goes in: for the first time, in place of another, or it is the same."""
    STAY = "stay"
    """The site says that nothing has changed."""
    FAIL = "fail"
    """It could not be had this time: what is there stays, however often."""
    DOUBT = "doubt"
    """It was answered without a text: what is there stays until that happens in two complete crawls in a row."""
    GO = "go"
    """The site says that it is gone, or not for an index: at once."""


FAILED = frozenset({SkipReason.SERVER_ERROR, SkipReason.NETWORK})
_GO = frozenset({SkipReason.NOT_FOUND, SkipReason.NOINDEX})
PASSING = FAILED | {SkipReason.ROBOTS, SkipReason.BLOCKED_ADDRESS, SkipReason.AUTH_REQUIRED}
"""Reasons that an answer of 304 ends: they were about the asking, not about what the page says."""


def fate_of(*, not_modified: bool, skip: SkipReason | None) -> Fate:
    """`skip` is the crawler's reason, or else what reading the page came to."""
    if skip in FAILED:
        return Fate.FAIL
    if skip in _GO:
        return Fate.GO
    if skip is not None:
        return Fate.DOUBT
    return Fate.STAY if not_modified else Fate.TAKE


@dataclass(slots=True)
class Tally:
    """What a crawl did so far. `asked` and `failed` are pages, each counted once."""

    asked: int = 0
    failed: int = 0

    def add(self, fate: Fate) -> None:
        self.asked += 1
        self.failed += fate is Fate.FAIL

    @property
    def too_many_failures(self) -> bool:
        return self.asked > ASKED_BEFORE_JUDGING and self.failed * FAILURES > self.asked


@dataclass(frozen=True, slots=True)
class Crawled:
    """How a crawl came to its end."""

    left: int = 0
    """Pages that are known and were not asked for, because time or bytes were used up."""
    capped: bool = False
    """There are more pages than may be asked for."""
    blind: int = 0
    """Pages that could not be had, and whose links nobody remembers: they may lead anywhere."""
    lists_failed: bool = False
    """A sitemap could not be had: pages that only it names are not reached by anything."""

    @property
    def complete(self) -> bool:
        """Whether a page that was not reached is one that nothing leads to any more."""
        return not (self.left or self.capped or self.blind or self.lists_failed)


def goes(*, missed: int) -> bool:
    """Whether a page goes that so many complete crawls in a row, this one included, came away without."""
    return missed >= CRAWLS_WITHOUT


def beyond_cap(*, indexed: int, cap: int) -> int:
    """How many pages that a capped crawl did not reach go, so that the index does not outgrow the cap.

    It is no doubt that takes them: somebody chose how many there may be.
    """
    return max(0, indexed - cap)


def believes(canonical: str, *, url: str, start: str, covered: bool) -> bool:
    """Whether a page that names another address as its own means it.

    What lies outside of the source cannot be indexed in its place. And that all pages name the first one is a common
    mistake of templates: believing it would leave a single page of a site.
    """
    if not canonical or canonical == url or not covered:
        return False
    return canonical != start or url.partition("?")[0] == canonical


START: dict[SkipReason, Reason] = {
    SkipReason.AUTH_REQUIRED: Reason.AUTH_REQUIRED,
    SkipReason.NOT_FOUND: Reason.NOT_FOUND,
    SkipReason.ROBOTS: Reason.ROBOTS_REFUSED,
    SkipReason.BLOCKED_ADDRESS: Reason.BLOCKED_ADDRESS,
    SkipReason.NETWORK: Reason.NETWORK,
    SkipReason.SERVER_ERROR: Reason.NETWORK,
    SkipReason.REDIRECTED_AWAY: Reason.NOT_FOUND,
}
"""What keeps the first page from being had, and with it the whole site: nothing that is indexed changes."""


_WHOLE_SITE = {SkipReason.NEEDS_JAVASCRIPT: Reason.NEEDS_JAVASCRIPT, SkipReason.TOO_LARGE: Reason.TOO_LARGE}


def nothing_found(reasons: Iterable[tuple[str, int]]) -> Reason:
    """Why a site has no page in the index: `reasons` are those of its pages, and how many have each."""
    most = max(reasons, key=lambda each: each[1], default=("", 0))[0]
    return next((reason for skip, reason in _WHOLE_SITE.items() if skip == most), Reason.EMPTY)
