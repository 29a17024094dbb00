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
from endpoint import limits
from endpoint.addresses import Address
from endpoint.admitted import Refused
from endpoint.models import Setup
from endpoint.setups import needed
from orgs import access
from orgs.models import Membership


@dataclass(frozen=True)
class Section:
    """A tab among those of a server or toolkit, and the pages below it."""

    tab: str
    label: str
    pages: tuple[tuple[str, str], ...]
    """Each by the name of its URL and its label, in their order."""


CONNECT = Section("connect", "Connect", (("connect", "Connect"), ("playground", "Playground"), ("setup", "Settings")))
REQUESTS = Section("requests", "Requests", (("usage", "Usage"), ("requests", "Log")))


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
        found = Address.of(self.membership.organization, **{self.noun: self.target})
        return f"{settings.BASE_URL}{found.path}"

    def url(self, page: str, *more: Any) -> str:
        """The address of a page of a section, or of another page by the name of its URL and what that takes."""
        organization = self.membership.organization.slug
        if isinstance(self.target, Server):
            return reverse(f"endpoint:{page}", args=[organization, self.target.slug, *more])
        return reverse(f"endpoint:toolkit_{page}", args=[organization, self.target.pk, *more])

    def context(self, section: Section, page: str, **more: Any) -> dict[str, Any]:
        """What the template of a page, or of one below it, takes; `layout` is what it extends."""
        may_set_up = permission(self.membership, needed(self.target))
        shown = [(name, label) for name, label in section.pages if name != "setup" or may_set_up]
        pages = [{"label": label, "url": self.url(name), "current": name == page} for name, label in shown]
        mine = {
            "place": self,
            "section": section,
            "pages": pages,
            "page_name": dict(section.pages)[page],
            "may_set_up": may_set_up,
            **more,
        }
        if isinstance(self.target, Server):
            return server_context(self.membership, self.target, section.tab, layout="endpoint/_of_server.html", **mine)
        layout = "endpoint/_of_toolkit.html"
        return toolkit_context(self.membership, self.target, tab=section.tab, layout=layout, **mine)


def used_up(setup: Setup) -> str:
    """What clients are told once the month's requests are used up, "" before that."""
    try:
        limits.check_quota(setup)
    except Refused as refused:
        return str(refused)
    return ""


PlaceView = Callable[..., HttpResponseBase]
"""Of a request, a Place, and whatever else the URL has, by name."""


def both(view: PlaceView) -> tuple[Any, Any]:
    """A page's two views, of a server and of a toolkit; what a member may not see is not there."""

    @wraps(view)
    def of_server(request: HttpRequest, membership: Membership, server: str, **more: Any) -> HttpResponseBase:
        return view(request, Place(server_of(membership, server), membership), **more)

    @wraps(view)
    def of_toolkit(request: HttpRequest, membership: Membership, pk: UUID, **more: Any) -> HttpResponseBase:
        return view(request, Place(find(Toolkit, membership, pk), membership), **more)

    return access.for_members()(of_server), access.for_members()(of_toolkit)
