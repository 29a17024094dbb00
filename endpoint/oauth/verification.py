"""Whose a token is, asked for each request with one."""

from __future__ import annotations

import uuid
from datetime import timedelta

from allauth.idp.oidc.models import Token
from django.db.models import Q
from django.utils import timezone

from endpoint.addresses import Address
from endpoint.admitted import Caller
from endpoint.models import Grant
from endpoint.oauth.metadata import CALL, READ
from orgs.models import Organization

USED_EVERY = timedelta(minutes=1)
"""How exactly it is known when a client was last used."""


def caller_of(token: str, *, resource: str, organization: Organization) -> Caller | None:
    """The person whose access token this is. None unless it was made for exactly this resource (RFC 8707), they are
    active and still a member, and what they allowed it for is still at that address.

    `resource` is `https://host/mcp/…` as the client addressed us. The host's case does not matter.
    """
    host, slash, path = resource.partition("/mcp/")
    resource = host.lower() + slash + path
    found = (
        Token.objects.valid()
        .by_value(token)
        .filter(type=Token.Type.ACCESS_TOKEN, user__is_active=True)
        .select_related("client", "user")
        .first()
    )
    if found is None or found.get_resources() != [resource] or READ not in found.get_scopes():
        return None
    grant = _grant(found, resource, organization)
    if grant is None:
        return None
    return Caller(
        "person",
        found.user.email,
        f"person:{found.user_id}",
        may_call=grant.may_call and CALL in found.get_scopes(),
        user_id=found.user_id,
        client=found.client.name,
    )


def grant_id(token: Token) -> uuid.UUID:
    """The grant that a token belongs to; the id of none for one that was not made here."""
    try:
        return uuid.UUID(token.data["grant"])
    except (TypeError, KeyError, ValueError, AttributeError):
        return uuid.UUID(int=0)


def _grant(token: Token, resource: str, organization: Organization) -> Grant | None:
    grant: Grant | None = (
        Grant.objects.for_org(organization)
        .filter(
            pk=grant_id(token),
            user_id=token.user_id,
            client_id=token.client_id,
            resource=resource,
            user__memberships__organization=organization,
        )
        .select_related("server", "toolkit")
        .first()
    )
    if grant is None:
        return None
    # The address may be another thing's by now, as slugs change.
    if not resource.endswith(Address.of(organization, server=grant.server, toolkit=grant.toolkit).path):
        return None
    _note_use(grant)
    return grant


def _note_use(grant: Grant) -> None:
    now = timezone.now()
    if grant.last_used_at is None or grant.last_used_at < now - USED_EVERY:
        due = Q(last_used_at=None) | Q(last_used_at__lt=now - USED_EVERY)
        Grant.objects.filter(due, pk=grant.pk).update(last_used_at=now)
