"""What the forms offer to choose from while somebody fills them in.

Answers are kept for a minute or two, because a form asks again with every few letters, and a forge without a token
allows sixty requests an hour. They are kept under a digest of the credential: who does not have it, does not get them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.core.cache import cache
from django.utils.crypto import salted_hmac

from forges.clients.base import Branch, Repository
from forges.clients.errors import ForgeError
from forges.reading import check_path
from integrations import probing
from integrations.probing import Entered, FieldError, parse_filter
from integrations.wording import advised

KEPT_SECONDS = 120
MOST_KEPT_PATHS = 100_000
SHOWN = 50
"""Repositories that one search returns at most; `integrations.probing.repositories` asks for as many."""
SAMPLE = 20

T = TypeVar("T")


def repositories(entered: Entered, *, query: str) -> tuple[Repository, ...]:
    """Those that the credential sees and whose name contains `query`, at most `SHOWN`. Raises FieldError."""
    newest = _kept("repositories", entered, lambda: probing.repositories(entered, query=""))
    if not query or len(newest) < SHOWN:  # the whole list: no need to ask for a part of it
        return tuple(each for each in newest if query.casefold() in each.full_name.casefold())
    return _kept(f"repositories {query}", entered, lambda: probing.repositories(entered, query=query))


def branches(entered: Entered) -> tuple[str, tuple[Branch, ...]]:
    """(default branch, branches with the default one first). Raises FieldError."""
    return _kept(f"branches {entered.repository}", entered, lambda: probing.branches(entered))


@dataclass(frozen=True, slots=True)
class FilterCount:
    matching: int
    files: int
    complete: bool
    branch: str
    sample: tuple[str, ...]

    @property
    def more(self) -> int:
        return self.matching - len(self.sample)


@dataclass(frozen=True, slots=True)
class _Listed:
    branch: str
    paths: tuple[str, ...]
    complete: bool


def count_matching(entered: Entered) -> FilterCount:
    """How many files of the branch the filter takes, and some of them. Raises FieldError."""
    only = parse_filter(entered.include, entered.exclude)
    listed = _kept(f"paths {entered.repository} {entered.branch}", entered, lambda: _list(entered))
    try:
        matching = [path for path in listed.paths if only.matches(path)]
    except ForgeError as error:
        raise FieldError("include", str(error)) from error
    return FilterCount(len(matching), len(listed.paths), listed.complete, listed.branch, tuple(matching[:SAMPLE]))


def _list(entered: Entered) -> _Listed:
    found = probing.probe(entered)
    try:
        with probing.client_of(entered) as client:
            listing = client.tree(found.repository.full_name, found.commit)
    except ForgeError as error:
        raise FieldError("", advised(error)) from error
    # A path that no refresh would take can be of any length, and patterns are made for paths that are sound.
    paths = sorted(entry.path for entry in listing.entries if check_path(entry.path) is None)
    return _Listed(found.branch, tuple(paths), listing.complete)


def _kept(what: str, entered: Entered, ask: Callable[[], T]) -> T:
    """The answer to a question, asked anew when it was not asked lately. Errors are not kept."""
    connection = "" if entered.connection is None else f"{entered.connection.pk} {entered.connection.generation}"
    where = (entered.forge, entered.base_url, entered.repository_id)
    parts = (what, *where, entered.username, entered.token, connection)
    key = salted_hmac("integrations.picking", "\0".join(parts), algorithm="sha256").hexdigest()
    answer: T | None = cache.get(key)
    if answer is None:
        answer = ask()
        if not isinstance(answer, _Listed) or len(answer.paths) <= MOST_KEPT_PATHS:
            cache.set(key, answer, KEPT_SECONDS)
    return answer
