"""Making an organisation, its settings, and its end."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from orgs import access, organizations
from orgs.forms import DeleteOrganizationForm, OrganizationForm
from orgs.models import Membership, Organization, User


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def create(request: HttpRequest) -> HttpResponse:
    """Make an organisation of one's own, where the installation allows it."""
    user = cast("User", request.user)
    if not organizations.may_create(user):
        raise PermissionDenied(
            "New organisations are closed on this installation. Ask whoever runs it to open sign-up (OPEN_SIGNUP), "
            "or an admin of an organisation for an invitation link."
        )
    form = OrganizationForm(request.POST or None, initial={"time_zone": user.time_zone or "UTC"})
    if request.method == "POST" and form.is_valid():
        membership = organizations.create_organization(
            name=form.cleaned_data["name"], owner=user, time_zone=form.cleaned_data["time_zone"], request=request
        )
        messages.success(request, f"{membership.organization} is ready.")
        return redirect("orgs:dashboard", org=membership.organization.slug)
    return render(request, "orgs/create.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@access.for_members("organization.manage")
def settings(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Name and time zone."""
    # The form gets a row of its own: a rejected name must not show in the layout.
    row = Organization.objects.get(pk=membership.organization_id)
    form = OrganizationForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        organizations.change_organization(
            by=membership, name=form.cleaned_data["name"], time_zone=form.cleaned_data["time_zone"], request=request
        )
        messages.success(request, "The settings are saved.")
        return redirect("orgs:settings", org=membership.organization.slug)
    return render(request, "orgs/settings.html", {"form": form, "organization": membership.organization})


@require_http_methods(["GET", "HEAD", "POST"])
@access.for_members("organization.manage")
def delete(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Ask for the name, say what goes, and delete."""
    organization = membership.organization
    form = DeleteOrganizationForm(request.POST or None, organization=organization)
    if request.method == "POST" and form.is_valid():
        organizations.delete_organization(by=membership, request=request)
        request.session.pop(access.LAST_USED, None)
        messages.success(request, f"{organization.name} and everything in it is deleted.")
        return redirect("orgs:home")
    goes = organizations.what_goes(organization)
    return render(request, "orgs/delete.html", {"form": form, "organization": organization, "goes": goes})
