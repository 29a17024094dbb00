"""What every forge client offers, in forge-neutral terms.

The interface is as small as reading and proving a repository needs: who am I, which repositories, which branches,
where is the head, what is in the tree, and the bytes of its blobs (one by one or as one archive). Clients import no
Django: everything they need is handed in, what they return is frozen.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import ClassVar, Protocol, Self, runtime_checkable


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
    id: str = ""
    """The forge's permanent id of the account; "" where it does not tell."""


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
    """The git blob id, 40 hex digits (the commit's id for a submodule).

    "" where the forge tells none and the file is not to be had: Bitbucket's submodules, files that are too large, and
    those that it does not hand out.
    """
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
    """Requests that a subtree-by-subtree walk may spend after a truncated tree, or a whole walk with no tree at all."""
    listing_seconds: float = 300.0
    """Seconds that listing a tree may take where it takes many requests; what is not listed by then is missing."""
    max_entries: int = 500_000
    max_archive_bytes: int = 1 << 30
    """Of an archive, as it comes and unpacked alike."""
    max_blob_bytes: int = 10 << 20


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret to speak to a forge with. Never logged: its repr hides the token."""

    token: str = field(default="", repr=False)
    username: str = ""
    """For plain git over https, and the account's e-mail address for Bitbucket's API tokens; others ignore it."""
    oauth: bool = False
    """Whether it came from an OAuth flow: GitLab and Bitbucket want to be told otherwise than with a person's token."""

    def __bool__(self) -> bool:
        return bool(self.token)

    def current(self) -> Credential:
        return self

    def renewed(self, refused: Credential) -> Credential | None:  # noqa: ARG002  there is no other
        return None


class CredentialSource(Protocol):
    """What a client asks before every request: a `Credential` is one that never changes, a connection's can.

    False (`bool`) where there is no credential at all. Both methods may raise a `ForgeError`.
    """

    def __bool__(self) -> bool: ...

    def current(self) -> Credential:
        """The credential to send now; one that was about to expire has been refreshed."""
        ...

    def renewed(self, refused: Credential) -> Credential | None:
        """Another one in place of one that the forge has just refused with 401; None where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class RemoteHook:
    """A webhook as the forge has it. Its secret is never told."""

    id: str
    url: str
    active: bool
    complete: bool
    """Whether it has all the events that `Client.create_hook` asks for, and checks TLS."""


@dataclass(frozen=True, slots=True)
class Author:
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull or merge request that is open."""

    number: str
    url: str


@runtime_checkable
class Client(Protocol):
    """A context manager that speaks for one credential with one forge.

    Every method may raise any `ForgeError`. A repository is named by its `full_name` (plain git: its URL).
    """

    forge: ClassVar[str]
    lists_repositories: ClassVar[bool]
    """Whether `repositories` can be asked (plain git cannot)."""
    has_hooks: ClassVar[bool]
    """Whether the forge has webhooks that can be made: `hooks`, `create_hook`, `update_hook`, `delete_hook`."""
    commits: ClassVar[bool]
    """Whether `commit` can be asked."""
    opens_pull_requests: ClassVar[bool]
    """Whether `pull_request` and `find_pull_request` can be asked (plain git knows none)."""
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

    def find(self, repository_id: str) -> Repository:
        """The repository with the forge's permanent id, whatever it is called now. Plain git: by its URL."""
        ...

    def branches(self, name: str) -> tuple[Branch, ...]: ...

    def head(self, name: str, branch: str, *, repository_id: str = "") -> str:
        """The commit id at the tip of `branch`, with one request. EmptyRepository if it has no commit.

        `repository_id` asks by the forge's permanent id: a name that its owner gave up can be anybody's by now.
        """
        ...

    def tree(self, name: str, commit: str, *, sizes: bool = True) -> Listing:
        """Everything but the directories in a commit's tree. Moved if the repository is there and the commit is not.

        Who needs no `sizes` may save plain git from fetching the files.
        """
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

    # -- webhooks: NotImplementedError without `has_hooks` ------------------------------------------------------------

    def hooks(self, name: str) -> tuple[RemoteHook, ...]:
        """The repository's webhooks; Forbidden or NotFound where the credential may not see them."""
        ...

    def create_hook(self, name: str, *, url: str, secret: str) -> RemoteHook:
        """A webhook for pushes and for what changes access (renamed, transferred, deleted), signed with `secret`."""
        ...

    def update_hook(self, name: str, hook_id: str, *, url: str, secret: str) -> RemoteHook:
        """Make an existing one as `create_hook` would, switched on again if the forge had switched it off."""
        ...

    def delete_hook(self, name: str, hook_id: str) -> None:
        """NotFound is no error: it is gone."""
        ...

    # -- writing: NotImplementedError without `commits`, and without `opens_pull_requests` -----------------------------

    def commit(
        self,
        name: str,
        *,
        branch: str,
        parent: str,
        changes: Mapping[str, bytes | None],
        message: str,
        author: Author,
        committer: Author | None = None,
        there: Mapping[str, str] | None = None,
    ) -> str:
        """One commit of all `changes` (path -> bytes, None to delete) on top of `parent`; returns its id.

        `branch` is made at `parent` if it does not exist. Moved if its head is (or became) another than `parent`, with
        nothing written; Protected if the forge takes no push to it. `parent` is "" for a repository without a commit.
        `committer` is for forges that take one; at others it is whom the credential speaks for. `there` is what the
        caller knows of the parent's tree: the blob id of each path of `changes` that is in it, so that nobody has to
        ask again.
        """
        ...

    def check_push(self, name: str, branch: str = "") -> None:
        """Return if the credential may push. Forbidden if not, Protected if the forge says so of `branch`.

        Nothing is written, and nobody is told: git asks the same before each push. What a forge does not tell (a
        branch's restrictions, at GitHub and Bitbucket) the first push finds out.
        """
        ...

    def find_pull_request(self, name: str, *, source: str, target: str) -> PullRequest | None:
        """The open pull request of branch `source` of this repository, no fork's, into `target`."""
        ...

    def pull_request(self, name: str, *, source: str, target: str, title: str, body: str) -> PullRequest:
        """Open a pull request of branch `source` into `target`, or update the one that is open already."""
        ...
