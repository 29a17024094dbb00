"""What the layout shows of the person and the organisation they are in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from orgs import access, organizations
from orgs.models import Membership, User

T = TypeVar("T")


def person(request: HttpRequest) -> dict[str, Any]:
    """What every template may use.

    `site_name`; `membership` (set by `orgs.access.member`; on pages of no organisation, such as the profile, that of
    the organisation used last) and its `entitlements`, a set of names; for the switcher `memberships`, and
    `may_create_organization`.
    """
    membership: Membership | None = getattr(request, "membership", None)
    context: dict[str, Any] = {"site_name": settings.SITE_NAME, "membership": membership}
    user = getattr(request, "user", None)
    if isinstance(user, User):
        mine = Membership.objects.filter(user=user).select_related("organization").order_by("organization__name")
        context["memberships"] = memberships = _lazily(lambda: list(mine))
        context["may_create_organization"] = organizations.may_create(user)
        if membership is None:
            context["membership"] = membership = _lazily(lambda: _used_last(request, memberships))
    if membership is not None:
        context["entitlements"] = _lazily(lambda: access.entitlements(membership) if membership else frozenset())
    return context


def _lazily(make: Callable[[], T]) -> T:
    """What `make` returns, made when a template looks at it: not all show the navigation."""
    return cast("T", SimpleLazyObject(make))


def _used_last(request: HttpRequest, memberships: Iterable[Membership]) -> Membership | None:
    last = request.session.get(access.LAST_USED)
    return next((each for each in memberships if each.organization.slug == last), None)
