"""A commit's tree with git's blob ids, which Bitbucket tells nowhere: docs/adr/0008-bitbucket-listings.md.

The walk through the directories says which files there are; the archive, one request, has their bytes, and the id of a
blob is computed from those. What the archive left out or altered is asked for by itself. The bytes are kept for whoever
asks for them next, so that nothing is downloaded twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from forges.clients.base import Entry, EntryKind, Listing, blob_id
from forges.clients.bitbucket_answers import File
from forges.clients.bitbucket_contents import ATTRIBUTES, Kept, altered, restored
from forges.clients.bitbucket_requests import PAGE, Api, source_path
from forges.clients.bitbucket_trees import Page, Walk
from forges.clients.errors import Forbidden, ForgeError, NotFound, OutOfTime
from forges.clients.listing import Allowance, Stopped

# https://developer.atlassian.com/cloud/bitbucket/rest/intro/#partial-response: a tenth of the bytes.
_FIELDS = "next,values.path,values.type,values.size,values.attributes"


@dataclass(slots=True)
class Reading:
    """One listing: of the repository `name` at `commit`. Fills `kept` with the bytes of its files."""

    api: Api
    name: str
    commit: str
    kept: Kept
    _links: dict[str, str] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)
    """Files that were asked for by themselves. Those whose path is not UTF-8 are not handed out by any other name."""

    def read(self) -> Listing:
        """NotFound if there is no such commit or repository; other errors of the first request and of the archive."""
        allowance = Allowance(self.api.limits)
        reasons: list[str] = []
        walk = Walk(self._begin, lambda following: self.api.page(following, self._what), self.api.limits, allowance)
        try:
            walk.run()
        except Stopped as reason:
            reasons.append(str(reason))
        wanted = {path: file for path, file in walk.found.items() if self._is_wanted(file)}
        if wanted:
            self._unpack(walk.found, wanted)
        try:
            self._fetch({path: file for path, file in wanted.items() if _is_attributes(path)}, allowance)
            self._distrust(walk.found)
            self._fetch(wanted, allowance)
        except Stopped as reason:
            lost = sum(not self._is_known(path) for path in wanted)
            reasons += [str(reason), f"The archive leaves out or alters {lost:,} more files than could be asked for."]
        entries = tuple(
            Entry(path, self._oid(path), self._size(file), file.kind)
            for path, file in walk.found.items()
            if path not in wanted or self._is_known(path)
        )
        self.kept.of = (self.name, self.commit)
        return Listing(self.commit, entries, complete=not reasons, reason=" ".join(dict.fromkeys(reasons)))

    @property
    def _what(self) -> str:
        return f"the tree of {self.name}"

    # https://developer.atlassian.com/cloud/bitbucket/rest/api-group-source/#api-repositories-workspace-repo-slug-src-commit-path-get
    def _begin(self, folder: str, depth: int) -> Page:
        address = source_path(self.name, self.commit, folder)
        return self.api.page(address, self._what, params={"max_depth": depth, "pagelen": PAGE, "fields": _FIELDS})

    def _is_wanted(self, file: File) -> bool:
        """Whether its bytes are: what is too large is skipped for its size, and links and submodules for their kind."""
        regular = file.kind in (EntryKind.FILE, EntryKind.EXECUTABLE)
        return regular and (file.lfs or file.size <= self.api.limits.max_blob_bytes)

    def _unpack(self, listed: dict[str, File], wanted: dict[str, File]) -> None:
        def on_link(path: str, target: bytes) -> None:
            if path in listed and listed[path].kind is EntryKind.SYMLINK:
                self._links[path] = blob_id(target)

        try:
            with self.api.archive(self.name, self.commit, on_link=on_link) as files:
                for path, data in files:
                    self.api.clock.check(self.api.host)
                    true = restored(data, wanted[path]) if path in wanted else None
                    if true is not None:
                        self.kept.add(path, true)
        except Forbidden:
            pass  # archives have rules of their own; then every file is asked for by itself, as far as that goes
        except NotFound:
            self._begin("", 1)  # not so when the commit is gone since

    def _distrust(self, listed: dict[str, File]) -> None:
        """Forget what the archive said of files that it may have altered without a trace."""
        texts = {
            path.removesuffix(ATTRIBUTES): self.kept.read(self.kept.paths.get(path, ""))
            for path, file in listed.items()
            if _is_attributes(path) and file.kind is not EntryKind.SYMLINK
        }
        is_altered = altered(texts)
        for path in [path for path in self.kept.paths if path not in self._asked and is_altered(path)]:
            del self.kept.paths[path]

    def _fetch(self, files: dict[str, File], allowance: Allowance) -> None:
        for path, file in files.items():
            if self._is_known(path):
                continue
            # Asked for by itself, a file of Git LFS would come in full from where it is stored.
            if not file.lfs:
                allowance.spend()
                try:
                    data = self.api.raw(self.name, self.commit, path)
                except OutOfTime:
                    raise  # a worker asks for them all
                except ForgeError as error:
                    raise Stopped(str(error)) from error
                if data is not None:
                    self.kept.add(path, data)
            self._asked.add(path)

    def _is_known(self, path: str) -> bool:
        return path in self.kept.paths or path in self._asked

    def _oid(self, path: str) -> str:
        return self.kept.paths.get(path) or self._links.get(path, "")

    def _size(self, file: File) -> int | None:
        return None if file.kind is EntryKind.SUBMODULE or file.lfs else file.size


def _is_attributes(path: str) -> bool:
    return path.rpartition("/")[2] == ATTRIBUTES
