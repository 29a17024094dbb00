"""The test of a mirror's repository at its forge: found, its branch, readable, writable. Nothing is written for it."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass

from forges.clients import FORGES
from forges.clients.base import Client, Repository
from forges.clients.errors import (
    AuthFailed,
    EmptyRepository,
    Forbidden,
    ForgeError,
    InvalidName,
    NotFound,
    Protected,
)
from forges.clients.names import check_branch
from forges.clients.permissions import findings
from forges.picking import FieldError, advised
from gitsync.endings import advice
from gitsync.models import Mode
from gitsync.places import Place
from gitsync.probing import Found

BRANCHES_NAMED = 5
EMPTY = "The repository has no commit yet: the first one comes from Millrace."


class NotConnected(FieldError):
    """The test failed; nothing is saved. `field` is the form's field, `str` the precise cause with what to do."""

    offers_pull_requests = False
    """Whether a pull request would get past it."""


@dataclass(frozen=True, slots=True)
class Tried:
    found: Found
    notes: tuple[str, ...] = ()
    """What to know of it that stops nothing."""

    @property
    def place(self) -> Place:
        it = self.found
        return Place(it.forge, it.base_url, it.repository.id, it.branch)


@dataclass(frozen=True, slots=True)
class Trial:
    """What is to be tried."""

    forge: str
    base_url: str
    name: str = ""
    """The repository as its client takes it; or by its id."""
    repository_id: str = ""
    branch: str = ""
    """Empty means the default branch."""
    mode: str = Mode.COMMIT
    whose: str = "The connection"
    """With what it is asked, as sentences begin."""
    method: str = ""
    scopes: Collection[str] | None = None
    """Of the credential, None where the forge does not tell."""

    @property
    def label(self) -> str:
        return FORGES[self.forge].label


def try_out(manager: AbstractContextManager[Client], trial: Trial) -> Tried:
    """Asks for the repository, the branch's head, and whether it may be pushed to. Raises NotConnected."""
    _check_scopes(trial)
    where = "repository"
    try:
        with manager as client:
            if trial.mode == Mode.PULL_REQUEST and not client.opens_pull_requests:
                raise NotConnected("mode", "Plain git has no pull requests: commit to the branch.")
            repository = _repository(client, trial)
            where = "branch"
            branch = check_branch(trial.branch.strip() or repository.default_branch or "main")
            empty = _is_empty(client, repository, branch)
            if empty and trial.mode == Mode.PULL_REQUEST:
                raise NotConnected("mode", f"{EMPTY} A pull request can follow it, so commit to the branch at first.")
            where = "writing"
            client.check_push(repository.full_name, "" if empty or trial.mode == Mode.PULL_REQUEST else branch)
    except Protected as error:
        refused = NotConnected("mode", f"{error} Choose “{Mode.PULL_REQUEST.label}”, or let it push to the branch.")
        refused.offers_pull_requests = True
        raise refused from error
    except Forbidden as error:
        raise NotConnected(*_forbidden(trial, error, where)) from error
    except AuthFailed as error:
        raise NotConnected(
            "credential", f"{error} {error.advice if trial.method == 'consumer' else ''}".strip()
        ) from error
    except InvalidName as error:
        raise NotConnected(where, str(error)) from error
    except ForgeError as error:
        raise NotConnected("", advised(error)) from error
    found = Found(trial.forge, trial.base_url, repository, branch, empty)
    return Tried(found, (EMPTY,) if empty else ())


def _check_scopes(trial: Trial) -> None:
    """What the credential's own scopes tell at once, in the words in which they are ticked at the forge."""
    for purpose in ("read", "write"):
        found = findings(trial.forge, method=trial.method, scopes=trial.scopes, oauth=True, purpose=purpose)
        # Without pull requests it does its work where nobody asked for them.
        lacks = [text for text in found.missing if trial.mode == Mode.PULL_REQUEST or "pull requests." not in text]
        if lacks and (purpose == "read" or found.cannot_push or trial.mode == Mode.PULL_REQUEST):
            raise NotConnected("credential", f"Permission denied. {' '.join(lacks)} Tick it at {trial.label}.")


def _repository(client: Client, trial: Trial) -> Repository:
    """NotConnected where it is not there, with whether it is the workspace that is not."""
    try:
        return client.find(trial.repository_id) if trial.repository_id else client.repository(trial.name)
    except NotFound as error:
        owner, _, name = trial.name.partition("/")
        if trial.forge == "bitbucket" and name and not _has_workspace(client, owner):
            raise NotConnected(
                "workspace",
                f"The workspace “{owner}” is not there, or {_inside(trial.whose)} is not one of it. Copy its slug "
                "out of the address of the repository; it is case-sensitive.",
            ) from error
        named = f"The repository “{trial.name or trial.repository_id}”"
        raise NotConnected(
            "repository",
            f"{named} is not there, or {_inside(trial.whose)} does not see it. Copy its slug out of its address; it "
            "is not its name.",
        ) from error


def _has_workspace(client: Client, owner: str) -> bool:
    try:
        client.repositories(query=f"{owner}/", limit=1)
    except (NotFound, Forbidden):
        return False
    return True


def _is_empty(client: Client, repository: Repository, branch: str) -> bool:
    try:
        client.head(repository.full_name, branch, repository_id=repository.id)
    except EmptyRepository:
        return True
    except NotFound as error:
        names = [each.name for each in client.branches(repository.full_name)]
        more = f" and {len(names) - BRANCHES_NAMED} more" if len(names) > BRANCHES_NAMED else ""
        raise NotConnected(
            "branch",
            f"There is no branch “{branch}” in {repository.full_name}. "
            f"There is {', '.join(names[:BRANCHES_NAMED])}{more}.",
        ) from error
    return False


def _forbidden(trial: Trial, error: Forbidden, where: str) -> tuple[str, str]:
    if where == "writing":
        return (
            "credential",
            f"Permission denied: {_inside(trial.whose)} reads the repository and may not write to it. {advice(error)}",
        )
    return "credential", f"Permission denied. {error} {advice(error)}"


def _inside(whose: str) -> str:
    return whose[:1].lower() + whose[1:]
