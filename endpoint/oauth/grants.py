"""Allowing a client something, and taking it back."""

from __future__ import annotations

from typing import Any

from allauth.idp.oidc.models import Client
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest
from django.utils import timezone

from catalog.models import Server, Toolkit
from endpoint.models import Grant
from endpoint.oauth import tokens
from orgs import audit
from orgs.models import Membership, Organization, User


@transaction.atomic
def allow(
    *, by: Membership, client: Client, target: Server | Toolkit, resource: str, may_call: bool, request: HttpRequest
) -> Grant:
    """Let a client use a server or toolkit as this person. What was allowed before is what is allowed now."""
    about = {"server": target} if isinstance(target, Server) else {"toolkit": target}
    old = Grant.objects.select_for_update().filter(user=by.user, client=client, resource=resource).first()
    if old is not None and old.target != target:  # the address was another thing's
        old.delete()
        old = None
    before = {"may_call": old.may_call} if old else {}
    now = {"may_call": may_call, "allowed_at": timezone.now()}
    # The same form may be sent twice in one moment.
    grant, _ = Grant.objects.update_or_create(
        user=by.user,
        client=client,
        resource=resource,
        defaults=now,
        create_defaults={**now, **about, "organization": by.organization},
    )
    audit.record(
        "connected_client.allowed",
        organization=_told(grant),
        actor=by.user,
        target=grant,
        scope=target,
        before=before,
        after={"client": client.name, "client_id": client.pk, "address": resource, "may_call": may_call},
        request=request,
    )
    return grant


@transaction.atomic
def revoke(grant: Grant, *, by: User, request: HttpRequest) -> None:
    """End what a client may do as somebody, from this moment on: all its tokens, and those it could still get."""
    audit.record(
        "connected_client.revoked",
        organization=_told(grant),
        actor=by,
        target=grant,
        scope=grant.target,
        before={"client": grant.client.name, "client_id": grant.client_id, "person": grant.user.email},
        request=request,
    )
    grant.delete()


def _told(grant: Grant) -> Organization | None:
    """Whose audit log tells of it: nobody's but the person's own where the server is personal."""
    return None if grant.target.owner_id else grant.organization


def connect() -> None:
    """Let grants end with what they rest on."""
    post_delete.connect(_without_tokens, sender=Grant)
    post_delete.connect(_with_membership, sender=Membership)
    post_save.connect(_with_password, sender=User)


def _without_tokens(instance: Grant, **_: Any) -> None:
    tokens.of_grant(instance).delete()


def _with_membership(instance: Membership, **_: Any) -> None:
    """Whoever comes back later starts anew."""
    Grant.objects.filter(user_id=instance.user_id, organization_id=instance.organization_id).delete()


def _with_password(instance: User, created: bool, **_: Any) -> None:
    """A new password ends all sign-ins, those of clients as well, and so does deactivation. That Django hashes the same
    password anew when somebody signs in is no new password: `_password` is None then."""
    if created:
        return
    if not instance.is_active or not instance.has_usable_password() or getattr(instance, "_password", None) is not None:
        Grant.objects.filter(user_id=instance.pk).delete()
