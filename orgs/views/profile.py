from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from orgs import access
from orgs.models import Membership


def profile(request: HttpRequest) -> HttpResponse:
    return HttpResponse("")
