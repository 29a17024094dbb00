"""The requests to one endpoint as pages show them, and what members may see of who asked.

Any member sees that a request came, for what, and how it ended. Who sent it is told to those who may read the audit
log, which asks the same of the pages, and to those who manage keys and have to find out whose one is. What a tool was
called with is told to those who may switch on that it is kept.
"""

from __future__ import annotations

from django.db.models import Q, QuerySet

from catalog.models import Server, Toolkit
from catalog.views.page import permission
from endpoint.models import RequestLog
from endpoint.setups import needed
from endpoint.views.place import Place
from orgs import access
from orgs.models import Membership


def requests_of(place: Place) -> QuerySet[RequestLog]:
    """By the target alone, which the member may see: the index has that, and looking for the organisation as well
    would read every row."""
    of = Q(server=place.target.pk) if isinstance(place.target, Server) else Q(toolkit=place.target.pk)
    return RequestLog.objects.filter(of)


def may_see_callers(membership: Membership) -> bool:
    return access.may(membership, "audit.view") or access.may(membership, "keys.manage")


def may_see_arguments(membership: Membership, target: Server | Toolkit) -> bool:
    return bool(permission(membership, needed(target)))
