"""Isolation cases of people and organisations."""

from __future__ import annotations

from typing import Any

from orgs.models import Invitation, Organization
from tests import factories
from tests.isolation import Case

_OWN = "about the person alone"


def _member(acme: Organization) -> dict[str, Any]:
    return {"member": factories.membership(factories.user(), acme).pk}


def _invitation(acme: Organization) -> dict[str, Any]:
    digest = Invitation.digest_of(Invitation.new_token())
    return {"invitation": Invitation.objects.create(organization=acme, digest=digest).pk}


CASES = {
    "orgs:home": Case(viewer=302, nobody=302, outsider=302, why="sends everybody to where they belong"),
    "orgs:healthz": Case(viewer=200, nobody=200, outsider=200, why="monitors ask it; it says “ok” and nothing else"),
    "orgs:profile": Case(viewer=200, outsider=200, why=_OWN),
    "orgs:create": Case(viewer=403, outsider=403, why="makes a new organisation and shows none"),
    "orgs:invitation": Case(
        lambda _acme: {"token": "not-a-token"},
        viewer=404,
        nobody=404,
        outsider=404,
        why="whoever holds a link may open it; without one there is nothing",
    ),
    "orgs:dashboard": Case(viewer=200),
    "orgs:settings": Case(viewer=403),
    "orgs:delete": Case(viewer=403, method="post", data={"name": "Acme"}),
    "orgs:members": Case(viewer=200),
    "orgs:leave": Case(viewer=200),
    "orgs:member": Case(_member, viewer=403),
    "orgs:member_role": Case(_member, viewer=403, method="post", data={"role": "viewer"}),
    "orgs:member_remove": Case(_member, viewer=403, method="post"),
    "orgs:invitations": Case(viewer=403),
    "orgs:invitation_revoke": Case(_invitation, viewer=403, method="post"),
    "orgs:audit": Case(viewer=403),
    "orgs:audit_export": Case(viewer=403),
}
