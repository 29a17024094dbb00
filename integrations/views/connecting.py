"""Connect a repository to a server, with a credential that is there, or by a forge's consent page and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from catalog.access import server_of
from catalog.models import Server
from forges import flows, returning
from forges.clients import FORGES
from forges.drafts import Drafts
from forges.picking import FieldError
from integrations import automation, probing, wording
from integrations import connecting as services
from integrations.connecting import Connected
from integrations.forms.connecting import ConnectForm
from integrations.refreshing import request_refresh
from integrations.views.page import LEVELS, integration_page, page_context, server_page
from jobs.models import Run, Trigger
from lib.htmx import go_to, is_fragment
from orgs import access
from orgs.models import Membership

DRAFTS = Drafts(
    "integrations.drafts",
    ("forge", "base_url", "username", "email", "repository", "branch", "include", "exclude", "mount_path", "on_push"),
)
"""What is entered, while somebody is at a forge; never the token."""


@sensitive_post_parameters("token")
@access.for_members("integrations.import")
def connect(request: HttpRequest, membership: Membership, server: str) -> Any:
    it = server_of(membership, server)
    data = request.POST if request.method == "POST" else None
    form = ConnectForm(data, membership=membership)
    if data is not None and form.is_valid() and _connected(request, membership, it, form) is not None:
        return go_to(request, server_page(it))
    return _page(request, membership, it, form)


def _page(request: HttpRequest, membership: Membership, server: Server, form: ConnectForm) -> HttpResponse:
    context = page_context(
        membership,
        server,
        form=form,
        forges=[
            {
                "key": forge.key,
                "documentation": forge.documentation,
                "field": form[f"credential_{forge.key}"],
                "flows": [flow for flow in flows.offered(membership) if flow.forge == forge.key],
                "token_help": wording.TOKEN_HELP[forge.key],
            }
            for forge in FORGES.values()
        ],
    )
    template = "integrations/_connect_form.html" if is_fragment(request) else "integrations/connect.html"
    return render(request, template, context, status=422 if form.errors else 200)


def _connected(request: HttpRequest, membership: Membership, server: Server, form: ConnectForm) -> Connected | None:
    """Connect what is on a valid form, import it, and say what came of it; None with its errors on the form."""
    try:
        entered = form.entered()
        found = probing.probe(entered)
        connected = services.connect(server, entered, found, by=membership.user, request=request)
        chosen = replace(automation.automation_of(connected.integration), on_push=form.refreshes_on_push)
        automation.configure(connected.integration, chosen, by=membership.user, request=request)
    except FieldError as error:
        form.add_field_error(error)
        return None
    # What an earlier integration left is not pruned unasked: the first import keeps.
    run = request_refresh(connected.integration, prune=False, membership=membership, trigger=Trigger.CONNECT)
    level, text = _what_came_of_it(connected, run)
    messages.add_message(request, LEVELS[level], text)
    if entered.token:
        for level, sentence in wording.about_token(entered.forge, found.account, on_push=form.refreshes_on_push):
            messages.add_message(request, LEVELS[level], sentence)
    return connected


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


# -- by a forge's consent page -----------------------------------------------------------------------------------------


@require_POST
@sensitive_post_parameters("token")
@access.for_members("integrations.import")
def connect_with(request: HttpRequest, membership: Membership, server: str) -> HttpResponseBase:
    """Keep what is entered, but for the token, and begin the flow that the button names."""
    it = server_of(membership, server)
    flow = next((flow for flow in flows.offered(membership) if flow.key == request.POST.get("with")), None)
    if flow is None:
        raise Http404
    draft = DRAFTS.keep(request.session, {**request.POST.dict(), "forge": flow.forge}, membership=membership, about=it)
    back = reverse("integrations:connect_return", args=[membership.organization.slug, it.slug, draft])
    return go_to(request, flows.start_url(flow, membership, back=back, writing="on_push" in request.POST))


@require_GET
@never_cache
@access.for_members("integrations.import")
def connect_return(request: HttpRequest, membership: Membership, server: str, draft: str) -> HttpResponseBase:
    """Back from the forge: connect at once what was entered, or show it again with the new connection chosen."""
    it = server_of(membership, server)
    values = DRAFTS.find(request.session, draft, membership=membership, about=it)
    if values is None:
        messages.warning(request, "What you had entered is no longer kept. Enter it again.")
        return redirect("integrations:connect", org=membership.organization.slug, server=it.slug)
    connection = returning.brought(request, membership)
    if connection is None:
        return _page(request, membership, it, ConnectForm(membership=membership, initial=_initial(values)))
    chosen = {**values, "forge": connection.forge, f"credential_{connection.forge}": str(connection.pk)}
    if not values["repository"]:
        return _page(request, membership, it, ConnectForm(membership=membership, initial=_initial(chosen)))
    form = ConnectForm(chosen, membership=membership)
    if form.is_valid() and (connected := _connected(request, membership, it, form)) is not None:
        DRAFTS.forget(request.session, draft, membership=membership, about=it)
        return redirect(integration_page(connected.integration))
    return _page(request, membership, it, form)


def _initial(values: Mapping[str, str]) -> dict[str, Any]:
    return {**values, "on_push": bool(values.get("on_push"))}
