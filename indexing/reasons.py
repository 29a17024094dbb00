"""Why a source is in error, and why a page is left out: codes for programs, sentences for people. Pure."""

from __future__ import annotations

import enum


class Reason(enum.StrEnum):
    """Why a source could not be indexed: `Source.error_code`, and the `code` of its Run's Failure."""

    AUTH_REQUIRED = "auth_required"
    """401, 403, or 404 without a credential; or the credential was refused. Forges hide private ones behind 404."""
    NOT_FOUND = "not_found"
    """The same with a credential that works, or an address that answers 404 or 410."""
    RATE_LIMITED = "rate_limited"
    """403 and 429 with rate-limit headers: it goes on by itself."""
    NETWORK = "network"
    ROBOTS_REFUSED = "robots_refused"
    BLOCKED_ADDRESS = "blocked_address"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TOO_MANY_FAILURES = "too_many_failures"
    """More than a third of the pages failed: the old index stays."""
    NEEDS_JAVASCRIPT = "needs_javascript"
    """Every page is made by a script in the browser."""
    UNKNOWN = "unknown"
    """With a reference that support can find in the log."""


WHAT_TO_DO: dict[Reason, str] = {
    Reason.AUTH_REQUIRED: "Link an account that may read it.",
    Reason.NOT_FOUND: "Check the address: it may have been renamed or deleted. If access was revoked, grant it again.",
    Reason.RATE_LIMITED: "It goes on by itself.",
    Reason.NETWORK: "Refresh again. If it stays, check that the site can be reached from this server.",
    Reason.ROBOTS_REFUSED: "The site's robots.txt does not allow it. Ask who runs the site, or add its repository.",
    Reason.BLOCKED_ADDRESS: "Enter a public address, or ask the operator to allow this one.",
    Reason.EMPTY: "Check the address and the patterns: nothing that could be indexed was found.",
    Reason.TOO_LARGE: "Narrow it down with a path or with patterns.",
    Reason.TOO_MANY_FAILURES: "What was indexed before stays. Refresh again later.",
    Reason.NEEDS_JAVASCRIPT: "Pages that a script makes in the browser cannot be read. Add the site's repository.",
    Reason.UNKNOWN: "Refresh again. If it stays, tell support the reference.",
}
"""Beside the sentence that says what happened."""


class SkipReason(enum.StrEnum):
    """Why a page of a source is not in its index: `Page.skip_reason`. Files have those of `forges.reading` too."""

    ROBOTS = "robots"
    NOINDEX = "noindex"
    DUPLICATE = "duplicate"
    """Its text is another page's, or it names another page as canonical."""
    NOT_TEXT = "not_text"
    TOO_LARGE = "too_large"
    NEEDS_JAVASCRIPT = "needs_javascript"
    EMPTY = "empty"
    TRAP = "trap"
    """One of endlessly many: a calendar, parameters that multiply."""
    REDIRECTED_AWAY = "redirected_away"
    """It leads out of what the source covers."""
    BLOCKED_ADDRESS = "blocked_address"
    NOT_FOUND = "not_found"
    AUTH_REQUIRED = "auth_required"
    SERVER_ERROR = "server_error"
    NETWORK = "network"
    UNREADABLE = "unreadable"
    """It could not be made into text: a broken PDF, an unknown encoding."""
    BEYOND_LIMIT = "beyond_limit"
    """Found once the page cap was reached."""
