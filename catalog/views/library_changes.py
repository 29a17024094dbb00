"""Toolkits, commands, skills and clients: delete, and share with the organisation."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from catalog import clients, commands, skills, toolkits
from catalog.checking.problems import Invalid
from catalog.documents import Entity
from catalog.entity_uses import uses_of
from catalog.library import SHELVES, address, consequences
from catalog.models import Client, Command, EntityKind, Skill, Toolkit
from catalog.views import entity, library
from catalog.views.page import confirm
from orgs import access
from orgs.models import Membership, User

_NAMED = 200
"""How many users of a row its question names."""


@access.for_members("entities.edit")
def delete(request: HttpRequest, membership: Membership, kind: EntityKind, pk: UUID) -> HttpResponse:
    shelf = SHELVES[kind]
    row: Entity = library.find(shelf.model, membership, pk)
    if request.method == "POST":
        entity.delete(request, row.name, lambda: _delete(row, membership.user, request))
        return redirect(shelf.url(membership.organization.slug, "s"))
    uses = [] if isinstance(row, Client) else uses_of(row, membership)
    goes = [*consequences(row), *(use.loss for use in uses)]
    text = "You can restore it from “Recently deleted”."
    if goes:
        text += " What uses it does not get it back by that. What happens at once:"
    question = library.context(
        membership,
        row,
        title=f"Delete {row.name}?",
        text=text if goes else f"Nothing uses it. {text}",
        items=goes[:_NAMED],
        more=max(0, len(goes) - _NAMED),
        action=address(row, "delete"),
        cancel_url=address(row),
        confirm=f"Delete {shelf.noun}",
        danger=True,
    )
    return confirm(request, question, page="catalog/entities/confirm.html")


@access.for_members("entities.edit")
def share(request: HttpRequest, membership: Membership, kind: EntityKind, pk: UUID) -> HttpResponse:
    shelf = SHELVES[kind]
    row = cast("Toolkit | Command | Skill", library.find(shelf.model, membership, pk))  # clients have no such page
    if row.owner_id is None:
        messages.info(request, f"{row.name} is the organisation’s already.")
        return redirect(address(row))
    if request.method == "POST":
        try:
            _share(row, membership.user, request)
        except Invalid as invalid:
            messages.error(request, f"{row.name} is not shared: {invalid}")
        else:
            messages.success(request, f"{row.name} is the organisation’s now.")
        return redirect(address(row))
    question = library.context(
        membership,
        row,
        title=f"Share {row.name} with {membership.organization.name}?",
        text=f"Every member then sees this {shelf.noun}, and whoever edits {shelf.plural} may change or delete it. "
        "Where the organisation has a repository for them, it is written there. It cannot be made yours alone again.",
        action=address(row, "share"),
        cancel_url=address(row),
        confirm=f"Share {shelf.noun}",
    )
    return confirm(request, question, page="catalog/entities/confirm.html")


def _delete(row: Entity, by: User, request: HttpRequest) -> None:
    match row:
        case Toolkit():
            toolkits.delete_toolkit(toolkit=row, by=by, request=request)
        case Command():
            commands.delete_command(command=row, by=by, request=request)
        case Skill():
            skills.delete_skill(skill=row, by=by, request=request)
        case Client():
            clients.delete_client(client=row, by=by, request=request)


def _share(row: Toolkit | Command | Skill, by: User, request: HttpRequest) -> None:
    match row:
        case Toolkit():
            toolkits.share_toolkit(toolkit=row, by=by, request=request)
        case Command():
            commands.share_command(command=row, by=by, request=request)
        case Skill():
            skills.share_skill(skill=row, by=by, request=request)
