"""Resources of a server: look at, create, edit, delete."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from catalog import resources as services
from catalog.access import server_of
from catalog.entity_uses import uses_of
from catalog.forms.resources import ResourceForm
from catalog.models import Provider, Resource
from catalog.views import entity
from catalog.views.contents import SHOWN_CHARACTERS
from catalog.views.entity import ask_to_delete, find, page, submit
from catalog.views.page import posted, raw_text
from orgs import access
from orgs.models import Membership


@access.for_members()
def resource(request: HttpRequest, membership: Membership, server: str, pk: UUID) -> HttpResponse:
    it = server_of(membership, server)
    found = find(Resource, it, pk)
    return page(
        request,
        membership,
        it,
        "catalog/resource.html",
        resource=found,
        source=found.text[:SHOWN_CHARACTERS],
        cut=len(found.text) > SHOWN_CHARACTERS,
    )


@access.for_members()
def raw(_request: HttpRequest, membership: Membership, server: str, pk: UUID) -> HttpResponse:
    found = find(Resource, server_of(membership, server), pk)
    return raw_text(found.text, f"{found.name}.txt")


@access.for_members("servers.edit")
def create(request: HttpRequest, membership: Membership, server: str, pk: UUID) -> HttpResponse:
    it = server_of(membership, server)
    provider = find(Provider, it, pk)
    done = submit(
        request,
        ResourceForm(posted(request)),
        lambda form: services.create_resource(
            provider=provider, values=form.cleaned_data, by=membership.user, request=request
        ),
    )
    if done.saved:
        messages.success(request, f"{done.saved.name} is saved. Agents read it as {done.saved.uri}.")
        return _to_resource(membership, done.saved)
    context: dict[str, Any] = {"provider": provider, "form": done.form}
    return page(request, membership, it, "catalog/resource_form.html", status=done.status, **context)


@access.for_members("servers.edit")
def edit(request: HttpRequest, membership: Membership, server: str, pk: UUID) -> HttpResponse:
    it = server_of(membership, server)
    found = find(Resource, it, pk)
    done = submit(
        request,
        ResourceForm.for_row(found, posted(request)),
        lambda form: services.edit_resource(
            resource=found,
            values=form.cleaned_data,
            seen_revision=form.cleaned_data["seen_revision"],
            by=membership.user,
            request=request,
        ),
    )
    if done.saved:
        messages.success(request, f"{done.saved.name} is saved.")
        return _to_resource(membership, done.saved)
    return page(
        request,
        membership,
        it,
        "catalog/resource_form.html",
        status=done.status,
        provider=found.provider,
        resource=found,
        form=done.form,
        theirs=done.theirs,
    )


@access.for_members("servers.edit")
def delete(request: HttpRequest, membership: Membership, server: str, pk: UUID) -> HttpResponse:
    it = server_of(membership, server)
    found = find(Resource, it, pk)
    if request.method == "POST":
        user = membership.user
        entity.delete(request, found.name, lambda: services.delete_resource(resource=found, by=user, request=request))
        return redirect("catalog:tools", org=membership.organization.slug, server=it.slug)
    where = [membership.organization.slug, it.slug, found.pk]
    return ask_to_delete(
        request,
        membership,
        it,
        name=found.name,
        text=f"Agents can no longer read {found.uri}."
        + ("" if found.upstream_path else " Its text is kept nowhere else."),
        button="Delete resource",
        items=[use.loss for use in uses_of(found, membership)],
        action=reverse("catalog:resource_delete", args=where),
        cancel_url=reverse("catalog:resource", args=where),
    )


def _to_resource(membership: Membership, saved: Resource) -> HttpResponse:
    return redirect("catalog:resource", org=membership.organization.slug, server=saved.server.slug, pk=saved.pk)
