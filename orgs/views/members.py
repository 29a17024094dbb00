"""Who is in an organisation, and what each may do."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lib import tables
from orgs import access
from orgs import members as service
from orgs.forms import EntitlementsForm, RoleForm
from orgs.models import Invitation, Membership
from orgs.tables import MembersTable


def _of(membership: Membership, key: uuid.UUID) -> Membership:
    rows = Membership.objects.select_related("organization", "user")
    return get_object_or_404(rows, organization_id=membership.organization_id, pk=key)


@require_safe
@access.for_members()
def members(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Everybody, for every member: whom to ask is no secret inside an organisation."""
    rows = Membership.objects.filter(organization_id=membership.organization_id).select_related("user")
    table = MembersTable(rows, viewer=membership)
    tables.configure(request, table, per_page=50)
    context = {
        "table": table,
        "nav_section": "members",
        "open_invitations": Invitation.objects.filter(organization_id=membership.organization_id).open().count(),
    }
    return render(request, "orgs/members.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@access.for_members("members.manage")
def member(request: HttpRequest, membership: Membership, member: uuid.UUID) -> HttpResponse:
    """One member's role and entitlements; what is posted are the entitlements."""
    row = _of(membership, member)
    form = EntitlementsForm(request.POST or None, member=row)
    if request.method == "POST" and form.is_valid():
        service.choose_entitlements(by=membership, member=row, choices=form.choices(), request=request)
        messages.success(request, f"The entitlements of {row.user} are saved.")
        return redirect("orgs:member", org=membership.organization.slug, member=row.pk)
    return _member_page(request, membership, row, form, RoleForm(by=membership, initial={"role": row.role}))


@require_POST
@access.for_members("members.manage")
def role(request: HttpRequest, membership: Membership, member: uuid.UUID) -> HttpResponse:
    """Change a member's role."""
    row = _of(membership, member)
    form = RoleForm(request.POST, by=membership)
    if not form.is_valid():
        return _member_page(request, membership, row, EntitlementsForm(member=row), form)
    try:
        service.change_role(by=membership, member=row, role=form.cleaned_data["role"], request=request)
    except service.LastOwner as error:
        form.add_error("role", str(error))
        return _member_page(request, membership, row, EntitlementsForm(member=row), form)
    messages.success(request, f"The role of {row.user} is saved.")
    if row.pk == membership.pk:  # who lowered themselves may not see this page any more
        return redirect("orgs:members", org=membership.organization.slug)
    return redirect("orgs:member", org=membership.organization.slug, member=row.pk)


def _member_page(
    request: HttpRequest, by: Membership, row: Membership, form: EntitlementsForm, role_form: RoleForm
) -> HttpResponse:
    context = {
        "member": row,
        "form": form,
        "role_form": role_form,
        "held": access.entitlements(row),
        "may_touch": service.may_touch(by, row),
        "is_self": row.pk == by.pk,
        "nav_section": "members",
    }
    status = 422 if form.errors or role_form.errors else 200
    return render(request, "orgs/member.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@access.for_members("members.manage")
def remove(request: HttpRequest, membership: Membership, member: uuid.UUID) -> HttpResponse:
    """Ask, then take a member out."""
    row = _of(membership, member)
    if request.method == "POST":
        try:
            service.remove_member(by=membership, member=row, request=request)
        except service.LastOwner as error:
            messages.error(request, str(error))
            return redirect("orgs:members", org=membership.organization.slug)
        messages.success(request, f"{row.user} is no longer a member.")
        if row.pk == membership.pk:
            return redirect("orgs:home")
        return redirect("orgs:members", org=membership.organization.slug)
    return _ask(request, membership, row, leaving=False)


@require_http_methods(["GET", "HEAD", "POST"])
@access.for_members()
def leave(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Ask, then leave."""
    if request.method == "POST":
        try:
            service.leave(membership, request=request)
        except service.LastOwner as error:
            messages.error(request, str(error))
            return redirect("orgs:members", org=membership.organization.slug)
        messages.success(request, f"You have left {membership.organization}.")
        return redirect("orgs:home")
    return _ask(request, membership, membership, leaving=True)


def _ask(request: HttpRequest, by: Membership, row: Membership, *, leaving: bool) -> HttpResponse:
    context = {"member": row, "leaving": leaving, "is_self": row.pk == by.pk, "nav_section": "members"}
    fragment = "HX-Request" in request.headers
    return render(request, "orgs/_remove.html" if fragment else "orgs/remove.html", context)
