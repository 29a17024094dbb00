"""GitLab, gitlab.com and self-managed: with a personal, project or group access token, by OAuth, or with nothing.

python-gitlab speaks for accounts, projects, branches, webhooks, commits and merge requests. Trees, blobs and archives
go past it: it would make an object of each of a hundred thousand entries, and keep an archive in memory. Both go
through one guarded session, which alone knows the token (`gitlab_session`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, ClassVar, NoReturn, Self
from urllib.parse import quote

from forges.clients import gitlab_hooks, gitlab_writing
from forges.clients.archives import files_in
from forges.clients.base import (
    Account,
    Author,
    Branch,
    CredentialSource,
    Entry,
    Limits,
    Listing,
    PullRequest,
    RemoteHook,
    Repository,
)
from forges.clients.errors import EmptyRepository, InvalidName, Moved, NotFound, TooLarge
from forges.clients.gitlab_accounts import read_account
from forges.clients.gitlab_answers import branch_of, next_page, repository_of
from forges.clients.gitlab_names import normalise_gitlab
from forges.clients.gitlab_session import PAGE, GitLabSession
from forges.clients.gitlab_throttle import await_archive
from forges.clients.gitlab_trees import TreeReader
from forges.clients.names import COMMIT_ID, check_branch, check_commit, is_branch
from lib import egress

_RAW_REQUESTS = 20
"""Blobs that one call of `blobs` asks for, one by one; an archive costs one request and is better above that."""
_REPORTER = 20
"""https://docs.gitlab.com/user/permissions/#repository-members-permissions: the least that reads private code."""
_SHORTEST_SEARCH = 3
"""GitLab looks for parts of names from three characters on, and for whole names below."""


class GitLabClient:
    forge: ClassVar[str] = "gitlab"
    lists_repositories: ClassVar[bool] = True
    has_hooks: ClassVar[bool] = True
    commits: ClassVar[bool] = True
    opens_pull_requests: ClassVar[bool] = True

    def __init__(self, *, base_url: str, credential: CredentialSource, policy: egress.Policy, limits: Limits) -> None:
        self._session = GitLabSession(base_url=base_url, source=credential, policy=policy, limits=limits)
        self._limits = limits
        self.usage = self._session.usage

    def __enter__(self) -> Self:
        self._session.clock.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._session.close()

    def account(self) -> Account:
        return read_account(self._session)

    # https://docs.gitlab.com/api/projects/#list-all-projects
    def repositories(self, *, query: str = "", limit: int = 100) -> tuple[Repository, ...]:
        # By keyset GitLab lists projects in the order of their numbers alone.
        search = {"search": query, "search_namespaces": True} if len(query) >= _SHORTEST_SEARCH else {}
        found: dict[str, Repository] = {}
        with self._session.understood("the list of projects"):
            listed = self._session.gitlab.projects.list(
                iterator=True,
                per_page=PAGE,
                membership=True,
                min_access_level=_REPORTER,
                order_by="last_activity_at",
                sort="desc",
                **search,
            )
            for project in self._session.pages(listed):
                repository = repository_of(project.attributes)
                if repository.id in found:
                    break  # The next page is one that we had: a list that never ends.
                if query.casefold() in repository.full_name.casefold():
                    found[repository.id] = repository
                    if len(found) >= limit:
                        break
        return tuple(found.values())

    # https://docs.gitlab.com/api/projects/#get-a-single-project
    def repository(self, name: str) -> Repository:
        with self._session.understood(f"the project {name}") as what:
            return repository_of(self._session.get(self._path(name), what))

    def find(self, repository_id: str) -> Repository:
        with self._session.understood("the project") as what:
            return repository_of(self._session.get(self._by_id(repository_id), what))

    # https://docs.gitlab.com/api/branches/#list-repository-branches
    def branches(self, name: str) -> tuple[Branch, ...]:
        found: dict[str, Branch] = {}
        with self._session.understood(f"the branches of {name}"):
            for item in self._session.pages(self._project(name).branches.list(iterator=True, per_page=PAGE)):
                branch = branch_of(item.attributes)
                if branch.name in found:
                    break
                found[branch.name] = branch
        return tuple(branch for branch in found.values() if is_branch(branch.name))

    def head(self, name: str, branch: str, *, repository_id: str = "") -> str:
        commit = self._tip(name, branch, self._by_id(repository_id) if repository_id else self._path(name))
        if commit is None:
            raise NotFound(f"{self._session.host} has no branch {branch} of {name}, or hides it from this credential.")
        if not commit:
            raise EmptyRepository(f"The repository has no commit yet, so {branch} of {name} cannot be read.")
        return commit

    # https://docs.gitlab.com/api/branches/#get-single-repository-branch
    def _tip(self, name: str, branch: str, project: str) -> str | None:
        """The branch's commit with one request; None where there is no such branch, "" where there is no commit."""
        path = quote(check_branch(branch), safe="")
        with self._session.understood(f"the branch {branch} of {name}") as what:
            try:
                found = branch_of(self._session.get(f"{project}/repository/branches/{path}", what))
            except NotFound:
                return "" if self._is_empty(project) else None
            if found.name != branch:
                raise ValueError("another branch")
            return found.commit

    def _is_empty(self, project: str) -> bool:
        """Whether the project has no commit; NotFound where there is no project."""
        with self._session.understood("the project") as what:
            found = self._session.get(project, what)
            if "empty_repo" in found:
                return found["empty_repo"] is True
            # Nobody is told that without a token.
            return not self._session.get(f"{project}/repository/branches", what, {"per_page": 1})

    # https://docs.gitlab.com/api/repositories/#list-repository-tree
    def tree(self, name: str, commit: str, *, sizes: bool = True) -> Listing:  # noqa: ARG002  it tells none
        check_commit(commit)
        try:
            found, reason = self._listed(name, commit)
        except NotFound:
            self._gone(name, commit)
        return Listing(commit, tuple(found.values()), complete=not reason, reason=reason)

    def _listed(self, name: str, commit: str, folder: str = "") -> tuple[dict[str, Entry], str]:
        """What lies below a folder of a commit, and why that is not all of it."""
        with self._session.understood(f"the tree of {name}") as what:
            query = {"ref": commit, "recursive": True, "pagination": "keyset", "per_page": PAGE}
            if folder:
                query["path"] = folder

            def ask(place: Mapping[str, str]) -> tuple[Any, Mapping[str, str]]:
                response = self._session.send(
                    "GET", f"{self._path(name)}/repository/tree", what, query={**query, **place}
                )
                return self._session.json(response), next_page(response)

            reader = TreeReader(ask, self._limits)
            return reader.found, reader.read()

    # https://docs.gitlab.com/api/repositories/#get-file-archive
    @contextmanager
    def archive(self, name: str, commit: str) -> Iterator[Iterator[tuple[str, bytes]]]:
        check_commit(commit)
        session = self._session
        target = f"{self._path(name)}/repository/archive.tar.gz"
        if session.source:
            await_archive(session.base_url, session.source.current(), end=session.clock.end())
        try:
            # Files of Git LFS as git has them: those in their place would be of another blob id.
            query = {"sha": commit, "include_lfs_blobs": False}
            response = session.send("GET", target, f"the archive of {name}", query=query, stream=True)
        except NotFound:
            self._gone(name, commit)
        with response, session.waiting():
            yield files_in(response, limits=self._limits, waiting=session.waiting)

    def blobs(self, name: str, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        wanted = [oid for oid in dict.fromkeys(oids) if COMMIT_ID.fullmatch(oid)]
        if len(wanted) <= _RAW_REQUESTS:
            for oid in wanted:
                data = self._raw(name, oid)
                if data is not None:
                    yield oid, data

    # https://docs.gitlab.com/api/repositories/#get-raw-blob-content
    def _raw(self, name: str, oid: str) -> bytes | None:
        target = f"{self._path(name)}/repository/blobs/{oid}/raw"
        try:
            response = self._session.send("GET", target, f"a file of {name}", stream=True)
            with self._session.waiting():
                return b"".join(egress.iter_body(response, max_bytes=self._limits.max_blob_bytes))
        except (NotFound, TooLarge):
            return None

    def file_url(self, name: str, commit: str, path: str) -> str:
        return f"{self._session.web_url}/{name}/-/blob/{commit}/{quote(path, safe='/')}"

    def commit_url(self, name: str, commit: str) -> str:
        return f"{self._session.web_url}/{name}/-/commit/{commit}"

    # -- webhooks -----------------------------------------------------------------------------------------------------

    def hooks(self, name: str) -> tuple[RemoteHook, ...]:
        return gitlab_hooks.list_hooks(self._session, self._project(name), name)

    def create_hook(self, name: str, *, url: str, secret: str) -> RemoteHook:
        return gitlab_hooks.create_hook(self._session, self._project(name), name, url=url, secret=secret)

    def update_hook(self, name: str, hook_id: str, *, url: str, secret: str) -> RemoteHook:
        return gitlab_hooks.update_hook(self._session, self._project(name), name, hook_id, url=url, secret=secret)

    def delete_hook(self, name: str, hook_id: str) -> None:
        gitlab_hooks.delete_hook(self._session, self._project(name), name, hook_id)

    # -- writing ------------------------------------------------------------------------------------------------------

    def commit(
        self,
        name: str,
        *,
        branch: str,
        parent: str,
        changes: Mapping[str, bytes | None],
        message: str,
        author: Author,
        committer: Author | None = None,  # noqa: ARG002  GitLab takes whom the token speaks for, and no other
        there: Mapping[str, str] | None = None,
    ) -> str:
        """See `Client.commit`, and `gitlab_writing` for what GitLab cannot promise. `parent` where nothing changes."""
        check_branch(branch)
        if parent:
            check_commit(parent)
        if there is None:
            there = gitlab_writing.present(lambda folder: self._listed(name, parent, folder), parent, changes)
        actions = gitlab_writing.actions_of(changes, there, parent)
        if not actions:
            return parent
        return gitlab_writing.commit(
            self._session,
            self._project(name),
            name,
            branch=branch,
            parent=parent,
            tip=lambda: self._tip(name, branch, self._path(name)),
            actions=actions,
            message=message,
            author=author,
        )

    def check_push(self, name: str, branch: str = "") -> None:
        gitlab_writing.check_push(self._session, self._path(name), name, branch)

    def find_pull_request(self, name: str, *, source: str, target: str) -> PullRequest | None:
        return gitlab_writing.find_merge_request(
            self._session, self._project(name), name, source=check_branch(source), target=check_branch(target)
        )

    def pull_request(self, name: str, *, source: str, target: str, title: str, body: str) -> PullRequest:
        return gitlab_writing.open_merge_request(
            self._session,
            self._project(name),
            name,
            source=check_branch(source),
            target=check_branch(target),
            title=title,
            body=body,
        )

    # -- requests -----------------------------------------------------------------------------------------------------

    def _name(self, name: str) -> str:
        # Checked again although it was when it was saved: it becomes part of a path.
        return normalise_gitlab(self._session.base_url, name)

    def _path(self, name: str) -> str:
        """https://docs.gitlab.com/api/rest/#namespaced-paths"""
        return f"/projects/{quote(self._name(name), safe='')}"

    def _by_id(self, repository_id: str) -> str:
        if not (repository_id.isascii() and repository_id.isdecimal() and len(repository_id) < 20):
            raise InvalidName("This is not a number of a GitLab project.")
        return f"/projects/{repository_id}"

    def _project(self, name: str) -> Any:
        """python-gitlab's, with nothing asked yet."""
        return self._session.gitlab.projects.get(self._name(name), lazy=True)

    def _gone(self, name: str, commit: str) -> NoReturn:
        """404 for a commit: is it the project that is missing, has it no commit, or was the branch rewritten?"""
        if self._is_empty(self._path(name)):
            raise EmptyRepository(f"The repository has no commit yet, so {name} cannot be read.")
        raise Moved(f"{name} does not have the commit {commit[:10]} any more.")
