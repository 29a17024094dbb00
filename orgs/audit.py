"""The audit log: one function writes it, in the transaction of the change that it tells of."""

from __future__ import annotations

import ipaddress
import re
from typing import Any
from uuid import UUID

from django.db import models
from django.http import HttpRequest

from orgs.access import owner_of
from orgs.models import AuditEvent, Organization, User

_SECRET_NAME = re.compile(
    r"token|secret|password|passphrase|private_key|api_key|ciphertext|nonce|digest", re.IGNORECASE
)
MASK = "••••••"
LONGEST_VALUE = 500
"""Characters of one value that an event keeps: a log is not a second copy of the content."""


def names_a_secret(name: str) -> bool:
    """Whether values of this name are hidden everywhere: `token`, `client_secret`, `ciphertext` and the like."""
    return bool(_SECRET_NAME.search(name))


def masked(values: dict[str, Any]) -> dict[str, Any]:
    """The same values with everything whose name speaks of a secret hidden and long texts cut; empty ones stay so."""
    return {
        name: MASK if names_a_secret(name) and value not in ("", None) else _plain(value)
        for name, value in values.items()
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return masked({str(name): inner for name, inner in value.items()})
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, int | float) or value is None else _cut(str(value))


def _cut(text: str) -> str:
    """No longer than LONGEST_VALUE with its ending, so that a text that was cut before stays as it is."""
    if len(text) <= LONGEST_VALUE:
        return text
    ending = f"… ({len(text)} characters)"
    return text[: LONGEST_VALUE - len(ending)] + ending


def address_of(request: HttpRequest) -> str | None:
    """The client's address; behind a trusted proxy uvicorn has already put the forwarded one into REMOTE_ADDR."""
    text = str(request.META.get("REMOTE_ADDR", "")).partition("%")[0]  # an IPv6 zone means nothing elsewhere
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None  # behind a Unix socket there is none


def _id_of(thing: models.Model | str | None) -> str:
    return str(thing.pk) if isinstance(thing, models.Model) else thing or ""


def record(
    action: str,
    *,
    organization: Organization | None,
    actor: User | None,
    target: models.Model | None = None,
    scope: models.Model | str | None = None,
    private_to: UUID | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    request: HttpRequest | None = None,
) -> AuditEvent:
    """Write one event. Call it inside the transaction of the change: both are kept, or neither.

    `action` is `thing.verb` in the past tense (`server.created`). Values whose names speak of secrets are masked,
    and those longer than LONGEST_VALUE cut.
    `scope` is the larger thing whose page shows the event, or its id; the target itself by default. What is about a
    personal thing, or part of one, only its owner sees; `private_to` says so where neither target nor scope can.
    """
    found: AuditEvent = AuditEvent.objects.create(
        organization=organization,
        actor=actor,
        actor_label=actor.email if actor else "Millrace",
        action=action,
        target_type=target._meta.label_lower if target else "",
        target_id=str(target.pk) if target else "",
        target_label=str(target)[:254] if target else "",
        scope=_id_of(scope or target),
        private_to=private_to or owner_of(scope) or owner_of(target),
        before=masked(before or {}),
        after=masked(after or {}),
        address=address_of(request) if request else None,
    )
    return found
