"""Commands: look at with arguments filled in, create, edit."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from catalog import commands as services
from catalog.checking import commands as rules
from catalog.checking.prompts import fill
from catalog.entity_uses import uses_of
from catalog.forms.commands import CommandForm
from catalog.forms.prompts import SampleForm
from catalog.library import address
from catalog.models import Command, EntityKind
from catalog.views.entity import judged, submit_rows
from catalog.views.library import find, page, shelf_page
from orgs import access
from orgs.models import Membership


@access.for_members()
def command(request: HttpRequest, membership: Membership, pk: UUID) -> HttpResponse:
    row = find(Command, membership, pk)
    sample = SampleForm(request.GET or None, arguments=row.arguments)
    return page(
        request,
        membership,
        row,
        "catalog/entities/command.html",
        sample=sample,
        filled=fill(row.prompt, sample.values),
        warnings=rules.warnings(row.arguments, row.prompt),
        uses=uses_of(row, membership),
    )


@access.for_members("entities.edit")
def create(request: HttpRequest, membership: Membership) -> HttpResponse:
    done = submit_rows(
        request,
        CommandForm(judged(request)),
        lambda form: services.create_command(
            organization=membership.organization,
            values=form.values,
            by=membership.user,
            owner=form.owner(membership.user),
            request=request,
        ),
    )
    if done.saved:
        messages.success(request, f"{done.saved.name} is saved. This is how it reads.")
        return redirect(address(done.saved))
    return shelf_page(request, membership, EntityKind.COMMAND, "catalog/entities/command_create.html", form=done.form)


@access.for_members("entities.edit")
def edit(request: HttpRequest, membership: Membership, pk: UUID) -> HttpResponse:
    row = find(Command, membership, pk)
    done = submit_rows(
        request,
        CommandForm.for_row(row, judged(request)),
        lambda form: services.edit_command(
            command=row,
            values=form.values,
            seen_revision=form.cleaned_data["seen_revision"],
            by=membership.user,
            request=request,
        ),
    )
    if done.saved:
        messages.success(request, f"{done.saved.name} is saved.")
        return redirect(address(done.saved))
    return page(
        request,
        membership,
        row,
        "catalog/entities/command_edit.html",
        status=done.status,
        form=done.form,
        theirs=done.theirs,
    )
