"""Reading GitHub's trees whole: in one request where it can be, subtree by subtree where GitHub cuts them short.

A recursive tree ends at 100,000 entries or 7 MB and says `truncated`
(https://docs.github.com/en/rest/git/trees#get-a-tree). The cut one is asked for again without recursion, and each
folder in it recursively; a folder that is cut itself is gone through in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from forges.clients.base import Entry, EntryKind, Limits
from forges.clients.errors import ForgeError, OutOfTime
from forges.clients.listing import KINDS, Allowance, Stopped, too_long_paths, too_many_entries
from forges.clients.names import COMMIT_ID, MOST_PATHS, UNSTORABLE

_MAX_SHOWN = 200
_LARGEST = 1 << 63


@dataclass(slots=True)
class TreeReader:
    ask: Callable[[str, bool], Any]
    """(tree or commit id, recursive) -> the answer's JSON. One request."""
    limits: Limits
    found: dict[str, Entry] = field(default_factory=dict)
    """By path, also when the reading stops early: what was listed is there, only not all of it."""
    _room: int = MOST_PATHS

    def read(self, oid: str) -> str:
        """Fill `found`; why it is incomplete, or "". Errors of the first request are raised: then there is nothing.

        So is OutOfTime at any time. KeyError, TypeError, ValueError and AttributeError when the answer is not a tree.
        """
        try:
            _, cut = self._add("", oid, recursive=True)
            if cut:
                self._walk(oid)
        except Stopped as reason:
            return str(reason)
        return ""

    def _walk(self, oid: str) -> None:
        allowance = Allowance(self.limits)
        waiting = [("", oid)]
        try:
            while waiting:
                prefix, oid = waiting.pop()
                allowance.spend()
                folders, cut = self._add(prefix, oid, recursive=False)
                if cut:
                    shown = UNSTORABLE.sub("\ufffd", prefix or "/")[:_MAX_SHOWN]
                    raise Stopped(f"GitHub cut the tree short: the folder “{shown}” is larger than it lists.")
                for folder in folders:
                    allowance.spend()
                    _, cut = self._add(*folder, recursive=True)
                    if cut:
                        waiting.append(folder)
        except OutOfTime:
            raise  # a worker reads the whole of it
        except ForgeError as error:
            raise Stopped(f"GitHub cut the tree short, and a folder could not be read by itself. {error}") from error

    def _add(self, prefix: str, oid: str, *, recursive: bool) -> tuple[list[tuple[str, str]], bool]:
        """Add the files of an answer, which lie below `prefix`; its folders, and whether GitHub left something out."""
        answer = self.ask(oid, recursive)
        folders: list[tuple[str, str]] = []
        for item in answer["tree"]:
            path, oid, size = prefix + item["path"], item["sha"], item.get("size")
            if not COMMIT_ID.fullmatch(oid) or not (size is None or (isinstance(size, int) and 0 <= size < _LARGEST)):
                raise ValueError("no entry of a tree")
            self._room -= len(path)
            if self._room < 0:
                raise too_long_paths()
            if item["type"] == "tree":
                folders.append((f"{path}/", oid))
                continue
            kind = KINDS.get(item["mode"], EntryKind.FILE)
            self.found[path] = Entry(path, oid, size, kind)
            if len(self.found) > self.limits.max_entries:
                del self.found[path]
                raise too_many_entries(self.limits)
        return folders, bool(answer["truncated"])
