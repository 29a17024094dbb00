from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from orgs import access
from orgs.models import Membership


def invitation(request: HttpRequest, token: str) -> HttpResponse:
    return HttpResponse("")


@access.for_members()
def invitations(request: HttpRequest, membership: Membership) -> HttpResponse:
    return HttpResponse("")


@access.for_members()
def revoke(request: HttpRequest, membership: Membership, invitation: str) -> HttpResponse:
    return HttpResponse("")
