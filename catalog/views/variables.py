"""The Variables tab: what `${NAME}` stands for on a server."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from catalog import variables as services
from catalog.access import server_of
from catalog.checking.secrets import looks_secret
from catalog.checking.templates import only_reference
from catalog.forms.variables import VariableForm
from catalog.models import Server, Variable
from catalog.variables import Use
from catalog.views import entity
from catalog.views.entity import ask_to_delete, find, page, submit
from catalog.views.page import asked, page_of, posted
from orgs import access
from orgs.models import Membership

TAB = "variables"
PAGE = 50
SHOWN_USES = 3


@dataclass(frozen=True)
class Row:
    """A variable in the list."""

    variable: Variable
    uses: list[Use]
    is_set: bool
    looks_secret: bool

    @property
    def shown_uses(self) -> list[Use]:
        return self.uses[:SHOWN_USES]

    @property
    def more_uses(self) -> int:
        return max(0, len(self.uses) - SHOWN_USES)


@access.for_members()
def variables(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it = server_of(membership, server)
    uses = services.uses_of(it)
    known = set(Variable.objects.filter(server=it).values_list("name", flat=True))
    listed = page_of(request, Variable.objects.filter(server=it), PAGE)
    return page(
        request,
        membership,
        it,
        "catalog/variables.html",
        tab=TAB,
        page=listed,
        rows=[_row(variable, uses.get(variable.name, [])) for variable in listed.object_list],
        missing=[(name, services.listed(found)) for name, found in sorted(uses.items()) if name not in known],
    )


@access.for_members("servers.edit")
def create(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it = server_of(membership, server)
    asked_for = only_reference(f"${{{asked(request, 'name')}}}")
    form = VariableForm(posted(request), initial={"name": asked_for, "is_secret": "plain"})
    done = submit(
        request,
        form,
        lambda form: services.create_variable(server=it, values=form.cleaned_data, by=membership.user, request=request),
    )
    if done.saved:
        messages.success(request, f"{done.saved.name} is saved. Write ${{{done.saved.name}}} where its value goes.")
        _hint(request, done.saved)
        return _to_list(membership, it)
    return page(request, membership, it, "catalog/variable_form.html", tab=TAB, form=done.form)


@access.for_members("servers.edit")
def edit(request: HttpRequest, membership: Membership, server: str, pk: UUID) -> HttpResponse:
    it = server_of(membership, server)
    variable = find(Variable, it, pk)
    form = VariableForm.for_row(variable, posted(request))
    done = submit(
        request,
        form,
        lambda form: services.edit_variable(
            variable=variable,
            values=form.cleaned_data,
            seen_revision=form.cleaned_data["seen_revision"],
            by=membership.user,
            request=request,
        ),
    )
    if done.saved:
        messages.success(request, f"{done.saved.name} is saved.")
        _tell_of_changes(request, variable, done.saved)
        return _to_list(membership, it)
    return page(
        request,
        membership,
        it,
        "catalog/variable_form.html",
        tab=TAB,
        status=done.status,
        variable=variable,
        uses=services.uses_of(it).get(variable.name, []),
        form=done.form,
        theirs=done.theirs,
    )


@access.for_members("servers.edit")
def delete(request: HttpRequest, membership: Membership, server: str, pk: UUID) -> HttpResponse:
    it = server_of(membership, server)
    variable = find(Variable, it, pk)
    if request.method == "POST":
        user = membership.user
        entity.delete(
            request, variable.name, lambda: services.delete_variable(variable=variable, by=user, request=request)
        )
        return _to_list(membership, it)
    uses = services.uses_of(it).get(variable.name, [])
    where = [membership.organization.slug, it.slug]
    return ask_to_delete(
        request,
        membership,
        it,
        name=variable.name,
        text="Its value is gone for good. What refers to it fails when it is called, until there is a variable of this "
        "name again:"
        if uses
        else "Its value is gone for good. Nothing refers to it.",
        items=[str(use)[0].upper() + str(use)[1:] for use in uses],
        button="Delete variable",
        action=reverse("catalog:variable_delete", args=[*where, variable.pk]),
        cancel_url=reverse("catalog:variables", args=where),
        tab=TAB,
    )


def _row(variable: Variable, uses: list[Use]) -> Row:
    is_set = Variable.secret.is_set(variable) if variable.is_secret else bool(variable.value)
    suspicious = not variable.is_secret and looks_secret(variable.name, variable.value)
    return Row(variable, uses, is_set, suspicious)


def _hint(request: HttpRequest, variable: Variable) -> None:
    if not variable.is_secret and looks_secret(variable.name, variable.value):
        messages.warning(
            request,
            f"{variable.name} looks like a secret, but it is plain: everybody here reads it, and it goes into exports "
            "and pushes. Edit it and make it secret.",
        )


def _tell_of_changes(request: HttpRequest, before: Variable, after: Variable) -> None:
    """What a person should do next."""
    if after.is_secret and not before.is_secret and before.value:
        messages.warning(
            request,
            f"{after.name} was plain until now: its former value may be in exports and in git. Replace it at the "
            "service that issued it, and enter the new one here.",
        )
    if after.name != before.name and (uses := services.uses_of(after.server).get(before.name)):
        messages.warning(
            request, f"${{{before.name}}} is still used in {services.listed(uses)}. Write ${{{after.name}}} there."
        )
    _hint(request, after)


def _to_list(membership: Membership, server: Server) -> HttpResponse:
    return redirect("catalog:variables", org=membership.organization.slug, server=server.slug)
