"""Reading GitLab's trees whole, a hundred entries at a time, and no more of them in memory than their entries.

https://docs.gitlab.com/api/repositories/#list-repository-tree
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from forges.clients.base import Entry, EntryKind, Limits
from forges.clients.errors import ForgeError, OutOfTime
from forges.clients.listing import KINDS, Allowance, Stopped, too_long_paths, too_many_entries
from forges.clients.names import COMMIT_ID, MOST_PATHS


@dataclass(slots=True)
class TreeReader:
    ask: Callable[[Mapping[str, str]], tuple[Any, Mapping[str, str]]]
    """The place in the list -> a page's JSON and the place of the next page, {} after the last. One request."""
    limits: Limits
    found: dict[str, Entry] = field(default_factory=dict)
    """By path, also when the reading stops early: what was listed is there, only not all of it."""
    _room: int = MOST_PATHS

    def read(self) -> str:
        """Fill `found`; why it is incomplete, or "". Errors of the first request are raised: then there is nothing.

        So is OutOfTime at any time. LookupError, TypeError and ValueError when an answer is not a page of a tree.
        """
        try:
            self._read()
        except Stopped as reason:
            return str(reason)
        return ""

    def _read(self) -> None:
        allowance = Allowance(self.limits, spent=1)  # the first page is asked for in any case
        items, place = self.ask({})
        self._add(items)
        while place:
            allowance.spend()
            before = place
            items, place = self._further(before)
            self._add(items)
            if place == before:
                raise ValueError("a list that goes on where it began")

    def _further(self, place: Mapping[str, str]) -> tuple[Any, Mapping[str, str]]:
        try:
            return self.ask(place)
        except OutOfTime:
            raise  # a worker reads the whole of it
        except ForgeError as error:
            raise Stopped(f"A page of the tree could not be read. {error}") from error

    def _add(self, items: Any) -> None:
        if not isinstance(items, list):
            raise TypeError("no page of a tree")
        for item in items:
            if item["type"] == "tree":
                continue
            path, oid = item["path"], item["id"]
            if not isinstance(path, str) or not COMMIT_ID.fullmatch(oid):
                raise ValueError("no entry of a tree")
            if len(self.found) >= self.limits.max_entries and path not in self.found:
                raise too_many_entries(self.limits)
            self._room -= len(path)
            if self._room < 0:
                raise too_long_paths()
            # GitLab tells no sizes: https://docs.gitlab.com/api/repositories/#list-repository-tree
            self.found[path] = Entry(path, oid, None, KINDS.get(item["mode"], EntryKind.FILE))
