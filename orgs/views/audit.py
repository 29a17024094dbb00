from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from orgs import access
from orgs.models import Membership


@access.for_members()
def audit(request: HttpRequest, membership: Membership) -> HttpResponse:
    return HttpResponse("")


@access.for_members()
def export(request: HttpRequest, membership: Membership) -> HttpResponse:
    return HttpResponse("")
