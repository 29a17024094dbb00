"""What goes wrong at a forge, as sentences for a person. Whether trying again helps is a property of the error.

The tree of errors::

    ForgeError
    ├── AuthFailed      401: the credential is wrong, expired or revoked      a person must act
    ├── Forbidden       403 without rate-limit headers: a scope is missing    a person must act
    │   └── Protected       a rule of the branch takes no push from us        a person must act
    ├── NotFound        404, or hidden from this credential                   a person must act
    ├── RateLimited     403/429 with rate-limit headers; `reset_at`           again after the reset
    ├── Conflict        409/422: it exists already, or is empty               a person must act
    │   ├── EmptyRepository                                                   a person must act
    │   └── Moved       the commit asked for is gone: a force-push            again at once
    ├── TooLarge        a cap on bytes, entries or requests tripped           not without another setting
    │   └── TooLargeNow     the lower cap for what somebody waits for         a worker can
    ├── InvalidName     an address or branch that is not usable as it stands  a person must act
    ├── Misconfigured   the operator's OAuth or GitHub App settings are wrong  an operator must act
    └── Unavailable     5xx, timeouts, cut connections                        again later
        ├── AddressRefused  the egress guard said no                          an operator must act
        └── OutOfTime       the time of the whole client is used up           a worker can
            └── Busy        too many people ask forges at this moment         again at once, or a worker can
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar


class ForgeError(Exception):
    """A forge did not do what was asked.

    `str(error)` is a sentence for a person; it never holds a remote body, a token, or an address with one.
    """

    code: ClassVar[str] = "forge_error"
    retryable: ClassVar[bool] = False
    """Whether asking again, with nothing changed by a person, can help."""
    workers_can: ClassVar[bool] = False
    """Whether it is only too much while somebody waits, so that a worker can do it with nothing changed."""
    advice: str = ""
    """What the person should do next: of its kind, or of this one error where that is known better."""

    def __init__(self, message: str = "", *, advice: str = "") -> None:
        super().__init__(message)
        if advice:
            self.advice = advice


class AuthFailed(ForgeError):
    code = "auth_failed"
    advice = "Make a new access token at the forge and enter it with “Change credential”."


class Forbidden(ForgeError):
    code = "forbidden"
    advice = "Give the token read access to the repository's contents, then refresh again."


class Protected(Forbidden):
    code = "protected"
    advice = "Switch to pull requests, or let this account push to the branch at the forge."


class NotFound(ForgeError):
    code = "not_found"
    advice = (
        "Check the spelling. Forges answer “not found” for private repositories too: use a token that can see this one."
    )


class RateLimited(ForgeError):
    code = "rate_limited"
    retryable = True
    advice = "It goes on by itself when the forge's limit resets."

    def __init__(self, message: str, *, reset_at: datetime | None = None) -> None:
        super().__init__(message)
        self.reset_at = reset_at
        """When to ask again (aware, UTC); None where the forge did not say."""


class Conflict(ForgeError):
    code = "conflict"
    advice = "The repository changed or is empty. Look at it at the forge, then refresh again."


class EmptyRepository(Conflict):
    code = "empty_repository"
    advice = "The repository has no commit yet. Commit a file to it, then refresh again."


class Moved(Conflict):
    code = "moved"
    retryable = True
    advice = "The branch was rewritten while it was being read. Refresh again."


class TooLarge(ForgeError):
    code = "too_large"
    advice = "Narrow the path filter, or ask the operator to raise the limit."


class TooLargeNow(TooLarge):
    code = "too_large_now"
    workers_can = True
    advice = "An import in the background takes more than this."


class InvalidName(ForgeError):
    code = "invalid_name"
    advice = "Correct it and try again."


class Misconfigured(ForgeError):
    """The forge does not know our application, or its secret: no person's credential is to blame."""

    code = "misconfigured"
    advice = "Ask the operator to check the settings of this forge's application."


class Unavailable(ForgeError):
    code = "unavailable"
    retryable = True
    advice = "Try again later."


class AddressRefused(Unavailable):
    code = "address_refused"
    retryable = False
    advice = "Ask the operator, or use another address."  # lib.egress says what the operator can do


class OutOfTime(Unavailable):
    code = "out_of_time"
    workers_can = True


class Busy(OutOfTime):
    code = "forges_busy"
    advice = "Try again in a few seconds."
