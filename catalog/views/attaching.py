"""The panel “Commands and skills” of a server's General tab, and its page: what is attached, and the form."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods

from catalog import attaching
from catalog.access import server_of
from catalog.checking.problems import Invalid
from catalog.forms.attaching import AttachForm
from catalog.models import Server
from catalog.views.page import server_context
from lib.htmx import is_fragment
from orgs import access
from orgs.models import Membership


@require_http_methods(["GET", "HEAD", "POST"])
@access.for_members()
def attached(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it = server_of(membership, server)
    status = 200
    form = AttachForm(server=it, by=membership.user)
    if request.method == "POST":
        access.require(membership, "servers.edit")
        form = AttachForm(request.POST, server=it, by=membership.user)
        if form.is_valid():
            try:
                attaching.attach(it, by=membership.user, request=request, **form.cleaned_data)
            except attaching.AttachedMeanwhile as error:
                form = AttachForm(server=it, by=membership.user)
                form.meanwhile = str(error)
            except Server.DoesNotExist as error:
                raise Http404 from error
            except Invalid as invalid:
                form.refuse(invalid.errors)
            else:
                messages.success(request, f"What {it.name} offers is saved.")
                return redirect(reverse("catalog:attached", args=[membership.organization.slug, it.slug]))
        status = 422
    fragment = is_fragment(request)
    context = server_context(
        membership,
        it,
        "general",
        org=membership.organization.slug,
        form=form,
        rows=attaching.attached(it, membership.user),
        fragment=fragment,
    )
    template = "catalog/_attached.html" if fragment else "catalog/attached.html"
    response = render(request, template, context, status=status)
    patch_vary_headers(response, ("HX-Request",))
    return response
