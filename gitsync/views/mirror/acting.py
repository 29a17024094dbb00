"""What the buttons of the status do: sync now, switch to pull requests, disconnect."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from gitsync.mirror.connecting import FieldError, StaleMirror, disconnect_mirror, sync_now, use_pull_requests
from gitsync.models import WELL
from gitsync.views.mirror.page import page_context, required
from lib.htmx import is_fragment
from orgs import access
from orgs.models import Membership


@require_POST
@access.for_members("entities.edit")
def now(request: HttpRequest, membership: Membership) -> HttpResponse:
    found = required(membership)
    sync_now(found, membership)
    if not is_fragment(request):  # the status itself says so
        messages.info(request, f"Both sides are compared: {membership.organization} and {found.repository}.")
    return redirect("gitsync:mirror", org=membership.organization.slug)


@require_POST
@access.for_members("gitsync.assign")
def pull_requests(request: HttpRequest, membership: Membership) -> HttpResponse:
    try:
        use_pull_requests(required(membership), membership, request)
    except FieldError as error:
        messages.error(request, str(error))
    except StaleMirror as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, "Changes arrive as one pull request from now on.")
    return redirect("gitsync:mirror", org=membership.organization.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@access.for_members("gitsync.assign")
def disconnect(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Ask, then sync no more."""
    found = required(membership)
    if request.method == "POST":
        try:
            disconnect_mirror(found, membership, seen_revision=_revision(request), request=request)
        except StaleMirror as error:
            messages.warning(request, str(error))
            return redirect("gitsync:mirror_disconnect", org=membership.organization.slug)
        messages.success(
            request,
            f"{found.repository} is disconnected. Its files stay there and the entities here; they go their own ways.",
        )
        return redirect("gitsync:mirror", org=membership.organization.slug)
    counts = {
        "entities": found.entities.exclude(entity=None).count(),
        "open": found.entities.exclude(state__in=WELL).count(),
    }
    return render(request, "gitsync/mirror/disconnect.html", page_context(membership, mirror=found, counts=counts))


def _revision(request: HttpRequest) -> int:
    """0, which none has, for what is no number."""
    text = request.POST.get("seen_revision", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
