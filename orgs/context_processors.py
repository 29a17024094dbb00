"""What the layout shows of the person and the organisation they are in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from orgs import access, organizations
from orgs.models import Membership, User


def person(request: HttpRequest) -> dict[str, Any]:
    """What every template may use.

    `site_name`; `membership` (set by `orgs.access.member`) and its `entitlements`, a set of names; for the switcher
    `memberships`, and `may_create_organization`.
    """
    membership: Membership | None = getattr(request, "membership", None)
    context: dict[str, Any] = {"site_name": settings.SITE_NAME, "membership": membership}
    if membership is not None:
        context["entitlements"] = access.entitlements(membership)
    user = getattr(request, "user", None)
    if isinstance(user, User):
        mine = Membership.objects.filter(user=user).select_related("organization").order_by("organization__name")
        context["memberships"] = SimpleLazyObject(lambda: list(mine))
        context["may_create_organization"] = organizations.may_create(user)
    return context
