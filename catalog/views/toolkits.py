"""Toolkits: look at, create, edit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from catalog import toolkits as services
from catalog.entity_uses import uses_of
from catalog.forms.toolkits import ToolkitForm, offered_to
from catalog.models import Command, EntityKind, Resource, Server, Skill, Tool, Toolkit
from catalog.views.entity import submit
from catalog.views.library import after_create, after_edit, find, page
from catalog.views.page import posted
from orgs import access
from orgs.models import Membership

if TYPE_CHECKING:
    from catalog.models import Prompt


@dataclass(frozen=True)
class Chosen:
    """A tool, prompt or resource in a toolkit, as the page shows it."""

    label: str
    note: str
    url: str


@dataclass(frozen=True)
class Part:
    label: str
    rows: list[Chosen]


@dataclass
class Group:
    """What is in a toolkit of one server."""

    server: Server
    rows: dict[str, list[Chosen]] = field(default_factory=lambda: {"Tools": [], "Prompts": [], "Resources": []})

    @property
    def parts(self) -> list[Part]:
        return [Part(label, sorted(rows, key=lambda each: each.label)) for label, rows in self.rows.items() if rows]


@access.for_members()
def toolkit(request: HttpRequest, membership: Membership, pk: UUID) -> HttpResponse:
    row = find(Toolkit, membership, pk)
    return page(
        request,
        membership,
        row,
        "catalog/entities/toolkit.html",
        groups=_groups(row, membership),
        commands=Command.objects.visible_to(membership).filter(toolkits=row).select_related("organization"),
        skills=Skill.objects.visible_to(membership).filter(toolkits=row).select_related("organization"),
        uses=uses_of(row, membership),
    )


@access.for_members("entities.edit")
def create(request: HttpRequest, membership: Membership) -> HttpResponse:
    done = submit(
        request,
        ToolkitForm(posted(request), offered=offered_to(membership)),
        lambda form: services.create_toolkit(
            organization=membership.organization,
            values=form.cleaned_data,
            owner=form.owner(membership.user),
            by=membership.user,
            request=request,
        ),
    )
    return after_create(request, membership, EntityKind.TOOLKIT, done)


@access.for_members("entities.edit")
def edit(request: HttpRequest, membership: Membership, pk: UUID) -> HttpResponse:
    row = find(Toolkit, membership, pk)
    done = submit(
        request,
        ToolkitForm.for_row(row, posted(request), offered=offered_to(membership, row)),
        lambda form: services.edit_toolkit(
            toolkit=row,
            values=form.cleaned_data,
            seen_revision=form.cleaned_data["seen_revision"],
            by=membership.user,
            request=request,
        ),
    )
    return after_edit(request, membership, row, done)


def _groups(row: Toolkit, membership: Membership) -> list[Group]:
    """What it has of servers that the member may see, by server, in a constant number of queries."""
    groups: dict[UUID, Group] = {}
    org = row.organization.slug
    related = [f"{name}__server" for name in ("tool", "prompt", "resource")]
    for item in row.items.select_related(*related):
        it = cast("Tool | Prompt | Resource", item.tool or item.prompt or item.resource)
        if it.server.owner_id not in (None, membership.user_id):
            continue  # it became personal after it was chosen
        group = groups.setdefault(it.server_id, Group(it.server))
        url = reverse(f"catalog:{it._meta.model_name}", args=[org, it.server.slug, it.pk])
        if isinstance(it, Resource):
            group.rows["Resources"].append(Chosen(it.uri, it.name, url))
        else:
            off = "disabled" if isinstance(it, Tool) and not it.enabled else ""
            group.rows["Tools" if isinstance(it, Tool) else "Prompts"].append(Chosen(it.name, off or it.title, url))
    return sorted(groups.values(), key=lambda group: (group.server.name.lower(), group.server.slug))
