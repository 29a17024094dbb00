"""What a forge delivers to a webhook: verified over the raw body, then understood. Pure.

A delivery only means “look”: what changed is always read from the forge.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets as random
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from forges.clients.names import UNSTORABLE
from forges.clients.webhook_payloads import BranchChange, Event, Kind, read_payload

__all__ = ["WINDOW", "BranchChange", "Event", "Kind", "Refused", "new_secret", "parse", "safe_headers", "verify"]

Code = Literal["no_signature", "wrong_signature", "stale", "malformed"]

WINDOW = 300
"""Seconds that GitLab's clock and ours may differ by, so that a delivery cannot be replayed later."""

_SENTENCES: dict[Code, str] = {
    "no_signature": "The delivery is not signed. Enter the secret at the forge's webhook.",
    "wrong_signature": "The delivery is signed with another secret. Enter the one of this webhook at the forge.",
    "stale": "The delivery was signed more than five minutes ago or ahead: the clocks differ, or it is a replay.",
    "malformed": "The delivery is not one that this forge sends.",
}
_HMAC = re.compile(r"sha256=[0-9a-f]{64}")
_SIGNING_TOKEN = "whsec_"  # noqa: S105  the beginning of one


class Refused(Exception):
    """A delivery that is not taken. `str` is a sentence for a person; it holds nothing of the delivery."""

    def __init__(self, code: Code) -> None:
        super().__init__(_SENTENCES[code])
        self.code: Code = code


def new_secret(forge: str) -> str:
    """A secret for a webhook, such as the forge takes.

    GitLab's signing tokens are `whsec_` and 32 bytes in base64: https://docs.gitlab.com/api/project_webhooks/
    """
    if forge == "gitlab":
        return _SIGNING_TOKEN + base64.b64encode(random.token_bytes(32)).decode()
    return random.token_urlsafe(32)


def verify(forge: str, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], *, now: datetime) -> None:
    """Returns if any of `secrets` signed the raw body, else Refused. An empty secret never does.

    All secrets are tried, and each comparison takes the same time wherever the difference is. `now` is aware.
    """
    lower = _lower(headers)
    known = [secret for secret in secrets if secret]
    if forge == "github":
        _verify_hmac(lower.get("x-hub-signature-256", ""), body, known)
    elif forge == "bitbucket":
        _verify_hmac(lower.get("x-hub-signature", ""), body, known)
    elif forge == "gitlab" and lower.get("webhook-signature"):
        # The header alone decides: hooks without a signing token have an id and a timestamp, too.
        _verify_signed(lower, body, known, now)
    elif forge == "gitlab":
        _verify_token(lower.get("x-gitlab-token", ""), known)
    else:
        raise Refused("no_signature")


# https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
# https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/#Secure-webhooks
def _verify_hmac(given: str, body: bytes, secrets: Sequence[str]) -> None:
    if not given:
        raise Refused("no_signature")
    if not _HMAC.fullmatch(given):
        raise Refused("wrong_signature")
    _one_of((f"sha256={hmac.new(_bytes(secret), body, 'sha256').hexdigest()}" for secret in secrets), given)


# https://docs.gitlab.com/user/project/integrations/webhooks/#signing-tokens
# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
def _verify_signed(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> None:
    message_id, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not (sent.isascii() and sent.isdecimal() and len(sent) <= 12):
        raise Refused("wrong_signature")
    content = b"%s.%s.%s" % (_bytes(message_id), sent.encode(), body)
    keys = [key for key in map(_key, secrets) if key]
    expected = ["v1," + base64.b64encode(hmac.digest(key, content, "sha256")).decode() for key in keys]
    # Several are there while one token takes another's place; those of later versions of the rule are not ours.
    _one_of(expected, *(one for one in headers["webhook-signature"].split() if one.startswith("v1,")))
    if abs(now.timestamp() - int(sent)) > WINDOW:
        raise Refused("stale")


# https://docs.gitlab.com/user/project/integrations/webhooks/#secret-tokens
def _verify_token(given: str, secrets: Sequence[str]) -> None:
    if not given:
        raise Refused("no_signature")
    _one_of(secrets, given)


def _one_of(expected: Iterable[str], *given: str) -> None:
    matches = [hmac.compare_digest(_bytes(one), _bytes(other)) for one in expected for other in given]
    if not any(matches):
        raise Refused("wrong_signature")


def _key(secret: str) -> bytes:
    """The key in a signing token; b"" for a secret that is none, which GitLab cannot have signed with."""
    if not secret.startswith(_SIGNING_TOKEN):
        return b""
    try:
        return base64.b64decode(secret.removeprefix(_SIGNING_TOKEN), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def parse(forge: str, headers: Mapping[str, str], body: bytes) -> Event:
    """What a delivery says: Refused("malformed") for what the forge would not send, and never anything else.

    It can be asked before `verify`, for the repository's id where the address does not name the hook.
    """
    try:
        return read_payload(forge, _lower(headers), body)
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
        raise Refused("malformed") from None


_SHOWN = {"accept", "content-length", "content-type", "date", "host", "idempotency-key", "user-agent"}
_SHOWN_PREFIXES = ("x-github-", "x-gitlab-", "x-event-", "x-hook-", "x-request-", "x-attempt-", "webhook-")
_SECRET = re.compile(r"api-?key|auth|cookie|credential|password|secret|signature|token")
_MAX_NAME, _MAX_VALUE = 80, 500


def safe_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers of a delivery for showing and storing: those that forges are known to send, and none that is a secret.

    GitLab's hooks can have headers of any name, added by a person, so that no others are taken.
    """
    return {
        name: UNSTORABLE.sub("\ufffd", value)[:_MAX_VALUE]
        for name, value in sorted(_lower(headers).items())
        if (name in _SHOWN or name.startswith(_SHOWN_PREFIXES)) and len(name) <= _MAX_NAME and not _SECRET.search(name)
    }


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
