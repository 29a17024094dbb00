"""What the forms offer while they are filled in: repositories, branches, how many files a filter takes."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from catalog.access import server_of
from forges import picking as picks
from forges.fields import PLAIN_GIT
from forges.picking import FieldError
from integrations import entering, picking
from integrations.forms.connecting import ConnectForm
from integrations.probing import Entered
from integrations.views.page import integration_of
from orgs import access
from orgs.models import Membership

LONGEST = 20_000


@require_POST
@sensitive_post_parameters("token")
@access.for_members("integrations.import")
def repositories(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    """What the credential can see, for the list beneath the repository's field."""
    form = _form(request, membership, server)
    entered = form.entered()
    context: dict[str, Any] = {
        "problem": form.wrong_address and f"Server address: {form.wrong_address}",
        "query": entered.repository,
        "lists": entered.forge != PLAIN_GIT,
        "through": entered.connection,
    }
    if entered.has_credential and context["lists"]:
        try:
            context["found"] = picks.repositories(entered, query=entered.repository)
            context["most"] = picks.SHOWN
        except FieldError as error:
            context["problem"] = str(error)
    return render(request, "integrations/_repositories.html", context)


@require_POST
@sensitive_post_parameters("token")
@access.for_members("integrations.import")
def branches(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    return _branches(request, _entered(request, membership, server))


@require_POST
@sensitive_post_parameters("token")
@access.for_members("integrations.import")
def count(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    return _count(request, _entered(request, membership, server))


def _form(request: HttpRequest, membership: Membership, server: str) -> ConnectForm:
    server_of(membership, server)
    form = ConnectForm(request.POST, membership=membership)
    form.full_clean()
    return form


def _entered(request: HttpRequest, membership: Membership, server: str) -> Entered:
    form = _form(request, membership, server)
    # Without its field's errors: a pattern that is wrong is told by the count.
    include, exclude = (request.POST.get(name, "")[:LONGEST] for name in ("include", "exclude"))
    return replace(form.entered(), include=include, exclude=exclude)


@require_POST
@access.for_members("integrations.import")
def branches_of(request: HttpRequest, membership: Membership, integration: uuid.UUID) -> HttpResponse:
    """Of a repository that is connected, with its stored credential."""
    return _stored(request, membership, integration, _branches)


@require_POST
@access.for_members("integrations.import")
def count_of(request: HttpRequest, membership: Membership, integration: uuid.UUID) -> HttpResponse:
    return _stored(request, membership, integration, _count)


def _stored(request: HttpRequest, membership: Membership, pk: uuid.UUID, answer: Any) -> HttpResponse:
    it = integration_of(membership, pk)
    values = {name: request.POST.get(name, "")[:LONGEST] for name in ("branch", "include", "exclude")}
    asked = entering.entered(it, values)
    with suppress(FieldError):  # as without a token: that it cannot be decrypted is said when the form is sent
        asked = entering.with_stored_credential(it, asked)
    response: HttpResponse = answer(request, asked)
    return response


def _branches(request: HttpRequest, entered: Entered) -> HttpResponse:
    """The branches of what is entered, for the list beneath their field."""
    context: dict[str, Any] = {}
    if entered.repository:
        try:
            context["default"], context["found"] = picks.branches(entered)
        except FieldError as error:
            context["problem"] = str(error)
    return render(request, "integrations/_branches.html", context)


def _count(request: HttpRequest, entered: Entered) -> HttpResponse:
    """How many files the filter takes."""
    context: dict[str, Any] = {}
    if entered.repository:
        try:
            context["count"] = picking.count_matching(entered)
        except FieldError as error:
            context["problem"] = str(error)
    return render(request, "integrations/_count.html", context)
