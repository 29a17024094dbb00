"""What every forge client offers, in forge-neutral terms.

The interface is as small as reading and proving a repository needs: who am I, which repositories, which branches,
where is the head, what is in the tree, and the bytes of its blobs (one by one or as one archive). Clients import no
Django: everything they need is handed in, what they return is frozen.

The tree of errors::

    ForgeError
    ├── AuthFailed      401: the credential is wrong, expired or revoked      a person must act
    ├── Forbidden       403 without rate-limit headers: a scope is missing    a person must act
    ├── NotFound        404, or hidden from this credential                   a person must act
    ├── RateLimited     403/429 with rate-limit headers; `reset_at`           again after the reset
    ├── Conflict        409/422: it exists already, or is empty               a person must act
    │   ├── EmptyRepository                                                   a person must act
    │   └── Moved       the commit asked for is gone: a force-push            again at once
    ├── TooLarge        a cap on bytes, entries or requests tripped           not without another setting
    │   └── TooLargeNow     the lower cap for what somebody waits for         a worker can
    ├── InvalidName     an address or branch that is not usable as it stands  a person must act
    └── Unavailable     5xx, timeouts, cut connections                        again later
        ├── AddressRefused  the egress guard said no                          an operator must act
        └── OutOfTime       the time of the whole client is used up           a worker can
            └── Busy        too many people ask forges at this moment         again at once, or a worker can
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import ClassVar, Protocol, Self, runtime_checkable


class ForgeError(Exception):
    """A forge did not do what was asked.

    `str(error)` is a sentence for a person; it never holds a remote body, a token, or an address with one.
    """

    code: ClassVar[str] = "forge_error"
    retryable: ClassVar[bool] = False
    """Whether asking again, with nothing changed by a person, can help."""
    workers_can: ClassVar[bool] = False
    """Whether it is only too much while somebody waits, so that a worker can do it with nothing changed."""
    advice: ClassVar[str] = ""
    """What the person should do next."""


class AuthFailed(ForgeError):
    code = "auth_failed"
    advice = "Make a new access token at the forge and enter it under Edit."


class Forbidden(ForgeError):
    code = "forbidden"
    advice = "Give the token read access to the repository's contents, then refresh again."


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


class EntryKind(enum.StrEnum):
    """What a tree entry is, from its git mode (100644, 100755, 120000, 160000)."""

    FILE = "file"
    EXECUTABLE = "executable"
    SYMLINK = "symlink"
    SUBMODULE = "submodule"


@dataclass(frozen=True, slots=True)
class Account:
    """Who a credential speaks for. `login` is None for credentials that are no person's (or none at all)."""

    login: str | None
    scopes: frozenset[str] | None = None
    """Scopes the forge reported (GitHub's classic tokens); None where it does not tell."""
    expires_at: datetime | None = None
    avatar_url: str = ""


@dataclass(frozen=True, slots=True)
class Repository:
    id: str
    """The forge's own, permanent id; for plain git the normalised URL."""
    full_name: str
    """owner/name, or the URL for plain git."""
    default_branch: str
    private: bool
    web_url: str


@dataclass(frozen=True, slots=True)
class Branch:
    name: str
    commit: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One non-directory of a tree. `path` is repository-relative with `/`, as the forge sent it (not yet checked)."""

    path: str
    oid: str
    """The git blob id, 40 hex digits (the commit's id for a submodule)."""
    size: int | None
    """Bytes; None where the forge does not say."""
    kind: EntryKind = EntryKind.FILE


def blob_id(data: bytes) -> str:
    """git's name for a file's bytes: SHA-1 over `blob <length>\\0` and the bytes, 40 hex digits."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Listing:
    """The tree of a commit. Only `complete` listings may lead to a deletion."""

    commit: str
    entries: tuple[Entry, ...]
    complete: bool = True
    reason: str = ""
    """Why it is incomplete, for a person: truncated, a cap, a failed subtree."""


@dataclass(slots=True)
class Usage:
    """What a client has spent: counted by the client itself on every request, redirects included."""

    requests: int = 0
    rate_remaining: int | None = None
    rate_limit: int | None = None
    rate_reset_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps of one client, all of them settings of the operator."""

    timeout: float = 30.0
    """Seconds for one request to connect and answer."""
    total_timeout: float = 600.0
    """Seconds for one response body, start to end."""
    deadline: float | None = None
    """Seconds for everything that the client does from its `with` on, OutOfTime after them; None for no such end."""
    max_pages: int = 100
    max_tree_requests: int = 200
    """Requests that a subtree-by-subtree walk may spend after a truncated tree."""
    max_entries: int = 500_000
    max_archive_bytes: int = 1 << 30
    """Of an archive, as it comes and unpacked alike."""
    max_blob_bytes: int = 10 << 20


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret to speak to a forge with. Never logged: its repr hides the token."""

    token: str = field(default="", repr=False)
    username: str = ""
    """For plain git over https; the forges' own APIs ignore it."""

    def __bool__(self) -> bool:
        return bool(self.token)


@runtime_checkable
class Client(Protocol):
    """A context manager that speaks for one credential with one forge.

    Every method may raise any `ForgeError`. A repository is named by its `full_name` (plain git: its URL).
    """

    forge: ClassVar[str]
    lists_repositories: ClassVar[bool]
    """Whether `repositories` can be asked (plain git cannot)."""
    usage: Usage

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    def account(self) -> Account:
        """Who the credential speaks for; AuthFailed if it does not work at all."""
        ...

    def repositories(self, *, query: str = "", limit: int = 100) -> tuple[Repository, ...]:
        """Repositories that the credential can see whose full name contains `query`, recently pushed first."""
        ...

    def repository(self, name: str) -> Repository: ...

    def branches(self, name: str) -> tuple[Branch, ...]: ...

    def head(self, name: str, branch: str) -> str:
        """The commit id at the tip of `branch`, with one request. EmptyRepository if it has no commit."""
        ...

    def tree(self, name: str, commit: str) -> Listing:
        """Everything but the directories in a commit's tree. Moved if the repository is there and the commit is not."""
        ...

    def archive(self, name: str, commit: str) -> AbstractContextManager[Iterator[tuple[str, bytes]]]:
        """The files of a commit as (path, bytes), streamed: one file in memory at a time.

        Regular files alone, those over `Limits.max_blob_bytes` left out. What a forge leaves out or alters
        (export-ignore, export-subst) is the caller's to notice by blob id.
        """
        ...

    def blobs(self, name: str, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """(blob id, bytes) of each that the forge has, in any order, batched as the forge allows.

        Left out are those that it does not have, that exceed `Limits.max_blob_bytes`, or whose request each would cost
        more requests than an archive does: the caller asks for the archive then.
        """
        ...

    def file_url(self, name: str, commit: str, path: str) -> str:
        """Where a person sees that file at the forge; "" where there is no such page. No request."""
        ...

    def commit_url(self, name: str, commit: str) -> str: ...
