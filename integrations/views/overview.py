"""An integration's own page: what it is, its credential and branches, how it refreshes by itself, what it did last."""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from forges import hooks
from integrations import automation as services
from integrations import credential_state, rows
from integrations.forms.automation import AutomationForm
from integrations.models import FileChange, Integration
from integrations.rows import Row
from integrations.views.automating import panel
from integrations.views.page import integration_of, integrations_of, page_context
from integrations.views.runs import TONES
from integrations.webhook import told_by_app
from jobs.models import Run, Status
from lib.htmx import go_to, is_fragment
from orgs import access
from orgs.models import Membership

LAST_RUNS = 5
CHANGES = 8
"""Files of the last refresh that the page names."""
_HOW_LONG_AGO = re.compile(r"(?<=>)[^<>]*(?=</time>)")
"""Would differ with every second."""


@require_safe
@access.for_members()
def integration(request: HttpRequest, membership: Membership, integration: uuid.UUID) -> HttpResponseBase:
    try:
        it = integration_of(membership, integration)
    except Http404:
        if not is_fragment(request):
            raise
        # It was deleted while somebody looked at its page, which would ask for ever.
        return go_to(request, reverse("integrations:list", args=[membership.organization.slug]))
    row = _row(membership, it)
    state = _state(request, membership, row)
    digest = hashlib.sha256(_HOW_LONG_AGO.sub("", state).encode()).hexdigest()[:16]
    if is_fragment(request) and request.GET.get("seen") == digest:
        return HttpResponse(status=204)  # as it was: what somebody reads, or has the focus on, stays
    context = {
        "integration": it,
        "state": state,
        "digest": digest,
        "every": _every(row),
        "org": membership.organization.slug,
    }
    if is_fragment(request):
        response = render(request, "integrations/_state.html", context)
        response["HX-Trigger"] = "contentRefreshed"  # the notice of a newer live content asks again
        return response
    may_import = access.may(membership, "integrations.import")
    context |= {
        "name": it.short_name,
        "row": row,
        "credential": credential_state.of(it, membership) if may_import else None,
        "hook": row.hook,
        "told_by_app": told_by_app(it),
        "has_hooks": hooks.possible(it.forge),
        "automation": services.automation_of(it),
        **panel(it, AutomationForm(integration=it, membership=membership)),
    }
    return render(request, "integrations/integration.html", page_context(membership, it.server, **context))


def _row(membership: Membership, integration: Integration) -> Row:
    found = rows.listed(integrations_of(membership).filter(pk=integration.pk)).get()
    return rows.load([found], membership=membership)[integration.pk]


def _every(row: Row) -> str:
    """How often the page asks how things stand; "" for never."""
    if row.live and row.run is not None:
        return "10s" if row.run.status == Status.WAITING else "1500ms"
    it = row.integration
    return "3s" if it.on_push or it.schedule else ""


def _state(request: HttpRequest, membership: Membership, row: Row) -> SafeString:
    """What changes by itself: how the last refresh stands, the branches, the last runs."""
    integration = row.integration
    runs = (
        Run.objects.for_org(membership.organization).about(integration).select_related("requested_by", "organization")
    )
    changes = list(FileChange.objects.filter(run=row.run).order_by("path")[: CHANGES + 1]) if row.run else []
    shown = [(change, TONES.get(FileChange.Action(change.action), "idle")) for change in changes[:CHANGES]]
    context: dict[str, Any] = page_context(
        membership,
        integration.server,
        integration=integration,
        row=row,
        runs=runs[:LAST_RUNS],
        changes=shown,
        more=len(changes) - len(shown),
    )
    return render_to_string("integrations/_overview.html", context, request)
