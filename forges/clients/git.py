"""Any git repository that is reachable over https, with an optional user and token, or in a folder that is allowed.

No git binary and no working copy: one commit without its history is fetched into a temporary pack on disk, read from
there, and removed with the client; one that is written needs only the folders of its parent. What a fetch costs: the
refs (one request), then the protocol's three; a push: two more.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import ClassVar, NoReturn, Self, TypeVar
from urllib.parse import quote, urlsplit

from forges.clients.base import (
    Account,
    Author,
    Branch,
    CredentialSource,
    Entry,
    EntryKind,
    Limits,
    Listing,
    PullRequest,
    RemoteHook,
    Repository,
    Usage,
)
from forges.clients.clock import Clock
from forges.clients.errors import EmptyRepository, NotFound, TooLarge
from forges.clients.git_remote import RemoteSource
from forges.clients.git_sources import HEADS, LocalSource, Source, understood
from forges.clients.git_writing import make_push
from forges.clients.names import COMMIT_ID, check_branch, check_commit, is_branch, normalise_git
from lib import egress

# Forges whose pages are known, by host: of a file, and of a commit.
_PAGES = {
    "github.com": ("/blob/{commit}/{path}", "/commit/{commit}"),
    "gitlab.com": ("/-/blob/{commit}/{path}", "/-/commit/{commit}"),
    "bitbucket.org": ("/src/{commit}/{path}", "/commits/{commit}"),
    "codeberg.org": ("/src/commit/{commit}/{path}", "/commit/{commit}"),
    "gitea.com": ("/src/commit/{commit}/{path}", "/commit/{commit}"),
}

_T = TypeVar("_T")


class GitClient:
    forge: ClassVar[str] = "git"
    lists_repositories: ClassVar[bool] = False
    has_hooks: ClassVar[bool] = False
    commits: ClassVar[bool] = True
    opens_pull_requests: ClassVar[bool] = False

    def __init__(
        self, *, credential: CredentialSource, policy: egress.Policy, limits: Limits, local_roots: tuple[Path, ...] = ()
    ) -> None:
        self.usage = Usage()
        self._credential = credential
        self._policy = policy
        self._limits = limits
        self._local_roots = local_roots
        self._clock = Clock(limits.deadline)
        self._sources: dict[str, Source] = {}

    def __enter__(self) -> Self:
        self._clock.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        for source in self._sources.values():
            source.close()
        self._sources.clear()

    def account(self) -> Account:
        """Whom the credential names. Plain git cannot be asked: `repository` proves the credential."""
        return Account(login=(self._credential.current().username or None) if self._credential else None)

    def repositories(self, *, query: str = "", limit: int = 100) -> tuple[Repository, ...]:  # noqa: ARG002
        return ()

    def repository(self, name: str) -> Repository:
        url = self._url(name)
        with self._source(name).refs() as found:
            default = found.default_branch
            if not is_branch(default):
                # Servers from before 2013 do not say where HEAD points.
                heads = (ref.removeprefix(HEADS) for ref, _ in found.refs if ref.startswith(HEADS))
                branches = [head for head in heads if is_branch(head)]
                default = next((name for name in ("main", "master") if name in branches), next(iter(branches), ""))
        return Repository(
            id=url,
            full_name=url,
            default_branch=default,
            private=bool(self._credential),
            web_url=url if urlsplit(url).hostname in _PAGES else "",
        )

    def find(self, repository_id: str) -> Repository:
        """Its id is its URL: plain git does not tell a renamed repository from another one."""
        return self.repository(repository_id)

    def branches(self, name: str) -> tuple[Branch, ...]:
        found: list[Branch] = []
        with self._source(name).refs() as listed:
            for ref, commit in listed.refs:
                if ref.startswith(HEADS):
                    if is_branch(branch := ref.removeprefix(HEADS)):
                        found.append(Branch(branch, commit))
                elif found:
                    break  # Refs come sorted: what follows the branches is pull requests and tags.
                if len(found) >= self._limits.max_pages * 100:
                    break
        return tuple(found)

    def head(self, name: str, branch: str, *, repository_id: str = "") -> str:  # noqa: ARG002  the URL is the id
        wanted = HEADS + check_branch(branch)
        empty = True
        with self._source(name).refs() as listed:
            for ref, commit in listed.refs:
                if ref == wanted:
                    return commit
                empty = False
        if empty:
            raise EmptyRepository(f"The repository has no commit yet, so the branch {branch} cannot be read.")
        raise NotFound(f"The repository has no branch {branch}.")

    def tree(self, name: str, commit: str, *, sizes: bool = True) -> Listing:
        source = self._source(name)
        snapshot = (source.snapshot if sizes else source.folders)(check_commit(commit))
        limit = self._limits.max_entries
        with understood("the repository"):
            entries = [
                Entry(path, oid, snapshot.size(oid) if sizes and kind is not EntryKind.SUBMODULE else None, kind)
                for path, oid, kind in self._timed(islice(snapshot.files(), limit + 1))
            ]
        complete = len(entries) <= limit
        reason = "" if complete else f"The tree has more than {limit:,} files."
        return Listing(commit, tuple(entries[:limit]), complete=complete, reason=reason)

    @contextmanager
    def archive(self, name: str, commit: str) -> Iterator[Iterator[tuple[str, bytes]]]:
        yield self._files(name, check_commit(commit))

    def _files(self, name: str, commit: str) -> Iterator[tuple[str, bytes]]:
        snapshot = self._source(name).snapshot(commit)
        left = self._limits.max_archive_bytes
        with understood("the repository"):
            for path, oid, kind in self._timed(islice(snapshot.files(), self._limits.max_entries)):
                data = snapshot.read(oid) if kind in (EntryKind.FILE, EntryKind.EXECUTABLE) else None
                if data is None:
                    continue
                left -= len(data)
                if left < 0:
                    raise TooLarge(f"The files are more than {self._limits.max_archive_bytes:,} bytes together.")
                yield path, data

    def blobs(self, name: str, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """From the commits whose tree or archive was read: git servers give commits, not files."""
        source = self._source(name)
        with understood("the repository"):
            for oid in self._timed(dict.fromkeys(oids)):
                data = source.read(oid) if COMMIT_ID.fullmatch(oid) else None
                if data is not None:
                    yield oid, data

    def file_url(self, name: str, commit: str, path: str) -> str:
        return self._page(name, 0, commit=commit, path=quote(path, safe="/"))

    def commit_url(self, name: str, commit: str) -> str:
        return self._page(name, 1, commit=commit)

    def commit(
        self,
        name: str,
        *,
        branch: str,
        parent: str,
        changes: Mapping[str, bytes | None],
        message: str,
        author: Author,
        committer: Author | None = None,
        there: Mapping[str, str] | None = None,  # noqa: ARG002  the folders are read in any case
    ) -> str:
        """See `Client.commit`. `parent` where nothing changes; two requests where its tree was listed before."""
        source = self._source(name)
        check_branch(branch)
        base = source.folders(check_commit(parent)) if parent else None
        with understood("the repository"):
            push = make_push(
                base,
                branch=branch,
                parent=parent,
                changes=changes,
                message=message,
                author=author,
                committer=committer or author,
                at=int(time.time()),
                max_bytes=self._limits.max_archive_bytes,
            )
        if push is None:
            return parent
        source.push(push)
        return push.commit

    def check_push(self, name: str, branch: str = "") -> None:  # noqa: ARG002  git does not tell who may push where
        self._source(name).check_push()

    # -- what git itself has no word for, see `has_hooks` and `opens_pull_requests` ------------------------------------

    def hooks(self, name: str) -> tuple[RemoteHook, ...]:  # noqa: ARG002
        self._not_known()

    def create_hook(self, name: str, *, url: str, secret: str) -> RemoteHook:  # noqa: ARG002
        self._not_known()

    def update_hook(self, name: str, hook_id: str, *, url: str, secret: str) -> RemoteHook:  # noqa: ARG002
        self._not_known()

    def delete_hook(self, name: str, hook_id: str) -> None:  # noqa: ARG002
        self._not_known()

    def find_pull_request(self, name: str, *, source: str, target: str) -> PullRequest | None:  # noqa: ARG002
        self._not_known()

    def pull_request(self, name: str, *, source: str, target: str, title: str, body: str) -> PullRequest:  # noqa: ARG002
        self._not_known()

    def _not_known(self) -> NoReturn:
        raise NotImplementedError("Plain git has no webhooks and no pull requests.")

    def _page(self, name: str, which: int, **values: str) -> str:
        pages = _PAGES.get(urlsplit(name).hostname or "")
        return f"{name}{pages[which].format(**values)}" if pages else ""

    def _url(self, name: str) -> str:
        # Judged again although it was when it was saved: it decides where a token goes.
        return normalise_git(name, local_roots=self._local_roots)

    def _source(self, name: str) -> Source:
        url = self._url(name)
        if url not in self._sources:
            if url.startswith("file:"):
                self._sources[url] = LocalSource(url, roots=self._local_roots, limits=self._limits)
            else:
                self._sources[url] = RemoteSource(
                    url,
                    credential=self._credential,
                    policy=self._policy,
                    limits=self._limits,
                    clock=self._clock,
                    on_request=self._count_request,
                )
        return self._sources[url]

    def _timed(self, items: Iterable[_T]) -> Iterator[_T]:
        """Reading from the disk takes its time as well."""
        for item in items:
            self._clock.check("The repository")
            yield item

    def _count_request(self) -> None:
        self.usage.requests += 1
