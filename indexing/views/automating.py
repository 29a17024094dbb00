"""When the sources of an organisation are refreshed by themselves."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from indexing import clock
from indexing.automation import NEEDED, choose
from indexing.forms import AutoRefreshForm
from indexing.models import Source
from orgs import access
from orgs.models import Membership


@require_http_methods(["GET", "HEAD", "POST"])
@access.for_members(NEEDED)
def auto_refresh(request: HttpRequest, membership: Membership) -> HttpResponse:
    stored = clock.auto_refresh_of(membership.organization)
    form = AutoRefreshForm(request.POST if request.method == "POST" else None, stored=stored)
    if request.method == "POST" and form.is_valid():
        choose(**form.cleaned_data, by=membership, request=request)
        messages.success(request, "The settings are saved.")
        return redirect("indexing:auto_refresh", org=membership.organization.slug)
    planned = Source.objects.visible_to(membership).filter(next_refresh_at__gt=timezone.now())
    context = {
        "membership": membership,
        "organization": membership.organization,
        "form": form,
        "next": planned.order_by("next_refresh_at").values_list("next_refresh_at", flat=True).first(),
    }
    return render(request, "indexing/auto_refresh.html", context, status=422 if form.errors else 200)
