"""API keys: made, changed and revoked by members who may, and looked up for each request that carries one.

A key is the organisation's: it goes on working when whoever made it leaves, unless what it names is personal.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import CharField, DateTimeField, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from catalog.checking.names import check_line
from catalog.checking.problems import Findings
from catalog.models import Server, Toolkit
from endpoint.models import ApiKey
from lib.prepared import Given, Prepared
from orgs import access, audit
from orgs.models import Membership

PREFIX = "mr_"
_HINT = len(PREFIX) + 6
_KEY = re.compile(rf"\A{PREFIX}[A-Za-z0-9_-]{{43}}\Z")
HIGHEST_RATE = 1_000_000
"""Requests a minute: nobody means more."""
RELATIONS: dict[str, type[Server | Toolkit]] = {"servers": Server, "toolkits": Toolkit}


class MadeAlready(ValueError):
    """The form was sent once more; the text is a sentence for a person."""

    def __init__(self) -> None:
        super().__init__("This key was made already, and is shown only once. If it was not copied, make another.")


def is_key(token: str) -> bool:
    """Whether it looks like a key of ours."""
    return bool(_KEY.match(token))


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def find_key(token: str) -> ApiKey | None:
    """The key that this is, if it may be used now. Found by its digest: nothing is compared letter by letter."""
    if not is_key(token):
        return None
    return _usable.first(digest=digest_of(token), now=timezone.now())


_usable = Prepared(
    lambda: (
        ApiKey.objects.filter(
            Q(expires_at=None) | Q(expires_at__gt=Given("now", DateTimeField())),
            digest=Given("digest", CharField()),
            revoked_at=None,
        )
        .only("organization", "name", "everything", "may_call", "rate_per_minute", "created_by")
        .order_by()
    )
)


def offered(name: str, *, key: ApiKey | None, to: Membership) -> QuerySet[Any]:
    """What a member can let a key reach, of `servers` or `toolkits`: the organisation's, and what is their own if the
    key is theirs, too: it opens personal things for whoever made it alone."""
    rows: QuerySet[Any] = RELATIONS[name].objects.visible_to(to)
    return rows if key is None or key.created_by_id == to.user_id else rows.filter(owner=None)


@transaction.atomic
def make_key(*, by: Membership, values: Mapping[str, Any], request: HttpRequest | None = None) -> tuple[ApiKey, str]:
    """A key, and what clients carry, which is known in this moment only.

    `values` has name, everything, servers and toolkits (primary keys), may_call, rate_per_minute and expires_at, and
    may have the id to be. Raises PermissionDenied without the entitlement, Invalid, and MadeAlready.
    """
    access.require(by, "keys.manage")
    token = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(organization=by.organization, created_by=by.user, digest=digest_of(token), hint=token[:_HINT])
    key.pk = values.get("id") or key.pk
    expires_at: datetime | None = values.get("expires_at")
    chosen = _checked(key, by, values, expires_at)
    key.expires_at = expires_at
    try:
        with transaction.atomic():
            key.save(force_insert=True)
    except IntegrityError as error:
        raise MadeAlready from error
    _point(key, by, chosen)
    audit.record(
        "api_key.created",
        organization=by.organization,
        actor=by.user,
        target=key,
        after={**facts(key), "expires_at": key.expires_at},
        request=request,
    )
    return key, token


@transaction.atomic
def change_key(*, key: ApiKey, by: Membership, values: Mapping[str, Any], request: HttpRequest | None = None) -> ApiKey:
    """Give it another name, scope or limit; when it ends was said when it was made.

    Personal things of others that it names stay as they are. Raises as `make_key` does, and DoesNotExist.
    """
    access.require(by, "keys.manage")
    key = ApiKey.objects.select_for_update().get(pk=key.pk, organization=by.organization)
    before = facts(key)
    chosen = _checked(key, by, values, key.expires_at)
    key.save(update_fields=["name", "everything", "may_call", "rate_per_minute"])
    _point(key, by, chosen)
    after = facts(key)
    if changed := [name for name in after if after[name] != before[name]]:
        audit.record(
            "api_key.changed",
            organization=by.organization,
            actor=by.user,
            target=key,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
            request=request,
        )
    return key


@transaction.atomic
def revoke_key(*, key: ApiKey, by: Membership, request: HttpRequest | None = None) -> ApiKey:
    """Let nobody use it any more. Raises PermissionDenied without the entitlement."""
    access.require(by, "keys.manage")
    key = ApiKey.objects.select_for_update().get(pk=key.pk, organization=by.organization)
    if key.revoked_at is None:
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])
        audit.record(
            "api_key.revoked",
            organization=by.organization,
            actor=by.user,
            target=key,
            before=facts(key),
            request=request,
        )
    return key


def mark_used(uses: Mapping[Any, datetime]) -> None:
    """Note that keys (by primary key) were used at about the same time, if none was noted within the minute before."""
    if uses:
        at = max(uses.values())
        stale = Q(last_used_at=None) | Q(last_used_at__lt=at - timedelta(minutes=1))
        ApiKey.objects.filter(stale, pk__in=uses).update(last_used_at=at)


def facts(key: ApiKey) -> dict[str, Any]:
    """What people chose of it, for the audit log; of personal things only how many: they are nobody else's to see."""
    found: dict[str, Any] = {
        "name": key.name,
        "reaches": "everything" if key.everything else "what is chosen",
        "may_call": key.may_call,
        "rate_per_minute": key.rate_per_minute,
    }
    personal = 0
    for name in RELATIONS:
        rows = list(getattr(key, name).order_by("slug").values_list("slug", "owner"))
        found[name] = [slug for slug, owner in rows if owner is None]
        personal += sum(owner is not None for _, owner in rows)
    return {**found, "personal": personal}


def _checked(
    key: ApiKey, by: Membership, values: Mapping[str, Any], expires_at: datetime | None
) -> dict[str, set[Any]]:
    """Sets what is said of itself; returns what it is to name, by relation. Raises Invalid."""
    findings = Findings()
    if key.revoked_at is not None:
        findings.add("", "This key was revoked. Make a new one.")
    elif expires_at is not None and expires_at <= timezone.now():
        findings.add("expires_at", "This is past. Choose a time to come.")
    key.name = findings.tried("name", partial(check_line, str(values.get("name", ""))), key.name)
    if not key.name:
        findings.add("name", "Enter a name to know the key by, such as the program that carries it.")
    rate = values.get("rate_per_minute")
    if rate is not None and not 1 <= rate <= HIGHEST_RATE:
        findings.add("rate_per_minute", f"Enter a number from 1 to {HIGHEST_RATE:,}, or nothing for the usual limit.")
    key.rate_per_minute = rate
    key.everything, key.may_call = bool(values.get("everything")), bool(values.get("may_call"))
    chosen: dict[str, set[Any]] = {}
    for name in RELATIONS:
        wanted = set() if key.everything else set(values.get(name, ()))
        chosen[name] = set(offered(name, key=key, to=by).filter(pk__in=wanted).values_list("pk", flat=True))
        if chosen[name] != wanted:
            findings.add(name, "Something of this is not there any more. Choose again.")
    if not key.everything and not any(chosen.values()) and not any(_others(key, by, name) for name in RELATIONS):
        findings.add("servers", "Choose at least one server or toolkit, or let it reach all.")
    findings.refuse()
    return chosen


def _others(key: ApiKey, by: Membership, name: str) -> set[Any]:
    """What it names and this member may not see: theirs to choose is only the rest."""
    if key._state.adding:
        return set()
    named: QuerySet[Any] = getattr(key, name).all()
    return set(named.exclude(pk__in=offered(name, key=key, to=by).values("pk")).values_list("pk", flat=True))


def _point(key: ApiKey, by: Membership, chosen: Mapping[str, set[Any]]) -> None:
    for name in RELATIONS:
        getattr(key, name).set(chosen[name] | _others(key, by, name))
