"""What the pages about one endpoint share: it is a server's, among its tabs, or a toolkit's, in the Library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from catalog.access import server_of
from catalog.models import Server, Toolkit
from catalog.views.library import context as toolkit_context
from catalog.views.library import find
from catalog.views.page import permission, server_context
from endpoint.addresses import Address
from endpoint.setups import needed
from orgs import access
from orgs.models import Membership

PAGES = (("connect", "Connect"), ("playground", "Playground"), ("setup", "Settings"))
"""The pages below the tab, in their order."""


@dataclass(frozen=True)
class Place:
    """Whose endpoint a page is about, and who looks at it."""

    target: Server | Toolkit
    membership: Membership

    @property
    def is_server(self) -> bool:
        return isinstance(self.target, Server)

    @property
    def noun(self) -> str:
        return "server" if self.is_server else "toolkit"

    @property
    def is_public(self) -> bool:
        """Whether it answers anyone. A toolkit does not, and neither does what is personal."""
        return (
            isinstance(self.target, Server)
            and self.target.visibility == Server.Visibility.PUBLIC
            and not self.is_personal
        )

    @property
    def is_personal(self) -> bool:
        return self.target.owner_id is not None

    @property
    def address(self) -> str:
        """The URL that clients are given."""
        slug, organization = self.target.slug, self.membership.organization.slug
        found = Address(organization, server=slug) if self.is_server else Address(organization, toolkit=slug)
        return f"{settings.BASE_URL}{found.path}"

    def url(self, page: str) -> str:
        """The address of one of PAGES."""
        if isinstance(self.target, Server):
            return reverse(f"endpoint:{page}", args=[self.membership.organization.slug, self.target.slug])
        return reverse(f"endpoint:toolkit_{page}", args=[self.membership.organization.slug, self.target.pk])

    def context(self, page: str, **more: Any) -> dict[str, Any]:
        """What the template of a page takes; `layout` is what it extends."""
        may_set_up = permission(self.membership, needed(self.target))
        shown = [(name, label) for name, label in PAGES if name != "setup" or may_set_up]
        pages = [{"label": label, "url": self.url(name), "current": name == page} for name, label in shown]
        mine = {
            "place": self,
            "pages": pages,
            "page_name": dict(PAGES)[page],
            "may_set_up": may_set_up,
            **more,
        }
        if isinstance(self.target, Server):
            return server_context(self.membership, self.target, "connect", layout="endpoint/_of_server.html", **mine)
        return toolkit_context(self.membership, self.target, tab="connect", layout="endpoint/_of_toolkit.html", **mine)


PlaceView = Callable[[HttpRequest, Place], HttpResponseBase]


def both(view: PlaceView) -> tuple[Any, Any]:
    """A page's two views, of a server and of a toolkit; what a member may not see is not there."""

    @wraps(view)
    def of_server(request: HttpRequest, membership: Membership, server: str) -> HttpResponseBase:
        return view(request, Place(server_of(membership, server), membership))

    @wraps(view)
    def of_toolkit(request: HttpRequest, membership: Membership, pk: UUID) -> HttpResponseBase:
        return view(request, Place(find(Toolkit, membership, pk), membership))

    return access.for_members()(of_server), access.for_members()(of_toolkit)
