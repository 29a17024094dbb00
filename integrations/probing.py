"""Trying what a person entered about a repository at the forge, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field

from forges.clients import FORGES, normalise_repository
from forges.clients.base import (
    Account,
    AuthFailed,
    Branch,
    Credential,
    Forbidden,
    ForgeError,
    InvalidName,
    NotFound,
    Repository,
)
from forges.clients.names import check_branch
from forges.opening import client_for, local_roots
from forges.reading import InvalidPattern, PathFilter, check_path
from integrations.wording import advised

INTERACTIVE_SECONDS = 10.0
"""How long a request to a forge may take while a person waits for a form; all of them, as `forges.opening` says."""
NOT_ACCEPTED = "Enter one that the forge accepts."


class FieldError(ValueError):
    """Something entered does not work. `field` is its form field, "" where it is none's alone."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Entered:
    """What the connect form holds, as text."""

    forge: str
    repository: str
    base_url: str = ""
    username: str = ""
    token: str = field(default="", repr=False)
    branch: str = ""
    """Empty means the default branch."""
    include: str = ""
    exclude: str = ""
    mount_path: str = ""

    @property
    def credential(self) -> Credential:
        return Credential(token=self.token, username=self.username)


@dataclass(frozen=True, slots=True)
class Probe:
    """What the forge said about what was entered."""

    base_url: str
    account: Account
    repository: Repository
    branch: str
    commit: str
    """The branch's head; "" for a repository without a commit."""


def probe(entered: Entered) -> Probe:
    """Try a credential, repository and branch at the forge. Raises FieldError; writes nothing."""
    base_url = FORGES[entered.forge].base_url if not entered.base_url else entered.base_url.rstrip("/")
    try:
        name = normalise_repository(entered.forge, base_url, entered.repository, local_roots=local_roots())
    except InvalidName as error:
        raise FieldError("repository", str(error)) from error
    field = "token" if entered.token else "repository"
    try:
        with client_for(
            forge=entered.forge, base_url=base_url, credential=entered.credential, seconds=INTERACTIVE_SECONDS
        ) as client:
            account = client.account() if entered.token else Account(login=None)
            field = "repository"
            repository = client.repository(name)
            branch = entered.branch or repository.default_branch
            field = "branch"
            commit = client.head(repository.full_name, check_branch(branch))
    except AuthFailed as error:
        raise FieldError("token", f"{error} {NOT_ACCEPTED}") from error
    except Forbidden as error:
        raise FieldError("token" if entered.token else "repository", advised(error)) from error
    except NotFound as error:
        raise FieldError(field, _not_found(field, entered)) from error
    except InvalidName as error:
        raise FieldError(field, str(error)) from error
    except ForgeError as error:
        raise FieldError("repository" if field == "token" else field, advised(error)) from error
    return Probe(base_url, account, repository, branch, commit)


def _not_found(field: str, entered: Entered) -> str:
    if field == "branch":
        return "There is no such branch. Choose one from the list, or leave it empty for the default branch."
    if entered.token:
        return "This token sees no such repository. Check the spelling, and that the token was given access to it."
    return "There is no public repository of this name. A private one needs an access token."


def branches(entered: Entered) -> tuple[str, tuple[Branch, ...]]:
    """(default branch, branches with the default one first). Raises FieldError."""
    base_url = entered.base_url.rstrip("/") or FORGES[entered.forge].base_url
    try:
        name = normalise_repository(entered.forge, base_url, entered.repository, local_roots=local_roots())
        with client_for(
            forge=entered.forge, base_url=base_url, credential=entered.credential, seconds=INTERACTIVE_SECONDS
        ) as client:
            repository = client.repository(name)
            found = client.branches(repository.full_name)
    except NotFound as error:
        raise FieldError("repository", _not_found("repository", entered)) from error
    except AuthFailed as error:
        raise FieldError("token", f"{error} {NOT_ACCEPTED}") from error
    except ForgeError as error:
        raise FieldError("repository", advised(error)) from error
    default = repository.default_branch
    return default, tuple(sorted(found, key=lambda branch: (branch.name != default, branch.name)))


def repositories(entered: Entered, *, query: str) -> tuple[Repository, ...]:
    """What the credential can see, for the picker. Raises FieldError."""
    base_url = entered.base_url.rstrip("/") or FORGES[entered.forge].base_url
    try:
        with client_for(
            forge=entered.forge, base_url=base_url, credential=entered.credential, seconds=INTERACTIVE_SECONDS
        ) as client:
            return client.repositories(query=query, limit=50) if client.lists_repositories else ()
    except AuthFailed as error:
        raise FieldError("token", f"{error} {NOT_ACCEPTED}") from error
    except ForgeError as error:
        raise FieldError("repository", advised(error)) from error


def parse_filter(include: str, exclude: str) -> PathFilter:
    """Raises FieldError on the field of the first line that is no pattern."""
    try:
        PathFilter.parse(include)
    except InvalidPattern as error:
        raise FieldError("include", str(error)) from error
    try:
        return PathFilter.parse(include, exclude)
    except InvalidPattern as error:
        raise FieldError("exclude", str(error)) from error


def normalise_mount(text: str) -> str:
    """A folder on the server without slashes around. Raises FieldError."""
    mount = text.strip().strip("/")
    if mount and (bad := check_path(mount, max_bytes=255)):
        raise FieldError("mount_path", bad.detail)
    return mount
