"""How pages speak of sources: their kinds, how they stand, what to do next, why pages are left out."""

from __future__ import annotations

from dataclasses import dataclass

from forges.fields import PLAIN_GIT
from forges.reading import SKIP_WORDS as FILE_SKIPS
from indexing.models import Source
from indexing.reasons import WHAT_TO_DO, Reason, SkipReason

SKIP_WORDS: dict[str, str] = {
    **FILE_SKIPS,
    SkipReason.ROBOTS: "robots.txt",
    SkipReason.NOINDEX: "Not to be indexed",
    SkipReason.DUPLICATE: "Duplicate",
    SkipReason.NOT_TEXT: "Not a text",
    SkipReason.TOO_LARGE: "Too large",
    SkipReason.NEEDS_JAVASCRIPT: "Needs JavaScript",
    SkipReason.EMPTY: "Empty",
    SkipReason.TRAP: "Endless",
    SkipReason.REDIRECTED_AWAY: "Leads elsewhere",
    SkipReason.BLOCKED_ADDRESS: "Blocked address",
    SkipReason.NOT_FOUND: "Not found",
    SkipReason.AUTH_REQUIRED: "Needs sign-in",
    SkipReason.SERVER_ERROR: "Server error",
    SkipReason.NETWORK: "Network",
    SkipReason.UNREADABLE: "Could not be read",
    SkipReason.BEYOND_LIMIT: "Beyond the limit",
}
"""What people read for each reason that a page or a file is left out."""

KIND_WORDS = {
    Source.Kind.CONTENT: ("This server’s content", "file"),
    Source.Kind.SITE: ("Web site", "globe"),
    Source.Kind.REPOSITORY: ("Repository", "branch"),
    Source.Kind.MCP: ("MCP server", "server"),
}
"""The name of each kind, and its icon."""

HAPPENED: dict[Reason, str] = {
    Reason.AUTH_REQUIRED: "It cannot be read without an account, or the one it has was refused.",
    Reason.NOT_FOUND: "It was not found.",
    Reason.RATE_LIMITED: "It allows no more requests for now.",
    Reason.NETWORK: "It could not be reached.",
    Reason.ROBOTS_REFUSED: "Its robots.txt refuses.",
    Reason.BLOCKED_ADDRESS: "Its address is not a public one.",
    Reason.EMPTY: "Nothing was found in it.",
    Reason.TOO_LARGE: "It is too large.",
    Reason.TOO_MANY_FAILURES: "Too many of its pages failed.",
    Reason.NEEDS_JAVASCRIPT: "Its pages are made by a script.",
    Reason.UNKNOWN: "Something went wrong.",
}
"""Where nothing more is known than the reason."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a source is in error: what happened, what to do, and by which support finds it."""

    happened: str
    to_do: str
    reference: str = ""


def trouble(source: Source) -> Trouble | None:
    if not source.error_code:
        return None
    try:
        reason = Reason(source.error_code)
    except ValueError:
        reason = Reason.UNKNOWN
    happened = source.error_text or HAPPENED[reason]
    to_do = what_to_do(reason, source.kind, forge=source.forge)
    # Some sentences end with what to do.
    return Trouble(happened, "" if to_do in happened else to_do, source.error_reference)


def what_to_do(reason: Reason, kind: str, *, forge: str = "") -> str:
    """About a source of some kind, or an address that would become one."""
    if reason == Reason.AUTH_REQUIRED and kind == Source.Kind.MCP:
        return "Enter a token that it accepts."
    if reason == Reason.AUTH_REQUIRED and forge == PLAIN_GIT:
        return "Enter a token that may read it, with the user name that goes with it."
    if reason == Reason.AUTH_REQUIRED and kind == Source.Kind.SITE:
        return "Only pages that anyone can read are indexed. Add the site's repository."
    return WHAT_TO_DO[reason]


def address(source: Source) -> str:
    """As a row shows it: without what goes without saying."""
    if source.kind == Source.Kind.REPOSITORY and source.repository:
        return f"{source.repository} @ {source.branch}" if source.branch else source.repository
    return source.url.removeprefix("https://").removesuffix("/")


def web_url(url: str) -> str:
    """Where people see something, if that is a web address."""
    return url if url.startswith(("https://", "http://")) else ""
