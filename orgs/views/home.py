from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from orgs import access
from orgs.models import Membership


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse("")


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("")


@access.for_members()
def dashboard(request: HttpRequest, membership: Membership) -> HttpResponse:
    return HttpResponse("")
