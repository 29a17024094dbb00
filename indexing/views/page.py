"""What the views of this app share: which sources a member may see, and the contexts of their pages."""

from __future__ import annotations

import uuid
from functools import wraps
from typing import Any, ParamSpec

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from catalog.models import Server
from catalog.views.page import permission, server_context
from indexing.models import Source
from indexing.sources import EDIT
from indexing.states import listed
from lib.htmx import go_to
from orgs.access import MemberView
from orgs.models import Membership

P = ParamSpec("P")


def unless_deleted(view: MemberView[P]) -> MemberView[P]:
    """Make a view say so where somebody deletes the source between its being found and its being changed."""

    @wraps(view)
    def told(request: HttpRequest, membership: Membership, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            return view(request, membership, *args, **kwargs)
        except Source.DoesNotExist:
            messages.info(request, "This source was deleted meanwhile, by somebody else. Nothing was changed.")
            return go_to(request, reverse("indexing:list", args=[membership.organization.slug]))

    return told  # type: ignore[return-value]  # as in orgs.access


def sources_of(membership: Membership) -> QuerySet[Source]:
    """Those that the member may see, as lists show them."""
    return listed(Source.objects.visible_to(membership))


def source_of(membership: Membership, pk: uuid.UUID) -> Source:
    """One of them; Http404 for all others."""
    found = sources_of(membership).filter(pk=pk).first()
    if found is None:
        raise Http404
    found.server.organization = membership.organization
    return found


def editable_source_of(membership: Membership, pk: uuid.UUID) -> Source:
    """One that people added: a server's own content is none of them."""
    found = source_of(membership, pk)
    if found.kind == Source.Kind.CONTENT:
        raise Http404
    return found


def cells_context(membership: Membership) -> dict[str, Any]:
    return {"membership": membership, "may": {"sources": permission(membership, EDIT)}}


def page_context(membership: Membership, server: Server, tab: str = "sources", **more: Any) -> dict[str, Any]:
    """The context of a page on the Sources tab of a server, or on the Search tab."""
    context = server_context(membership, server, tab, **more)
    context["may"]["sources"] = permission(membership, EDIT)
    return context


def server_page(server: Server) -> str:
    """The address of a server's Sources tab."""
    return reverse("indexing:sources", args=[server.organization.slug, server.slug])


def source_page(source: Source) -> str:
    """The address of a source's own page."""
    return reverse("indexing:source", args=[source.server.organization.slug, source.pk])
