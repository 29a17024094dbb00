"""How an integration refreshes by itself: the panel's form, and when it would refresh next."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from forges.picking import FieldError
from integrations import automation as services
from integrations import timing
from integrations.forms.automation import AutomationForm
from integrations.models import Integration
from integrations.views.page import integration_of, integration_page, page_context
from lib.htmx import go_to, is_fragment
from orgs import access
from orgs.models import Membership


@access.for_members("integrations.import")
def automation(request: HttpRequest, membership: Membership, integration: uuid.UUID) -> Any:
    it = integration_of(membership, integration)
    data = request.POST if request.method == "POST" else None
    form = AutomationForm(data, integration=it, membership=membership)
    if request.method == "POST" and form.is_valid():
        try:
            services.configure(it, form.chosen(), by=membership.user, request=request)
        except FieldError as error:
            form.add_field_error(error)
        else:
            messages.success(request, f"How {it.short_name} refreshes is saved.")
            return go_to(request, integration_page(it))
    context = page_context(membership, it.server, integration=it, name=it.short_name, **panel(it, form))
    template = "integrations/_automation.html" if is_fragment(request) else "integrations/automation.html"
    return render(request, template, context, status=422 if form.errors else 200)


def panel(integration: Integration, form: AutomationForm) -> dict[str, Any]:
    """What the panel needs beside its integration."""
    stored = form.stored
    return {
        "form": form,
        "left_undone": services.left_undone(integration),
        "next_refresh_at": integration.next_refresh_at,
        "may_delete": form.may_delete,
        "may_publish": form.may_publish,
        "times": () if form.is_bound else _times(integration, stored.schedule, stored.cron, stored.time_zone),
    }


@require_POST
@access.for_members("integrations.import")
def times(request: HttpRequest, membership: Membership, integration: uuid.UUID) -> HttpResponse:
    """The next three times of what is on the form, in the person's own time zone."""
    it = integration_of(membership, integration)
    form = AutomationForm(request.POST, integration=it, membership=membership)
    context: dict[str, Any] = {"times": ()}
    if form.is_valid():
        chosen = form.chosen_schedule()
        context["times"] = _times(it, *chosen)
    elif request.POST.get("cron"):
        context["problem"] = " ".join(map(str, form.errors.get("cron", ())))
    return render(request, "integrations/_times.html", context)


def _times(integration: Integration, schedule: str, cron: str, zone: str) -> tuple[datetime, ...]:
    settled = integration.next_refresh_at
    is_stored = (schedule, cron, zone) == (integration.schedule, integration.cron, integration.time_zone)
    now = timezone.now()
    return timing.upcoming(
        schedule=schedule,
        cron=cron,
        zone=zone,
        after=now,
        key=integration.pk,
        first=settled if is_stored and settled and settled > now else None,
    )
