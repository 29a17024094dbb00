"""What a push would change, without doing it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from catalog.access import server_of
from gitsync.views.page import panel_url
from orgs import access
from orgs.models import Membership


@access.for_members("servers.edit")
def preview(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:  # noqa: ARG001
    return redirect(panel_url(server_of(membership, server)))
