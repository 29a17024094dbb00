"""Bitbucket Cloud, with an API token, an access token of a workspace, project or repository, or one of OAuth.

https://developer.atlassian.com/cloud/bitbucket/rest/intro/. Archives come from the host that people see, everything
else from the API's; both are asked through one guarded session, and the credential goes to these two alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import islice
from operator import itemgetter
from types import TracebackType
from typing import ClassVar, NoReturn, Self
from urllib.parse import quote

from forges.clients.answers import MAX_URL, commit_of, name_of
from forges.clients.base import (
    Account,
    Author,
    Branch,
    CredentialSource,
    Limits,
    Listing,
    PullRequest,
    RemoteHook,
    Repository,
    Usage,
)
from forges.clients.bitbucket_answers import account_of, repository_of, scopes_of
from forges.clients.bitbucket_contents import Kept
from forges.clients.bitbucket_listing import Reading
from forges.clients.bitbucket_names import WORKSPACE, check_uuid, normalise_bitbucket
from forges.clients.bitbucket_requests import Api, ScopeMissing, in_quotes
from forges.clients.bitbucket_writing import Change, Hooks, commit_to, find_pull_request, pull_request
from forges.clients.errors import AuthFailed, EmptyRepository, Forbidden, Moved, NotFound
from forges.clients.names import check_branch, check_commit, is_branch
from forges.clients.push_checks import check_push
from lib import egress


class BitbucketClient:
    forge: ClassVar[str] = "bitbucket"
    lists_repositories: ClassVar[bool] = True
    has_hooks: ClassVar[bool] = True
    commits: ClassVar[bool] = True
    opens_pull_requests: ClassVar[bool] = True

    def __init__(self, *, base_url: str, credential: CredentialSource, policy: egress.Policy, limits: Limits) -> None:
        self.usage = Usage()
        self._credential = credential
        self._policy = policy
        self._api = Api(base_url=base_url, credential=credential, policy=policy, limits=limits, usage=self.usage)
        self._kept: Kept | None = None

    def __enter__(self) -> Self:
        self._api.clock.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._api.close()
        self._forget()

    # https://developer.atlassian.com/cloud/bitbucket/rest/api-group-users/#api-user-get
    def account(self) -> Account:
        with self._api.understood("this account") as what:
            try:
                response = self._api.send("GET", "/user", what)
            except ScopeMissing as error:
                return Account(login=None, scopes=error.granted)
            except (AuthFailed, Forbidden):
                return self._nobody()
            return account_of(self._api.json(response), scopes_of(response.headers))

    # https://developer.atlassian.com/cloud/bitbucket/rest/api-group-workspaces/#api-user-workspaces-get
    def _nobody(self) -> Account:
        """Not every access token may ask who it is. One that works is told here at worst which scope it lacks."""
        try:
            response = self._api.send("GET", "/user/workspaces", "this token")
        except ScopeMissing as error:
            return Account(login=None, scopes=error.granted)
        return Account(login=None, scopes=scopes_of(response.headers))

    # https://developer.atlassian.com/cloud/bitbucket/rest/api-group-repositories/#api-repositories-workspace-get
    def repositories(self, *, query: str = "", limit: int = 100) -> tuple[Repository, ...]:
        """Of each workspace that the credential is let into, or of the one that `query` names before a slash."""
        found: dict[str, tuple[str, Repository]] = {}
        params = {"role": "member", "sort": "-updated_on"}
        if query:
            params["q"] = f"full_name ~ {in_quotes(query)}"
        most = self.usage.requests + self._api.limits.max_pages
        with self._api.understood("the list of repositories") as what:
            for workspace in self._workspaces(query, what):
                for data in islice(self._api.pages(f"/repositories/{workspace}", what, params=params), limit):
                    repository = repository_of(data)
                    if query.casefold() in repository.full_name:
                        found[repository.id] = (name_of(data.get("updated_on") or ""), repository)
                if self.usage.requests >= most:
                    break
        latest = sorted(found.values(), key=itemgetter(0), reverse=True)
        return tuple(repository for _, repository in latest[:limit])

    # https://developer.atlassian.com/cloud/bitbucket/rest/api-group-workspaces/#api-user-workspaces-get
    def _workspaces(self, query: str, what: str) -> list[str]:
        named, slash, _ = query.partition("/")
        if slash:
            return [named.lower()] if WORKSPACE.fullmatch(named) else []
        if not self._credential:
            return []
        try:
            slugs = [name_of(data["workspace"]["slug"]) for data in self._api.pages("/user/workspaces", what)]
        except ScopeMissing:
            return []  # Access tokens cannot have that scope: their workspace has to be named.
        return [slug for slug in slugs if WORKSPACE.fullmatch(slug)]

    # https://developer.atlassian.com/cloud/bitbucket/rest/api-group-repositories/#api-repositories-workspace-repo-slug-get
    def repository(self, name: str) -> Repository:
        with self._api.understood(f"the repository {name}") as what:
            return repository_of(self._api.get(self._path(name), what))

    # https://developer.atlassian.com/cloud/bitbucket/rest/intro/#repository-object-and-uuid
    def find(self, repository_id: str) -> Repository:
        with self._api.understood("the repository with this id") as what:
            return repository_of(self._api.get(self._by_id(repository_id), what))

    # https://developer.atlassian.com/cloud/bitbucket/rest/api-group-refs/#api-repositories-workspace-repo-slug-refs-branches-get
    def branches(self, name: str) -> tuple[Branch, ...]:
        found: dict[str, Branch] = {}
        with self._api.understood(f"the branches of {name}") as what:
            for data in self._api.pages(f"{self._path(name)}/refs/branches", what):
                branch = name_of(data["name"], most=MAX_URL)
                found[branch] = Branch(branch, commit_of(data["target"]["hash"]))
        return tuple(branch for branch in found.values() if is_branch(branch.name))

    # https://developer.atlassian.com/cloud/bitbucket/rest/api-group-refs/#api-repositories-workspace-repo-slug-refs-branches-name-get
    def head(self, name: str, branch: str, *, repository_id: str = "") -> str:
        path = f"{self._by_id(repository_id) if repository_id else self._path(name)}/refs/branches"
        with self._api.understood(f"the branch {check_branch(branch)} of {name}") as what:
            try:
                data = self._api.get(f"{path}/{quote(branch, safe='/')}", what)
            except NotFound:
                values, _ = self._api.page(path, f"the branches of {name}", params={"pagelen": 1})
                if not values:
                    raise EmptyRepository(f"The repository has no commit yet, so {what} cannot be read.") from None
                raise
            if data["name"] != branch:
                raise ValueError("another branch")
            return commit_of(data["target"]["hash"])

    def tree(self, name: str, commit: str, *, sizes: bool = True) -> Listing:  # noqa: ARG002  they cost nothing
        """With blob ids that are computed from the files' bytes, which are kept for `archive` and `blobs`."""
        slug = self._slug(name)
        self._forget()
        self._kept = Kept()
        with self._api.understood(f"the tree of {name}"):
            try:
                return Reading(self._api, slug, check_commit(commit), self._kept).read()
            except NotFound:
                self._gone(name, commit)

    @contextmanager
    def archive(self, name: str, commit: str) -> Iterator[Iterator[tuple[str, bytes]]]:
        """From what `tree` kept, if that commit was listed last: as far as it was listed, and without a request."""
        slug = self._slug(name)
        if self._kept is not None and self._kept.of == (slug, check_commit(commit)):
            yield self._timed(self._kept.files())
            return
        with ExitStack() as stack:
            try:
                files = stack.enter_context(self._api.archive(slug, check_commit(commit)))
            except NotFound:
                self._gone(name, commit)
            yield files

    def blobs(self, name: str, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """From the commit that was listed last: Bitbucket gives files by their path alone."""
        kept = self._kept
        if kept is None or kept.of[0] != self._slug(name):
            return
        for oid in dict.fromkeys(oids):
            self._api.clock.check(self._api.host)
            data = kept.read(oid)
            if data is not None:
                yield oid, data

    def file_url(self, name: str, commit: str, path: str) -> str:
        return f"{self._api.web_url}/{name}/src/{commit}/{quote(path, safe='/')}"

    def commit_url(self, name: str, commit: str) -> str:
        return f"{self._api.web_url}/{name}/commits/{commit}"

    def hooks(self, name: str) -> tuple[RemoteHook, ...]:
        return Hooks(self._api, self._slug(name)).all()

    def create_hook(self, name: str, *, url: str, secret: str) -> RemoteHook:
        return Hooks(self._api, self._slug(name)).create(url=url, secret=secret)

    def update_hook(self, name: str, hook_id: str, *, url: str, secret: str) -> RemoteHook:
        return Hooks(self._api, self._slug(name)).update(hook_id, url=url, secret=secret)

    def delete_hook(self, name: str, hook_id: str) -> None:
        Hooks(self._api, self._slug(name)).delete(hook_id)

    def commit(
        self,
        name: str,
        *,
        branch: str,
        parent: str,
        changes: Mapping[str, bytes | None],
        message: str,
        author: Author,
        committer: Author | None = None,  # noqa: ARG002  an upload takes an author and no committer
        there: Mapping[str, str] | None = None,  # noqa: ARG002  it takes files that are there like those that are not
    ) -> str:
        change = Change(branch, parent, changes, message, author)
        if not parent and self.branches(name):
            raise change.moved(name)  # asked without a parent, Bitbucket would put it on top of whatever is there
        try:
            return commit_to(self._api, self._slug(name), change)
        except NotFound:
            self.repository(name)
            raise change.moved(name) from None

    # https://support.atlassian.com/bitbucket-cloud/docs/using-api-tokens/ and /use-oauth-on-bitbucket-cloud/
    def check_push(self, name: str, branch: str = "") -> None:  # noqa: ARG002  restrictions are told to admins alone
        with self._api.understood(f"the repository {name}"):
            own = bool(self._credential) and (sent := self._credential.current()).username and not sent.oauth
            check_push(
                f"{self._api.web_url}/{self._slug(name)}",
                username="x-bitbucket-api-token-auth" if own else "x-token-auth",
                credential=self._credential,
                policy=self._policy,
                limits=self._api.limits,
                clock=self._api.clock,
                usage=self.usage,
            )

    def find_pull_request(self, name: str, *, source: str, target: str) -> PullRequest | None:
        return find_pull_request(self._api, self._slug(name), source=source, target=target)

    def pull_request(self, name: str, *, source: str, target: str, title: str, body: str) -> PullRequest:
        return pull_request(self._api, self._slug(name), source=source, target=target, title=title, body=body)

    # -- the rest ------------------------------------------------------------------------------------------------------

    def _slug(self, name: str) -> str:
        # Checked again although it was when it was saved: it becomes part of a path.
        return normalise_bitbucket(self._api.base_url, name)

    def _path(self, name: str) -> str:
        return f"/repositories/{self._slug(name)}"

    def _by_id(self, repository_id: str) -> str:
        """In whatever workspace it is: https://developer.atlassian.com/cloud/bitbucket/rest/intro/#uuid"""
        return f"/repositories/%7B%7D/{quote(check_uuid(repository_id))}"

    def _gone(self, name: str, commit: str) -> NoReturn:
        """404 for a commit: is it the repository that is missing, or was the branch rewritten?"""
        self.repository(name)
        raise Moved(f"{name} does not have the commit {commit[:10]} any more.")

    def _forget(self) -> None:
        if self._kept is not None:
            self._kept.close()
        self._kept = None

    def _timed(self, files: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
        """Reading from the disk takes its time as well."""
        for file in files:
            self._api.clock.check(self._api.host)
            yield file
