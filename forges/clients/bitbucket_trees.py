"""Walking through Bitbucket's directories: which files there are, how large, and of what kind. Not what is in them.

One request lists a hundred entries of a directory and what is below it, down to `max_depth`
(https://developer.atlassian.com/cloud/bitbucket/rest/api-group-source/). Directories that lie on that depth are gone
through by themselves; so is, level by level, whatever Bitbucket gives up on with status 555.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from forges.clients.base import Limits
from forges.clients.bitbucket_answers import File, file_of
from forges.clients.bitbucket_requests import TooMuchAtOnce
from forges.clients.errors import ForgeError, OutOfTime
from forges.clients.listing import Allowance, Stopped, too_many_entries
from forges.clients.names import UNSTORABLE

DEPTH = 20
"""Levels that one request asks for: as deep as repositories usually go, so that one list holds it all."""
_MAX_SHOWN = 200

Page = tuple[list[Any], str]


@dataclass(slots=True)
class Walk:
    begin: Callable[[str, int], Page]
    """(folder, depth) -> its first page. One request."""
    go_on: Callable[[str], Page]
    """The address of a next page -> that page."""
    limits: Limits
    allowance: Allowance
    found: dict[str, File] = field(default_factory=dict)
    """By path, also when the walk stops early: what was listed is there, only not all of it."""

    def run(self) -> None:
        """Fill `found`, or raise Stopped. Errors are raised while there is nothing, OutOfTime at any time.

        KeyError, TypeError, ValueError and AttributeError when an answer is no listing.
        """
        waiting = [("", DEPTH)]
        while waiting:
            folder, depth = waiting.pop()
            try:
                waiting += [(below, DEPTH) for below in self._folder(folder, depth)]
            except TooMuchAtOnce as error:
                if depth == 1:
                    raise Stopped(f"The folder {_shown(folder)} cannot be listed. {error}") from error
                waiting.append((folder, 1))
            except OutOfTime:
                raise  # a worker reads the whole of it
            except ForgeError as error:
                if not self.found:
                    raise
                raise Stopped(f"The folder {_shown(folder)} could not be listed to its end. {error}") from error

    def _folder(self, folder: str, depth: int) -> list[str]:
        """Add the files of a folder ("" or with a slash at its end); the folders below that were not looked into."""
        deeper: list[str] = []
        self.allowance.spend()
        items, following = self.begin(folder, depth)
        while True:
            for item in items:
                path = item["path"]
                if not isinstance(path, str) or not path.startswith(folder):
                    raise ValueError("no entry of this folder")
                if item["type"] == "commit_directory":
                    if path.strip("/").count("/") - folder.count("/") == depth - 1:
                        deeper.append(path.rstrip("/") + "/")
                    continue
                self.found[path] = file_of(item)
                if len(self.found) > self.limits.max_entries:
                    del self.found[path]
                    raise too_many_entries(self.limits)
            if not following:
                return deeper
            self.allowance.spend()
            items, following = self.go_on(following)


def _shown(folder: str) -> str:
    return "“" + UNSTORABLE.sub("\ufffd", folder or "/")[:_MAX_SHOWN] + "”"
