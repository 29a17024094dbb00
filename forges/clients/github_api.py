"""Requests to GitHub's API: one guarded session that alone knows the credential, and what its answers mean."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import requests
from github.GithubException import GithubException
from github.Requester import Requester

from forges.clients.base import Credential, CredentialSource, Limits, Usage
from forges.clients.clock import Clock
from forges.clients.errors import AuthFailed, EmptyRepository, ForgeError, Moved, Unavailable
from forges.clients.github_answers import message_of
from forges.clients.github_requester import make_requester
from forges.clients.names import github_web_host, normalise_github
from forges.clients.signed import SignedSession
from forges.clients.transport import USER_AGENT, check_values, record_rate, refused, translated
from lib import egress

API_VERSION = "2022-11-28"
PAGE = 100
_MAX_ANSWER_BYTES = 64 << 20
"""A tree of 100,000 entries is 30 MB; a batch of the largest texts that GraphQL does not cut is 50 MB."""

_T = TypeVar("_T")
Judge = Callable[[int, str], ForgeError | None]
"""(status, what GitHub says in lower case) -> the error, None where the general one says it."""


class GitHubApi:
    def __init__(
        self, *, base_url: str, credential: CredentialSource, policy: egress.Policy, limits: Limits, usage: Usage
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.host = github_web_host(base_url)
        self.credential = credential
        self.limits = limits
        self.clock = Clock(limits.deadline)
        self._usage = usage
        self._session = SignedSession(
            policy,
            base_url=self.base_url,
            source=credential,
            sign=_bearer,
            timeout=limits.timeout,
            total_timeout=limits.total_timeout,
            max_bytes=_MAX_ANSWER_BYTES,
            on_request=self._count_request,
            end=self.clock.end,
        )
        self._session.headers.update(
            {"User-Agent": USER_AGENT, "Accept": "application/vnd.github+json", "X-GitHub-Api-Version": API_VERSION}
        )
        self._what = ""
        self.requester: Requester = make_requester(
            self.base_url, lambda verb, url, accept: self.send(verb, url, self._what, accept=accept), per_page=PAGE
        )

    def close(self) -> None:
        self._session.close()

    def _count_request(self) -> None:
        self._usage.requests += 1

    def path(self, name: str) -> str:
        # Checked again although it was when it was saved: it becomes part of a path.
        return f"/repos/{normalise_github(self.base_url, name)}"

    def speaks_for_installation(self) -> bool:
        """Whether the token is one of a GitHub App's installation, which is nobody's account.

        https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
        """
        with self.waiting():
            return bool(self.credential) and self.credential.current().token.startswith("ghs_")

    def get(self, path: str, what: str) -> Any:
        return self.json(self.send("GET", path, what))

    def json(self, response: requests.Response) -> Any:
        try:
            return response.json()
        except requests.JSONDecodeError:
            raise Unavailable(f"{self.host} sent an answer that is not GitHub's. Check the base URL.") from None

    def send(
        self,
        method: str,
        target: str,
        what: str,
        *,
        accept: str = "",
        body: Mapping[str, Any] | None = None,
        stream: bool = False,
        ok: Collection[int] = (200,),
        judge: Judge | None = None,
    ) -> requests.Response:
        """One request, redirects followed; `target` is a path below the base URL or an address on the same server.

        Raises for every status but those in `ok`; `judge` is asked first what a refusal means.
        """
        url = self.base_url + target if target.startswith("/") else target
        if egress.origin(url) != egress.origin(self.base_url):
            raise Unavailable(f"{self.host} refers to another server for {what}, which is not followed.")
        with self.waiting():
            response = self._session.request(
                method, url, json=body, headers={"Accept": accept} if accept else None, stream=stream
            )
            record_rate(self._usage, response.headers)
            if response.status_code not in ok:
                with response:
                    raise self._refused(response, what, judge)
            if not stream:
                check_values(self.host, response.content)
        return response

    def _refused(self, response: requests.Response, what: str, judge: Judge | None) -> ForgeError:
        status, headers = response.status_code, response.headers
        if status == 401 and not self.credential:  # GitHub Enterprise in private mode
            return AuthFailed(f"{self.host} asks for a token for {what}.")
        message = message_of(response) if status in (403, 409) or judge else ""
        found = refused(self.host, status, headers, what, said_so="rate limit" in message)
        if found.retryable:
            return found
        if judge and (judged := judge(status, message)):
            return judged
        if status == 409 and "empty" in message:
            return EmptyRepository(f"The repository has no commit yet, so {what} cannot be read.")
        return found

    def gone(self, name: str, commit: str) -> NoReturn:
        """404 for a commit: is it the repository that is missing, or was the branch rewritten?"""
        self.get(self.path(name), f"the repository {name}")
        raise Moved(f"{name} does not have the commit {commit[:10]} any more.")

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around whatever the network can stop or slow down."""
        with self.clock.running(self.host), translated(self.host):
            yield

    @contextmanager
    def understood(self, what: str) -> Iterator[str]:
        """Answers of another shape than GitHub's, and whatever PyGithub makes of them, are the server's failure."""
        self._what = what
        try:
            yield what
        except ForgeError:
            raise
        except (GithubException, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError):
            raise Unavailable(f"{self.host} sent an answer for {what} that is not GitHub's.") from None

    def paged(self, items: Iterable[_T]) -> Iterator[_T]:
        """PyGithub's list, to the most pages allowed."""
        start = self._usage.requests
        for count, item in enumerate(items, start=1):
            yield item
            # Full pages end by the first, pages that are not by the second.
            if count == self.limits.max_pages * PAGE or self._usage.requests - start > self.limits.max_pages:
                return


def _bearer(credential: Credential) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential.token}"}
