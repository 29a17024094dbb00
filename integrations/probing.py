"""Trying what a person entered about a repository at the forge, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass

from forges.clients.base import Account, Repository
from forges.clients.errors import AuthFailed, Forbidden, ForgeError, InvalidName, NotFound
from forges.clients.names import check_branch
from forges.picking import (
    Asked,
    FieldError,
    advised,
    base_url_of,
    client_of,
    its_own,
    not_found,
    refused,
    repository_name,
)
from forges.reading import InvalidPattern, PathFilter, check_path


@dataclass(frozen=True, slots=True)
class Entered(Asked):
    """What the connect form holds, as text."""

    branch: str = ""
    """Empty means the default branch."""
    include: str = ""
    exclude: str = ""
    mount_path: str = ""


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
    base_url = base_url_of(entered)
    try:
        name = repository_name(entered)
    except InvalidName as error:
        raise FieldError("repository", str(error)) from error
    field = "token" if entered.token else "repository"
    try:
        with client_of(entered) as client:
            account = client.account() if entered.token else Account(login=None)
            field = "repository"
            repository = its_own(client.repository(name), entered)
            branch = entered.branch or repository.default_branch
            field = "branch"
            commit = client.head(repository.full_name, check_branch(branch))
    except AuthFailed as error:
        raise refused(entered, error) from error
    except Forbidden as error:
        raise FieldError(
            entered.credential_field if entered.has_credential else "repository", advised(error)
        ) from error
    except NotFound as error:
        raise FieldError(field, not_found(field, entered)) from error
    except InvalidName as error:
        raise FieldError(field, str(error)) from error
    except ForgeError as error:
        raise FieldError("repository" if field == "token" else field, advised(error)) from error
    return Probe(base_url, account, repository, branch, commit)


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
