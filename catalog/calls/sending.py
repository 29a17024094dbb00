"""A request sent through the egress guard: redirects, repeats, the deadline, and what comes back."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from urllib3.exceptions import NameResolutionError

from catalog.calls.answers import Limits, result
from catalog.calls.building import Request
from catalog.calls.results import CallError, CallResult, Failed, Misconfigured, OutOfTime, Refused, Secrets
from catalog.calls.tokens import access_token
from lib.egress import DeadlineExceeded, EgressError, GuardedSession, Policy, origin

REDIRECTS = 3
TRIES = 3
FIRST_PAUSE = 0.25
"""Seconds before the second try, about; the double of it before the third."""

_REDIRECTING = frozenset({301, 302, 303, 307, 308})
_WORTH_A_REPEAT = frozenset({429, 502, 503, 504})


@dataclass(frozen=True)
class Answer:
    response: requests.Response
    body: bytes
    tries: int


def send(request: Request, *, policy: Policy, limits: Limits, end: float) -> CallResult:
    """What the provider answers until `end` (on the clock of time.monotonic()). Raises CallError."""
    secrets, begun = Secrets(request.secrets), time.monotonic()
    with (
        _sentences(request),
        GuardedSession(
            policy,
            timeout=limits.timeout,
            max_bytes=limits.max_bytes,
            end=lambda: end,
        ) as session,
    ):
        answer = _authorised(session, request, secrets, end)
        return result(
            request.shown,
            answer.response,
            answer.body,
            limits=limits,
            secrets=secrets,
            seconds=time.monotonic() - begun,
            tries=answer.tries,
        )


def _authorised(session: GuardedSession, request: Request, secrets: Secrets, end: float) -> Answer:
    """With an access token where one is needed; once more with a new one when the provider does not take it."""
    wanted = request.token
    if wanted is None:
        return _repeated(session, request, {}, end)
    for secret in (wanted.client_secret, wanted.basic):
        secrets.add(secret)
    refused = ""
    while True:
        token = access_token(session, wanted, end=end, refused=refused)
        secrets.add(token)
        answer = _repeated(session, request, {"Authorization": f"Bearer {token}"}, end)
        if answer.response.status_code != 401 or refused:
            return answer
        refused = token


def _repeated(session: GuardedSession, request: Request, headers: dict[str, str], end: float) -> Answer:
    """Where asking again harms nothing, up to TRIES times with a pause, as long as that ends before `end`."""
    tries = 0
    while True:
        tries += 1
        last = tries == TRIES or not request.may_repeat
        try:
            response, body = _followed(session, request, headers)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            if (
                last
                or isinstance(error, requests.exceptions.SSLError | requests.Timeout)
                or not _paused(tries, "", end)
            ):
                raise
            continue
        again = response.status_code in _WORTH_A_REPEAT and not last
        if not again or not _paused(tries, response.headers.get("Retry-After", ""), end):
            return Answer(response, body, tries)


def _paused(tries: int, retry_after: str, end: float) -> bool:
    """Wait before the next try; False, at once, when the time is not enough for it."""
    pause = _asked_for(retry_after)
    if pause is None:
        pause = FIRST_PAUSE * 2 ** (tries - 1) * random.uniform(0.5, 1.5)  # noqa: S311  # spreads callers, hides nothing
    if time.monotonic() + pause >= end:
        return False
    time.sleep(pause)
    return True


def _asked_for(retry_after: str) -> float | None:
    """Seconds: they are told so, or as a date (RFC 9110, 10.2.3)."""
    if retry_after.strip().isdecimal():
        return float(retry_after.strip()[:9])
    try:
        moment = parsedate_to_datetime(retry_after)
    except (TypeError, ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _followed(session: GuardedSession, request: Request, headers: dict[str, str]) -> tuple[requests.Response, bytes]:
    """One try, with redirects of GET and HEAD inside the same origin: what carries secrets goes nowhere else."""
    url = request.url
    for _ in range(REDIRECTS + 1):
        prepared = session.prepare_request(
            requests.Request(request.method, url, headers={**request.headers, **headers}, data=request.body)
        )
        if origin(prepared.url or "") != origin(request.url):
            raise Refused("The address of the provider changed on its way out, and nothing was sent.")
        response = session.send(prepared, stream=True, allow_redirects=False)
        if response.status_code not in _REDIRECTING or not response.headers.get("Location"):
            return response, response.content
        response.close()
        url = _target(request, url, response)
    raise Refused(
        f"The provider redirected more than {REDIRECTS} times. Change the tool's path to where it should lead."
    )


def _target(request: Request, url: str, response: requests.Response) -> str:
    if request.method not in ("GET", "HEAD"):
        raise Refused(
            f"The provider answers a {request.method} with a redirect (HTTP {response.status_code}), which is not "
            "followed. Change the tool's path or the provider's base URL to the new address."
        )
    location = response.headers["Location"].encode("latin-1", "replace").decode("utf-8", "replace")
    try:
        target = urljoin(url, location)
        same, host = origin(target) == origin(url), urlsplit(target).hostname or "nowhere"
    except ValueError:
        raise Refused("The provider redirects to something that is not an address.") from None
    if not same:
        # A provider can say in a host's name what it was told.
        secret = request.token is not None or Secrets(request.secrets).masked(location) != location
        named = "" if secret else f" ({urlsplit(target).scheme}://{host[:100]})"
        raise Refused(
            f"The provider redirects to another address{named}, which is not followed: secrets stay with whom they are "
            "meant for. Change the base URL if that is the right one."
        )
    return target


# ----------------------------------------------------------------------------------------------------- what goes wrong


@contextmanager
def _sentences(request: Request) -> Iterator[None]:
    """Whatever goes wrong as a CallError about this request; the libraries' own texts hold addresses and bodies."""
    try:
        yield
    except CallError as error:
        error.sent = request.shown
        raise
    except (EgressError, requests.RequestException, urllib3.exceptions.HTTPError, ValueError, OSError) as error:
        told = _told(error, urlsplit(request.url).hostname or "")
        told.sent = request.shown
        raise told from None


def _told(error: Exception, host: str) -> CallError:
    if isinstance(error, DeadlineExceeded | requests.Timeout):
        return OutOfTime("The provider took too long to answer in full, and the call was given up. Try again later.")
    if isinstance(error, EgressError):
        return Refused(str(error))
    for kind, make in _TOLD:
        if isinstance(error, kind):
            return make(host, error)
    return Failed(f"The request to {host} failed ({type(error).__name__}). Try again later.")


def _connecting(host: str, error: Exception) -> CallError:
    if _cause(error, NameResolutionError):
        return Failed(f"There is no server by the name of {host}. Check the provider's base URL.")
    return Failed(f"{host} could not be reached, or broke off the connection. Try again later.")


def _cause(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether an error was raised for one of this kind: requests wraps urllib3's, which wrap each other."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, kind)


_TOLD: tuple[tuple[type[Exception], Callable[[str, Exception], CallError]], ...] = (
    (
        requests.exceptions.SSLError,
        lambda host, _: Failed(f"{host} has no valid certificate, or speaks no TLS. Nothing was sent."),
    ),
    (requests.ConnectionError, _connecting),
    (
        requests.exceptions.ChunkedEncodingError,
        lambda host, _: Failed(f"{host} broke off its answer. Try again later."),
    ),
    (
        requests.exceptions.ContentDecodingError,
        lambda host, _: Failed(f"The answer of {host} is not compressed in the way that it says."),
    ),
    (
        requests.exceptions.InvalidHeader,
        lambda _host, _: Misconfigured("A header of the tool has a value that cannot be sent."),
    ),
)
