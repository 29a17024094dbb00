"""Requests to a GitLab server: one guarded session for python-gitlab and for what goes past it.

python-gitlab makes the requests that it knows and we send them: it knows no token, pauses for no limit, tries nothing
again and follows no link to another server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from gitlab import Gitlab
from gitlab.exceptions import GitlabError

from forges.clients.base import Credential, CredentialSource, Limits, Usage
from forges.clients.clock import Clock
from forges.clients.errors import AuthFailed, Conflict, Forbidden, ForgeError, TooLarge, Unavailable
from forges.clients.gitlab_answers import said
from forges.clients.gitlab_names import gitlab_api_url, gitlab_web_url
from forges.clients.signed import SignedSession
from forges.clients.transport import USER_AGENT, check_values, record_rate, refused, translated
from lib import egress

PAGE = 100
"""https://docs.gitlab.com/api/rest/#pagination: no page has more."""
_MAX_ANSWER_BYTES = 16 << 20
"""A page of a hundred projects is less than a megabyte."""


Judge = Callable[[int, frozenset[str]], ForgeError | None]
"""(status of a refusal, what `gitlab_answers.said` knows of its reasons) -> an error that says more, or None."""


def _signature(credential: Credential) -> Mapping[str, str]:
    """https://docs.gitlab.com/api/rest/authentication/: never in the address, where logs keep it."""
    if credential.oauth:
        return {"Authorization": f"Bearer {credential.token}"}
    return {"PRIVATE-TOKEN": credential.token}


class GitLabSession:
    """What all calls of one client share. Its methods raise `ForgeError`s."""

    def __init__(self, *, base_url: str, source: CredentialSource, policy: egress.Policy, limits: Limits) -> None:
        self.usage = Usage()
        self.base_url = gitlab_api_url(base_url)
        self.web_url = gitlab_web_url(base_url)
        self.host = urlsplit(base_url).hostname or ""
        self.source = source
        self.limits = limits
        self.clock = Clock(limits.deadline)
        self._what = ""
        self._judge: Judge | None = None
        self._session = SignedSession(
            policy,
            base_url=self.base_url,
            source=source,
            sign=_signature,
            timeout=limits.timeout,
            total_timeout=limits.total_timeout,
            max_bytes=_MAX_ANSWER_BYTES,
            on_request=self._count_request,
            end=self.clock.end,
        )
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json"})
        self.gitlab = _Gitlab(self.web_url, self._session, self._ask)

    def _count_request(self) -> None:
        self.usage.requests += 1

    def close(self) -> None:
        self._session.close()

    def send(
        self,
        method: str,
        target: str,
        what: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        stream: bool = False,
    ) -> requests.Response:
        """One request; `target` is a path below the API's address or a whole address on the same server.

        Redirects are followed for reading alone: a project that moved answers its old path with one.
        """
        url = self.base_url + target if target.startswith("/") else target
        if egress.origin(url) != egress.origin(self.base_url):
            raise Unavailable(f"{self.host} refers to another server for {what}, which is not followed.")
        with self.waiting():
            response = self._session.request(
                method,
                url,
                params={name: _written(value) for name, value in (query or {}).items()},
                json=body,
                stream=stream,
                allow_redirects=method == "GET",
            )
            record_rate(self.usage, response.headers)
            if not 200 <= response.status_code < 300:
                with response:
                    raise self._refused(response, what)
            if not stream:
                check_values(self.host, response.content)
        return response

    def json(self, response: requests.Response) -> Any:
        try:
            return response.json()
        except requests.JSONDecodeError:
            raise Unavailable(f"{self.host} sent an answer that is not GitLab's. Check the base URL.") from None

    def _ask(self, method: str, target: str, query: Mapping[str, Any], body: Mapping[str, Any]) -> requests.Response:
        return self.send(method, target, self._what, query=query, body=body or None)

    def _refused(self, response: requests.Response, what: str) -> ForgeError:
        status = response.status_code
        if status == 401 and not self.source:
            return AuthFailed(f"{self.host} asks for a token for {what}.")
        reasons, scopes = said(response) if status in (400, 403) else (frozenset(), ())
        if "insufficient_scope" in reasons:
            wanted = " or ".join(f"“{scope}”" for scope in scopes) or "“api”"
            return Forbidden(
                f"{self.host} wants a token with the scope {wanted} for {what}.",
                advice="Make a new access token with that scope, or connect anew and allow it.",
            )
        if self._judge and (error := self._judge(status, reasons)):
            return error
        if status == 400:
            return Conflict(f"{self.host} does not take this request for {what}.")
        if status == 405:  # https://docs.gitlab.com/api/rest/#redirects
            return Conflict(
                f"{what.removeprefix('the ')} has moved at {self.host}, and takes changes under its new name."
            )
        if status == 413:
            return TooLarge(f"{self.host} does not take as much at once as there is for {what}.")
        return refused(self.host, status, response.headers, what)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around whatever the network can stop or slow down."""
        with self.clock.running(self.host), translated(self.host):
            yield

    @contextmanager
    def understood(self, what: str, judge: Judge | None = None) -> Iterator[str]:
        """Answers of another shape than GitLab's, whatever python-gitlab makes of them, are the server's failure.

        `judge` is asked first what a refusal means.
        """
        before = self._what, self._judge
        self._what, self._judge = what, judge
        try:
            yield what
        except ForgeError:
            raise
        except (GitlabError, AttributeError, LookupError, RuntimeError, TypeError, ValueError):
            raise Unavailable(f"{self.host} sent an answer for {what} that is not GitLab's.") from None
        finally:
            self._what, self._judge = before

    def get(self, target: str, what: str, query: Mapping[str, Any] | None = None) -> Any:
        return self.json(self.send("GET", target, what, query=query))

    def pages(self, items: Any) -> Iterator[Any]:
        """Of a list of python-gitlab, as many as `Limits.max_pages` allow."""
        start = self.usage.requests - 1
        for count, item in enumerate(items, start=1):
            yield item
            # Full pages end by the first, pages that are not by the second.
            if count == self.limits.max_pages * PAGE or self.usage.requests - start > self.limits.max_pages:
                return


class _Gitlab(Gitlab):
    """python-gitlab with its one door exchanged: what it would ask goes to `ask(method, path, query, body)`."""

    def __init__(
        self,
        url: str,
        session: requests.Session,
        ask: Callable[[str, str, Mapping[str, Any], Mapping[str, Any]], requests.Response],
    ) -> None:
        super().__init__(
            url,
            session=session,  # not asked for anything, but it would make one of its own
            keep_base_url=True,  # a link to the next page may be wrong about the server, or lie
            retry_transient_errors=False,
            user_agent=USER_AGENT,
        )
        self._ask = ask

    def http_request(
        self,
        verb: str,
        path: str,
        query_data: dict[str, Any] | None = None,
        post_data: Any = None,
        raw: bool = False,  # noqa: ARG002  the shape of the original
        streamed: bool = False,  # noqa: ARG002
        files: dict[str, Any] | None = None,  # noqa: ARG002
        timeout: float | None = None,  # noqa: ARG002
        obey_rate_limit: bool = False,  # noqa: ARG002  pausing is the caller's
        retry_transient_errors: bool | None = None,  # noqa: ARG002
        max_retries: int = 0,  # noqa: ARG002
        extra_headers: dict[str, Any] | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> requests.Response:
        target, _, query = path.partition("?")
        # The link to a next page has the whole query already, and the place in the list beside it.
        asked = {**(query_data or {}), **kwargs, **{name: values[0] for name, values in parse_qs(query).items()}}
        return self._ask(verb.upper(), target, asked, post_data or {})


def _written(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
