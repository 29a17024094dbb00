"""Commands: look at with arguments filled in, create, edit."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse

from catalog import commands as services
from catalog.checking import commands as rules
from catalog.checking.prompts import fill
from catalog.entity_uses import uses_of
from catalog.forms.commands import CommandForm
from catalog.forms.prompts import SampleForm
from catalog.models import Command, EntityKind
from catalog.views.entity import judged, submit_rows
from catalog.views.library import after_create, after_edit, find, page
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
    return after_create(request, membership, EntityKind.COMMAND, done, advice="This is how it reads.")


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
    return after_edit(request, membership, row, done)
