"""Trying an assignment at its forge, before anything is written: the repository by its id, and the branch."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from forges.clients.base import Client, Credential, Repository
from forges.clients.errors import AuthFailed, EmptyRepository, ForgeError, InvalidName, NotFound
from forges.clients.names import check_branch
from forges.models import Connection
from forges.opening import client_for
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
from gitsync.models import Mode


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the form holds. A repository of a connection is meant by its id, plain git by its URL."""

    connection_id: uuid.UUID | str | None = None
    username: str = ""
    token: str = field(default="", repr=False)
    """For plain git without a connection; empty keeps the one that is stored for the same repository."""
    repository_id: str = ""
    repository: str = ""
    """Its full name, asked for where there is no id; the URL for plain git."""
    branch: str = ""
    """Empty means the default branch."""
    directory: str = ""
    """Empty means the server's slug, `/` the repository's root."""
    mode: str = Mode.COMMIT


@dataclass(frozen=True, slots=True)
class Found:
    """What the forge says of it."""

    forge: str
    base_url: str
    repository: Repository
    branch: str
    empty: bool
    """Whether the repository has no commit yet: the first push makes its branch."""


def asked_of(values: Assignment, connection: Connection | None) -> Asked:
    """How the forge is asked about it."""
    if connection is None:
        return Asked(forge="git", repository=values.repository, username=values.username, token=values.token)
    return Asked(
        forge=connection.forge,
        repository="" if values.repository_id else values.repository,
        repository_id=values.repository_id,
        connection=connection,
    )


def probe(values: Assignment, connection: Connection | None) -> Found:
    """Raises FieldError; writes nothing. What is on the form beside the id is not believed."""
    asked = asked_of(values, connection)
    if not asked.repository and not asked.repository_id:
        raise FieldError("repository", "Choose a repository.")
    where = "repository"
    try:
        with client_of(asked) as client:
            repository = its_own(_find(client, asked), asked)
            where = "mode"
            if values.mode == Mode.PULL_REQUEST and not client.opens_pull_requests:
                raise FieldError("mode", "Plain git has no pull requests: commit to the branch.")
            where = "branch"
            branch = check_branch(values.branch.strip() or repository.default_branch or "main")
            empty = _is_empty(client, repository, branch)
    except AuthFailed as error:
        raise refused(asked, error) from error
    except NotFound as error:
        raise FieldError(where, not_found(where, asked)) from error
    except InvalidName as error:
        raise FieldError(where, str(error)) from error
    except ForgeError as error:
        raise FieldError(where, advised(error)) from error
    if empty and values.mode == Mode.PULL_REQUEST:
        raise FieldError(
            "mode", "The repository has no commit yet, so there is nothing to open a pull request for. Commit first."
        )
    return Found(asked.forge, base_url_of(asked), repository, branch, empty)


def _find(client: Client, asked: Asked) -> Repository:
    if asked.repository_id:
        return client.find(asked.repository_id)
    return client.repository(repository_name(asked))


def _is_empty(client: Client, repository: Repository, branch: str) -> bool:
    try:
        client.head(repository.full_name, branch, repository_id=repository.id)
    except EmptyRepository:
        return True
    return False


def opens_pull_requests(forge: str) -> bool:
    """Whether there are pull requests at such a forge. Nothing is asked of anybody."""
    with client_for(forge=forge, base_url="", credential=Credential()) as client:
        return client.opens_pull_requests


def normalised(asked: Asked) -> str:
    """The repository's one spelling, "" for what is none."""
    try:
        return repository_name(asked)
    except InvalidName:
        return ""
