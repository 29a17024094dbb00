"""The bytes of a commit's files as the repository has them, from an archive that may have altered them.

`git archive` writes files as a checkout would: export-ignore leaves some out, and attributes alter others. What an
archive says of a file is therefore believed only if

- it is as long as the directory's listing says, or becomes so when its line ends are those of git again (`eol=crlf`),
- and no `.gitattributes` gives the file an attribute that can alter it and leave it as long as it was.

https://git-scm.com/docs/gitattributes
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping

from forges.clients.base import blob_id
from forges.clients.bitbucket_answers import File

ATTRIBUTES = ".gitattributes"

_ALTERING = ("export-subst", "ident", "working-tree-encoding")
_IN_MEMORY = 4 << 20
_LFS = b"version https://git-lfs.github.com/spec/"
_MAX_POINTER = 1024


class Kept:
    """Files of the commit that was listed last, by blob id, on disk until the client ends.

    Memory holds forty digits and two numbers a file, whatever is in them. No larger than an archive may be.
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, prefix="millrace-bitbucket-")  # noqa: SIM115  closed by `close`
        self._places: dict[str, tuple[int, int]] = {}
        self._end = 0
        self.of = ("", "")
        """Repository and commit."""
        self.paths: dict[str, str] = {}
        """Path -> blob id, of files whose bytes are here."""

    def add(self, path: str, data: bytes) -> None:
        oid = blob_id(data)
        if oid not in self._places:
            self._file.seek(self._end)
            self._file.write(data)
            self._places[oid] = (self._end, len(data))
            self._end += len(data)
        self.paths[path] = oid

    def read(self, oid: str) -> bytes | None:
        if oid not in self._places:
            return None
        start, length = self._places[oid]
        self._file.seek(start)
        return self._file.read(length)

    def files(self) -> Iterator[tuple[str, bytes]]:
        for path, oid in self.paths.items():
            data = self.read(oid)
            if data is not None:
                yield path, data

    def close(self) -> None:
        self._file.close()
        self._places.clear()
        self.paths.clear()
        self.of = ("", "")


def restored(data: bytes, file: File) -> bytes | None:
    """What git has for a file that an archive gives as `data`; None where that cannot be told."""
    if file.lfs:
        return data if len(data) < _MAX_POINTER and data.startswith(_LFS) else None
    if len(data) == file.size:
        return data
    # Every line end made of two bytes was one: had there been others before, the result would be too short.
    plain = data.replace(b"\r\n", b"\n")
    return plain if len(plain) == file.size else None


def altered(texts: Mapping[str, bytes | None]) -> Callable[[str], bool]:
    """Whether a path has an attribute by which an archive can alter it and keep its length.

    `texts` are the contents of the `.gitattributes` by their folder (“” or with a slash at its end), None for one that
    could not be read. Patterns are not asked exactly but generously, and never by a regular expression: they are a
    stranger's. “Yes” merely costs a request.
    """
    rules: list[tuple[str, str]] = []
    macros = set(_ALTERING)
    for folder in sorted(texts):  # macros are defined at the top, which comes first
        text = texts[folder]
        if text is None:
            rules.append((folder, "**"))
            continue
        for line in text.decode("utf-8", "replace").splitlines():
            pattern, *attributes = line.split() or [""]
            if not any(attribute.partition("=")[0] in macros for attribute in attributes):
                continue
            if pattern.startswith("[attr]"):
                macros.add(pattern.removeprefix("[attr]"))
            elif not pattern.startswith("#"):
                rules.append((folder, pattern))

    def asked(path: str) -> bool:
        return any(path.startswith(folder) and _may_match(pattern, path[len(folder) :]) for folder, pattern in rules)

    return asked if rules else lambda _path: False


def _may_match(pattern: str, path: str) -> bool:
    literal = pattern.lstrip("/")
    if literal.startswith("*.") and not set(literal[1:]) & set('*?[\\"/'):
        return path.endswith(literal[1:])
    if set(literal) & set('*?[\\"'):
        return True
    if "/" in pattern:
        return path == literal
    return path.rpartition("/")[2] == literal
