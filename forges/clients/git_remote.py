"""Plain git from a server that speaks smart HTTP, by dulwich on guarded connections. https://git-scm.com/docs/http-protocol"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, BinaryIO, TypeVar, cast
from urllib.parse import urlsplit

from dulwich.errors import GitProtocolError
from dulwich.object_store import DiskObjectStore, ObjectStoreGraphWalker
from dulwich.objects import ObjectID
from dulwich.protocol import Protocol as PktLines

from forges.clients.base import Credential, CredentialSource, Limits
from forges.clients.clock import Clock
from forges.clients.errors import AuthFailed, ForgeError, InvalidName, Moved, NotFound, TooLarge, Unavailable
from forges.clients.git_pushing import Push, push_over
from forges.clients.git_sources import HEADS, Refs, Snapshot, StoredCommit, text_of, understood
from forges.clients.git_transport import RECEIVE_PACK, UPLOAD_PACK, Transport
from forges.clients.names import COMMIT_ID
from forges.clients.packs import PackSizes, scan_pack
from forges.clients.transport import USER_AGENT, check_transport, translated
from lib import egress

_T = TypeVar("_T")

_MAX_REFS = 1_000_000
_OBJECT_BYTES = 128 << 20
"""The largest object that may be unpacked in memory, where a server cannot leave large files out."""


class _FetchedCommit(StoredCommit):
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


class RemoteSource:
    """One repository on a server. Commits are fetched without their history into a folder that `close` removes."""

    def __init__(
        self,
        url: str,
        *,
        credential: CredentialSource,
        policy: egress.Policy,
        limits: Limits,
        clock: Clock,
        on_request: Callable[[], None],
    ) -> None:
        self._url = url
        self._host = urlsplit(url).hostname or ""
        self._limits = limits
        self._clock = clock
        self._pools = egress.pool_manager(
            policy,
            timeout=limits.timeout,
            total_timeout=limits.total_timeout,
            max_bytes=limits.max_archive_bytes,
            on_request=on_request,
            end=clock.end,
        )
        self._pools.headers = {"User-Agent": USER_AGENT}
        self._source = credential
        self._policy = policy
        self._sent = Credential()
        self._renewed: Credential | None = None
        self._suffix_known = False
        self._folders: list[str] = []
        self._stores: list[DiskObjectStore] = []
        self._snapshots: dict[str, Snapshot] = {}
        self._folders_of: dict[str, Snapshot] = {}

    def _transport(self, service: str = UPLOAD_PACK) -> Transport:
        credential = self._sent = self._renewed or (self._source.current() if self._source else Credential())
        self._renewed = None
        check_transport(self._url, credential, self._policy)
        client = Transport(
            self._url,
            pool_manager=self._pools,
            thin_packs=False,
            # GitHub, GitLab and Gitea take any name beside a token; Bitbucket wants the account's.
            username=(credential.username or "x-access-token") if credential else None,
            password=credential.token,
        )
        client.what = f"the repository {self._url}"
        client.service = service
        client.anonymous = not credential
        client.max_sent = self._limits.max_archive_bytes
        return client

    @contextmanager
    def refs(self) -> Iterator[Refs]:
        """One request: the first version of the protocol lists all refs at once, and reading stops where it may."""
        with self._clock.running(self._host), translated(self._host), understood(self._host):
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
            answer = self._renewing(ask)
        except NotFound:
            if self._suffix_known or self._url.endswith(".git"):
                raise
            plain, self._url = self._url, f"{self._url}.git"
            try:
                answer = self._renewing(ask)
            except ForgeError:
                self._url = plain
                raise
        self._suffix_known = True
        return answer

    def _renewing(self, ask: Callable[[], _T]) -> _T:
        """Once more with another credential, where there is one in place of a refused one."""
        try:
            return ask()
        except AuthFailed:
            self._renewed = self._source.renewed(self._sent) if self._sent else None
            if self._renewed is None:
                raise
            return ask()

    def _read_refs(self, first: bytes, lines: Iterator[bytes]) -> Iterator[tuple[str, str]]:
        count = 0
        line: bytes | None = first
        while line:
            oid, _, name = line.rstrip(b"\n").partition(b" ")
            if oid == b"ERR":
                raise Unavailable(f"{self._host} refused to list the branches.")
            if len(oid) == 64:
                raise InvalidName("The repository names its objects by SHA-256, which is not supported yet.")
            if not COMMIT_ID.fullmatch(text_of(oid)):
                raise Unavailable(f"{self._host} does not answer as a git server.")
            if name != b"capabilities^{}":
                yield text_of(name), text_of(oid)
            count += 1
            if count > _MAX_REFS:
                raise TooLarge(f"The repository has more than {_MAX_REFS:,} branches and tags.")
            line = next(lines, None)

    def snapshot(self, commit: str) -> Snapshot:
        if commit not in self._snapshots:
            # Where the server knows filters, what would be skipped for its size is not even sent.
            self._snapshots[commit] = self._fetch(commit, b"blob:limit=%d" % (self._limits.max_blob_bytes + 1))
        return self._snapshots[commit]

    def folders(self, commit: str) -> Snapshot:
        if commit in self._snapshots:
            return self._snapshots[commit]
        if commit not in self._folders_of:
            self._folders_of[commit] = self._fetch(commit, b"blob:none")
        return self._folders_of[commit]

    def push(self, push: Push) -> None:
        with self._clock.running(self._host), translated(self._host), understood(self._host):
            self._with_or_without_suffix(lambda: push_over(self._transport(RECEIVE_PACK), self._url, push))

    def check_push(self) -> None:
        """The question with which each push begins, and no more of it."""

        def ask() -> Any:
            url = f"{self._url}/info/refs?service={RECEIVE_PACK}"
            return self._transport(RECEIVE_PACK)._http_request(url, {"Accept": "*/*"})

        with self._clock.running(self._host), translated(self._host), understood(self._host):
            response, _ = self._with_or_without_suffix(ask)
            response.close()

    def _fetch(self, commit: str, objects: bytes) -> Snapshot:
        """`objects` is a filter: https://git-scm.com/docs/git-rev-list#Documentation/git-rev-list.txt---filterltfilter-specgt"""
        with self._clock.running(self._host), translated(self._host), understood(self._host):
            return self._fetch_pack(commit, objects)

    def _fetch_pack(self, commit: str, objects: bytes) -> Snapshot:
        folder = tempfile.mkdtemp(prefix="millrace-git-")
        self._folders.append(folder)
        store = DiskObjectStore.init(folder)
        self._stores.append(store)
        file, keep, drop = store.add_pack()
        try:
            self._download(commit, objects, file)
            if not file.tell():
                raise Moved(f"{self._url} does not have the commit {commit[:10]} any more.")
            file.flush()
            sizes = scan_pack(file, max_object_bytes=_OBJECT_BYTES, max_bytes=self._limits.max_archive_bytes)
        except BaseException:
            drop()
            raise
        keep()
        return _FetchedCommit(store, commit, self._limits, sizes)

    def _download(self, commit: str, objects: bytes, file: BinaryIO) -> None:
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
                    filter_spec=objects,
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
        self._folders_of.clear()
        self._pools.clear()
        for store in self._stores:
            store.close()
        self._stores.clear()
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)
        self._folders.clear()


def _default_branch(capabilities: bytes) -> str:
    for capability in capabilities.split():
        if capability.startswith(b"symref=HEAD:refs/heads/"):
            return text_of(capability.removeprefix(b"symref=HEAD:refs/heads/"))
    return ""
