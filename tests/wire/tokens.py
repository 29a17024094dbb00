"""Accounts, their tokens, and what a token may still spend."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

READING_SCOPES = {
    "github": {"repo"},
    "gitlab": {"api", "read_api", "read_repository", "write_repository"},
    "bitbucket": {
        *("repository", "repository:write", "repository:admin"),
        *("read:repository:bitbucket", "write:repository:bitbucket", "admin:repository:bitbucket"),
    },
}
"""Any of these lets a token with scopes see what is private; what else an endpoint asks for is its own rule."""


@dataclass(frozen=True, slots=True)
class Account:
    id: int
    login: str
    kind: str = "User"
    """User or Organization."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token: with scopes, or (fine-grained ones, those of Apps) with permissions and chosen repositories."""

    value: str
    account: Account
    """Whose it is; an installation's or a workspace's token has the account that it is for."""
    scopes: frozenset[str] | None = None
    permissions: frozenset[str] = frozenset()
    """`contents` lets read, `contents:write` lets read and write."""
    repositories: frozenset[int] | None = None
    """Ids the token was given; None for all that its account can see."""
    expires_at: datetime | None = None
    forge: str = "github"
    """The forge that made it: no other one knows it."""
    kind: str = "personal"
    """personal, oauth, installation, consumer or access (of a repository, project, group or workspace)."""
    email: str = ""
    """Bitbucket's API tokens are sent as Basic, with the e-mail address of the account."""
    app_id: int | None = None
    """The GitHub App of an installation's token, or of a person's token that such an App asked for."""
    installation_id: int | None = None

    @property
    def classic(self) -> bool:
        return self.scopes is not None

    @property
    def sees_private(self) -> bool:
        """Whether its scopes, where it has any, let it see what is private."""
        return self.scopes is None or bool(self.scopes & READING_SCOPES[self.forge])

    def may(self, permission: str, *, write: bool = False) -> bool:
        """Whether a token with permissions has this one."""
        return f"{permission}:write" in self.permissions or (not write and permission in self.permissions)


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
