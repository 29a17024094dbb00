"""GitHub and GitHub Enterprise, with a personal access token (classic or fine-grained) or none at all.

PyGithub speaks for accounts, repositories and branches. Trees, blobs and archives go past it: it would make an object
with twenty attributes of each of a hundred thousand entries, and keep an archive in memory. Both go through one guarded
session, which alone knows the token. PyGithub neither pauses, nor retries, nor follows redirects by itself here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, ClassVar, NoReturn, Self, TypeVar
from urllib.parse import quote, urlsplit

import requests
from github.AuthenticatedUser import AuthenticatedUser
from github.GithubException import GithubException
from github.Repository import Repository as GithubRepository

from forges.clients.archives import untar
from forges.clients.base import (
    Account,
    AuthFailed,
    Branch,
    Credential,
    EmptyRepository,
    Forbidden,
    ForgeError,
    Limits,
    Listing,
    Moved,
    NotFound,
    Repository,
    TooLarge,
    Unavailable,
    Usage,
    blob_id,
)
from forges.clients.clock import Clock
from forges.clients.github_answers import MAX_URL, expiry_of, message_of, name_of, repository_of
from forges.clients.github_requester import make_requester
from forges.clients.github_trees import TreeReader
from forges.clients.names import (
    COMMIT_ID,
    check_branch,
    check_commit,
    github_web_host,
    is_branch,
    normalise_github,
)
from forges.clients.transport import USER_AGENT, check_transport, record_rate, refused, translated
from lib import egress

API_VERSION = "2022-11-28"

_PAGE = 100
_BATCH = 100
_RAW_REQUESTS = 20
"""Blobs that one call of `blobs` asks for one by one; an archive costs two requests and is better above that."""
_RAW_REQUESTS_ANONYMOUS = 5
"""Without a token an hour has sixty requests, and GraphQL answers nobody."""
_MAX_ANSWER_BYTES = 64 << 20
"""A tree of 100,000 entries is 30 MB; a batch of the largest texts that GraphQL does not cut is 50 MB."""

_T = TypeVar("_T")


class GitHubClient:
    forge: ClassVar[str] = "github"
    lists_repositories: ClassVar[bool] = True

    def __init__(self, *, base_url: str, credential: Credential, policy: egress.Policy, limits: Limits) -> None:
        self.usage = Usage()
        self._base_url = base_url.rstrip("/")
        self._host = github_web_host(base_url)
        self._limits = limits
        self._credential = credential
        self._policy = policy
        self._clock = Clock(limits.deadline)
        self._session = egress.GuardedSession(
            policy,
            timeout=limits.timeout,
            total_timeout=limits.total_timeout,
            max_bytes=_MAX_ANSWER_BYTES,
            on_request=self._count_request,
            end=self._clock.end,
        )
        self._session.headers.update(
            {"User-Agent": USER_AGENT, "Accept": "application/vnd.github+json", "X-GitHub-Api-Version": API_VERSION}
        )
        if credential:
            self._session.headers["Authorization"] = f"Bearer {credential.token}"
        self._what = ""
        self._requester = make_requester(
            self._base_url, lambda verb, url, accept: self._send(verb, url, self._what, accept=accept), per_page=_PAGE
        )

    def __enter__(self) -> Self:
        self._clock.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._session.close()

    # https://docs.github.com/en/rest/users/users#get-the-authenticated-user
    def account(self) -> Account:
        with self._understood("this account"):
            headers, data = self._requester.requestJsonAndCheck("GET", "/user")
            scopes = headers.get("x-oauth-scopes")
            return Account(
                login=name_of(data["login"]),
                # Fine-grained tokens have permissions in place of scopes, and GitHub does not tell them.
                scopes=None if scopes is None else frozenset(scope for scope in re.split(r"[,\s]+", scopes) if scope),
                expires_at=expiry_of(headers.get("github-authentication-token-expiration")),
                avatar_url=str(data.get("avatar_url") or ""),
            )

    # https://docs.github.com/en/rest/repos/repos#list-repositories-for-the-authenticated-user
    def repositories(self, *, query: str = "", limit: int = 100) -> tuple[Repository, ...]:
        found: dict[str, Repository] = {}
        with self._understood("the list of repositories"):
            user = AuthenticatedUser(self._requester, url="/user")
            for repository in self._paged(user.get_repos(sort="pushed", direction="desc")):
                if str(repository.id) in found:
                    break  # The next page is one that we had: a list that never ends.
                if query.casefold() in repository.full_name.casefold():
                    found[str(repository.id)] = repository_of(repository)
                    if len(found) >= limit:
                        break
        return tuple(found.values())

    # https://docs.github.com/en/rest/repos/repos#get-a-repository
    def repository(self, name: str) -> Repository:
        with self._understood(f"the repository {name}"):
            return repository_of(GithubRepository(self._requester, url=self._path(name)).complete())

    # https://docs.github.com/en/rest/branches/branches#list-branches
    def branches(self, name: str) -> tuple[Branch, ...]:
        found: dict[str, Branch] = {}
        with self._understood(f"the branches of {name}"):
            for branch in self._paged(GithubRepository(self._requester, url=self._path(name)).get_branches()):
                if branch.name in found:
                    break
                found[branch.name] = Branch(name_of(branch.name, most=MAX_URL), name_of(branch.commit.sha))
        return tuple(branch for branch in found.values() if is_branch(branch.name))

    # https://docs.github.com/en/rest/git/refs#get-a-reference
    def head(self, name: str, branch: str) -> str:
        path = quote(check_branch(branch), safe="/")
        with self._understood(f"the branch {branch} of {name}") as what:
            data = self._get(f"{self._path(name)}/git/ref/heads/{path}", what)
            commit = name_of(data["object"]["sha"])
            if not COMMIT_ID.fullmatch(commit) or data["ref"] != f"refs/heads/{branch}":
                raise ValueError("another branch, or no commit")
        return commit

    # https://docs.github.com/en/rest/git/trees#get-a-tree
    def tree(self, name: str, commit: str) -> Listing:
        check_commit(commit)
        with self._understood(f"the tree of {name}") as what:

            def ask(oid: str, recursive: bool) -> Any:
                # Without the parameter for no: any value of it, 0 included, means yes.
                query = "?recursive=1" if recursive else ""
                return self._get(f"{self._path(name)}/git/trees/{oid}{query}", what)

            reader = TreeReader(ask, self._limits)
            try:
                reason = reader.read(commit)
            except NotFound:
                self._gone(name, commit)
        return Listing(commit, tuple(reader.found.values()), complete=not reason, reason=reason)

    # https://docs.github.com/en/rest/repos/contents#download-a-repository-archive-tar
    @contextmanager
    def archive(self, name: str, commit: str) -> Iterator[Iterator[tuple[str, bytes]]]:
        check_commit(commit)
        try:
            response = self._send("GET", f"{self._path(name)}/tarball/{commit}", f"the archive of {name}", stream=True)
        except NotFound:
            self._gone(name, commit)
        with response, self._waiting():
            limits = self._limits
            chunks = egress.iter_body(response, max_bytes=limits.max_archive_bytes)
            yield untar(
                self._translated(chunks), max_bytes=limits.max_archive_bytes, max_blob_bytes=limits.max_blob_bytes
            )

    def _translated(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        with self._waiting():
            yield from chunks

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
        owner, _, repository = normalise_github(self._base_url, name).partition("/")
        query = f"query($owner: String!, $name: String!) {{ repository(owner: $owner, name: $name) {{ {fields} }} }}"
        found: list[tuple[str, bytes]] = []
        with self._understood(f"the files of {name}") as what:
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
        url = self._base_url.removesuffix("/v3") + "/graphql"
        response = self._send("POST", url, what, body={"query": query, "variables": variables})
        data = self._json(response)
        kinds = {error.get("type") for error in data.get("errors") or ()}
        if kinds & {"RATE_LIMITED", "RATE_LIMIT"}:
            raise refused(self._host, 429, response.headers, what)
        repository = data["data"]["repository"]
        if isinstance(repository, dict):
            return repository  # Errors beside it are single blobs that came back as null.
        if "FORBIDDEN" in kinds:
            raise Forbidden(f"{self._host} does not let this credential read {what}.")
        if "NOT_FOUND" in kinds:
            raise NotFound(f"{self._host} has no {what.removeprefix('the ')}, or hides them from this credential.")
        raise TypeError("no repository")

    # https://docs.github.com/en/rest/git/blobs#get-a-blob
    def _raw(self, name: str, oid: str) -> bytes | None:
        try:
            response = self._send(
                "GET",
                f"{self._path(name)}/git/blobs/{oid}",
                f"a file of {name}",
                accept="application/vnd.github.raw+json",
                stream=True,
            )
            with self._waiting():
                return b"".join(egress.iter_body(response, max_bytes=self._limits.max_blob_bytes))
        except (NotFound, TooLarge):
            return None

    def file_url(self, name: str, commit: str, path: str) -> str:
        return f"{self._web(name)}/blob/{commit}/{quote(path, safe='/')}"

    def commit_url(self, name: str, commit: str) -> str:
        return f"{self._web(name)}/commit/{commit}"

    def _web(self, name: str) -> str:
        parts = urlsplit(self._base_url)
        host = parts.netloc if self._host == parts.hostname else self._host
        return f"{parts.scheme}://{host}/{name}"

    # -- requests -----------------------------------------------------------------------------------------------------

    def _count_request(self) -> None:
        self.usage.requests += 1

    def _path(self, name: str) -> str:
        # Checked again although it was when it was saved: it becomes part of a path.
        return f"/repos/{normalise_github(self._base_url, name)}"

    def _get(self, path: str, what: str) -> Any:
        return self._json(self._send("GET", path, what))

    def _json(self, response: requests.Response) -> Any:
        try:
            return response.json()
        except requests.JSONDecodeError:
            raise Unavailable(f"{self._host} sent an answer that is not GitHub's. Check the base URL.") from None

    def _send(
        self,
        method: str,
        target: str,
        what: str,
        *,
        accept: str = "",
        body: Mapping[str, Any] | None = None,
        stream: bool = False,
    ) -> requests.Response:
        """One request, redirects followed; `target` is a path below the base URL or an address on the same server."""
        check_transport(self._base_url, self._credential, self._policy)
        url = self._base_url + target if target.startswith("/") else target
        if egress.origin(url) != egress.origin(self._base_url):
            raise Unavailable(f"{self._host} refers to another server for {what}, which is not followed.")
        with self._waiting():
            response = self._session.request(
                method, url, json=body, headers={"Accept": accept} if accept else None, stream=stream
            )
            record_rate(self.usage, response.headers)
            if response.status_code != 200:
                with response:
                    raise self._refused(response, what)
        return response

    def _refused(self, response: requests.Response, what: str) -> ForgeError:
        status, headers = response.status_code, response.headers
        if status == 401 and "Authorization" not in self._session.headers:  # GitHub Enterprise in private mode
            return AuthFailed(f"{self._host} asks for a token for {what}.")
        message = message_of(response) if status in (403, 409) else ""
        if status == 409 and "empty" in message:
            return EmptyRepository(f"The repository has no commit yet, so {what} cannot be read.")
        return refused(self._host, status, headers, what, said_so="rate limit" in message)

    def _gone(self, name: str, commit: str) -> NoReturn:
        """404 for a commit: is it the repository that is missing, or was the branch rewritten?"""
        self.repository(name)
        raise Moved(f"{name} does not have the commit {commit[:10]} any more.")

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Around whatever the network can stop or slow down."""
        with self._clock.running(self._host), translated(self._host):
            yield

    @contextmanager
    def _understood(self, what: str) -> Iterator[str]:
        """Answers of another shape than GitHub's, and whatever PyGithub makes of them, are the server's failure."""
        self._what = what
        try:
            yield what
        except ForgeError:
            raise
        except (GithubException, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError):
            raise Unavailable(f"{self._host} sent an answer for {what} that is not GitHub's.") from None

    def _paged(self, items: Iterable[_T]) -> Iterator[_T]:
        start = self.usage.requests
        for count, item in enumerate(items, start=1):
            yield item
            # Full pages end by the first, pages that are not by the second.
            if count == self._limits.max_pages * _PAGE or self.usage.requests - start > self._limits.max_pages:
                return
