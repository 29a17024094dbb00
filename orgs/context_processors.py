"""What the layout shows of the person and the organisation they are in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from orgs.models import Membership


def person(request: HttpRequest) -> dict[str, Any]:
    """`membership` (set by `orgs.access.member`), `memberships` for the switcher, and `site_name`."""
    context: dict[str, Any] = {"site_name": settings.SITE_NAME, "membership": getattr(request, "membership", None)}
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        context["memberships"] = SimpleLazyObject(
            lambda: list(
                Membership.objects.filter(user=user).select_related("organization").order_by("organization__name")
            )
        )
    return context
