"""What goes wrong on the wire, as the tree of forge errors. No remote body and no credential gets into a message."""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

from forges.clients.base import Credential, Usage
from forges.clients.errors import (
    AddressRefused,
    AuthFailed,
    Conflict,
    Forbidden,
    ForgeError,
    InvalidName,
    NotFound,
    RateLimited,
    TooLarge,
    Unavailable,
)
from lib import egress

USER_AGENT = "Millrace"

_LONGEST_WAIT = timedelta(hours=24)
"""A forge that asks for more is not believed: its clock or ours is wrong."""

_UNTOLD_WAIT = timedelta(minutes=1)

_MOST_VALUES = 2_000_000
"""In one answer: a tree of 100,000 entries has a third of that."""
_LONGEST_REFUSAL = 64 << 10
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


def check_values(host: str, body: bytes) -> None:
    """TooLarge for JSON of more values than any forge sends. Each takes many times what it has on the wire: sixty
    megabytes of empty lists are more than a gigabyte."""
    if _values(body) > _MOST_VALUES and _values(_STRINGS.sub(b"", body)) > _MOST_VALUES:
        raise TooLarge(f"{host} sent an answer with more values in it than any forge sends at once.")


def _values(body: bytes) -> int:
    return sum(body.count(mark) for mark in (b"{", b"[", b","))


def refusal_in(response: requests.Response) -> dict[str, Any]:
    """What a refusal says: to be judged, never to be shown. {} where it is no JSON, or longer than any refusal."""
    try:
        body = b"".join(egress.iter_body(response, max_bytes=_LONGEST_REFUSAL))
        data = json.loads(body) if len(body) <= _LONGEST_REFUSAL else {}
    except (ValueError, RecursionError, requests.RequestException, egress.EgressError):
        return {}
    return data if isinstance(data, dict) else {}


@contextmanager
def translated(host: str) -> Iterator[None]:
    """Turns the errors of egress, requests, urllib3 and sockets into ours; `host` is named in the sentence."""
    try:
        yield
    except ForgeError:
        raise
    except egress.AddressRefused as error:
        raise AddressRefused(str(error)) from None
    except (egress.UrlRefused, egress.RedirectRefused) as error:
        raise InvalidName(str(error)) from None
    except egress.BodyTooLarge as error:
        raise TooLarge(str(error)) from None
    except egress.EgressError as error:
        raise Unavailable(str(error)) from None
    except (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError):
        raise Unavailable(f"{host} did not answer in time.") from None
    except (requests.exceptions.SSLError, urllib3.exceptions.SSLError):
        raise Unavailable(f"{host} has no valid TLS certificate, so nothing was sent to it.") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        # What went wrong is sometimes wrapped up: in “retries exceeded”, of which there are none, or as its cause.
        inner = error.reason if isinstance(error, urllib3.exceptions.MaxRetryError) else error.__cause__
        if isinstance(inner, egress.EgressError | urllib3.exceptions.HTTPError):
            with translated(host):
                raise inner from None
        raise Unavailable(_network_sentence(host, error)) from None
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(_network_sentence(host, error)) from None


def _network_sentence(host: str, error: BaseException) -> str:
    seen: BaseException | None = error
    for _ in range(10):  # an error that was wrapped and raised again can be its own context
        if isinstance(seen, socket.gaierror | urllib3.exceptions.NameResolutionError):
            return f"There is no server named {host}."
        seen = seen and (seen.__cause__ or seen.__context__)
    if isinstance(error, requests.ConnectionError | urllib3.exceptions.NewConnectionError | ConnectionRefusedError):
        return f"{host} could not be reached, or it dropped the connection."
    return f"The connection to {host} was cut before the answer was complete."


def record_rate(usage: Usage, headers: Mapping[str, str]) -> None:
    """https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#checking-the-status-of-your-rate-limit
    https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/#response-headers

    Only GitHub's main budget counts here: that of GraphQL is another one.
    """
    if headers.get("x-ratelimit-resource", "core") != "core":
        return
    remaining, limit = _number(_rate(headers, "remaining")), _number(_rate(headers, "limit"))
    if remaining is not None and limit is not None:
        usage.rate_remaining, usage.rate_limit = remaining, limit
        reset_at = _moment(_rate(headers, "reset"))
        usage.rate_reset_at = reset_at and min(reset_at, datetime.now(UTC) + _LONGEST_WAIT)


def _rate(headers: Mapping[str, str], field: str) -> str | None:
    """GitHub's and Bitbucket's headers begin with X-, GitLab's do not."""
    return headers.get(f"x-ratelimit-{field}", headers.get(f"ratelimit-{field}"))


def rate_limited(host: str, status: int, headers: Mapping[str, str], *, said_so: bool = False) -> RateLimited | None:
    """The error if an answer means “too many requests”, else None. `said_so`: its text speaks of a rate limit.

    https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#handle-rate-limit-errors-appropriately
    Retry-After comes first, then the reset time when nothing remains, else a minute.
    """
    if status not in (403, 429):
        return None
    now = datetime.now(UTC)
    exhausted = _number(_rate(headers, "remaining")) == 0
    retry_after = _retry_after(headers.get("retry-after"), now)
    if status == 403 and not (exhausted or retry_after or said_so):
        return None
    reset_at = retry_after or (_moment(_rate(headers, "reset")) if exhausted else None) or now + _UNTOLD_WAIT
    return RateLimited(f"{host} allows no more requests for now.", reset_at=min(reset_at, now + _LONGEST_WAIT))


def refused(host: str, status: int, headers: Mapping[str, str], what: str, *, said_so: bool = False) -> ForgeError:
    """The error for an HTTP status of 300 and above. `what` is what was asked for, as in “the branch main of a/b”."""
    if limited := rate_limited(host, status, headers, said_so=said_so):
        return limited
    if status == 401:
        return AuthFailed(f"{host} does not accept this token: it is wrong, expired or revoked.")
    if status == 403:
        if "x-github-sso" in headers:
            return Forbidden(f"{host} wants the token to be authorised for the organisation's single sign-on.")
        return Forbidden(f"{host} does not let this credential read {what}.")
    if status in (404, 410, 451):
        return NotFound(f"{host} has no {what.removeprefix('the ')}, or hides it from this credential.")
    if status in (409, 422):
        return Conflict(f"{host} cannot answer for {what} in the state that it is in.")
    if status >= 500:
        return Unavailable(f"{host} failed with status {status}.")
    return Unavailable(f"{host} answered with status {status}, which was not expected.")


def check_transport(url: str, credential: Credential, policy: egress.Policy) -> None:
    """A token goes over https alone, except to hosts and networks that the operator trusts; and it can be one at all.

    InvalidName, AuthFailed. Judged before the token gets near a library, whose errors would quote it.
    """
    if not (credential.token.isascii() and credential.token.isprintable()) or " " in credential.token:
        raise AuthFailed("The token holds a character that no token has. Copy it again, without what is around it.")
    if ":" in credential.username or not credential.username.isprintable():
        raise AuthFailed("The user name holds a character that none can have in front of a token.")
    parts = urlsplit(url)
    if parts.scheme == "https" or not credential:
        return
    host = parts.hostname or ""
    if not (policy.allows_host(host, parts.port or 80) or (_is_address(host) and policy.allows_address(host))):
        raise InvalidName("The address begins with http://, so that the token could be read on the way. Use https://.")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _retry_after(value: str | None, now: datetime) -> datetime | None:
    seconds = _number(value)
    if seconds is not None:
        return now + min(timedelta(seconds=seconds), _LONGEST_WAIT)
    if value:
        # The other form, an HTTP date (RFC 9110, 10.2.3).
        try:
            return max(parsedate_to_datetime(value).astimezone(UTC), now)
        except ValueError:
            return None
    return None


def _number(value: str | None) -> int | None:
    # isdecimal alone takes digits of other scripts; the length keeps a lying header from becoming a huge number.
    return int(value) if value and value.isascii() and value.isdecimal() and len(value) <= 12 else None


def _moment(value: str | None) -> datetime | None:
    seconds = _number(value)
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None
