"""What the views of this app share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.http import content_disposition_header

from catalog.models import Server
from orgs import access
from orgs.models import Membership


@dataclass(frozen=True)
class Permission:
    """Whether a member may do something, and if not, the sentence that says why."""

    allowed: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.allowed


def permission(membership: Membership, entitlement: str) -> Permission:
    if access.may(membership, entitlement):
        return Permission(True)
    return Permission(False, access.why_not(entitlement))


def server_context(membership: Membership, server: Server, tab: str, **more: Any) -> dict[str, Any]:
    """The context of a page about one server; `may` tells templates what is allowed, and why not."""
    may = {
        "edit_server": permission(membership, "servers.edit"),
        "delete_server": permission(membership, "servers.delete"),
        "edit": permission(membership, "contents.edit"),
        "delete": permission(membership, "contents.can_delete"),
        "publish": permission(membership, "versions.publish"),
    }
    return {"membership": membership, "server": server, "tab": tab, "nav_section": "servers", "may": may, **more}


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: what was posted, even if it is nothing; None shows the form as it is."""
    return request.POST if request.method == "POST" else None


def asked(request: HttpRequest, name: str) -> str:
    """A value of the query string. Without NUL, which nothing here has, and which PostgreSQL refuses to look for."""
    return request.GET.get(name, "").replace("\0", "").strip()


def page_of(request: HttpRequest, things: Any, size: int = 50) -> Page[Any]:
    """The page that the query string asks for; one that is not there becomes the nearest."""
    return Paginator(things, size).get_page(request.GET.get("page"))


def confirm(request: HttpRequest, context: dict[str, Any], *, page: str = "catalog/confirm.html") -> HttpResponse:
    """A question, as `components/_confirm.html` takes it: for htmx the fragment of the dialog, else `page`."""
    fragment = "HX-Request" in request.headers
    return render(request, "components/_confirm.html" if fragment else page, context)


def raw_text(text: str, path: str) -> HttpResponse:
    """A file as it is: text to keep, that no browser takes for anything else."""
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    name = path.rsplit("/", 1)[-1]
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    return response
