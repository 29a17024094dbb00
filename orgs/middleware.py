"""What each request takes from the person who makes it."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from orgs.models import User


class PersonMiddleware:
    """Shows times in the person's zone (TIME_ZONE for those who chose none)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        zone = request.user.time_zone if isinstance(request.user, User) else ""
        try:
            with timezone.override(zoneinfo.ZoneInfo(zone) if zone else None):
                return self.get_response(request)
        except zoneinfo.ZoneInfoNotFoundError:
            return self.get_response(request)
