"""Clients that were let in: one's own, and for admins those of all members."""

from __future__ import annotations

import uuid
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from endpoint.models import Grant
from endpoint.oauth import grants
from endpoint.tables.grants import GrantsTable
from lib import tables
from lib.htmx import is_fragment
from orgs import access
from orgs.models import Membership, User

_WITH = ("client", "user", "organization", "server", "toolkit")


@require_safe
@login_required
def mine(request: HttpRequest) -> HttpResponse:
    """“Connected clients” of the signed-in person."""
    rows = Grant.objects.filter(user=cast("User", request.user)).select_related(*_WITH)
    table = GrantsTable(rows, exclude=("person",), revoke="endpoint_clients_revoke")
    tables.configure(request, table, per_page=50)
    return render(request, "endpoint/oauth/mine.html", {"table": table})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def revoke_mine(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    person = cast("User", request.user)
    grant = get_object_or_404(Grant.objects.select_related(*_WITH), user=person, pk=pk)
    return _revoke(request, grant, person, reverse("endpoint_clients"), "endpoint/oauth/mine_revoke.html")


@require_safe
@access.for_members("keys.manage")
def granted(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Clients that members let use the organisation's servers and toolkits."""
    rows = Grant.objects.visible_to(membership).select_related(*_WITH)
    table = GrantsTable(rows, exclude=("organization",), revoke="endpoint:granted_revoke", org=membership.organization)
    tables.configure(request, table, per_page=50)
    return render(request, "endpoint/oauth/granted.html", {"table": table, "nav_section": "keys"})


@require_http_methods(["GET", "HEAD", "POST"])
@access.for_members("keys.manage")
def revoke_granted(request: HttpRequest, membership: Membership, pk: uuid.UUID) -> HttpResponse:
    grant = get_object_or_404(Grant.objects.visible_to(membership).select_related(*_WITH), pk=pk)
    back = reverse("endpoint:granted", kwargs={"org": membership.organization.slug})
    return _revoke(request, grant, membership.user, back, "endpoint/oauth/granted_revoke.html")


def _revoke(request: HttpRequest, grant: Grant, by: User, back: str, template: str) -> HttpResponse:
    if request.method == "POST":
        grants.revoke(grant, by=by, request=request)
        messages.success(request, f"{grant.client.name} can no longer use {grant.target}.")
        return redirect(back)
    whose = "you" if grant.user_id == by.pk else str(grant.user)
    context = {
        "title": f"Disconnect {grant.client.name}?",
        "text": f"It can no longer use {grant.target} as {whose}, from this moment on. To use it again it has to be "
        "allowed again.",
        "confirm": "Disconnect",
        "danger": True,
        "cancel_url": back,
        "action": request.path,
    }
    # The question alone for the dialog, a page around it otherwise.
    return render(request, "components/_confirm.html" if is_fragment(request) else template, context)
