"""What goes into a crawl and what comes out of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from indexing.reasons import SkipReason

Via = Literal["start", "llms", "sitemap", "link"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is asked of a site, and how politely. Times in seconds, sizes in bytes after unpacking."""

    pages: int = 1000
    """Pages that are read. What turns out to be none (a redirect, a 404) does not count, up to as many again."""
    depth: int | None = None
    """Links from the start page. With it the site's own lists (sitemap, llms.txt) are not asked: they know no depth."""
    seconds: float = 1800.0
    """Of the whole crawl."""
    max_bytes: int = 1 << 30
    """Of all pages together."""
    page_seconds: float = 20.0
    """Of one answer, from connecting to its last byte."""
    page_bytes: int = 5 << 20
    concurrency: int = 4
    """Requests at the same moment."""
    delay: float = 0.0
    """Between the beginnings of two requests; what robots.txt asks for counts where it is more."""
    max_delay: float = 10.0
    """The most that robots.txt can ask for."""
    pause: float = 1.0
    """Before what failed is asked again, and where a site says "too many" without saying for how long. It doubles."""
    patience: float = 60.0
    """A site that wants to be left alone for longer makes the crawl end with `HeldUp`."""


@dataclass(frozen=True, slots=True)
class Known:
    """What an earlier crawl was told with a page, as it was sent; either may be empty."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One address, asked for once. Without `skip` and `not_modified` there is a body to be read."""

    url: str
    """Canonical; by it the page is known. Of the start: where it led to."""
    depth: int = 0
    via: Via = "link"
    final_url: str = ""
    """Where the body came from: what links in it are relative to."""
    status: int | None = None
    """None where nothing was answered, or nothing asked."""
    etag: str = ""
    last_modified: str = ""
    content_type: str = ""
    """As it was sent, with its parameters."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """`x-robots-tag` and `link`, where they were sent."""
    body: bytes = field(default=b"", repr=False)
    not_modified: bool = False
    """304: what was read the last time is still what is there."""
    modified: str = ""
    """What the sitemap says of its last change (ISO 8601)."""
    skip: SkipReason | None = None
    detail: str = ""
    """With `skip`: a sentence for a person."""
    leads_to: str = ""
    """Where it redirects to: canonical and in the frontier, or outside of what is covered."""

    @property
    def failed(self) -> bool:
        """Whether it says nothing about the page: what was there before stays."""
        return self.skip in (SkipReason.SERVER_ERROR, SkipReason.NETWORK)


class HeldUp(Exception):
    """The site wants to be left alone for longer than the crawl waits. What is left stays in the frontier."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The site asks to be left alone for {seconds:.0f} seconds.")
        self.seconds = seconds
        """From now."""
