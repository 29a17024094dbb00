"""A commit of changes on top of a tree, made without a working copy: the folders on the way are read, no file is.

https://git-scm.com/docs/git-update-index, by dulwich's objects.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dulwich.object_store import BaseObjectStore
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tree
from dulwich.pack import UnpackedObject, full_unpacked_object

from forges.clients.base import Author, blob_id
from forges.clients.errors import Conflict, InvalidName, TooLarge
from forges.clients.git_pushing import Push
from forges.clients.git_sources import Snapshot

_REGULAR, _EXECUTABLE, _FOLDER = 0o100644, 0o100755, 0o040000
_DEEPEST = 100
"""Folders in each other."""
_NO_PARTS = frozenset({b"", b".", b"..", b".git"})


@dataclass(slots=True)
class _Folder:
    """A folder as it is to be; those below it are read when something in them changes."""

    store: BaseObjectStore | None
    entries: dict[bytes, tuple[int, ObjectID] | _Folder] = field(default_factory=dict)

    @classmethod
    def read(cls, store: BaseObjectStore | None, oid: ObjectID) -> _Folder:
        tree = store[oid] if store is not None else None
        if not isinstance(tree, Tree):
            raise TypeError("no tree")
        return cls(store, {entry.path: (entry.mode, entry.sha) for entry in tree.iteritems()})

    def below(self, name: bytes) -> _Folder | None:
        """The folder of that name; None where there is none, or something else."""
        found = self.entries.get(name)
        if isinstance(found, tuple):
            if not stat.S_ISDIR(found[0]):
                return None
            found = self.entries[name] = _Folder.read(self.store, found[1])
        return found

    def remove(self, parts: list[bytes]) -> None:
        """A file; nothing where there is none. Folders that become empty go with it."""
        way = [self]
        for part in parts[:-1]:
            folder = way[-1].below(part)
            if folder is None:
                return
            way.append(folder)
        if way[-1].below(parts[-1]) is not None:
            return
        way[-1].entries.pop(parts[-1], None)
        for folder, name in zip(reversed(way[:-1]), reversed(parts[:-1]), strict=True):
            below = folder.below(name)
            if below is not None and not below.entries:
                del folder.entries[name]

    def put(self, parts: list[bytes], oid: ObjectID) -> None:
        folder = self
        for depth, part in enumerate(parts[:-1], start=1):
            below = folder.below(part)
            if below is None:
                if part in folder.entries:
                    raise _in_the_way(parts[:depth], "is not a folder, so that nothing can be put into it")
                below = folder.entries[part] = _Folder(self.store)
            folder = below
        found = folder.entries.get(parts[-1], (0, oid))
        if isinstance(found, _Folder) or stat.S_ISDIR(found[0]):
            raise _in_the_way(parts, "is a folder, so that no file can have that name")
        if stat.S_IFMT(found[0]) == 0o160000:
            raise _in_the_way(parts, "is a submodule, which is not replaced")
        executable = stat.S_ISREG(found[0]) and found[0] & 0o111
        folder.entries[parts[-1]] = (_EXECUTABLE if executable else _REGULAR, oid)

    def trees(self) -> list[Tree]:
        """Of this folder and those below it that were read; this one comes last."""
        made: list[Tree] = []
        tree = Tree()
        for name, entry in self.entries.items():
            if isinstance(entry, _Folder):
                made += entry.trees()
                tree.add(name, _FOLDER, made[-1].id)
            else:
                tree.add(name, *entry)
        return [*made, tree]


def make_push(
    base: Snapshot | None,
    *,
    branch: str,
    parent: str,
    changes: Mapping[str, bytes | None],
    message: str,
    author: Author,
    committer: Author,
    at: int,
    max_bytes: int,
) -> Push | None:
    """A commit of `changes` on top of `base`, the tree of `parent`; None where that would change nothing.

    `at` is when, in seconds since 1970. A file that is there keeps its mode. Raises Conflict where a file, a link or a
    submodule is in a folder's place or a folder in a file's, InvalidName for paths that git does not take, TooLarge.
    """
    if sum(len(data) for data in changes.values() if data is not None) > max_bytes:
        raise TooLarge(f"What is to be committed is more than {max_bytes:,} bytes.")
    root = _Folder.read(base.store, base.root) if base else _Folder(None)
    wanted = {path: (_parts(path), data) for path, data in changes.items()}
    for parts, data in wanted.values():
        if data is None:
            root.remove(parts)
    blobs: dict[ObjectID, bytes] = {}
    for parts, data in wanted.values():
        if data is not None:
            oid = ObjectID(blob_id(data).encode())
            blobs[oid] = data
            root.put(parts, oid)
    made = root.trees()
    if base is None and not root.entries:
        raise Conflict("There is nothing to commit.")
    if base is not None and made[-1].id == base.root:
        return None
    commit = _commit(made[-1].id, parent, message, author, committer, at)
    trees = {tree.id: tree for tree in made}

    def objects() -> Iterator[UnpackedObject]:
        found: Iterator[ShaFile] = iter((commit, *trees.values()))
        yield from map(full_unpacked_object, found)
        for data in blobs.values():
            yield full_unpacked_object(Blob.from_string(data))

    return Push(branch, parent, commit.id.decode(), 1 + len(trees) + len(blobs), objects)


def _commit(tree: ObjectID, parent: str, message: str, author: Author, committer: Author, at: int) -> Commit:
    commit = Commit()
    commit.tree = tree
    commit.parents = [ObjectID(parent.encode())] if parent else []
    commit.author, commit.committer = _person(author), _person(committer)
    commit.author_time = commit.commit_time = at
    commit.author_timezone = commit.commit_timezone = 0
    commit.message = message.replace("\0", "").rstrip().encode("utf-8", "replace") + b"\n"
    return commit


def _person(person: Author) -> bytes:
    name, email = (" ".join(re.sub(r"[<>\x00-\x1f\x7f]", " ", text).split()) for text in (person.name, person.email))
    return f"{name or email} <{email}>".encode("utf-8", "replace")


def _parts(path: str) -> list[bytes]:
    parts = path.encode("utf-8", "surrogateescape").split(b"/")
    if len(parts) > _DEEPEST or b"\0" in b"".join(parts) or any(part.lower() in _NO_PARTS for part in parts):
        raise InvalidName("One of the files has a path that git does not take.")
    return parts


def _in_the_way(parts: list[bytes], what: str) -> Conflict:
    path = b"/".join(parts).decode("utf-8", "replace")
    return Conflict(
        f"“{path}” in the repository {what}.", advice="Move it away at the forge, or choose another directory."
    )
