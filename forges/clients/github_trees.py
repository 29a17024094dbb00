"""Reading GitHub's trees whole: in one request where it can be, subtree by subtree where GitHub cuts them short.

A recursive tree ends at 100,000 entries or 7 MB and says `truncated`
(https://docs.github.com/en/rest/git/trees#get-a-tree). The cut one is asked for again without recursion, and each
folder in it recursively; a folder that is cut itself is gone through in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from forges.clients.base import Entry, EntryKind, ForgeError, Limits, OutOfTime
from forges.clients.names import COMMIT_ID, UNSTORABLE

_KINDS = {
    "100644": EntryKind.FILE,
    "100755": EntryKind.EXECUTABLE,
    "120000": EntryKind.SYMLINK,
    "160000": EntryKind.SUBMODULE,
}
_MAX_SHOWN = 200
_LARGEST = 1 << 63


class _Stopped(Exception):
    """The listing ends here; `str` is the reason for a person."""


@dataclass(slots=True)
class TreeReader:
    ask: Callable[[str, bool], Any]
    """(tree or commit id, recursive) -> the answer's JSON. One request."""
    limits: Limits
    found: dict[str, Entry] = field(default_factory=dict)
    """By path, also when the reading stops early: what was listed is there, only not all of it."""
    _spent: int = 0

    def read(self, oid: str) -> str:
        """Fill `found`; why it is incomplete, or "". Errors of the first request are raised: then there is nothing.

        So is OutOfTime at any time. KeyError, TypeError, ValueError and AttributeError when the answer is not a tree.
        """
        try:
            _, cut = self._add("", oid, recursive=True)
            if cut:
                self._walk(oid)
        except _Stopped as reason:
            return str(reason)
        return ""

    def _walk(self, oid: str) -> None:
        waiting = [("", oid)]
        try:
            while waiting:
                prefix, oid = waiting.pop()
                self._spend()
                folders, cut = self._add(prefix, oid, recursive=False)
                if cut:
                    shown = UNSTORABLE.sub("\ufffd", prefix or "/")[:_MAX_SHOWN]
                    raise _Stopped(f"GitHub cut the tree short: the folder “{shown}” is larger than it lists.")
                for folder in folders:
                    self._spend()
                    _, cut = self._add(*folder, recursive=True)
                    if cut:
                        waiting.append(folder)
        except OutOfTime:
            raise  # a worker reads the whole of it
        except ForgeError as error:
            raise _Stopped(f"GitHub cut the tree short, and a folder could not be read by itself. {error}") from error

    def _spend(self) -> None:
        if self._spent == self.limits.max_tree_requests:
            raise _Stopped(f"GitHub cut the tree short, and it takes more than the {self._spent:,} requests allowed.")
        self._spent += 1

    def _add(self, prefix: str, oid: str, *, recursive: bool) -> tuple[list[tuple[str, str]], bool]:
        """Add the files of an answer, which lie below `prefix`; its folders, and whether GitHub left something out."""
        answer = self.ask(oid, recursive)
        folders: list[tuple[str, str]] = []
        for item in answer["tree"]:
            path, oid, size = prefix + item["path"], item["sha"], item.get("size")
            if not COMMIT_ID.fullmatch(oid) or not (size is None or (isinstance(size, int) and 0 <= size < _LARGEST)):
                raise ValueError("no entry of a tree")
            if item["type"] == "tree":
                folders.append((f"{path}/", oid))
                continue
            kind = _KINDS.get(item["mode"], EntryKind.FILE)
            self.found[path] = Entry(path, oid, size, kind)
            if len(self.found) > self.limits.max_entries:
                del self.found[path]
                raise _Stopped(f"The tree has more than {self.limits.max_entries:,} files.")
        return folders, bool(answer["truncated"])
