"""What the forge holds: accounts, tokens, repositories, and what each token may see and spend."""

from __future__ import annotations

import itertools
import secrets
import threading
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.wire.hooks import HookServer
from tests.wire.installations import Apps, HostedApp
from tests.wire.oauth import OAuthServer
from tests.wire.repos import GitRepo
from tests.wire.tokens import Account, Budget, Token

HOUR = 3600
__all__ = ["ROLES", "Account", "Budget", "HostedApp", "HostedRepository", "PullRequest", "Token", "World", "uuid_of"]

ROLES = ("read", "write", "admin")


def uuid_of(number: int) -> str:
    """The uuid that Bitbucket knows an account, a repository or a hook by, in braces and lower case."""
    return f"{{{uuid.uuid5(uuid.NAMESPACE_OID, str(number))}}}"


@dataclass(slots=True)
class PullRequest:
    """Asked for at one forge, seen at that forge alone."""

    number: int
    forge: str
    author: Account
    title: str
    head: str
    """Branch."""
    base: str
    body: str = ""
    state: str = "open"
    """open, closed or merged."""
    draft: bool = False


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
    roles: dict[str, str] = field(default_factory=dict)
    """Lower-case login -> read, write or admin, for this repository."""
    members: dict[str, str] = field(default_factory=dict)
    """The same for all repositories of its owner: `World.join`."""
    protected_branches: set[str] = field(default_factory=set)
    pulls: list[PullRequest] = field(default_factory=list)
    pushed_at: int = 1_767_225_600
    """Seconds since 1970, UTC; repositories are listed by it."""

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    def role(self, login: str) -> str | None:
        """What an account may do here: read, write or admin; None where it is not let in."""
        name = login.lower()
        if name == self.owner.login.lower():
            return "admin"
        given = [role for role in (self.roles.get(name), self.members.get(name)) if role]
        given += ["read"] if login in self.collaborators else []
        return max(given, key=ROLES.index, default=None)

    def seen_by(self, token: Token | None) -> bool:
        if not self.private:
            return True
        if token is None or self.role(token.account.login) is None:
            return False
        if not token.sees_private:
            return False
        return token.repositories is None or self.id in token.repositories

    def readable_by(self, token: Token | None) -> bool:
        """Whether the token may read files of a repository that it sees."""
        return not self.private or token is None or token.classic or token.may("contents")


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
        self.members: dict[str, dict[str, str]] = {}
        """Lower-case login of an organisation (a group, a workspace) -> lower-case login of a person -> role."""
        self.oauth = OAuthServer(self)
        self.hooks = HookServer(self)
        self.apps = Apps(self)
        self._accounts: dict[str, Account] = {}
        self._tokens: dict[str, Token] = {}
        self._budgets: dict[tuple[str, str], Budget] = {}
        self._ids = itertools.count(1001)
        self._lock = threading.Lock()

    def account(self, login: str, kind: str = "User") -> Account:
        """The account of that name, made where there is none."""
        key = login.lower()
        if key not in self._accounts:
            self._accounts[key] = Account(self.new_id(), login, kind)
        return self._accounts[key]

    def accounts(self) -> list[Account]:
        return list(self._accounts.values())

    def join(self, organisation: str, login: str, role: str = "admin") -> None:
        """Let a person into all repositories of an organisation (a group, a workspace): read, write or admin."""
        self.account(organisation, "Organization")
        self.account(login)
        self.members.setdefault(organisation.lower(), {})[login.lower()] = role

    def new_id(self) -> int:
        with self._lock:
            return next(self._ids)

    def add_token(self, token: Token) -> str:
        """Keep a token that the caller made (again, where it changed); returns its value."""
        self._tokens[token.value] = token
        return token.value

    def issue(self, value: str, login: str, **facts: Any) -> str:
        """Keep a new token of that value for an account; `facts` are those of `Token`."""
        return self.add_token(Token(value, self.account(login), **facts))

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
        made = Token(
            value,
            self.account(login),
            scopes=None if fine_grained else frozenset(scopes),
            permissions=frozenset(permissions) if fine_grained else frozenset(),
            repositories=(
                None if repositories is None else frozenset(self.repositories[name.lower()].id for name in repositories)
            ),
            expires_at=expires_at,
        )
        return self.add_token(made)

    def find_token(self, value: str, forge: str | None = None) -> Token | None:
        """The token of that value (made by `forge`, where one is named); None once it expired or was revoked."""
        token = self._tokens.get(value)
        if token is None or forge not in {None, token.forge}:
            return None
        if token.expires_at and token.expires_at.timestamp() <= time.time():
            return None
        return token if token.app_id is None else self.apps.narrow(token)

    def expired(self, value: str) -> bool:
        """Whether a token was good once and its time is over; one that was revoked is forgotten."""
        return value in self._tokens and self.find_token(value) is None

    def revoke(self, token: str) -> None:
        """End a token now; one that is gone already stays gone."""
        self._tokens.pop(token, None)

    def github_app(self, **facts: Any) -> HostedApp:
        """Register a GitHub App, see `Apps.register`."""
        return self.apps.register(**facts)

    def install(self, app: HostedApp, account: str, repositories: Iterable[str] | None = None) -> int:
        """Install a GitHub App on all of an account's repositories, or on those named; the installation's id."""
        return self.apps.install(app, account, repositories).id

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
        """Host a new, empty repository (or one that is on disk already) as `owner/name`; GitLab's groups nest."""
        owner, _, name = full_name.rpartition("/")
        number = self.new_id()
        hosted = HostedRepository(
            id=number,
            owner=self.account(owner, owner_kind),
            name=name,
            git=git or GitRepo(self.folder / f"{number}.git", default_branch=default_branch),
            private=private,
            description=description,
            collaborators=set(collaborators),
            members=self.members.setdefault(owner.lower(), {}),
            pushed_at=1_767_225_600 + number,
        )
        self.repositories[full_name.lower()] = hosted
        return hosted

    def rename(self, full_name: str, to: str) -> HostedRepository:
        """Give a repository another name or owner: its id stays, its former name answers with a redirect."""
        hosted = self.repositories.pop(full_name.lower())
        owner, _, hosted.name = to.rpartition("/")
        hosted.owner = self.account(owner)
        hosted.members = self.members.setdefault(owner.lower(), {})
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
        mine = (hosted for hosted in list(self.repositories.values()) if hosted.role(token.account.login))
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
