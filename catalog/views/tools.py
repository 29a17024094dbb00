"""The Tools tab, and tools: one, create, edit, switch on and off, delete."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Page
from django.db.models import Count, Model, Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from catalog import tools as services
from catalog import warnings
from catalog.access import server_of
from catalog.entity_uses import uses_of
from catalog.forms.tools import ToolFilter, ToolForm
from catalog.models import Prompt, Provider, Resource, Server, Tool
from catalog.views import entity
from catalog.views.entity import ask_to_delete, find, page, submit
from catalog.views.page import asked, page_of, posted
from orgs import access
from orgs.models import Membership

PAGE = 100
TO_SHOW = ("name", "title", "enabled", "method", "path", *services.HINTS)
"""What a row shows: a tool's schemas may be long."""


@dataclass(frozen=True)
class Section:
    """A provider on the Tools tab, with those of its tools that the page shows."""

    provider: Provider
    tools: int
    resources: int
    prompts: int
    rows: list[Tool] = field(default_factory=list)


@dataclass(frozen=True)
class Listing:
    """Tools as the query string asks for them."""

    page: Page[Tool]
    form: ToolFilter
    filtered: bool


@access.for_members()
def tools(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it = server_of(membership, server)
    listing = list_tools(request, Tool.objects.filter(server=it))
    return page(
        request,
        membership,
        it,
        "catalog/tools.html",
        listing=listing,
        sections=_sections(it, listing),
        any_provider=Provider.objects.filter(server=it).exists(),
    )


@access.for_members("servers.edit")
def create(request: HttpRequest, membership: Membership, server: str, pk: UUID) -> HttpResponse:
    it = server_of(membership, server)
    provider = find(Provider, it, pk)
    done = submit(
        request,
        ToolForm(posted(request)),
        lambda form: services.create_tool(
            provider=provider, values=form.cleaned_data, by=membership.user, request=request
        ),
    )
    if done.saved:
        messages.success(request, f"{done.saved.name} is saved. Try it below.")
        return _to_tool(membership, it, done.saved)
    context: dict[str, Any] = {"provider": provider, "form": done.form}
    return page(request, membership, it, "catalog/tool_create.html", status=done.status, **context)


@access.for_members()
def tool(request: HttpRequest, membership: Membership, server: str, pk: UUID) -> HttpResponse:
    it = server_of(membership, server)
    row = _find(it, pk)
    return page(request, membership, it, "catalog/tool.html", tool=row, warnings=warnings.of_tool(row))


@access.for_members("servers.edit")
def edit(request: HttpRequest, membership: Membership, server: str, pk: UUID) -> HttpResponse:
    it = server_of(membership, server)
    row = _find(it, pk)
    done = submit(
        request,
        ToolForm.for_row(row, posted(request)),
        lambda form: services.edit_tool(
            tool=row,
            values=form.cleaned_data,
            seen_revision=form.cleaned_data["seen_revision"],
            by=membership.user,
            request=request,
        ),
    )
    if done.saved:
        messages.success(request, f"{done.saved.name} is saved.")
        return _to_tool(membership, it, row)
    context: dict[str, Any] = {"tool": row, "provider": row.provider, "form": done.form, "theirs": done.theirs}
    return page(request, membership, it, "catalog/tool_edit.html", status=done.status, **context)


@require_POST
@access.for_members("servers.edit")
def enable(request: HttpRequest, membership: Membership, server: str, pk: UUID) -> HttpResponse:
    it = server_of(membership, server)
    row = _find(it, pk)
    enabled = request.POST.get("enabled") == "1"
    try:
        services.set_enabled(tool=row, enabled=enabled, by=membership.user, request=request)
    except Tool.DoesNotExist:
        messages.info(request, f"{row.name} was deleted meanwhile, by somebody else.")
        return redirect("catalog:tools", membership.organization.slug, it.slug)
    words = "is offered to agents" if enabled else "is no longer offered to agents"
    messages.success(request, f"{row.name} {words}.")
    return _to_tool(membership, it, row)


@access.for_members("servers.edit")
def delete(request: HttpRequest, membership: Membership, server: str, pk: UUID) -> HttpResponse:
    it = server_of(membership, server)
    row = _find(it, pk)
    where = [membership.organization.slug, it.slug]
    if request.method == "POST":
        user = membership.user
        if entity.delete(request, row.name, lambda: services.delete_tool(tool=row, by=user, request=request)):
            return redirect("catalog:provider", *where, row.provider_id)
        return redirect("catalog:tools", *where)
    return ask_to_delete(
        request,
        membership,
        it,
        name=row.name,
        text="Agents that use this tool lose it at once. This cannot be undone.",
        button="Delete tool",
        items=[use.loss for use in uses_of(row, membership)],
        action=reverse("catalog:tool_delete", args=[*where, row.pk]),
        cancel_url=reverse("catalog:tool", args=[*where, row.pk]),
    )


def list_tools(request: HttpRequest, tools: QuerySet[Tool]) -> Listing:
    """A page of tools by provider and name, filtered as the query string says."""
    query, state = asked(request, "q"), asked(request, "state")
    if query:
        tools = tools.filter(Q(name__icontains=query) | Q(title__icontains=query) | Q(path__icontains=query))
    if state in ("enabled", "disabled"):
        tools = tools.filter(enabled=state == "enabled")
    tools = tools.only("server_id", "provider_id", *TO_SHOW).order_by(Lower("provider__name"), "provider__name", "name")
    return Listing(page_of(request, tools, PAGE), ToolFilter(request.GET or None), bool(query or state))


def _sections(server: Server, listing: Listing) -> list[Section]:
    """The providers of the page's tools; those without tools are on the last page."""
    rows: dict[UUID, list[Tool]] = {}
    for each in listing.page.object_list:
        rows.setdefault(each.provider_id, []).append(each)
    with_empty = not listing.filtered and not listing.page.has_next()
    tools, resources, prompts = (_counts(model, server) for model in (Tool, Resource, Prompt))
    return [
        Section(each, tools.get(each.pk, 0), resources.get(each.pk, 0), prompts.get(each.pk, 0), rows.get(each.pk, []))
        for each in Provider.objects.filter(server=server)
        if each.pk in rows or (with_empty and each.pk not in tools)
    ]


def _counts(model: type[Model], server: Server) -> dict[UUID, int]:
    rows: Iterable[Any] = (
        model._default_manager.filter(server=server).order_by().values("provider").annotate(number=Count("pk"))
    )
    return {row["provider"]: row["number"] for row in rows}


def _find(server: Server, pk: UUID) -> Tool:
    row = find(Tool, server, pk)
    row.provider.server = server
    return row


def _to_tool(membership: Membership, server: Server, row: Tool) -> HttpResponse:
    return redirect("catalog:tool", membership.organization.slug, server.slug, row.pk)
