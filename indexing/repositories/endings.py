"""How the indexing of a repository ends that its forge stopped: as a reason that programs and people understand."""

from __future__ import annotations

from datetime import timedelta

from forges.clients import FORGES
from forges.clients.errors import (
    AddressRefused,
    AuthFailed,
    Conflict,
    EmptyRepository,
    Forbidden,
    ForgeError,
    InvalidName,
    Misconfigured,
    NotFound,
    RateLimited,
    TooLarge,
    Unavailable,
)
from forges.patience import waits_for
from forges.turns import AUTOMATIC
from indexing.models import Source
from indexing.reasons import Reason
from jobs.context import RunContext
from jobs.outcomes import Ending, Failure

TRIES_FOR = timedelta(hours=1)
"""How long a Run that nobody clicked asks again by itself where the forge was not to be reached."""
_REASONS: tuple[tuple[type[ForgeError], Reason], ...] = (
    (AuthFailed, Reason.AUTH_REQUIRED),
    (Misconfigured, Reason.AUTH_REQUIRED),
    (RateLimited, Reason.RATE_LIMITED),
    (EmptyRepository, Reason.EMPTY),
    (TooLarge, Reason.TOO_LARGE),
    (AddressRefused, Reason.BLOCKED_ADDRESS),
    (Unavailable, Reason.NETWORK),
    (Conflict, Reason.NETWORK),
    (InvalidName, Reason.NOT_FOUND),
)


class BranchNotFound(NotFound):
    """The repository is there, and the branch is not."""


def reason_of(error: ForgeError, *, has_credential: bool) -> Reason:
    """A credential that is refused answers 401. Without one, forges hide what is private behind 401, 403 or 404; with
    one that works these mean that it is not there (any more), or not for this account."""
    if isinstance(error, BranchNotFound):
        return Reason.NOT_FOUND
    if isinstance(error, NotFound | Forbidden):
        return Reason.NOT_FOUND if has_credential else Reason.AUTH_REQUIRED
    return next((reason for kind, reason in _REASONS if isinstance(error, kind)), Reason.UNKNOWN)


def detail_of(error: ForgeError, *, forge: str, has_credential: bool) -> str:
    """What happened, in a sentence; what to do goes beside it by the reason."""
    if isinstance(error, NotFound | Forbidden) and not has_credential and not isinstance(error, BranchNotFound):
        return f"{FORGES[forge].label} shows no such repository to everybody: it is private, or it does not exist."
    return str(error)


def ending_of(context: RunContext, source: Source, error: ForgeError) -> Ending:
    """Waiting where it goes on by itself; else Failure with a Reason."""
    if (waiting := waits_for(context, error, tries_for=TRIES_FOR, triggers=AUTOMATIC)) is not None:
        return waiting
    has_credential = source.connection_id is not None or Source.token.is_set(source)
    reason = reason_of(error, has_credential=has_credential)
    return Failure(reason, detail_of(error, forge=source.forge, has_credential=has_credential))
