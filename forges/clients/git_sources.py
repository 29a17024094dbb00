"""Where plain git reads from: a server that speaks smart HTTP, or a folder of this machine. Both by dulwich."""

from __future__ import annotations

import logging
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeVar, cast
from urllib.parse import urlsplit

from dulwich.client import HttpGitClient
from dulwich.errors import GitProtocolError, NotGitRepository
from dulwich.object_store import BaseObjectStore, DiskObjectStore, ObjectStoreGraphWalker
from dulwich.objects import Blob, Commit, ObjectID
from dulwich.protocol import Protocol as PktLines
from dulwich.refs import Ref
from dulwich.repo import Repo
from urllib3.exceptions import HTTPError

from forges.clients.base import (
    AuthFailed,
    Credential,
    EntryKind,
    ForgeError,
    InvalidName,
    Limits,
    Moved,
    NotFound,
    TooLarge,
    Unavailable,
)
from forges.clients.names import COMMIT_ID, local_path
from forges.clients.packs import PackSizes, scan_pack
from forges.clients.transport import USER_AGENT, check_transport, refused, translated
from lib import egress

_T = TypeVar("_T")

logger = logging.getLogger(__name__)

HEADS = "refs/heads/"
_MAX_REFS = 1_000_000
_OBJECT_BYTES = 128 << 20
"""The largest object that may be unpacked in memory, where a server cannot leave large files out."""

_KINDS = {stat.S_IFLNK: EntryKind.SYMLINK, 0o160000: EntryKind.SUBMODULE}


@dataclass(frozen=True, slots=True)
class Refs:
    """What a repository points at: the branch that HEAD names, and (ref, object id) in the server's order."""

    default_branch: str
    refs: Iterator[tuple[str, str]]


class Snapshot(Protocol):
    """The files of one commit, at hand."""

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

    def read(self, oid: str) -> bytes | None:
        """A blob that is at hand; None for others, and for those over the limit."""
        ...

    def close(self) -> None: ...


class _StoredCommit:
    """A commit in an object store. KeyError and friends are the caller's to translate."""

    def __init__(self, store: BaseObjectStore, commit: str, limits: Limits) -> None:
        found = store[ObjectID(commit.encode())]
        if not isinstance(found, Commit):
            raise Moved(f"{commit[:10]} is not a commit.")
        self._store = store
        self._tree = found.tree
        self._limits = limits

    def files(self) -> Iterator[tuple[str, str, EntryKind]]:
        for path, mode, oid in self._store.iter_tree_contents(self._tree):
            kind = _KINDS.get(stat.S_IFMT(mode or 0), EntryKind.FILE)
            if kind is EntryKind.FILE and (mode or 0) & 0o111:
                kind = EntryKind.EXECUTABLE
            yield path.decode("utf-8", "surrogateescape"), oid.decode(), kind

    def size(self, oid: str) -> int:
        return len(self._store.get_raw(ObjectID(oid.encode()))[1])

    def read(self, oid: str) -> bytes | None:
        return read_blob(self._store, oid, self._limits)


def read_blob(store: BaseObjectStore, oid: str, limits: Limits) -> bytes | None:
    try:
        kind, data = store.get_raw(ObjectID(oid.encode()))
    except KeyError:
        return None
    return data if kind == Blob.type_num and len(data) <= limits.max_blob_bytes else None


class _FetchedCommit(_StoredCommit):
    """One in the single pack of a fetch, whose lengths are known. Files too large to be sent are not in it."""

    def __init__(self, store: DiskObjectStore, commit: str, limits: Limits, sizes: PackSizes) -> None:
        super().__init__(store, commit, limits)
        (self._pack,) = store.packs
        self._sizes = sizes

    def size(self, oid: str) -> int:
        try:
            offset = self._pack.index.object_offset(ObjectID(oid.encode()))
        except KeyError:
            return self._limits.max_blob_bytes + 1
        return self._sizes.at(offset)

    def read(self, oid: str) -> bytes | None:
        return None if self.size(oid) > self._limits.max_blob_bytes else super().read(oid)


# -- a folder of this machine ------------------------------------------------------------------------------------------


class LocalSource:
    def __init__(self, url: str, *, roots: Sequence[Path], limits: Limits) -> None:
        path = local_path(url, roots)
        self._limits = limits
        try:
            self._repo = Repo(str(path))
        except (NotGitRepository, OSError, ValueError):
            raise NotFound("The folder is not a git repository.") from None
        self._refuse_escapes([root.resolve() for root in roots])

    def _refuse_escapes(self, roots: Sequence[Path]) -> None:
        """A repository can point out of its folder: by a `.git` file, by links, by alternate object stores."""
        stores = [self._repo.object_store, *self._repo.object_store.alternates]
        folders = [self._repo.controldir(), self._repo.commondir(), *(getattr(store, "path", "/") for store in stores)]
        for folder in folders:
            real = Path(str(folder)).resolve()
            if not any(real.is_relative_to(root) for root in roots):
                self._repo.close()
                raise InvalidName("The repository keeps its objects outside the folders that the operator allows.")

    @contextmanager
    def refs(self) -> Iterator[Refs]:
        with understood("the repository's folder"):
            default = self._repo.refs.get_symrefs().get(Ref(b"HEAD"), b"")
            heads = self._repo.refs.as_dict(Ref(b"refs/heads"))
            listed = ((HEADS + _text(name), oid.decode()) for name, oid in sorted(heads.items()))
            yield Refs(_text(default).removeprefix(HEADS), listed)

    def snapshot(self, commit: str) -> Snapshot:
        with understood("the repository's folder"):
            if ObjectID(commit.encode()) not in self._repo.object_store:
                raise Moved(f"The repository does not have the commit {commit[:10]} any more.")
            return _StoredCommit(self._repo.object_store, commit, self._limits)

    def read(self, oid: str) -> bytes | None:
        return read_blob(self._repo.object_store, oid, self._limits)

    def close(self) -> None:
        self._repo.close()


# -- a server ----------------------------------------------------------------------------------------------------------


class _Transport(HttpGitClient):
    """dulwich's client with our errors; what speaks no smart HTTP is no git server to us."""

    what = ""
    anonymous = True
    beginning = b""
    """Of the last answer: where a sentence in place of a pack would be, which dulwich reads past."""

    def _http_request(self, url: str, *args: Any, **kwargs: Any) -> Any:
        kwargs["raise_for_status"] = False
        host = urlsplit(url).hostname or ""
        response, read = super()._http_request(url, *args, **kwargs)
        content_type = response.headers.get("Content-Type") or ""
        if response.status == 200 and content_type.startswith("application/x-git-upload-pack"):
            self.beginning = b""

            def keep(*size: int) -> bytes:
                data = read(*size)
                if len(self.beginning) < 200:
                    self.beginning += data[:200]
                return data

            return response, keep
        response.close()
        if response.status == 401 and self.anonymous:
            raise AuthFailed(f"{host} asks for a token for {self.what}: it is private, or it does not exist.")
        if response.status != 200:
            raise refused(host, response.status, response.headers, self.what)
        # Also the “dumb” protocol, which would be read into memory whole: https://git-scm.com/docs/http-protocol
        raise NotFound(f"{host} does not answer as a git server for {self.what}.")


class RemoteSource:
    """One repository on a server. Commits are fetched without their history into a folder that `close` removes."""

    def __init__(
        self,
        url: str,
        *,
        credential: Credential,
        policy: egress.Policy,
        limits: Limits,
        on_request: Callable[[], None],
    ) -> None:
        check_transport(url, credential, policy)
        self._url = url
        self._host = urlsplit(url).hostname or ""
        self._limits = limits
        self._pools = egress.pool_manager(
            policy,
            timeout=limits.timeout,
            total_timeout=limits.total_timeout,
            max_bytes=limits.max_archive_bytes,
            on_request=on_request,
        )
        self._pools.headers = {"User-Agent": USER_AGENT}
        # GitHub, GitLab and Gitea take any name beside a token; Bitbucket wants the account's.
        self._username = (credential.username or "x-access-token") if credential else None
        self._credential = credential
        self._suffix_known = False
        self._folders: list[str] = []
        self._snapshots: dict[str, Snapshot] = {}

    def _transport(self) -> _Transport:
        client = _Transport(
            self._url,
            pool_manager=self._pools,
            thin_packs=False,
            username=self._username,
            password=self._credential.token,
        )
        client.what = f"the repository {self._url}"
        client.anonymous = not self._credential
        return client

    @contextmanager
    def refs(self) -> Iterator[Refs]:
        """One request: the first version of the protocol lists all refs at once, and reading stops where it may."""
        with translated(self._host), understood(self._host):
            response, read = self._discover()
            with closing(response):
                packets = PktLines(read, lambda _data: None)
                for packet in packets.read_pkt_seq():
                    if packet.rstrip(b"\n") != b"# service=git-upload-pack":
                        raise Unavailable(f"{self._host} does not answer as a git server.")
                lines = iter(packets.read_pkt_seq())
                first = next(lines, b"")
                line, _, capabilities = first.partition(b"\0")
                yield Refs(_default_branch(capabilities), self._read_refs(line, lines))

    def _discover(self) -> Any:
        def ask() -> Any:
            return self._transport()._http_request(f"{self._url}/info/refs?service=git-upload-pack", {"Accept": "*/*"})

        return self._with_or_without_suffix(ask)

    def _with_or_without_suffix(self, ask: Callable[[], _T]) -> _T:
        """Servers differ in whether an address ends in `.git`; the one that we keep does not. Remembered once known."""
        try:
            return ask()
        except NotFound:
            if self._suffix_known or self._url.endswith(".git"):
                raise
            plain, self._url = self._url, f"{self._url}.git"
            try:
                return ask()
            except ForgeError:
                self._url = plain
                raise
        finally:
            self._suffix_known = True

    def _read_refs(self, first: bytes, lines: Iterator[bytes]) -> Iterator[tuple[str, str]]:
        count = 0
        line: bytes | None = first
        while line:
            oid, _, name = line.rstrip(b"\n").partition(b" ")
            if oid == b"ERR":
                raise Unavailable(f"{self._host} refused to list the branches.")
            if len(oid) == 64:
                raise InvalidName("The repository names its objects by SHA-256, which is not supported yet.")
            if not COMMIT_ID.fullmatch(_text(oid)):
                raise Unavailable(f"{self._host} does not answer as a git server.")
            if name != b"capabilities^{}":
                yield _text(name), _text(oid)
            count += 1
            if count > _MAX_REFS:
                raise TooLarge(f"The repository has more than {_MAX_REFS:,} branches and tags.")
            line = next(lines, None)

    def snapshot(self, commit: str) -> Snapshot:
        if commit not in self._snapshots:
            with translated(self._host), understood(self._host):
                self._snapshots[commit] = self._fetch(commit)
        return self._snapshots[commit]

    def _fetch(self, commit: str) -> Snapshot:
        folder = tempfile.mkdtemp(prefix="millrace-git-")
        self._folders.append(folder)
        store = DiskObjectStore.init(folder)
        file, keep, drop = store.add_pack()
        try:
            self._download(commit, file)
            if not file.tell():
                raise Moved(f"{self._url} does not have the commit {commit[:10]} any more.")
            file.flush()
            sizes = scan_pack(file, max_object_bytes=_OBJECT_BYTES, max_bytes=self._limits.max_archive_bytes)
        except BaseException:
            drop()
            raise
        keep()
        return _FetchedCommit(store, commit, self._limits, sizes)

    def _download(self, commit: str, file: BinaryIO) -> None:
        def download() -> None:
            client = self._transport()

            def wants(refs: dict[bytes, bytes], **_depth: object) -> list[ObjectID]:
                # Version 2 of the protocol gives any commit that is there; older servers only what a ref points at.
                if client.protocol_version < 2 and commit.encode() not in refs.values():
                    raise Moved(f"{self._url} has no branch at the commit {commit[:10]} any more.")
                return [ObjectID(commit.encode())]

            try:
                client.fetch_pack(
                    self._url,
                    cast("Any", wants),
                    ObjectStoreGraphWalker([], lambda _oid: []),
                    file.write,
                    depth=1,
                    ref_prefix=[HEADS.encode()],
                    # Where the server knows filters, what would be skipped for its size is not even sent.
                    filter_spec=b"blob:limit=%d" % (self._limits.max_blob_bytes + 1),
                )
            except GitProtocolError:
                # https://git-scm.com/docs/gitprotocol-pack: an error is a sentence, and this one is git's own.
                if b"not our ref" in client.beginning:
                    raise Moved(f"{self._url} does not have the commit {commit[:10]} any more.") from None
                raise

        self._with_or_without_suffix(download)

    def read(self, oid: str) -> bytes | None:
        """From the commits that were fetched: servers give commits, few of them single files."""
        for snapshot in self._snapshots.values():
            if (data := snapshot.read(oid)) is not None:
                return data
        return None

    def close(self) -> None:
        self._snapshots.clear()
        self._pools.clear()
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)
        self._folders.clear()


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


def _default_branch(capabilities: bytes) -> str:
    for capability in capabilities.split():
        if capability.startswith(b"symref=HEAD:refs/heads/"):
            return _text(capability.removeprefix(b"symref=HEAD:refs/heads/"))
    return ""


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
