"""Client applications: look at, create, edit."""

from __future__ import annotations

from uuid import UUID

from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse

from catalog import clients as services
from catalog.forms.clients import ClientForm
from catalog.models import Client, EntityKind, Server
from catalog.views.entity import submit
from catalog.views.library import after_create, after_edit, find, page
from catalog.views.page import posted
from orgs import access
from orgs.models import Membership


@access.for_members()
def client(request: HttpRequest, membership: Membership, pk: UUID) -> HttpResponse:
    row = find(Client, membership, pk)
    return page(
        request,
        membership,
        row,
        "catalog/entities/client.html",
        servers=Server.objects.visible_to(membership).filter(clients=row).order_by(Lower("name"), "slug"),
        toolkits=row.toolkits.select_related("organization"),
    )


@access.for_members("entities.edit")
def create(request: HttpRequest, membership: Membership) -> HttpResponse:
    done = submit(
        request,
        ClientForm(posted(request), organization=membership.organization),
        lambda form: services.create_client(
            organization=membership.organization, values=form.cleaned_data, by=membership.user, request=request
        ),
    )
    return after_create(request, membership, EntityKind.CLIENT, done, template="catalog/entities/client_create.html")


@access.for_members("entities.edit")
def edit(request: HttpRequest, membership: Membership, pk: UUID) -> HttpResponse:
    row = find(Client, membership, pk)
    done = submit(
        request,
        ClientForm.for_row(row, posted(request), organization=membership.organization),
        lambda form: services.edit_client(
            client=row,
            values=form.cleaned_data,
            seen_revision=form.cleaned_data["seen_revision"],
            by=membership.user,
            request=request,
        ),
    )
    return after_edit(request, membership, row, done)
