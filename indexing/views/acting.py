"""What is done to sources with one click: refresh, pause, go on, delete."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from catalog.access import server_of
from catalog.views.page import confirm
from indexing import sources as services
from indexing.models import Source
from indexing.requesting import request_all, request_index
from indexing.sources import EDIT
from indexing.views.page import editable_source_of, page_context, server_page, source_of, sources_of, unless_deleted
from indexing.views.sources import row_response
from lib.htmx import is_fragment
from orgs import access
from orgs.models import Membership


@require_POST
@access.for_members(EDIT)
@unless_deleted
def refresh(request: HttpRequest, membership: Membership, source: uuid.UUID) -> HttpResponseBase:
    it = source_of(membership, source)
    if it.paused_at is not None:
        return _done(request, membership, it, f"{it.name} is paused. Let it go on first.", level=messages.WARNING)
    request_index(it, by=membership.user)
    return _done(request, membership, it, f"{it.name} is being indexed.")


@require_POST
@access.for_members(EDIT)
def refresh_all(request: HttpRequest, membership: Membership, server: str) -> HttpResponseBase:
    it = server_of(membership, server)
    found = list(sources_of(membership).filter(server=it))
    asked = len(request_all(found, by=membership.user))
    paused = len(found) - asked
    left_out = f" {paused:,} {'is' if paused == 1 else 'are'} paused and left out." if paused else ""
    if asked:
        noun = "source is" if asked == 1 else "sources are"
        messages.success(request, f"{asked:,} {noun} being indexed.{left_out}")
    else:
        messages.info(request, f"There is no source to refresh.{left_out}")
    return redirect(server_page(it))


@require_POST
@access.for_members(EDIT)
@unless_deleted
def pause(request: HttpRequest, membership: Membership, source: uuid.UUID) -> HttpResponseBase:
    it = editable_source_of(membership, source)
    services.pause(it, by=membership.user, request=request)
    return _done(request, membership, it, f"{it.name} is paused. What is indexed is still found.")


@require_POST
@access.for_members(EDIT)
@unless_deleted
def go_on(request: HttpRequest, membership: Membership, source: uuid.UUID) -> HttpResponseBase:
    it = editable_source_of(membership, source)
    services.go_on(it, by=membership.user, request=request)
    return _done(request, membership, it, f"{it.name} goes on.")


@require_http_methods(["GET", "HEAD", "POST"])
@access.for_members(EDIT)
@unless_deleted
def delete(request: HttpRequest, membership: Membership, source: uuid.UUID) -> HttpResponse:
    it = editable_source_of(membership, source)
    if request.method == "POST":
        gone = services.delete(it, by=membership.user, request=request)
        pages = f" {gone.pages:,} {_noun(it, gone.pages)} went with it." if gone.pages else ""
        messages.success(request, f"{it.name} is deleted.{pages}")
        return redirect(server_page(it.server))
    gone = services.removal(it)
    what = "Nothing of it is indexed."
    if gone.pages or gone.chunks:
        pages = f"{gone.pages:,} {_noun(it, gone.pages)}"
        what = f"Its {pages} and {gone.chunks:,} chunks go, and searches find them no more."
    if it.kind == Source.Kind.MCP:
        what = "Searches ask it no more."
    context = page_context(
        membership,
        it.server,
        title=f"Delete {it.name}?",
        text=f"{what} Nothing is changed at {it.url}.",
        action=reverse("indexing:delete", args=[membership.organization.slug, it.pk]),
        cancel_url=server_page(it.server),
        confirm="Delete source",
        danger=True,
    )
    return confirm(request, context)


def _noun(source: Source, number: int) -> str:
    noun = "file" if source.kind == Source.Kind.REPOSITORY else "page"
    return noun if number == 1 else f"{noun}s"


def _done(
    request: HttpRequest, membership: Membership, source: Source, said: str, *, level: int = messages.SUCCESS
) -> HttpResponseBase:
    """The row for htmx; else the page that the form was on, with what was done."""
    if is_fragment(request):
        return row_response(request, membership, source)
    messages.add_message(request, level, said)
    back = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(back, {request.get_host()})
    return redirect(back if allowed else server_page(source.server))
