"""Trying what a person entered about a repository at the forge, before anything is written."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from forges.clients import FORGES, normalise_repository
from forges.clients.base import Account, Branch, Client, Credential, Repository
from forges.clients.errors import AuthFailed, Forbidden, ForgeError, InvalidName, NotFound
from forges.clients.names import check_branch
from forges.models import Connection
from forges.opening import client_for, client_through, local_roots
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
    repository_id: str = ""
    """What the repository has to be by the forge's permanent id: a name can be anybody's by now. Empty means any."""
    include: str = ""
    exclude: str = ""
    mount_path: str = ""
    connection: Connection | None = None
    """In place of a token; one that the person may use."""

    @property
    def has_credential(self) -> bool:
        return bool(self.token) or self.connection is not None

    @property
    def credential_field(self) -> str:
        """The form's field that is to blame for a credential."""
        return "token" if self.connection is None else "connection"


@dataclass(frozen=True, slots=True)
class Probe:
    """What the forge said about what was entered."""

    base_url: str
    account: Account
    repository: Repository
    branch: str
    commit: str
    """The branch's head; "" for a repository without a commit."""


def base_url_of(entered: Entered) -> str:
    """The API's address: the connection's, or that of the server that was named, or the forge's public one."""
    if entered.connection is not None:
        return entered.connection.base_url
    return entered.base_url.rstrip("/") or FORGES[entered.forge].base_url


def client_of(entered: Entered) -> AbstractContextManager[Client]:
    """A client with what was entered, for somebody who waits."""
    if entered.connection is not None:
        return client_through(entered.connection, seconds=INTERACTIVE_SECONDS)
    return client_for(
        forge=entered.forge,
        base_url=base_url_of(entered),
        credential=Credential(token=entered.token, username=entered.username),
        seconds=INTERACTIVE_SECONDS,
    )


def probe(entered: Entered) -> Probe:
    """Try a credential, repository and branch at the forge. Raises FieldError; writes nothing."""
    base_url = base_url_of(entered)
    try:
        name = normalise_repository(entered.forge, base_url, entered.repository, local_roots=local_roots())
    except InvalidName as error:
        raise FieldError("repository", str(error)) from error
    field = "token" if entered.token else "repository"
    try:
        with client_of(entered) as client:
            account = client.account() if entered.token else Account(login=None)
            field = "repository"
            repository = _its_own(client.repository(name), entered)
            branch = entered.branch or repository.default_branch
            field = "branch"
            commit = client.head(repository.full_name, check_branch(branch))
    except AuthFailed as error:
        raise _refused(entered, error) from error
    except Forbidden as error:
        raise FieldError(
            entered.credential_field if entered.has_credential else "repository", advised(error)
        ) from error
    except NotFound as error:
        raise FieldError(field, _not_found(field, entered)) from error
    except InvalidName as error:
        raise FieldError(field, str(error)) from error
    except ForgeError as error:
        raise FieldError("repository" if field == "token" else field, advised(error)) from error
    return Probe(base_url, account, repository, branch, commit)


def _its_own(repository: Repository, entered: Entered) -> Repository:
    if entered.repository_id not in ("", repository.id):
        raise FieldError(
            "branch",
            "The forge has another repository under this name now. Refresh the integration: it finds its own by its "
            "id, whatever that is called.",
        )
    return repository


def _refused(entered: Entered, error: AuthFailed) -> FieldError:
    if entered.connection is not None:
        return FieldError("connection", f"{error} Choose another connection, or connect this one again.")
    return FieldError("token", f"{error} {NOT_ACCEPTED}")


def _not_found(field: str, entered: Entered) -> str:
    if field == "branch":
        return "There is no such branch. Choose one from the list, or leave it empty for the default branch."
    if entered.connection is not None:
        return "This connection sees no such repository. Check the spelling, and that its account may read it."
    if entered.token:
        return "This token sees no such repository. Check the spelling, and that the token was given access to it."
    return "There is no public repository of this name. A private one needs an access token."


def branches(entered: Entered) -> tuple[str, tuple[Branch, ...]]:
    """(default branch, branches with the default one first). Raises FieldError."""
    try:
        name = normalise_repository(entered.forge, base_url_of(entered), entered.repository, local_roots=local_roots())
        with client_of(entered) as client:
            repository = _its_own(client.repository(name), entered)
            found = client.branches(repository.full_name)
    except NotFound as error:
        raise FieldError("repository", _not_found("repository", entered)) from error
    except AuthFailed as error:
        raise _refused(entered, error) from error
    except ForgeError as error:
        raise FieldError("repository", advised(error)) from error
    default = repository.default_branch
    return default, tuple(sorted(found, key=lambda branch: (branch.name != default, branch.name)))


def repositories(entered: Entered, *, query: str) -> tuple[Repository, ...]:
    """What the credential can see, for the picker. Raises FieldError."""
    try:
        with client_of(entered) as client:
            return client.repositories(query=query, limit=50) if client.lists_repositories else ()
    except AuthFailed as error:
        raise _refused(entered, error) from error
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
