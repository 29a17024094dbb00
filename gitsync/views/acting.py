"""What the panel's buttons do: push, and settle what blocks a push."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from catalog.access import server_of
from catalog.models import Server
from gitsync import targets
from gitsync.models import PushTarget
from gitsync.targets import FieldError
from gitsync.views.page import panel_url, target_of
from orgs import access
from orgs.models import Membership


def _assigned(membership: Membership, slug: str) -> tuple[Server, PushTarget]:
    server = server_of(membership, slug)
    target = target_of(server)
    if target is None:
        raise Http404
    return server, target


@require_POST
@access.for_members("servers.edit")
def push_now(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it, target = _assigned(membership, server)
    targets.push_now(target, membership, request)
    messages.info(request, f"{it.name} is compared with {target.repository}, and what differs is pushed.")
    return redirect(panel_url(it))


@require_POST
@access.for_members("gitsync.assign")
def take_over(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it, target = _assigned(membership, server)
    try:
        targets.take_over(target, request.POST.get("digest", ""), membership, request)
    except FieldError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "These files are ours now. They are replaced or removed by the push that follows.")
    return redirect(panel_url(it))


@require_POST
@access.for_members("gitsync.assign")
def allow(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it, target = _assigned(membership, server)
    try:
        targets.allow_finding(target, request.POST.get("digest", ""), membership, request)
    except FieldError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "It is taken for no secret from now on, and pushed.")
    return redirect(panel_url(it))


@require_POST
@access.for_members("gitsync.assign")
def pull_requests(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it, target = _assigned(membership, server)
    try:
        targets.use_pull_requests(target, membership, request)
    except FieldError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Changes of {it.name} arrive as one pull request from now on.")
    return redirect(panel_url(it))


def _leaving(membership: Membership, pk: uuid.UUID) -> PushTarget:
    """That of a server which is deleted."""
    rows = PushTarget.objects.select_related("organization").filter(organization=membership.organization)
    found: PushTarget | None = rows.filter(server=None, pk=pk).first()
    if found is None:
        raise Http404
    return found


@require_POST
@access.for_members("servers.edit")
def again(request: HttpRequest, membership: Membership, target: uuid.UUID) -> HttpResponse:
    """Try once more to remove the files of a deleted server."""
    found = _leaving(membership, target)
    targets.push_now(found, membership, request)
    messages.info(request, f"The files of {found.server_name} are removed from {found.repository} if that works now.")
    return redirect("gitsync:settings", org=membership.organization.slug)


@require_POST
@access.for_members("gitsync.assign")
def abandon(request: HttpRequest, membership: Membership, target: uuid.UUID) -> HttpResponse:
    """Leave the files of a deleted server in its repository."""
    found = _leaving(membership, target)
    targets.abandon(found, membership, request)
    messages.success(request, f"The files of {found.server_name} stay in {found.repository}.")
    return redirect("gitsync:settings", org=membership.organization.slug)
