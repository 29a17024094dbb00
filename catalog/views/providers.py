"""Providers: one with what it offers, create, edit, delete."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from catalog import providers as services
from catalog import warnings
from catalog.access import server_of
from catalog.entity_uses import uses_of
from catalog.forms.tools import ProviderForm
from catalog.models import Prompt, Provider, Resource, Server, Tool
from catalog.views import entity
from catalog.views.entity import ask_to_delete, find, page, submit
from catalog.views.page import posted
from catalog.views.tools import list_tools
from orgs import access
from orgs.models import Membership

MOST_LISTED = 200
"""Resources, and prompts, that a provider's page lists."""


@access.for_members("servers.edit")
def create(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it = server_of(membership, server)
    done = submit(
        request,
        ProviderForm(posted(request)),
        lambda form: services.create_provider(server=it, values=form.cleaned_data, by=membership.user, request=request),
    )
    if done.saved:
        messages.success(request, f"{done.saved.name} is saved. Add what it offers.")
        return _to_provider(membership, it, done.saved)
    return page(request, membership, it, "catalog/provider_create.html", form=done.form)


@access.for_members()
def provider(request: HttpRequest, membership: Membership, server: str, pk: UUID) -> HttpResponse:
    it = server_of(membership, server)
    row = find(Provider, it, pk)
    resources, prompts = Resource.objects.filter(provider=row), Prompt.objects.filter(provider=row)
    return page(
        request,
        membership,
        it,
        "catalog/provider.html",
        provider=row,
        listing=list_tools(request, Tool.objects.filter(provider=row)),
        any_tool=Tool.objects.filter(provider=row).exists(),
        resources=resources.defer("text")[:MOST_LISTED],
        resources_count=resources.count(),
        prompts=prompts.defer("messages")[:MOST_LISTED],
        prompts_count=prompts.count(),
        warnings=warnings.of_provider(row),
    )


@access.for_members("servers.edit")
def edit(request: HttpRequest, membership: Membership, server: str, pk: UUID) -> HttpResponse:
    it = server_of(membership, server)
    row = find(Provider, it, pk)
    done = submit(
        request,
        ProviderForm.for_row(row, posted(request)),
        lambda form: services.edit_provider(
            provider=row,
            values=form.cleaned_data,
            seen_revision=form.cleaned_data["seen_revision"],
            by=membership.user,
            request=request,
        ),
    )
    if done.saved:
        messages.success(request, f"{done.saved.name} is saved.")
        return _to_provider(membership, it, row)
    context: dict[str, Any] = {"provider": row, "form": done.form, "theirs": done.theirs}
    return page(request, membership, it, "catalog/provider_edit.html", status=done.status, **context)


@access.for_members("servers.edit")
def delete(request: HttpRequest, membership: Membership, server: str, pk: UUID) -> HttpResponse:
    it = server_of(membership, server)
    row = find(Provider, it, pk)
    where = [membership.organization.slug, it.slug]
    if request.method == "POST":
        user = membership.user
        entity.delete(request, row.name, lambda: services.delete_provider(provider=row, by=user, request=request))
        return redirect("catalog:tools", *where)
    removals = services.removals(row)
    ending = "What goes with it:" if removals else "It holds nothing yet."
    return ask_to_delete(
        request,
        membership,
        it,
        name=row.name,
        text=f"Agents lose what it offers at once. This cannot be undone. {ending}",
        items=[
            *(f"{each.count:,} {each.label}" for each in removals),
            *(use.loss for use in uses_of(row, membership)),
        ],
        button="Delete provider",
        action=reverse("catalog:provider_delete", args=[*where, row.pk]),
        cancel_url=reverse("catalog:provider", args=[*where, row.pk]),
    )


def _to_provider(membership: Membership, server: Server, row: Provider) -> HttpResponse:
    return redirect("catalog:provider", membership.organization.slug, server.slug, row.pk)
