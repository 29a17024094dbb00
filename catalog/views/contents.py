"""The content browser: folders, search, one file."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import mark_safe

from catalog.access import content_of, server_of
from catalog.forms import ContentFilter
from catalog.models import Content, Server
from catalog.rendering import MAX_CHARACTERS, Link, is_markdown, render_markdown
from catalog.tree import Children, below, crumbs
from catalog.views.page import asked, page_of, raw_text, server_context
from orgs import access
from orgs.models import Membership

PAGE = 100
SHOWN_CHARACTERS = 200_000
"""Of a text that is not rendered; the rest is in the raw file."""


@access.for_members()
def contents(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it = server_of(membership, server)
    form = ContentFilter(request.GET or None)
    folder = asked(request, "folder").strip("/")
    chosen = form.cleaned_data if form.is_bound and form.is_valid() else {}
    rows = Content.objects.filter(server=it).select_related("blob", "updated_by").defer("blob__text")
    filtered = bool(chosen.get("q") or chosen.get("origin") or chosen.get("stale"))
    if filtered:
        rows = below(rows, folder)
        if chosen["q"]:
            rows = rows.filter(path__icontains=chosen["q"])
        if chosen["origin"]:
            rows = rows.filter(origin=chosen["origin"])
        if chosen["stale"]:
            rows = rows.filter(provenance__has_key="stale_since")
        page = page_of(request, rows.order_by("path"), PAGE)
    else:
        page = page_of(request, Children(rows, folder), PAGE)
    context = server_context(
        membership,
        it,
        "content",
        form=form,
        folder=folder,
        parent=folder.rpartition("/")[0],
        crumbs=crumbs(folder),
        filtered=filtered,
        page=page,
        empty=not filtered and not folder and page.paginator.count == 0,
    )
    return render(request, "catalog/contents.html", context)


@access.for_members()
def content_at(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    """Where links inside Markdown lead: the file, or the folder, at a path."""
    it = server_of(membership, server)
    path = asked(request, "path").strip("/")
    found = Content.objects.filter(server=it, path=path).values_list("pk", flat=True).first()
    if found:
        return redirect("catalog:content", org=membership.organization.slug, server=it.slug, content=found)
    listing = reverse("catalog:contents", args=[membership.organization.slug, it.slug])
    if below(Content.objects.filter(server=it), path).exists():
        return redirect(f"{listing}?{urlencode({'folder': path})}")
    messages.warning(request, f"There is no file at {path} on this server.")
    return redirect(listing)


@access.for_members()
def content(request: HttpRequest, membership: Membership, server: str, content: int) -> HttpResponse:
    it = server_of(membership, server)
    file = content_of(it, content)
    context = server_context(
        membership,
        it,
        "content",
        file=file,
        crumbs=crumbs(file.path),
        **shown(it, file.path, file.blob.text, as_source="source" in request.GET),
    )
    return render(request, "catalog/content.html", context)


@access.for_members()
def raw(_request: HttpRequest, membership: Membership, server: str, content: int) -> HttpResponse:
    file = content_of(server_of(membership, server), content)
    return raw_text(file.blob.text, file.path)


def shown(server: Server, path: str, text: str, *, as_source: bool) -> dict[str, object]:
    """What a page shows of a text of a server."""
    at = reverse("catalog:content_at", args=[server.organization.slug, server.slug])
    return shown_text(path, text, lambda target: f"{at}?{urlencode({'path': target})}", as_source=as_source)


def shown_text(path: str, text: str, link: Link, *, as_source: bool) -> dict[str, Any]:
    """What a page shows of a text: rendered Markdown, or the source, cut when it is long."""
    can_render = is_markdown(path) and len(text) <= MAX_CHARACTERS
    if can_render and not as_source:
        html = render_markdown(text, path=path, link=link)
        return {"can_render": True, "rendered": mark_safe(html)}  # noqa: S308  # cleaned by render_markdown
    cut = len(text) > SHOWN_CHARACTERS
    return {
        "can_render": can_render,
        "source": text[:SHOWN_CHARACTERS],
        "cut": cut,
        "too_long": is_markdown(path) and not can_render,
    }
