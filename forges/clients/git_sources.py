"""Where plain git reads from: what a source offers, and a folder of this machine as one. By dulwich."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dulwich.errors import NotGitRepository
from dulwich.object_store import BaseObjectStore, DiskObjectStore
from dulwich.objects import Blob, Commit, ObjectID
from dulwich.refs import Ref
from dulwich.repo import Repo
from urllib3.exceptions import HTTPError

from forges.clients.base import EntryKind, Limits
from forges.clients.errors import ForgeError, InvalidName, Moved, NotFound, TooLarge, Unavailable
from forges.clients.git_pushing import Push, not_writable, push_into
from forges.clients.names import local_path
from forges.clients.transport import translated
from lib import egress

logger = logging.getLogger(__name__)

HEADS = "refs/heads/"
_MOST_STORES = 20
_READ = ("objects", "refs", "reftable", "packed-refs", "HEAD")
"""Of a repository's folder: whatever a commit, and what is in it, is read from."""
_KINDS = {stat.S_IFLNK: EntryKind.SYMLINK, 0o160000: EntryKind.SUBMODULE}


@dataclass(frozen=True, slots=True)
class Refs:
    """What a repository points at: the branch that HEAD names, and (ref, object id) in the server's order."""

    default_branch: str
    refs: Iterator[tuple[str, str]]


class Snapshot(Protocol):
    """The files of one commit, at hand."""

    @property
    def store(self) -> BaseObjectStore:
        """Where its folders are."""
        ...

    @property
    def root(self) -> ObjectID:
        """The commit's tree."""
        ...

    def files(self) -> Iterator[tuple[str, str, EntryKind]]:
        """(path, blob id, kind) of everything but directories, in git's order."""
        ...

    def size(self, oid: str) -> int: ...

    def read(self, oid: str) -> bytes | None: ...


class Source(Protocol):
    def refs(self) -> AbstractContextManager[Refs]: ...

    def snapshot(self, commit: str) -> Snapshot:
        """Moved if the repository does not have the commit."""
        ...

    def folders(self, commit: str) -> Snapshot:
        """The same for who reads no file, so that none has to be fetched."""
        ...

    def push(self, push: Push) -> None:
        """Moved if the branch has another head than the push's parent."""
        ...

    def check_push(self) -> None:
        """Forbidden if the credential, or this server's account, may not push. Nothing is written."""
        ...

    def read(self, oid: str) -> bytes | None:
        """A blob that is at hand; None for others, and for those over the limit."""
        ...

    def close(self) -> None: ...


class StoredCommit:
    """A commit in an object store. KeyError and friends are the caller's to translate."""

    def __init__(self, store: BaseObjectStore, commit: str, limits: Limits) -> None:
        found = store[ObjectID(commit.encode())]
        if not isinstance(found, Commit):
            raise Moved(f"{commit[:10]} is not a commit.")
        self.store = store
        self.root = found.tree
        self._limits = limits

    def files(self) -> Iterator[tuple[str, str, EntryKind]]:
        folders, most = 0, 2 * self._limits.max_entries
        for path, mode, oid in self.store.iter_tree_contents(self.root, include_trees=True):
            if stat.S_ISDIR(mode or 0):
                folders += 1  # ten trees, each ten times in the next, are ten thousand million folders and no file
                if folders > most:
                    raise TooLarge(f"The tree has more than {most:,} folders.")
                continue
            kind = _KINDS.get(stat.S_IFMT(mode or 0), EntryKind.FILE)
            if kind is EntryKind.FILE and (mode or 0) & 0o111:
                kind = EntryKind.EXECUTABLE
            yield path.decode("utf-8", "surrogateescape"), oid.decode(), kind

    def size(self, oid: str) -> int:
        return len(self.store.get_raw(ObjectID(oid.encode()))[1])

    def read(self, oid: str) -> bytes | None:
        return read_blob(self.store, oid, self._limits)


def read_blob(store: BaseObjectStore, oid: str, limits: Limits) -> bytes | None:
    try:
        kind, data = store.get_raw(ObjectID(oid.encode()))
    except KeyError:
        return None
    return data if kind == Blob.type_num and len(data) <= limits.max_blob_bytes else None


# -- a folder of this machine ------------------------------------------------------------------------------------------


class LocalSource:
    def __init__(self, url: str, *, roots: Sequence[Path], limits: Limits) -> None:
        path = local_path(url, roots)
        self._limits = limits
        try:
            self._repo = Repo(str(path))
        except (NotGitRepository, OSError, ValueError):
            raise NotFound("The folder is not a git repository.") from None
        try:
            self._refuse_escapes([root.resolve() for root in roots])
        except BaseException:
            self._repo.close()
            raise

    def _refuse_escapes(self, roots: Sequence[Path]) -> None:
        """A repository can point out of its folder: by a `.git` file, by links, by alternate object stores and theirs.

        Nothing outside is listed or opened. What is judged is what objects and refs are read from: a working copy may
        link to anywhere, since nobody reads it.
        """
        folders = {Path(self._repo.controldir()), Path(self._repo.commondir())}
        stores: list[BaseObjectStore] = [self._repo.object_store]
        try:
            for folder in folders:
                _refuse_outside(folder.resolve(), roots)
                for real in _reached([folder / name for name in _READ]):
                    _refuse_outside(real, roots)
            for count, store in enumerate(stores):
                if count == _MOST_STORES:
                    raise InvalidName("The repository borrows its objects from too many others.")
                if isinstance(store, DiskObjectStore):  # dulwich knows no other that lies in folders
                    for real in _reached([Path(store.path)]):
                        _refuse_outside(real, roots)
                    stores += store.alternates
        except (OSError, RuntimeError):  # a link that leads to itself, a folder that this process may not enter
            raise Unavailable("The repository's folder cannot be read in full.") from None

    @contextmanager
    def refs(self) -> Iterator[Refs]:
        with understood("the repository's folder"):
            default = self._repo.refs.get_symrefs().get(Ref(b"HEAD"), b"")
            heads = self._repo.refs.as_dict(Ref(b"refs/heads"))
            listed = ((HEADS + text_of(name), oid.decode()) for name, oid in sorted(heads.items()))
            yield Refs(text_of(default).removeprefix(HEADS), listed)

    def snapshot(self, commit: str) -> Snapshot:
        with understood("the repository's folder"):
            if ObjectID(commit.encode()) not in self._repo.object_store:
                raise Moved(f"The repository does not have the commit {commit[:10]} any more.")
            return StoredCommit(self._repo.object_store, commit, self._limits)

    def folders(self, commit: str) -> Snapshot:
        return self.snapshot(commit)

    def push(self, push: Push) -> None:
        with understood("the repository's folder"):
            push_into(self._repo, push)

    def check_push(self) -> None:
        if not os.access(self._repo.object_store.path, os.W_OK):
            raise not_writable()

    def read(self, oid: str) -> bytes | None:
        return read_blob(self._repo.object_store, oid, self._limits)

    def close(self) -> None:
        self._repo.close()


def _reached(waiting: list[Path]) -> Iterator[Path]:
    """The real paths of what is given, and of all folders and links below it; each before it is entered."""
    seen: set[Path] = set()
    while waiting:
        real = waiting.pop().resolve()
        if real in seen:
            continue
        seen.add(real)
        yield real
        if real.is_dir():
            with os.scandir(real) as entries:
                waiting += [Path(each) for each in entries if each.is_symlink() or each.is_dir()]


def _refuse_outside(real: Path, roots: Sequence[Path]) -> None:
    if not any(real.is_relative_to(root) for root in roots):
        raise InvalidName("The repository keeps its objects outside the folders that the operator allows.")


@contextmanager
def understood(where: str) -> Iterator[None]:
    """The border to dulwich: what it makes of a broken answer or pack can be any exception, and is the other side's
    failure. Ours pass, and so do those of egress and the network, which `translated` knows and dulwich may wrap."""
    try:
        yield
    except (ForgeError, egress.EgressError, HTTPError, OSError):
        raise
    except Exception as error:
        if isinstance(error.__cause__, HTTPError | egress.EgressError):
            with translated(where):
                raise error.__cause__ from None
        # Its text may quote what the server sent.
        logger.info("dulwich gave up on %s: %s", where, type(error).__name__)
        raise Unavailable(f"{where} sent something that is not git's, or broke off in the middle.") from None


def text_of(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
