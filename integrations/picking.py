"""How many files a filter takes, while somebody writes it. Repositories and branches to choose: `forges.picking`."""

from __future__ import annotations

from dataclasses import dataclass

from forges.clients.errors import ForgeError
from forges.picking import FieldError, advised, client_of, kept
from forges.reading import check_path
from integrations import probing
from integrations.probing import Entered, parse_filter

MOST_KEPT_PATHS = 100_000
SAMPLE = 20


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
    listed = kept(
        f"paths {entered.repository} {entered.branch}",
        entered,
        lambda: _list(entered),
        keep=lambda listed: len(listed.paths) <= MOST_KEPT_PATHS,
    )
    try:
        matching = [path for path in listed.paths if only.matches(path)]
    except ForgeError as error:
        raise FieldError("include", str(error)) from error
    return FilterCount(len(matching), len(listed.paths), listed.complete, listed.branch, tuple(matching[:SAMPLE]))


def _list(entered: Entered) -> _Listed:
    found = probing.probe(entered)
    try:
        with client_of(entered) as client:
            listing = client.tree(found.repository.full_name, found.commit)
    except ForgeError as error:
        raise FieldError("", advised(error)) from error
    # A path that no refresh would take can be of any length, and patterns are made for paths that are sound.
    paths = sorted(entry.path for entry in listing.entries if check_path(entry.path) is None)
    return _Listed(found.branch, tuple(paths), listing.complete)
