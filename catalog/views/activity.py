"""The Activity tab."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.access import server_of
from catalog.activity import Activity
from catalog.views.page import asked, page_of, permission, server_context
from orgs import access
from orgs.models import Membership


@access.for_members()
def activity(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it = server_of(membership, server)
    kind = asked(request, "kind")
    context = server_context(
        membership,
        it,
        "activity",
        kind=kind,
        page=page_of(request, Activity(it, kind)),
        may_see_values=permission(membership, "audit.view"),
    )
    return render(request, "catalog/activity.html", context)
