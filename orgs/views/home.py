"""Where one arrives: the start page, an organisation's dashboard, and the address that monitors ask."""

from __future__ import annotations

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from orgs import access, organizations, sign_up
from orgs.models import Invitation, Membership, User


@require_safe
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """To the organisation used last, or to wherever this visitor has to go first."""
    if not isinstance(request.user, User):
        return redirect("account_signup" if sign_up.is_first_run() else "account_login")
    mine = Membership.objects.filter(user=request.user).order_by("joined_at")
    slugs = list(mine.values_list("organization__slug", flat=True))
    if slugs:
        last = request.session.get(access.LAST_USED)
        return redirect("orgs:dashboard", org=last if last in slugs else slugs[0])
    context = {
        "may_create": organizations.may_create(request.user),
    }
    return render(request, "orgs/no_organization.html", context)


@require_safe
@access.for_members()
def dashboard(request: HttpRequest, membership: Membership) -> HttpResponse:
    """What there is and what happened last, each panel from the app that it is about."""
    organization = membership.organization
    context = {"organization": organization, "member_count": organization.memberships.count()}
    if access.may(membership, "members.manage"):
        context["open_invitations"] = Invitation.objects.filter(organization=organization).open().count()
    return render(request, "orgs/dashboard.html", context)


@require_safe
@never_cache
def healthz(_request: HttpRequest) -> HttpResponse:
    """200 while this process can reach its database, 503 otherwise; tells nothing else, for anybody may ask."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except Error:  # also InterfaceError, which is no DatabaseError
        return HttpResponse("The database cannot be reached.\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")
