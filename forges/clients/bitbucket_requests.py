"""Requests to Bitbucket Cloud: guarded, counted and signed, and what goes wrong with them as a forge's error."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from forges.clients.archives import files_in
from forges.clients.base import Credential, CredentialSource, Limits, Usage
from forges.clients.bitbucket_answers import Refusal, refusal_of
from forges.clients.bitbucket_names import bitbucket_web_url
from forges.clients.clock import Clock
from forges.clients.errors import AuthFailed, Conflict, Forbidden, ForgeError, NotFound, TooLarge, Unavailable
from forges.clients.signed import SignedSession
from forges.clients.transport import USER_AGENT, check_values, rate_limited, record_rate, refused, translated
from lib import egress

PAGE = 100
# https://developer.atlassian.com/cloud/bitbucket/changelog/#CHANGE-3222
APP_PASSWORD = "ATBB"  # noqa: S105  what they begin with
NO_APP_PASSWORDS = (
    "This is an app password. Bitbucket switched them off on 28 July 2026: make an API token in the settings of your "
    "Atlassian account, and enter it with the account's e-mail address."
)

_MAX_ANSWER_BYTES = 64 << 20
_TOO_MUCH_AT_ONCE = 555

Params = Mapping[str, str | int]
Judge = Callable[[int, Refusal], ForgeError | None]
"""(status, what Bitbucket says) -> the error that it means for this request, or None for the usual one."""


def _as_usual(_status: int, _said: Refusal) -> None:
    return None


class ScopeMissing(Forbidden):
    """The credential is good and lacks a scope. `granted` are those that it has, None where that is not told."""

    def __init__(self, message: str, granted: frozenset[str] | None) -> None:
        super().__init__(message, advice="Take a credential that has it, then try again.")
        self.granted = granted


class TooMuchAtOnce(Unavailable):
    """Status 555: it takes Bitbucket too long to walk through so many directories."""


def token_problem(token: str) -> str:
    """Why a token cannot be one for Bitbucket, for the form that it is entered in; "" if it can be."""
    return NO_APP_PASSWORDS if token.strip().startswith(APP_PASSWORD) else ""


# https://developer.atlassian.com/cloud/bitbucket/rest/intro/#authentication
def headers_of(credential: Credential) -> dict[str, str]:
    """API tokens go with the e-mail address of their account; access tokens and those of OAuth go alone."""
    if problem := token_problem(credential.token):
        raise AuthFailed(problem)
    if credential.username and not credential.oauth:
        pair = base64.b64encode(f"{credential.username}:{credential.token}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    return {"Authorization": f"Bearer {credential.token}"}


def in_quotes(text: str) -> str:
    """A text in a query: https://developer.atlassian.com/cloud/bitbucket/rest/intro/#querying"""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def source_path(name: str, commit: str, path: str) -> str:
    """Of a file, or of a directory where `path` is empty or ends with a slash."""
    return f"/repositories/{name}/src/{commit}/{quote(path, safe='/')}"


class Api:
    """One guarded session for the API and for the archives, which lie on the host that people see."""

    def __init__(
        self, *, base_url: str, credential: CredentialSource, policy: egress.Policy, limits: Limits, usage: Usage
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.web_url = bitbucket_web_url(base_url)
        self.host = urlsplit(self.web_url).hostname or ""
        self.limits = limits
        self.clock = Clock(limits.deadline)
        self._credential = credential
        self._usage = usage
        self._session = SignedSession(
            policy,
            base_url=self.base_url,
            also=[self.web_url],
            source=credential,
            sign=headers_of,
            timeout=limits.timeout,
            total_timeout=limits.total_timeout,
            max_bytes=_MAX_ANSWER_BYTES,
            on_request=self._count_request,
            end=self.clock.end,
        )
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json"})

    def close(self) -> None:
        self._session.close()

    def send(
        self, method: str, target: str, what: str, *, judge: Judge = _as_usual, **options: Any
    ) -> requests.Response:
        """One request; `target` is a path below the base URL or an address on one of Bitbucket's two hosts.

        Redirects are followed by those that only read: they lead to a repository's new name.
        """
        url = self.base_url + target if target.startswith("/") else target
        if egress.origin(url) not in (egress.origin(self.base_url), egress.origin(self.web_url)):
            raise Unavailable(f"{self.host} refers to another server for {what}, which is not followed.")
        with self.waiting():
            response = self._session.request(method, url, allow_redirects=method == "GET", **options)
            record_rate(self._usage, response.headers)
            if not 200 <= response.status_code < 300:
                with response:
                    raise self._refused(response, what, judge)
            if not options.get("stream"):
                check_values(self.host, response.content)
        return response

    def get(self, path: str, what: str) -> Any:
        return self.json(self.send("GET", path, what))

    def json(self, response: requests.Response) -> Any:
        try:
            return response.json()
        except requests.JSONDecodeError:
            raise Unavailable(f"{self.host} sent an answer that is not Bitbucket's. Check the base URL.") from None

    # https://developer.atlassian.com/cloud/bitbucket/rest/intro/#pagination
    def page(
        self, target: str, what: str, *, params: Params | None = None, judge: Judge = _as_usual
    ) -> tuple[list[Any], str]:
        """The items of one page and the address of the next, "" after the last."""
        data = self.json(self.send("GET", target, what, judge=judge, params=params))
        values, following = data["values"], data.get("next") or ""
        if not isinstance(values, list) or not isinstance(following, str) or following == target:
            raise TypeError("no page of a list")
        return values, following

    def pages(self, path: str, what: str, *, params: Params | None = None, judge: Judge = _as_usual) -> Iterator[Any]:
        """The items of all pages, as many as are allowed."""
        values, following = self.page(path, what, params={"pagelen": PAGE, **(params or {})}, judge=judge)
        yield from values
        for _ in range(self.limits.max_pages - 1):
            if not following:
                break
            values, following = self.page(following, what, judge=judge)
            yield from values

    # https://developer.atlassian.com/cloud/bitbucket/rest/api-group-source/#api-repositories-workspace-repo-slug-src-commit-path-get
    def raw(self, name: str, commit: str, path: str) -> bytes | None:
        """A file's bytes as the repository has them; None for one that is not there by this name, or too large."""
        if {"", ".", ".."}.intersection(path.split("/")) or not path.isprintable():
            return None  # such an address would lead elsewhere, or nowhere
        try:
            address = source_path(name, commit, path)
            response = self.send("GET", address, f"a file of {name}", stream=True, headers={"Accept": "*/*"})
            with self.waiting():
                return b"".join(egress.iter_body(response, max_bytes=self.limits.max_blob_bytes))
        except (NotFound, TooLarge):
            return None

    # https://support.atlassian.com/bitbucket-cloud/kb/how-to-download-repositories-using-the-api/
    @contextmanager
    def archive(
        self, name: str, commit: str, *, on_link: Callable[[str, bytes], None] | None = None
    ) -> Iterator[Iterator[tuple[str, bytes]]]:
        what = f"the archive of {name}"
        response = self.send(
            "GET", f"{self.web_url}/{name}/get/{commit}.tar.gz", what, stream=True, headers={"Accept": "*/*"}
        )
        with response, self.waiting():
            if response.headers.get("Content-Type", "").startswith("text/html"):
                # A redirect to the page for signing in: what the API takes, the archives' host does not always.
                raise Forbidden(f"{self.host} does not hand out {what} to this credential.")
            yield files_in(response, limits=self.limits, waiting=self.waiting, on_link=on_link)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around whatever the network can stop or slow down."""
        with self.clock.running(self.host), translated(self.host):
            yield

    @contextmanager
    def understood(self, what: str) -> Iterator[str]:
        """Answers of another shape than Bitbucket's are the server's failure."""
        try:
            yield what
        except ForgeError:
            raise
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
            raise Unavailable(f"{self.host} sent an answer for {what} that is not Bitbucket's.") from None

    def _count_request(self) -> None:
        self._usage.requests += 1

    def _refused(self, response: requests.Response, what: str, judge: Judge) -> ForgeError:
        status, headers = response.status_code, response.headers
        if limited := rate_limited(self.host, status, headers):
            return limited
        if response.is_redirect:
            return NotFound(f"{self.host} has what {what.removeprefix('the ')} belongs to under another name now.")
        if status == _TOO_MUCH_AT_ONCE:
            return TooMuchAtOnce(f"{self.host} takes too long to look into so many folders at once.")
        if status == 401 and not self._credential:
            return AuthFailed(f"{self.host} asks for a token for {what}.")
        said = refusal_of(response) if status in (400, 403, 409) else Refusal()
        if status == 403 and said.required:
            scopes = " and ".join(f"“{scope}”" for scope in said.required)
            sentence = f"{self.host} asks for the scope {scopes} for {what}, which this credential does not have."
            return ScopeMissing(sentence, said.granted)
        if error := judge(status, said):
            return error
        if status == 400 and response.request.method != "GET":
            return Conflict(f"{self.host} does not take what was to be written: {what}.")
        return refused(self.host, status, headers, what)
