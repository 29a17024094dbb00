"""What the forms of the apps above offer while somebody chooses a repository and a branch, and how they say what a
forge answered.

Answers are kept for a minute or two, because a form asks again with every few letters, and a forge without a token
allows sixty requests an hour. They are kept under a digest of the credential: who does not have it, does not get them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TypeVar

from django.core.cache import cache
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.formats import date_format

from forges.clients import FORGES, normalise_repository
from forges.clients.base import Branch, Client, Credential, Repository
from forges.clients.errors import AuthFailed, ForgeError, NotFound, RateLimited
from forges.models import Connection
from forges.opening import client_for, client_through, local_roots

INTERACTIVE_SECONDS = 10.0
"""How long a request to a forge may take while a person waits for a form; all of them, as `forges.opening` says."""
KEPT_SECONDS = 120
SHOWN = 50
"""Repositories that one search returns at most."""

T = TypeVar("T")


class FieldError(ValueError):
    """Something entered does not work. `field` is its form field, "" where it is none's alone."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Asked:
    """A repository as it is entered, and with what its forge is asked about it."""

    forge: str
    repository: str = ""
    base_url: str = ""
    """Empty means the forge's public one."""
    username: str = ""
    token: str = field(default="", repr=False)
    repository_id: str = ""
    """What the repository has to be by the forge's permanent id: a name can be anybody's by now. Empty means any."""
    connection: Connection | None = None
    """In place of a token; one that the person may use."""

    @property
    def has_credential(self) -> bool:
        return bool(self.token) or self.connection is not None

    @property
    def credential_field(self) -> str:
        """The form's field that is to blame for a credential."""
        return "token" if self.connection is None else "connection"


def base_url_of(asked: Asked) -> str:
    """The API's address: the connection's, or that of the server that was named, or the forge's public one."""
    if asked.connection is not None:
        return asked.connection.base_url
    return asked.base_url.rstrip("/") or FORGES[asked.forge].base_url


def client_of(asked: Asked) -> AbstractContextManager[Client]:
    """A client with what was entered, for somebody who waits."""
    if asked.connection is not None:
        return client_through(asked.connection, seconds=INTERACTIVE_SECONDS)
    return client_for(
        forge=asked.forge,
        base_url=base_url_of(asked),
        credential=Credential(token=asked.token, username=asked.username),
        seconds=INTERACTIVE_SECONDS,
    )


def repositories(asked: Asked, *, query: str) -> tuple[Repository, ...]:
    """Those that the credential sees and whose name contains `query`, at most `SHOWN`. Raises FieldError."""
    newest = kept("repositories", asked, lambda: _repositories(asked, query=""))
    if not query or len(newest) < SHOWN:  # the whole list: no need to ask for a part of it
        return tuple(each for each in newest if query.casefold() in each.full_name.casefold())
    return kept(f"repositories {query}", asked, lambda: _repositories(asked, query=query))


def _repositories(asked: Asked, *, query: str) -> tuple[Repository, ...]:
    try:
        with client_of(asked) as client:
            return client.repositories(query=query, limit=SHOWN) if client.lists_repositories else ()
    except AuthFailed as error:
        raise refused(asked, error) from error
    except ForgeError as error:
        raise FieldError("repository", advised(error)) from error


def branches(asked: Asked) -> tuple[str, tuple[Branch, ...]]:
    """(default branch, branches with the default one first) of the repository, which is found by its id where no name
    is given. Raises FieldError."""
    return kept(f"branches {asked.repository}", asked, lambda: _branches(asked))


def _branches(asked: Asked) -> tuple[str, tuple[Branch, ...]]:
    try:
        name = repository_name(asked) if asked.repository else ""
        with client_of(asked) as client:
            repository = its_own(client.repository(name) if name else client.find(asked.repository_id), asked)
            found = client.branches(repository.full_name)
    except NotFound as error:
        raise FieldError("repository", not_found("repository", asked)) from error
    except AuthFailed as error:
        raise refused(asked, error) from error
    except ForgeError as error:
        raise FieldError("repository", advised(error)) from error
    default = repository.default_branch
    return default, tuple(sorted(found, key=lambda branch: (branch.name != default, branch.name)))


def repository_name(asked: Asked) -> str:
    """The repository as its forge's client takes it. Raises InvalidName."""
    return normalise_repository(asked.forge, base_url_of(asked), asked.repository, local_roots=local_roots())


def its_own(repository: Repository, asked: Asked) -> Repository:
    """The same, unless it is another one than was meant. Raises FieldError."""
    if asked.repository_id not in ("", repository.id):
        raise FieldError(
            "branch",
            "The forge has another repository under this name now. The one that was meant is found by its id when it "
            "is read the next time, whatever it is called.",
        )
    return repository


def kept(what: str, asked: Asked, ask: Callable[[], T], *, keep: Callable[[T], bool] = lambda _answer: True) -> T:
    """The answer to a question, asked anew when it was not asked lately. Errors are not kept, nor what is not to
    `keep`."""
    connection = "" if asked.connection is None else f"{asked.connection.pk} {asked.connection.generation}"
    where = (asked.forge, asked.base_url, asked.repository_id)
    parts = (what, *where, asked.username, asked.token, connection)
    key = salted_hmac("forges.picking", "\0".join(parts), algorithm="sha256").hexdigest()
    answer: T | None = cache.get(key)
    if answer is None:
        answer = ask()
        if keep(answer):
            cache.set(key, answer, KEPT_SECONDS)
    return answer


def refused(asked: Asked, error: AuthFailed) -> FieldError:
    """What to say of a credential that does not work."""
    if asked.connection is not None:
        return FieldError("connection", f"{error} Choose another connection, or connect this one again.")
    return FieldError("token", f"{error} Enter one that the forge accepts.")


def not_found(field: str, asked: Asked) -> str:
    """What to say of a branch or repository that the credential does not see."""
    if field == "branch":
        return "There is no such branch. Choose one from the list, or leave it empty for the default branch."
    if asked.connection is not None:
        return "This connection sees no such repository. Check the spelling, and that its account may read it."
    if asked.token:
        return "This token sees no such repository. Check the spelling, and that the token was given access to it."
    return "There is no public repository of this name. A private one needs an access token."


def advised(error: ForgeError) -> str:
    """What went wrong and what to do, for a person who waits for the answer: there nothing goes on by itself."""
    if isinstance(error, RateLimited) and error.reset_at:
        return f"{error} Try again after {date_format(timezone.localtime(error.reset_at), 'H:i')}."
    return f"{error} {error.advice}".strip()
