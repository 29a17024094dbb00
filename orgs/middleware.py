"""What each request takes from the person who makes it."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.urls import resolve, reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control

from orgs.models import User

MONITORED = ("orgs:healthz", "readyz", "metrics")
"""Names of the URLs that monitors ask; apps above have views of their own for it."""


class HealthMiddleware:
    """Answers monitors before anything looks for the session and the person, who are where the trouble may be.

    It stands before the session's middleware, so a browser with a cookie is told the same as a monitor without.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in {reverse(name) for name in MONITORED}:
            match = resolve(request.path)
            return cast("HttpResponse", match.func(request))
        return self.get_response(request)


class PersonMiddleware:
    """Shows times in the person's zone (TIME_ZONE for those who chose none), and lets no cache keep their pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        person = request.user if isinstance(request.user, User) else None
        with timezone.override(_zone_of(person)):
            response = self.get_response(request)
        if person is not None and not response.has_header("Cache-Control"):
            # A kept page is what Back shows: as it was before htmx changed it, and after the person has signed out.
            patch_cache_control(response, private=True, no_store=True)
        return response


def _zone_of(person: User | None) -> zoneinfo.ZoneInfo | None:
    """None, which stands for TIME_ZONE, also where this machine's tz database does not know the name (any more)."""
    if person is None or not person.time_zone:
        return None
    try:
        return zoneinfo.ZoneInfo(person.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):  # a folder's name is an OSError, ../ a ValueError
        return None
