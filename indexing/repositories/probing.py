"""Asking a forge about a repository before it becomes a source: whether it can be read, with what, and which part."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

from forges import connections
from forges.clients import FORGES
from forges.clients.base import Client, Credential, Repository
from forges.clients.errors import AuthFailed, EmptyRepository, ForgeError, NotFound, RateLimited
from forges.clients.names import COMMIT_ID, is_branch
from forges.models import Connection, ConnectionStatus
from forges.opening import client_for, client_through
from indexing.probed import Probe
from indexing.reasons import Reason
from indexing.recognising import REPOSITORY, Recognised, repository_url
from indexing.repositories.endings import detail_of, reason_of
from orgs.models import Membership

SECONDS = 5.0
"""Of one request to a forge, while a person waits."""
OWN_TRIED = 3
"""Connections of a member that are tried where nobody chose one."""
_DEEPEST_BRANCH = 5
_OTHERS_MAY = (Reason.AUTH_REQUIRED, Reason.NOT_FOUND, Reason.RATE_LIMITED)
"""After these another credential may see it."""
_MEANING = re.compile(r"([\\*?\[\]!#])")


def probe_repository(
    found: Recognised, *, membership: Membership, connection: Connection | None = None, end: float
) -> Probe:
    """`connection` is the one chosen; without one it is asked for as anybody, then with the member's own.

    `end` is on the clock of time.monotonic(): nothing is begun after it.
    """
    chosen, *others = _credentials(found, membership, connection)
    first = _try(found, chosen, was_chosen=chosen is not None)
    tried = 0
    for each in others if first.reason in _OTHERS_MAY else ():
        if time.monotonic() > end:
            break
        probe = _try(found, each)
        if probe.reason not in _OTHERS_MAY:
            return probe
        tried += 1
    if not tried or first.reason != Reason.AUTH_REQUIRED:
        return first
    whose = "the connection that you can use does not see it" if tried == 1 else "no connection of yours sees it"
    return replace(first, notes=(f"It was tried with what is connected already: {whose}.",))


def _credentials(
    found: Recognised, membership: Membership, connection: Connection | None
) -> Iterator[Connection | None]:
    if connection is not None and connections.may_use(membership, connection) and _fits(found, connection):
        yield connection
        return
    yield None
    own = Connection.objects.usable_by(membership).filter(
        forge=found.forge, base_url=found.base_url, status=ConnectionStatus.CONNECTED
    )
    yield from own.order_by("-shared", "-connected_at")[:OWN_TRIED]


def _fits(found: Recognised, connection: Connection) -> bool:
    return (connection.forge, connection.base_url) == (found.forge, found.base_url)


def _open(found: Recognised, connection: Connection | None) -> AbstractContextManager[Client]:
    if connection is not None:
        return client_through(connection, seconds=SECONDS)
    return client_for(forge=found.forge, base_url=found.base_url, credential=Credential(), seconds=SECONDS)


def answers_as_git(found: Recognised) -> bool:
    """Whether a server of git is there, if only to ask for a token. One request."""
    try:
        with _open(found, None) as client:
            client.repository(found.repository)
    except (AuthFailed, EmptyRepository):
        return True
    except ForgeError:
        return False
    return True


def _try(found: Recognised, connection: Connection | None, *, was_chosen: bool = False) -> Probe:
    probe = Probe(
        kind=REPOSITORY,
        url=found.url,
        name=found.repository.removeprefix("https://"),
        forge=found.forge,
        base_url=found.base_url,
        repository=found.repository,
        connection=connection,
    )
    try:
        with _open(found, connection) as client:
            repository = client.repository(found.repository)
            probe = replace(
                probe,
                url=repository_url(found.forge, found.base_url, repository.full_name),
                repository=repository.full_name,
                repository_id=repository.id,
                default_branch=repository.default_branch,
                # GitLab tells nobody without an account, and plain git nobody at all.
                private=repository.private and connection is not None,
                connection=connection if repository.private or was_chosen else None,
            )
            return _part_of(client, repository, found, probe)
    except ForgeError as error:
        has_credential = connection is not None
        return replace(
            probe,
            reason=reason_of(error, has_credential=has_credential),
            detail=detail_of(error, forge=found.forge, has_credential=has_credential),
            until=error.reset_at if isinstance(error, RateLimited) else None,
        )


def _part_of(client: Client, repository: Repository, found: Recognised, probe: Probe) -> Probe:
    """With the branch and the folder or file that the address names."""
    if not repository.default_branch:
        return replace(probe, reason=Reason.EMPTY, detail="The repository has no commit yet.")
    branch, path = _branch_and_path(client, repository, found)
    notes: tuple[str, ...] = ()
    if not branch and found.path and not found.branch:
        path = found.path[1:]
        if not COMMIT_ID.fullmatch(found.path[0]):
            notes = (f"There is no branch “{found.path[0]}”: the default branch is taken.",)
    if not branch or branch == repository.default_branch:
        client.head(repository.full_name, repository.default_branch, repository_id=repository.id)
        branch = ""
    return replace(probe, branch=branch, include=pattern_of(path, is_file=found.is_file), notes=notes)


def _branch_and_path(client: Client, repository: Repository, found: Recognised) -> tuple[str, tuple[str, ...]]:
    """Which of the parts are the branch's: git has no branch within another one, so the first that is there is it.

    ("", …) where none is.
    """
    if found.branch:
        client.head(repository.full_name, found.branch, repository_id=repository.id)
        return found.branch, found.path
    for length in range(1, min(len(found.path), _DEEPEST_BRANCH) + 1):
        branch = "/".join(found.path[:length])
        if not is_branch(branch):
            break
        try:
            client.head(repository.full_name, branch, repository_id=repository.id)
        except NotFound:
            continue
        return branch, found.path[length:]
    return "", found.path


def pattern_of(path: tuple[str, ...], *, is_file: bool) -> str:
    """The pattern that means this file or this folder alone; "" for the whole repository."""
    if not path:
        return ""
    whole = _MEANING.sub(r"\\\1", "/" + "/".join(path))
    return whole if is_file else f"{whole}/"


def label_of(found: Recognised) -> str:
    """How people call the forge of a repository that was recognised."""
    return FORGES[found.forge].label_at(found.base_url)
