"""What a fetched page is made into. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field


class Trouble(enum.StrEnum):
    """Why there is no text; the same values as `indexing.reasons.SkipReason`."""

    NOT_TEXT = "not_text"
    NEEDS_JAVASCRIPT = "needs_javascript"
    EMPTY = "empty"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    """Absolute, as it stands in the page (with <base> minded), without its fragment; not canonical yet."""
    nofollow: bool = False


@dataclass(frozen=True, slots=True)
class Extracted:
    """A page as Markdown with its metadata. Where `trouble` is set there is no text, but links and metadata may be."""

    markdown: str = ""
    """Ends with one line end; links and images absolute; code blocks exact, with their language."""
    format: str = "markdown"
    """`indexing.models.Format`: markdown for HTML and PDF, what the file says for .rst, .adoc and text."""
    title: str = ""
    description: str = ""
    breadcrumbs: tuple[str, ...] = ()
    modified: str = ""
    """ISO 8601, from the page's own metadata; "" when it does not say."""
    canonical: str = ""
    """Absolute address of rel=canonical; "" without one."""
    repositories: tuple[str, ...] = ()
    """Addresses of repositories that the page names as its own source (“Edit this page”, rel=edit, header links)."""
    noindex: bool = False
    nofollow: bool = False
    links: tuple[Link, ...] = field(default=(), repr=False)
    """In the order of the page, each address once."""
    trouble: Trouble | None = None
    detail: str = ""
    """A sentence for a person, with `trouble`."""
