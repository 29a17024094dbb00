from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from orgs import access
from orgs.models import Membership


def create(request: HttpRequest) -> HttpResponse:
    return HttpResponse("")


@access.for_members()
def settings(request: HttpRequest, membership: Membership) -> HttpResponse:
    return HttpResponse("")


@access.for_members()
def delete(request: HttpRequest, membership: Membership) -> HttpResponse:
    return HttpResponse("")
