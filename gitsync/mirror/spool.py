"""Fetched files, on disk for as long as a sync takes, so that memory holds those of one entity at a time."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from catalog.portable import reading
from catalog.portable.model import BadFile, Code, Definition, Problem
from forges import reading as forge_reading
from forges.clients.base import Client
from gitsync.mirror.secrets import Scanner
from gitsync.mirror.there import Found, There

_ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))")


class SecretFound(BadFile):
    """`findings` as the gate of pushes tells them: never with the text that was found."""

    def __init__(self, path: str, findings: list[dict[str, Any]]) -> None:
        first = findings[0]
        more = f", and in {len(findings) - 1} more places" if len(findings) > 1 else ""
        super().__init__(
            Problem(
                Code.SECRET_FOUND,
                f"What looks like a secret ({first['kind']}) is in {first['path']}{more}. Take it out: "
                "what is secret belongs into a secret variable of a server.",
                path,
                line=first.get("line") or 0,
                fields=tuple(found["field"] for found in findings[:20] if found.get("field")),
            )
        )
        self.findings = findings


class Spool:
    """A context manager: `fetch` some entities' files, then `read` each."""

    def __init__(self, there: There, limits: reading.Limits, scanner: Scanner) -> None:
        self._there, self._limits, self._scanner = there, limits, scanner
        self._had: set[str] = set()

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="millrace-")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def fetch(self, client: Client, wanted: Iterable[Found], tell: Callable[[int, int], None]) -> None:
        """Get the files of those that can be taken; `tell` is called with how many files are here, and of how many."""
        oids = {oid for found in wanted if not self.refused(found) for oid in found.files.values()} - self._had
        self.fetch_blobs(client, oids, tell)

    def fetch_blobs(self, client: Client, oids: Iterable[str], tell: Callable[[int, int], None]) -> None:
        there, wanted = self._there, set(oids)
        entries = [entry for entry in there.entries.values() if entry.oid and entry.oid in wanted]
        if not entries:
            return
        files = forge_reading.fetch(client, there.name, there.commit, entries, total=len(there.tree))
        for done, (entry, data) in enumerate(files, start=1):
            tell(done, len(entries))
            if data is not None and entry.oid not in self._had:  # and its bytes are what the id says
                self._file(entry.oid).write_bytes(data)
                self._had.add(entry.oid)

    def refused(self, found: Found) -> tuple[Problem, ...]:
        """What keeps it from being fetched at all."""
        if found.problems:
            return found.problems
        limits = self._limits
        sizes = {path: self._there.entries[path].size or 0 for path in found.files}
        large = [path for path, size in sizes.items() if size > limits.max_file_bytes]
        if large:
            text = f"It is larger than {limits.max_file_bytes:,} bytes. Make it smaller, or take it out."
            return tuple(Problem(Code.TOO_LARGE, text, path) for path in large)
        if len(sizes) > limits.max_skill_files + 1:
            text = f"The skill has more than {limits.max_skill_files:,} files. Take some out."
            return (Problem(Code.TOO_LARGE, text, found.path),)
        if len(sizes) > 1 and sum(sizes.values()) > limits.max_skill_bytes:
            text = f"The skill's files have more than {limits.max_skill_bytes:,} bytes together. Take some out."
            return (Problem(Code.TOO_LARGE, text, found.path),)
        return ()

    def read(self, found: Found) -> Definition:
        """The entity as its files say it; a skill with its data. Raises BadFile."""
        if problems := self.refused(found):
            raise BadFile(*problems)
        lost = [path for path, oid in found.files.items() if oid not in self._had]
        if lost:
            text = (
                "The forge listed this file and did not hand it out. It is tried again with the next sync; if it stays "
                "so, look at it there."
            )
            raise BadFile(*(Problem(Code.FETCH_FAILED, text, path) for path in lost))
        data = {path: self._file(oid).read_bytes() for path, oid in found.files.items()}
        if findings := self._scanner.findings(data):
            raise SecretFound(findings[0]["path"], findings)
        return reading.read(found.unit, data, limits=self._limits)

    def bytes_of(self, oid: str) -> bytes | None:
        return self._file(oid).read_bytes() if oid in self._had else None

    def shown_of(self, oid: str) -> bytes | None:
        """A file to be shown to people: None where it is not here, or something in it may be a secret, also as a text
        that JSON has escaped in a file that is none."""
        data = self.bytes_of(oid)
        if data is None:
            return None
        plain = _ESCAPED.sub(_unescaped, data.decode("utf-8", "replace"))
        return None if self._scanner.findings({"": data}, {"plain": plain}) else data

    def size_of(self, oid: str) -> int:
        """In bytes; 0 of what is not here."""
        return self._file(oid).stat().st_size if oid in self._had else 0

    def _file(self, oid: str) -> Path:
        return Path(self._folder.name, oid)


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else found[2]
