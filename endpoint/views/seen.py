"""What the pages about the requests to one endpoint share, and what members may see of who asked.

Any member sees that a request came, for what, and how it ended. Who sent it is told to those who may read the audit
log, which asks the same of the pages, and to those who manage keys and have to find out whose one is. What a tool was
called with is told to those who may switch on that it is kept.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse

from catalog.models import Server, Toolkit
from catalog.views.library import context as toolkit_context
from catalog.views.page import permission, server_context
from endpoint.models import RequestLog
from endpoint.setups import needed
from endpoint.views.place import Place
from orgs import access
from orgs.models import Membership

TAB = "requests"
PAGES = (("usage", "Usage"), ("requests", "Log"))
"""The pages of the tab, in their order."""


def url(place: Place, page: str, *more: Any) -> str:
    """The address of one of PAGES, or of `request` with its id."""
    organization = place.membership.organization.slug
    if isinstance(place.target, Server):
        return reverse(f"endpoint:{page}", args=[organization, place.target.slug, *more])
    return reverse(f"endpoint:toolkit_{page}", args=[organization, place.target.pk, *more])


def context(place: Place, page: str, **more: Any) -> dict[str, Any]:
    """What the template of a page takes; `layout` is what it extends."""
    pages = [{"label": label, "url": url(place, name), "current": name == page} for name, label in PAGES]
    mine = {"place": place, "pages": pages, "page_name": dict(PAGES)[page], **more}
    if isinstance(place.target, Server):
        return server_context(place.membership, place.target, TAB, layout="endpoint/_seen_of_server.html", **mine)
    return toolkit_context(place.membership, place.target, tab=TAB, layout="endpoint/_seen_of_toolkit.html", **mine)


def requests_of(place: Place) -> QuerySet[RequestLog]:
    """By the target alone, which the member may see: the index has that, and looking for the organisation as well
    would read every row."""
    of = Q(server=place.target.pk) if isinstance(place.target, Server) else Q(toolkit=place.target.pk)
    return RequestLog.objects.filter(of)


def may_see_callers(membership: Membership) -> bool:
    return access.may(membership, "audit.view") or access.may(membership, "keys.manage")


def may_see_arguments(membership: Membership, target: Server | Toolkit) -> bool:
    return bool(permission(membership, needed(target)))
