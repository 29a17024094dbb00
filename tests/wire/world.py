"""What the forge holds: accounts, tokens, repositories, and what each token may see and spend."""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tests.wire.repos import GitRepo

HOUR = 3600


@dataclass(frozen=True, slots=True)
class Account:
    id: int
    login: str
    kind: str = "User"
    """User or Organization."""


@dataclass(frozen=True, slots=True)
class Token:
    """A personal access token: a classic one has scopes, a fine-grained one has permissions and chosen repositories."""

    value: str
    account: Account
    scopes: frozenset[str] | None = None
    permissions: frozenset[str] = frozenset()
    repositories: frozenset[int] | None = None
    """Ids a fine-grained token was given; None for all that its account can see."""
    expires_at: datetime | None = None

    @property
    def classic(self) -> bool:
        return self.scopes is not None


@dataclass(slots=True)
class HostedRepository:
    id: int
    owner: Account
    name: str
    git: GitRepo
    private: bool = False
    description: str | None = None
    archived: bool = False
    collaborators: set[str] = field(default_factory=set)
    """Logins beside the owner who see it although it is private."""
    protected_branches: set[str] = field(default_factory=set)
    pushed_at: int = 1_767_225_600
    """Seconds since 1970, UTC; repositories are listed by it."""

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    def seen_by(self, token: Token | None) -> bool:
        if not self.private:
            return True
        if token is None or token.account.login not in {self.owner.login, *self.collaborators}:
            return False
        if token.scopes is not None:
            return "repo" in token.scopes
        return token.repositories is None or self.id in token.repositories

    def readable_by(self, token: Token | None) -> bool:
        """Whether the token may read files of a repository that it sees."""
        return not self.private or token is None or token.classic or "contents" in token.permissions


@dataclass(slots=True)
class Budget:
    """Requests left until the reset, for one caller and one resource (core, graphql)."""

    limit: int
    reset_at: int
    """Seconds since 1970, UTC."""
    used: int = 0

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)


class World:
    """Accounts, tokens and repositories, by the names people use. Made by tests, read by the server's threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hourly_limit = 5000
        self.anonymous_limit = 60
        self.repositories: dict[str, HostedRepository] = {}
        """By lower-case full name: forges do not tell `Acme/Docs` from `acme/docs`."""
        self.moved: dict[str, int] = {}
        """Former lower-case full names -> repository id."""
        self._accounts: dict[str, Account] = {}
        self._tokens: dict[str, Token] = {}
        self._budgets: dict[tuple[str, str], Budget] = {}
        self._ids = itertools.count(1001)
        self._lock = threading.Lock()

    def account(self, login: str, kind: str = "User") -> Account:
        """The account of that name, made where there is none."""
        key = login.lower()
        if key not in self._accounts:
            self._accounts[key] = Account(next(self._ids), login, kind)
        return self._accounts[key]

    def token(
        self,
        login: str,
        *,
        scopes: Iterable[str] = ("repo",),
        fine_grained: bool = False,
        repositories: Iterable[str] | None = None,
        permissions: Iterable[str] = ("metadata", "contents"),
        expires_at: datetime | None = None,
    ) -> str:
        """Make a token for an account and return its value.

        Classic with `scopes`, or fine-grained with `permissions` on `repositories` (full names; None: all it sees).
        """
        value = f"github_pat_{secrets.token_hex(20)}" if fine_grained else f"ghp_{secrets.token_hex(18)}"
        self._tokens[value] = Token(
            value,
            self.account(login),
            scopes=None if fine_grained else frozenset(scopes),
            permissions=frozenset(permissions) if fine_grained else frozenset(),
            repositories=(
                None if repositories is None else frozenset(self.repositories[name.lower()].id for name in repositories)
            ),
            expires_at=expires_at,
        )
        return value

    def find_token(self, value: str) -> Token | None:
        token = self._tokens.get(value)
        if token and token.expires_at and token.expires_at.timestamp() <= time.time():
            return None
        return token

    def revoke(self, token: str) -> None:
        del self._tokens[token]

    def repository(
        self,
        full_name: str,
        *,
        git: GitRepo | None = None,
        private: bool = False,
        default_branch: str = "main",
        owner_kind: str = "User",
        collaborators: Iterable[str] = (),
        description: str | None = None,
    ) -> HostedRepository:
        """Host a new, empty repository (or one that is on disk already) as `owner/name`."""
        owner, name = full_name.split("/")
        number = next(self._ids)
        hosted = HostedRepository(
            id=number,
            owner=self.account(owner, owner_kind),
            name=name,
            git=git or GitRepo(self.folder / f"{number}.git", default_branch=default_branch),
            private=private,
            description=description,
            collaborators=set(collaborators),
            pushed_at=1_767_225_600 + number,
        )
        self.repositories[full_name.lower()] = hosted
        return hosted

    def rename(self, full_name: str, to: str) -> HostedRepository:
        """Give a repository another name or owner: its id stays, its former name answers with a redirect."""
        hosted = self.repositories.pop(full_name.lower())
        owner, hosted.name = to.split("/")
        hosted.owner = self.account(owner)
        self.repositories[to.lower()] = hosted
        self.moved[full_name.lower()] = hosted.id
        return hosted

    def delete(self, full_name: str) -> None:
        self.repositories.pop(full_name.lower()).git.close()

    def find(self, full_name: str) -> HostedRepository | None:
        return self.repositories.get(full_name.lower())

    def find_id(self, number: int) -> HostedRepository | None:
        return next((hosted for hosted in list(self.repositories.values()) if hosted.id == number), None)

    def visible(self, token: Token) -> list[HostedRepository]:
        """What `token`'s account owns or was let into, as far as the token shows it."""
        mine = (
            hosted
            for hosted in list(self.repositories.values())
            if token.account.login in {hosted.owner.login, *hosted.collaborators}
        )
        return [hosted for hosted in mine if hosted.seen_by(token)]

    def budget(self, token: Token | None, resource: str = "core") -> Budget:
        """What is left for a token (None: for all who have none), a new hour begun where the last is over."""
        key = (token.value if token else "", resource)
        with self._lock:
            budget = self._budgets.get(key)
            if budget is None or budget.reset_at <= time.time():
                limit = self.hourly_limit if token else self.anonymous_limit
                budget = self._budgets[key] = Budget(limit, int(time.time()) + HOUR)
            return budget

    def spend(self, budget: Budget) -> bool:
        """Take one request; False where none was left."""
        with self._lock:
            if budget.remaining == 0:
                return False
            budget.used += 1
            return True

    def leave(self, remaining: int, *, token: str | None = None, reset_in: int = HOUR, resource: str = "core") -> None:
        """Let a token (None: those without) have so many requests left until a reset in `reset_in` seconds."""
        budget = self.budget(self._tokens[token] if token else None, resource)
        with self._lock:
            budget.used = budget.limit - remaining
            budget.reset_at = int(time.time()) + reset_in

    def close(self) -> None:
        for hosted in self.repositories.values():
            hosted.git.close()
