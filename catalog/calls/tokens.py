"""Access tokens of the client-credentials grant (RFC 6749, 4.4), kept in memory until shortly before they expire."""

from __future__ import annotations

import base64
import json
import math
import time
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import quote_plus, urlencode

from catalog.calls.results import Failed, OutOfTime, TokenRefused
from lib.egress import GuardedSession, iter_body

MAX_BYTES = 256 << 10
MOST_KEPT = 1_000
WITHOUT_A_WORD = 300.0
"""Seconds that a token is taken to last when the server does not say."""
LONGEST = 24 * 3600.0
EARLY = 30.0
"""Seconds before its end that a token is not used any more; less for short-lived ones."""

# RFC 6749, 5.2. Nothing else that a server answers is repeated.
_CODES = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    }
)


@dataclass(frozen=True)
class TokenRequest:
    key: tuple[Hashable, ...]
    """What the token is kept under: the provider with its revision, the scopes, and a digest of the credentials."""
    url: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...]

    @property
    def basic(self) -> str:
        """RFC 6749, 2.3.1: both are form-encoded first."""
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
        return base64.b64encode(pair.encode()).decode()


@dataclass
class _Kept:
    lock: Lock = field(default_factory=Lock)
    """Held while a token is fetched, so that one call does it and the others wait for it."""
    token: str = field(default="", repr=False)
    until: float = 0.0
    """On the clock of time.time(): a clock that is set back costs a 401, and the token is fetched again."""


_KEPT: OrderedDict[tuple[Hashable, ...], _Kept] = OrderedDict()
_LOCK = Lock()


def access_token(session: GuardedSession, wanted: TokenRequest, *, end: float, refused: str = "") -> str:
    """The token to send now, fetched when there is none; another one than `refused`, which the provider did not take.

    Raises TokenRefused, Failed, OutOfTime, and what the session raises.
    """
    kept = _kept(wanted.key)
    if not kept.lock.acquire(timeout=max(0.0, end - time.monotonic())):
        raise OutOfTime("The provider's OAuth2 server took too long to give an access token.")
    try:
        if not kept.token or kept.token == refused or time.time() >= kept.until:
            kept.token = ""
            kept.token, seconds = _fetched(session, wanted)
            kept.until = time.time() + seconds - min(EARLY, seconds / 4)
        return kept.token
    finally:
        kept.lock.release()


def _kept(key: tuple[Hashable, ...]) -> _Kept:
    with _LOCK:
        kept = _KEPT.setdefault(key, _Kept())
        _KEPT.move_to_end(key)
        while len(_KEPT) > MOST_KEPT:
            _KEPT.popitem(last=False)
        return kept


def _fetched(session: GuardedSession, wanted: TokenRequest) -> tuple[str, float]:
    """A new token and the seconds that it lasts. The client authenticates by the header first, as each server has to
    support it (RFC 6749, 2.3.1), and in the body where that is refused."""
    form = {"grant_type": "client_credentials"}
    if wanted.scopes:
        form["scope"] = " ".join(wanted.scopes)
    status, answer = _asked(session, wanted.url, form, {"Authorization": f"Basic {wanted.basic}"})
    if status in (400, 401):
        form |= {"client_id": wanted.client_id, "client_secret": wanted.client_secret}
        status, answer = _asked(session, wanted.url, form, {})
    if status in (429, 502, 503, 504):
        raise Failed(f"The provider's OAuth2 server is not available (HTTP {status}). Try again later.")
    if status != 200:
        code = answer.get("error")
        told = f", {code}" if isinstance(code, str) and code in _CODES else ""
        raise TokenRefused(
            f"The provider's OAuth2 server gave no access token (HTTP {status}{told}). Check the token URL, the client "
            "id, the client secret and the scopes."
        )
    token = answer.get("access_token")
    bearer = str(answer.get("token_type", "Bearer")).lower() == "bearer"
    if not bearer or not isinstance(token, str) or not token or not all("!" <= each <= "~" for each in token):
        raise TokenRefused("The provider's OAuth2 server answered with something that is no Bearer access token.")
    return token, _lifetime(answer.get("expires_in"))


def _asked(
    session: GuardedSession, url: str, form: Mapping[str, str], headers: Mapping[str, str]
) -> tuple[int, dict[str, Any]]:
    response = session.post(
        url,
        data=urlencode(form),
        headers={"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded", **headers},
        allow_redirects=False,  # the secret is meant for this address alone
        stream=True,
    )
    body = b"".join(iter_body(response, max_bytes=MAX_BYTES))
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    return response.status_code, answer if isinstance(answer, dict) else {}


def _lifetime(told: Any) -> float:
    try:
        seconds = float(told)
    except (TypeError, ValueError, OverflowError):
        return WITHOUT_A_WORD
    return WITHOUT_A_WORD if math.isnan(seconds) else min(max(seconds, 0.0), LONGEST)
