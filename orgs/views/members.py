from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from orgs import access
from orgs.models import Membership


@access.for_members()
def members(request: HttpRequest, membership: Membership) -> HttpResponse:
    return HttpResponse("")


@access.for_members()
def leave(request: HttpRequest, membership: Membership) -> HttpResponse:
    return HttpResponse("")


@access.for_members()
def member(request: HttpRequest, membership: Membership, member: str) -> HttpResponse:
    return HttpResponse("")


@access.for_members()
def role(request: HttpRequest, membership: Membership, member: str) -> HttpResponse:
    return HttpResponse("")


@access.for_members()
def remove(request: HttpRequest, membership: Membership, member: str) -> HttpResponse:
    return HttpResponse("")
