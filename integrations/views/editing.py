"""Edit an integration's credential, delete it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters

from catalog.views.page import confirm
from forges import flows
from forges.clients import FORGES
from forges.picking import FieldError
from integrations import connecting as services
from integrations import credential_state, entering, wording
from integrations.forms.credentials import KEEP, NONE, CredentialForm
from integrations.models import ImportedFile, Integration
from integrations.views.page import LEVELS, integration_of, integration_page, page_context, server_page
from lib.htmx import go_to, is_fragment
from orgs import access
from orgs.models import Membership


@sensitive_post_parameters("token")
@access.for_members("integrations.import")
def edit(request: HttpRequest, membership: Membership, integration: uuid.UUID) -> Any:
    """The credential. A flow at a forge that began here comes back with the connection that it made."""
    it = integration_of(membership, integration)
    data = request.POST if request.method == "POST" else None
    chosen = request.GET.get("connection", "")
    form = CredentialForm(data, integration=it, membership=membership, chosen=chosen)
    if request.method == "POST" and form.is_valid():
        try:
            _save(request, membership, it, form)
        except FieldError as error:
            form.add_field_error(error)
        else:
            return go_to(request, integration_page(it))
    here = reverse("integrations:edit", args=[membership.organization.slug, it.pk])
    context = page_context(
        membership,
        it.server,
        form=form,
        integration=it,
        name=it.short_name,
        forge=FORGES.get(it.forge),
        token_help=wording.TOKEN_HELP.get(it.forge, ""),
        credential=credential_state.of(it, membership),
        flows=[
            (flow, flows.start_url(flow, membership, back=here, writing=it.on_push) if flow.may else "")
            for flow in flows.offered(membership)
            if (flow.forge, flow.base_url) == (it.forge, it.base_url)
        ],
    )
    template = "integrations/_edit_form.html" if is_fragment(request) else "integrations/edit.html"
    return render(request, template, context, status=422 if form.errors else 200)


def _save(request: HttpRequest, membership: Membership, integration: Integration, form: CredentialForm) -> None:
    """Try the new credential at the forge, and save it. Raises FieldError with nothing written."""
    values = form.cleaned_data
    chosen = values["credential"]
    name = integration.short_name
    track = integration.tracks.first()
    if chosen == KEEP or track is None:
        messages.info(request, f"The credential of {name} is as it was.")
        return
    track.integration = integration
    asked = entering.entered(
        integration,
        {
            "username": values.get("username", ""),
            "token": "" if chosen == NONE else values.get("token", ""),
            "connection": values.get("connection"),
            "include": track.include,
            "exclude": track.exclude,
            "mount_path": track.mount_path,
        },
    )
    if asked.connection is not None:
        asked = replace(asked, token="", username="")
    found = entering.probe_credential(track, asked, without=chosen == NONE)
    services.edit(
        integration, track, asked, found=found, clear_token=chosen == NONE, by=membership.user, request=request
    )
    messages.success(request, f"The credential of {name} is saved.")
    if asked.token:
        for level, sentence in wording.about_token(integration.forge, found.account, on_push=integration.on_push):
            messages.add_message(request, LEVELS[level], sentence)


@access.for_members("integrations.import")
def delete(request: HttpRequest, membership: Membership, integration: uuid.UUID) -> HttpResponse:
    it = integration_of(membership, integration)
    name = it.short_name
    if request.method == "POST":
        deleted = services.delete_integration(it, by=membership.user, request=request)
        kept = f" {deleted.kept_files:,} of its files are kept." if deleted.kept_files else ""
        stopped = " Its runs are stopped." if deleted.cancelled else ""
        messages.success(request, f"The integration of {name} is deleted.{stopped}{kept}")
        return redirect(server_page(it.server))
    files = ImportedFile.objects.filter(track__integration=it).count()
    kept = "It has brought no files."
    if files:
        kept = (
            f"Its {files:,} {'file' if files == 1 else 'files'} stay as content of {it.server}: removing them is a "
            "step of its own afterwards, and connecting the repository again takes them over."
        )
    context = page_context(
        membership,
        it.server,
        title=f"Delete the integration of {name}?",
        text=f"Runs of it that are queued or running are stopped. {kept}",
        action=reverse("integrations:delete", args=[membership.organization.slug, it.pk]),
        cancel_url=server_page(it.server),
        confirm="Delete integration",
        danger=True,
    )
    return confirm(request, context)
