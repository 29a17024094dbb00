"""Connect a repository to a server, and what the form offers while it is filled in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from catalog.access import server_of
from forges.clients import FORGES
from integrations import connecting as services
from integrations import picking, probing, wording
from integrations.connecting import Connected
from integrations.forms import ConnectForm
from integrations.probing import Entered, FieldError
from integrations.refreshing import request_refresh
from integrations.views.page import LEVELS, page_context, server_page
from jobs.models import Run, Trigger
from lib.htmx import go_to, is_fragment
from orgs import access
from orgs.models import Membership


@sensitive_post_parameters("token")
@access.for_members("integrations.import")
def connect(request: HttpRequest, membership: Membership, server: str) -> Any:
    it = server_of(membership, server)
    form = ConnectForm(request.POST) if request.method == "POST" else ConnectForm()
    if request.method == "POST" and form.is_valid():
        try:
            entered = form.entered()
            connected = services.connect(it, entered, probing.probe(entered), by=membership.user, request=request)
        except FieldError as error:
            form.add_field_error(error)
        else:
            # What an earlier integration left is not pruned unasked: the first import keeps.
            run = request_refresh(connected.integration, prune=False, membership=membership, trigger=Trigger.CONNECT)
            level, text = _what_came_of_it(connected, run)
            messages.add_message(request, LEVELS[level], text)
            return go_to(request, server_page(it))
    context = page_context(membership, it, form=form, forges=FORGES.values())
    template = "integrations/_connect_form.html" if is_fragment(request) else "integrations/connect.html"
    return render(request, template, context, status=422 if form.errors else 200)


def _what_came_of_it(connected: Connected, run: Run) -> tuple[str, str]:
    name = connected.integration.short_name
    done = f"{name} is connected." if connected.created else f"{name} was connected already and is updated."
    if connected.adopted:
        files = "file" if connected.adopted == 1 else "files"
        done += f" It took over {connected.adopted:,} {files} of an earlier integration."
    if not run.is_finished:
        return "success", f"{done} Its files are being imported."
    level, outcome = wording.outcome(run, connected.integration)
    return level, f"{done} {outcome.removeprefix(f'{name}: ').capitalize() if level == 'success' else outcome}"


@require_POST
@sensitive_post_parameters("token")
@access.for_members("integrations.import")
def repositories(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    """What the credential can see, for the list beneath the repository's field."""
    entered = _entered(request, membership, server)
    context: dict[str, Any] = {"query": entered.repository, "lists": entered.forge != "git"}
    if entered.token and context["lists"]:
        try:
            context["found"] = picking.repositories(entered, query=entered.repository)
            context["most"] = picking.SHOWN
        except FieldError as error:
            context["problem"] = str(error)
    return render(request, "integrations/_repositories.html", context)


@require_POST
@sensitive_post_parameters("token")
@access.for_members("integrations.import")
def branches(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    return branches_response(request, _entered(request, membership, server))


@require_POST
@sensitive_post_parameters("token")
@access.for_members("integrations.import")
def count(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    return count_response(request, _entered(request, membership, server))


def _entered(request: HttpRequest, membership: Membership, server: str) -> Entered:
    server_of(membership, server)
    form = ConnectForm(request.POST)
    form.full_clean()
    entered = form.entered()
    # Without its field's errors: a pattern that is wrong is told by the count.
    raw = {name: request.POST.get(name, "")[:20_000] for name in ("include", "exclude")}
    return replace(entered, **raw)


def branches_response(request: HttpRequest, entered: Entered) -> HttpResponse:
    """The branches of what is entered, for the list beneath their field."""
    context: dict[str, Any] = {}
    if entered.repository:
        try:
            context["default"], context["found"] = picking.branches(entered)
        except FieldError as error:
            context["problem"] = str(error)
    return render(request, "integrations/_branches.html", context)


def count_response(request: HttpRequest, entered: Entered) -> HttpResponse:
    """How many files the filter takes."""
    context: dict[str, Any] = {}
    if entered.repository:
        try:
            context["count"] = picking.count_matching(entered)
        except FieldError as error:
            context["problem"] = str(error)
    return render(request, "integrations/_count.html", context)
