"""What the views of this app share: which integrations a member may see, and the prune choice."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.urls import reverse

from catalog.models import Server
from catalog.views.page import Permission, permission, server_context
from integrations.models import Integration, Track
from jobs.models import Run
from orgs import access
from orgs.models import Membership

PRUNE, KEEP = "prune", "keep"

LEVELS = {
    "success": messages.SUCCESS,
    "warning": messages.WARNING,
    "error": messages.ERROR,
    "info": messages.INFO,
}
"""Of the sentences that `integrations.wording.outcome` makes."""


def integrations_of(membership: Membership) -> QuerySet[Integration]:
    """Those on servers that the member may see, with their servers."""
    servers = Server.objects.visible_to(membership)
    return Integration.objects.select_related("server__organization").filter(server__in=servers)


def integration_of(membership: Membership, pk: uuid.UUID) -> Integration:
    """One of them, with its connection; Http404 for all others."""
    found = integrations_of(membership).select_related("connection__user").filter(pk=pk).first()
    if found is None:
        raise Http404
    found.server.organization = membership.organization
    return found


def track_of(integration: Integration, pk: uuid.UUID) -> Track:
    """One of its branches; Http404 for all others."""
    track = integration.tracks.filter(pk=pk).first()
    if track is None:
        raise Http404
    track.integration = integration
    return track


def run_of(integration: Integration, pk: uuid.UUID, kind: str) -> Run:
    """A Run of this kind about this integration; Http404 for all others."""
    runs = Run.objects.for_org(integration.server.organization).about(integration)
    found: Run | None = runs.select_related("requested_by").filter(pk=pk, kind=kind).first()
    if found is None:
        raise Http404
    found.organization = integration.server.organization
    return found


def page_context(membership: Membership, server: Server, **more: Any) -> dict[str, Any]:
    """The context of a page on the Integrations tab of a server."""
    context = server_context(membership, server, "integrations", choice=choice(membership), **more)
    context["may"]["import"] = permission(membership, "integrations.import")
    return context


@dataclass(frozen=True, slots=True)
class Choice:
    """What becomes of content whose file vanished from the repository, as far as this member may choose."""

    may_prune: Permission

    @property
    def default(self) -> str:
        return PRUNE if self.may_prune else KEEP


def choice(membership: Membership) -> Choice:
    return Choice(permission(membership, "contents.can_delete"))


def wants_prune(request: HttpRequest, membership: Membership) -> bool:
    """The choice that was posted; every form of ours says it. Nothing is deleted on doubt: without one it is keep.

    Raises PermissionDenied for a choice that the member does not have.
    """
    posted = request.POST.get("deleted", KEEP)
    if posted not in (PRUNE, KEEP):
        raise BadRequest("The choice is “prune” or “keep”.")
    prune = posted == PRUNE
    if prune:
        access.require(membership, "contents.can_delete")
    return prune


def server_page(server: Server) -> str:
    """The address of a server's Integrations tab."""
    return reverse("integrations:server", args=[server.organization.slug, server.slug])


def integration_page(integration: Integration) -> str:
    """The address of an integration's own page."""
    return reverse("integrations:integration", args=[integration.server.organization.slug, integration.pk])
