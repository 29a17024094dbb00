"""GitHub and GitHub Enterprise, with a personal access token, an OAuth or App's token, or none at all.

PyGithub speaks for accounts, repositories and branches. Trees, blobs and archives go past it: it would make an object
with twenty attributes of each of a hundred thousand entries, and keep an archive in memory. All go through one guarded
session, which alone knows the token. PyGithub neither pauses, nor retries, nor follows redirects by itself here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import quote

from github.AuthenticatedUser import AuthenticatedUser
from github.PaginatedList import PaginatedList
from github.Repository import Repository as GithubRepository

from forges.clients.answers import MAX_URL, commit_of, id_of, name_of, picture_of, scopes_in
from forges.clients.archives import files_in
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
    blob_id,
)
from forges.clients.errors import Forbidden, NotFound, TooLarge
from forges.clients.github_answers import expiry_of, repository_of
from forges.clients.github_api import GitHubApi
from forges.clients.github_hooks import GitHubHooks
from forges.clients.github_trees import TreeReader
from forges.clients.github_writing import GitHubWriter
from forges.clients.names import (
    COMMIT_ID,
    check_branch,
    check_commit,
    github_web_url,
    is_branch,
    normalise_github,
)
from forges.clients.push_checks import check_push
from forges.clients.transport import refused
from lib import egress

_BATCH = 100
_RAW_REQUESTS = 20
"""Blobs that one call of `blobs` asks for one by one; an archive costs two requests and is better above that."""
_RAW_REQUESTS_ANONYMOUS = 5
"""Without a token an hour has sixty requests, and GraphQL answers nobody."""


class GitHubClient:
    forge: ClassVar[str] = "github"
    lists_repositories: ClassVar[bool] = True
    has_hooks: ClassVar[bool] = True
    commits: ClassVar[bool] = True
    opens_pull_requests: ClassVar[bool] = True

    def __init__(self, *, base_url: str, credential: CredentialSource, policy: egress.Policy, limits: Limits) -> None:
        self.usage = Usage()
        self._credential = credential
        self._policy = policy
        self._limits = limits
        self._api = GitHubApi(base_url=base_url, credential=credential, policy=policy, limits=limits, usage=self.usage)
        self._hooks = GitHubHooks(self._api)
        self._writer = GitHubWriter(self._api, self.head)

    def __enter__(self) -> Self:
        self._api.clock.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._api.close()

    # https://docs.github.com/en/rest/users/users#get-the-authenticated-user
    def account(self) -> Account:
        api = self._api
        if api.speaks_for_installation():
            # https://docs.github.com/en/rest/apps/installations#list-repositories-accessible-to-the-app-installation
            with api.understood("this installation") as what:
                list(api.get("/installation/repositories?per_page=1", what)["repositories"])
                return Account(login=None)
        with api.understood("this account"):
            headers, data = api.requester.requestJsonAndCheck("GET", "/user")
            return Account(
                login=name_of(data["login"]),
                # Fine-grained tokens have permissions in place of scopes, and GitHub does not tell them.
                scopes=scopes_in(headers.get("x-oauth-scopes")),
                expires_at=expiry_of(headers.get("github-authentication-token-expiration")),
                avatar_url=picture_of(data.get("avatar_url")),
                id=id_of(data["id"]),
            )

    # https://docs.github.com/en/rest/repos/repos#list-repositories-for-the-authenticated-user
    def repositories(self, *, query: str = "", limit: int = 100) -> tuple[Repository, ...]:
        api = self._api
        found: dict[str, Repository] = {}
        installed = api.speaks_for_installation()
        with api.understood("the list of repositories"):
            for repository in self._installed() if installed else self._mine():
                if str(repository.id) in found:
                    break  # The next page is one that we had: a list that never ends.
                if query.casefold() in repository.full_name.casefold():
                    found[str(repository.id)] = repository_of(repository)
                    if len(found) >= limit:
                        break
        return tuple(found.values())

    def _mine(self) -> Iterator[GithubRepository]:
        user = AuthenticatedUser(self._api.requester, url="/user")
        return self._api.paged(user.get_repos(sort="pushed", direction="desc"))

    # https://docs.github.com/en/rest/apps/installations#list-repositories-accessible-to-the-app-installation
    def _installed(self) -> list[GithubRepository]:
        """They come in no order that could be asked for."""
        path = "/installation/repositories"
        listed = PaginatedList(GithubRepository, self._api.requester, path, None, list_item="repositories")
        unique = {repository.id: repository for repository in self._api.paged(listed)}
        return sorted(
            unique.values(), key=lambda each: each.pushed_at.timestamp() if each.pushed_at else 0, reverse=True
        )

    # https://docs.github.com/en/rest/repos/repos#get-a-repository
    def repository(self, name: str) -> Repository:
        with self._api.understood(f"the repository {name}"):
            return repository_of(GithubRepository(self._api.requester, url=self._api.path(name)).complete())

    def find(self, repository_id: str) -> Repository:
        path = self._by_id(repository_id)
        with self._api.understood("the repository with this id"):
            return repository_of(GithubRepository(self._api.requester, url=path).complete())

    def _by_id(self, repository_id: str) -> str:
        """The address that GitHub's own redirects lead to after a repository was renamed."""
        if not (repository_id.isascii() and repository_id.isdecimal()):
            raise NotFound(f"{self._api.host} has no repository with this id.")
        return f"/repositories/{repository_id}"

    # https://docs.github.com/en/rest/branches/branches#list-branches
    def branches(self, name: str) -> tuple[Branch, ...]:
        found: dict[str, Branch] = {}
        with self._api.understood(f"the branches of {name}"):
            for branch in self._api.paged(
                GithubRepository(self._api.requester, url=self._api.path(name)).get_branches()
            ):
                if branch.name in found:
                    break
                found[branch.name] = Branch(name_of(branch.name, most=MAX_URL), name_of(branch.commit.sha))
        return tuple(branch for branch in found.values() if is_branch(branch.name))

    # https://docs.github.com/en/rest/git/refs#get-a-reference
    def head(self, name: str, branch: str, *, repository_id: str = "") -> str:
        path = quote(check_branch(branch), safe="/")
        repository = self._by_id(repository_id) if repository_id else self._api.path(name)
        with self._api.understood(f"the branch {branch} of {name}") as what:
            data = self._api.get(f"{repository}/git/ref/heads/{path}", what)
            if data["ref"] != f"refs/heads/{branch}":
                raise ValueError("another branch")
            return commit_of(data["object"]["sha"])

    # https://docs.github.com/en/rest/git/trees#get-a-tree
    def tree(self, name: str, commit: str, *, sizes: bool = True) -> Listing:  # noqa: ARG002  they cost nothing
        check_commit(commit)
        with self._api.understood(f"the tree of {name}") as what:

            def ask(oid: str, recursive: bool) -> Any:
                # Without the parameter for no: any value of it, 0 included, means yes.
                query = "?recursive=1" if recursive else ""
                return self._api.get(f"{self._api.path(name)}/git/trees/{oid}{query}", what)

            reader = TreeReader(ask, self._limits)
            try:
                reason = reader.read(commit)
            except NotFound:
                self._api.gone(name, commit)
        return Listing(commit, tuple(reader.found.values()), complete=not reason, reason=reason)

    # https://docs.github.com/en/rest/repos/contents#download-a-repository-archive-tar
    @contextmanager
    def archive(self, name: str, commit: str) -> Iterator[Iterator[tuple[str, bytes]]]:
        check_commit(commit)
        try:
            response = self._api.send(
                "GET", f"{self._api.path(name)}/tarball/{commit}", f"the archive of {name}", stream=True
            )
        except NotFound:
            self._api.gone(name, commit)
        with response, self._api.waiting():
            yield files_in(response, limits=self._limits, waiting=self._api.waiting)

    def blobs(self, name: str, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        wanted = [oid for oid in dict.fromkeys(oids) if COMMIT_ID.fullmatch(oid)]
        alone: list[str] = []
        if self._credential:
            for start in range(0, len(wanted), _BATCH):
                batch = wanted[start : start + _BATCH]
                try:
                    yield from self._texts(name, batch, alone)
                except (Forbidden, NotFound):
                    alone += batch  # GraphQL has rules of its own, and proxies that do not let it through.
        else:
            alone = wanted
        if len(alone) <= (_RAW_REQUESTS if self._credential else _RAW_REQUESTS_ANONYMOUS):
            for oid in alone:
                data = self._raw(name, oid)
                if data is not None:
                    yield oid, data

    # https://docs.github.com/en/graphql/reference/objects#blob
    def _texts(self, name: str, oids: Sequence[str], alone: list[str]) -> list[tuple[str, bytes]]:
        """Texts of up to a hundred blobs in one request; those that must be asked for by themselves go into `alone`.

        `text` is what GitHub decoded: it is taken where encoding it gives the blob back, byte for byte.
        """
        fields = " ".join(
            f'b{n}: object(oid: "{oid}") {{ ... on Blob {{ byteSize isTruncated text }} }}'
            for n, oid in enumerate(oids)
        )
        owner, _, repository = normalise_github(self._api.base_url, name).partition("/")
        query = f"query($owner: String!, $name: String!) {{ repository(owner: $owner, name: $name) {{ {fields} }} }}"
        found: list[tuple[str, bytes]] = []
        with self._api.understood(f"the files of {name}") as what:
            answer = self._graphql(query, {"owner": owner, "name": repository}, what)
            for n, oid in enumerate(oids):
                blob = answer.get(f"b{n}")
                if not blob or blob["byteSize"] > self._limits.max_blob_bytes:
                    continue  # Not there, or no blob, or too large.
                data = None if blob["isTruncated"] else (blob["text"] or "").encode("utf-8", "surrogatepass")
                if data is not None and blob_id(data) == oid:
                    found.append((oid, data))
                else:
                    alone.append(oid)
        return found

    # https://docs.github.com/en/graphql/guides/forming-calls-with-graphql
    def _graphql(self, query: str, variables: Mapping[str, str], what: str) -> dict[str, Any]:
        # Enterprise: /api/v3 and /api/graphql. github.com: / and /graphql.
        url = self._api.base_url.removesuffix("/v3") + "/graphql"
        response = self._api.send("POST", url, what, body={"query": query, "variables": variables})
        data = self._api.json(response)
        kinds = {error.get("type") for error in data.get("errors") or ()}
        if kinds & {"RATE_LIMITED", "RATE_LIMIT"}:
            raise refused(self._api.host, 429, response.headers, what)
        repository = data["data"]["repository"]
        if isinstance(repository, dict):
            return repository  # Errors beside it are single blobs that came back as null.
        if "FORBIDDEN" in kinds:
            raise Forbidden(f"{self._api.host} does not let this credential read {what}.")
        if "NOT_FOUND" in kinds:
            raise NotFound(f"{self._api.host} has no {what.removeprefix('the ')}, or hides them from this credential.")
        raise TypeError("no repository")

    # https://docs.github.com/en/rest/git/blobs#get-a-blob
    def _raw(self, name: str, oid: str) -> bytes | None:
        try:
            response = self._api.send(
                "GET",
                f"{self._api.path(name)}/git/blobs/{oid}",
                f"a file of {name}",
                accept="application/vnd.github.raw+json",
                stream=True,
            )
            with self._api.waiting():
                return b"".join(egress.iter_body(response, max_bytes=self._limits.max_blob_bytes))
        except (NotFound, TooLarge):
            return None

    def file_url(self, name: str, commit: str, path: str) -> str:
        return f"{self._web(name)}/blob/{commit}/{quote(path, safe='/')}"

    def commit_url(self, name: str, commit: str) -> str:
        return f"{self._web(name)}/commit/{commit}"

    def _web(self, name: str) -> str:
        return f"{github_web_url(self._api.base_url)}/{name}"

    # -- webhooks and writing -----------------------------------------------------------------------------------------

    def hooks(self, name: str) -> tuple[RemoteHook, ...]:
        return self._hooks.all(name)

    def create_hook(self, name: str, *, url: str, secret: str) -> RemoteHook:
        return self._hooks.create(name, url=url, secret=secret)

    def update_hook(self, name: str, hook_id: str, *, url: str, secret: str) -> RemoteHook:
        return self._hooks.update(name, hook_id, url=url, secret=secret)

    def delete_hook(self, name: str, hook_id: str) -> None:
        self._hooks.delete(name, hook_id)

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
        there: Mapping[str, str] | None = None,  # noqa: ARG002  a tree is made from the parent's, whatever is in it
    ) -> str:
        people = {"author": author, "committer": committer or author}
        return self._writer.commit(name, branch=branch, parent=parent, changes=changes, message=message, people=people)

    # https://docs.github.com/en/get-started/git-basics/about-remote-repositories#cloning-with-https-urls
    def check_push(self, name: str, branch: str = "") -> None:  # noqa: ARG002  rules of branches are told to admins
        check_push(
            f"{github_web_url(self._api.base_url)}/{normalise_github(self._api.base_url, name)}",
            username="x-access-token",
            credential=self._credential,
            policy=self._policy,
            limits=self._limits,
            clock=self._api.clock,
            usage=self.usage,
        )

    def find_pull_request(self, name: str, *, source: str, target: str) -> PullRequest | None:
        return self._writer.find_pull_request(name, source=source, target=target)

    def pull_request(self, name: str, *, source: str, target: str, title: str, body: str) -> PullRequest:
        return self._writer.pull_request(name, source=source, target=target, title=title, body=body)
