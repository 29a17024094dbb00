"""Servers: the list, the General tab, create, edit, delete."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from catalog import servers as services
from catalog import tabs
from catalog.access import server_of
from catalog.entity_uses import uses_of
from catalog.forms import ServerEditForm, ServerFilter, ServerForm
from catalog.models import Content, Server, VersionFile
from catalog.tables import ServerTable
from catalog.views.page import asked, confirm, permission, posted, server_context
from lib import tables
from orgs import access
from orgs.models import Membership

PAGE = 50


@access.for_members()
def servers(request: HttpRequest, membership: Membership) -> HttpResponse:
    query = asked(request, "q")
    found = Server.objects.visible_to(membership).select_related("active_version", "default_version")
    if query:
        found = found.filter(Q(name__icontains=query) | Q(slug__icontains=query))
    table = ServerTable(found)
    tables.configure(request, table, per_page=PAGE)
    context = {
        "membership": membership,
        "nav_section": "servers",
        "table": table,
        "query": query,
        "form": ServerFilter(request.GET or None),
        "none_yet": not query and not table.page.paginator.count,
        "may_create": permission(membership, "servers.edit"),
    }
    return render(request, "catalog/servers.html", context)


@access.for_members("servers.edit")
def create(request: HttpRequest, membership: Membership) -> HttpResponse:
    form = ServerForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            server = services.create_server(
                organization=membership.organization, values=form.cleaned_data, by=membership.user, request=request
            )
        except services.SlugTaken as error:
            form.add_error("slug", str(error))
        else:
            messages.success(
                request, f"{server.name} is ready. Add tools or files, or connect a repository, to fill it."
            )
            return redirect("catalog:server", org=membership.organization.slug, server=server.slug)
    context = {"membership": membership, "nav_section": "servers", "form": form}
    return render(request, "catalog/server_create.html", context)


@access.for_members()
def server(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it = server_of(membership, server)
    served = it.served_version
    context = server_context(
        membership,
        it,
        "general",
        files=Content.objects.filter(server=it).count(),
        served_files=VersionFile.objects.filter(version=served).count() if served else None,
        panels=tabs.panels(),
    )
    return render(request, "catalog/server.html", context)


@access.for_members("servers.edit")
def edit(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it = server_of(membership, server)
    form = ServerEditForm(posted(request), initial=_values(it))
    theirs: list[tuple[str, str]] = []
    if request.method == "POST" and form.is_valid():
        try:
            saved = services.edit_server(
                server=it,
                values=form.cleaned_data,
                seen_revision=form.cleaned_data["seen_revision"],
                by=membership.user,
                request=request,
            )
        except services.SlugTaken as error:
            form.add_error("slug", str(error))
        except services.StaleServer as stale:
            theirs = _differences(form, stale.current)
            form = _keep_mine(form, stale.current)
            it = stale.current
        else:
            messages.success(request, f"{saved.name} is saved.")
            return redirect("catalog:server", org=membership.organization.slug, server=saved.slug)
    context = server_context(membership, it, "general", form=form, theirs=theirs)
    return render(request, "catalog/server_edit.html", context, status=409 if theirs else 200)


@access.for_members("servers.delete")
def delete(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it = server_of(membership, server)
    if request.method == "POST":
        services.delete_server(server=it, by=membership.user, request=request)
        messages.success(request, f"{it.name} is deleted.")
        return redirect("catalog:servers", org=membership.organization.slug)
    removals = services.removals(it)
    goes = [
        *(f"{each.count:,} {each.label}" for each in removals),
        *services.consequences(it),
        *(use.loss for use in uses_of(it, membership)),
    ]
    context = server_context(
        membership,
        it,
        "general",
        title=f"Delete {it.name}?",
        text="Agents that use this server lose it at once. This cannot be undone. What goes with it:"
        if goes
        else "Agents that use this server lose it at once. This cannot be undone. It holds nothing yet.",
        items=goes,
        action=reverse("catalog:delete", args=[membership.organization.slug, it.slug]),
        cancel_url=reverse("catalog:server", args=[membership.organization.slug, it.slug]),
        confirm="Delete server",
        danger=True,
    )
    return confirm(request, context)


def _values(server: Server) -> dict[str, object]:
    return {
        **{name: getattr(server, name) for name in services.FIELDS},
        "seen_revision": server.config_revision,
    }


def _differences(form: ServerEditForm, current: Server) -> list[tuple[str, str]]:
    """What is saved now, by label, where it is not what the person typed."""
    now = _values(current)
    return [
        (str(form.fields[name].label or name.capitalize()), str(now[name]))
        for name in services.FIELDS
        if form.cleaned_data[name] != now[name]
    ]


def _keep_mine(form: ServerEditForm, current: Server) -> ServerEditForm:
    """The same form with what the person typed, that saves over what is there now."""
    return ServerEditForm({**form.cleaned_data, "seen_revision": current.config_revision})
