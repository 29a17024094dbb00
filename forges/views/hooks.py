"""The page of a webhook: whether it delivers, what to enter at the forge, and what came of its last deliveries."""

from __future__ import annotations

import ipaddress
import uuid
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from forges import connections, deliveries, hooks
from forges.models import Connection, Delivery, Hook, HookStatus, Method
from forges.tables import DeliveriesTable
from jobs.models import ACTIVE, Run, Trigger
from lib.htmx import is_fragment
from orgs import access
from orgs.models import Membership

SEES = "integrations.import"
"""Who connects repositories sees why pushes do or do not arrive, and may look again or take a delivery again."""
MANAGES = "connections.manage"
"""The secret speaks for the forge: it is for those who manage credentials."""


def _hook(membership: Membership, pk: uuid.UUID) -> Hook:
    found = Hook.objects.select_related("organization").filter(organization=membership.organization_id, pk=pk).first()
    if found is None:
        raise Http404
    return found


def _status(membership: Membership, hook: Hook) -> dict[str, Any]:
    """What the panel needs."""
    now = timezone.now()
    run = Run.objects.about(hook).filter(kind=hooks.CHECK).first()
    return {
        "hook": hook,
        "forge": hooks.label(hook),
        "address": hooks.address(hook),
        "followers": hooks.followers(hook),
        "unreachable": settings.BASE_URL if _is_inward(settings.BASE_URL) else "",
        "by_hand": not hook.remote_id and hook.status != HookStatus.PENDING,
        "old_secret_until": hook.previous_until if hook.previous_until and hook.previous_until > now else None,
        "run": run,
        "checking": run is not None and run.status in ACTIVE,
        "may_manage": access.may(membership, MANAGES),
        "why_not": access.why_not(MANAGES),
        "org": membership.organization.slug,
        "nav_section": "integrations",
    }


def _is_inward(url: str) -> bool:
    """Whether a forge elsewhere surely cannot reach it."""
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _table(request: HttpRequest, membership: Membership, owner: Hook | Connection) -> DeliveriesTable:
    shown = list(deliveries.deliveries_of(owner)[: deliveries.KEPT])
    return DeliveriesTable(shown, membership=membership, csrf_token=get_token(request))


def _page(request: HttpRequest, membership: Membership, hook: Hook, *, secret: str = "") -> HttpResponse:
    context = {**_status(membership, hook), "table": _table(request, membership, hook), "secret": secret, "here": True}
    return render(request, "forges/hook.html", context)


@require_safe
@access.for_members(SEES)
def hook(request: HttpRequest, membership: Membership, hook: uuid.UUID) -> HttpResponse:
    return _page(request, membership, _hook(membership, hook))


@require_safe
@access.for_members(SEES)
def panel(request: HttpRequest, membership: Membership, hook: uuid.UUID) -> HttpResponse:
    """Its status for other pages to show. It asks for itself while the forge is asked; without JavaScript, the page."""
    it = _hook(membership, hook)
    if not is_fragment(request):
        return redirect("forges:hook", org=membership.organization.slug, hook=it.pk)
    return render(request, "forges/_hook.html", {**_status(membership, it), "here": "here" in request.GET})


@require_POST
@access.for_members(SEES, MANAGES)
def secret(request: HttpRequest, membership: Membership, hook: uuid.UUID) -> HttpResponse:
    """Show the secret of a webhook that is added by hand. Who saw it is in the audit log."""
    it = _hook(membership, hook)
    if it.remote_id:
        messages.info(request, f"Millrace entered the secret at {hooks.label(it)} by itself: nobody needs to see it.")
        return redirect("forges:hook", org=membership.organization.slug, hook=it.pk)
    shown = hooks.reveal(it, by=membership.user, request=request)
    if is_fragment(request):
        return render(request, "forges/_hook_secret.html", {**_status(membership, it), "secret": shown})
    return _page(request, membership, it, secret=shown)


@require_http_methods(["GET", "HEAD", "POST"])
@access.for_members(SEES, MANAGES)
def rotate(request: HttpRequest, membership: Membership, hook: uuid.UUID) -> HttpResponse:
    """Ask, then give it a new secret."""
    it = _hook(membership, hook)
    if request.method == "POST":
        it = hooks.rotate(it, by=membership.user, request=request)
        if it.remote_id:
            messages.success(request, f"It has a new secret, which is being entered at {hooks.label(it)}.")
        else:
            messages.warning(request, f"It has a new secret: show it, and enter it at {hooks.label(it)}.")
        return redirect("forges:hook", org=membership.organization.slug, hook=it.pk)
    context = {**_status(membership, it), "hours": str(settings.HOOK_SECRET_OVERLAP_HOURS)}
    return render(request, "forges/_hook_rotate.html" if is_fragment(request) else "forges/hook_rotate.html", context)


@require_POST
@access.for_members(SEES)
def check(request: HttpRequest, membership: Membership, hook: uuid.UUID) -> HttpResponse:
    """Look at the forge now, and make or heal it there."""
    it = _hook(membership, hook)
    hooks.request_check(it, by=membership.user, trigger=Trigger.MANUAL)
    if is_fragment(request):
        return render(request, "forges/_hook.html", {**_status(membership, it), "here": "here" in request.GET})
    messages.info(request, f"{hooks.label(it)} is being asked.")
    return redirect("forges:hook", org=membership.organization.slug, hook=it.pk)


@require_POST
@access.for_members(SEES)
def redeliver(request: HttpRequest, membership: Membership, delivery: uuid.UUID) -> HttpResponse:
    """Process what a delivery said once more."""
    it = (
        Delivery.objects.select_related("organization", "hook", "connection")
        .filter(organization=membership.organization_id, pk=delivery)
        .first()
    )
    if it is None or not (it.hook or _is_visible(membership, it.connection)):
        raise Http404
    try:
        again = deliveries.redeliver(it, by=membership.user, request=request)
    except deliveries.Failed as failure:
        messages.error(request, str(failure))
    except ValueError:
        messages.error(request, "There is nothing in this delivery to process again.")
    else:
        asked = len(again.runs)
        said = f"{asked} {'run is' if asked == 1 else 'runs are'} asked for." if asked else again.detail
        messages.success(request, f"Taken again. {said}")
    if it.hook:
        return redirect("forges:hook", org=membership.organization.slug, hook=it.hook.pk)
    return redirect("forges:app_deliveries", org=membership.organization.slug, connection=it.connection_id)


def _is_visible(membership: Membership, connection: Connection | None) -> bool:
    return connection is not None and connections.visible(membership).filter(pk=connection.pk).exists()


@require_safe
@access.for_members(SEES)
def app_deliveries(request: HttpRequest, membership: Membership, connection: uuid.UUID) -> HttpResponse:
    """What the GitHub App's webhook delivered for one installation: it tells of pushes to all of its repositories."""
    it = connections.visible(membership).filter(pk=connection, method=Method.GITHUB_APP).first()
    if it is None:
        raise Http404
    context = {"connection": it, "table": _table(request, membership, it), "nav_section": "integrations"}
    return render(request, "forges/app_deliveries.html", context)
