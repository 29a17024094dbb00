"""Making, revoking and accepting invitations."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from lib import tables
from orgs import access, sign_up
from orgs import invitations as service
from orgs.forms import InvitationForm
from orgs.models import Invitation, Membership, User
from orgs.tables import InvitationsTable


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@access.for_members("members.manage")
def invitations(request: HttpRequest, membership: Membership) -> HttpResponse:
    """The list, and the form; the answer to a valid form is the only page that ever shows the link."""
    form = InvitationForm(request.POST or None, by=membership)
    invited = None
    if request.method == "POST" and form.is_valid():
        invited = service.invite(by=membership, **form.cleaned_data, request=request)
        if invited.invitation.email:
            _send(request, invited)
        form = InvitationForm(by=membership)
    rows = Invitation.objects.filter(organization_id=membership.organization_id)
    table = InvitationsTable(rows.select_related("created_by", "accepted_by"), viewer=membership)
    tables.configure(request, table, per_page=50)
    context = {"form": form, "table": table, "invited": invited, "nav_section": "members"}
    return render(request, "orgs/invitations.html", context, status=422 if form.errors else 200)


def _send(request: HttpRequest, invited: service.Invited) -> None:
    if service.send(invited):
        messages.success(request, f"The link is on its way to {invited.invitation.email}.")
    else:
        messages.warning(request, "The mail server did not take the message. Copy the link and send it yourself.")


@require_POST
@access.for_members("members.manage")
def revoke(request: HttpRequest, membership: Membership, invitation: uuid.UUID) -> HttpResponse:
    """Make an invitation's link useless."""
    row = get_object_or_404(Invitation, organization_id=membership.organization_id, pk=invitation)
    try:
        service.revoke(by=membership, invitation=row, request=request)
    except service.InvitationRefused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "The invitation is revoked; its link no longer works.")
    return redirect("orgs:invitations", org=membership.organization.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """What a link leads to: who invites to what, and the way to join."""
    found = service.find(token)
    if found is None:
        return _refused(request, "There is no such invitation. Check that the whole link was copied.", 404)
    user = request.user if isinstance(request.user, User) else None
    if user and Membership.objects.filter(organization_id=found.organization_id, user=user).exists():
        return redirect("orgs:dashboard", org=found.organization.slug)
    if reason := service.problem(found):
        return _refused(request, reason, 410)
    if user is None:
        sign_up.remember_invitation(request, found)
        return render(request, "orgs/invitation.html", {"invitation": found})
    if reason := service.problem_for(found, user):
        return _refused(request, reason, 403)
    if request.method == "POST":
        try:
            membership = service.accept(invitation=found, user=user, request=request)
        except service.InvitationRefused as error:
            return _refused(request, str(error), 410)
        sign_up.forget_invitation(request)
        messages.success(request, f"Welcome to {membership.organization}.")
        return redirect("orgs:dashboard", org=membership.organization.slug)
    return render(request, "orgs/invitation.html", {"invitation": found})


def _refused(request: HttpRequest, reason: str, status: int) -> HttpResponse:
    return render(request, "orgs/invitation_refused.html", {"reason": reason}, status=status)
