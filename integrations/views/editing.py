"""Edit an integration, delete it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from catalog.views.page import confirm
from forges.clients import FORGES
from integrations import connecting as services
from integrations import probing
from integrations.forms import EditForm
from integrations.models import ImportedFile, Integration, Track
from integrations.probing import Entered, FieldError, Probe
from integrations.views.connecting import branches_response, count_response
from integrations.views.page import integration_of, page_context, server_page, track_of
from lib.crypto import CryptoError, mask
from lib.htmx import go_to, is_fragment
from orgs import access
from orgs.models import Membership


@sensitive_post_parameters("token")
@access.for_members("integrations.import")
def edit(request: HttpRequest, membership: Membership, integration: uuid.UUID) -> Any:
    it = integration_of(membership, integration)
    track = track_of(it)
    form = EditForm(request.POST if request.method == "POST" else None, integration=it, track=track)
    if request.method == "POST" and form.is_valid():
        try:
            _save(request, membership, it, track, form)
        except FieldError as error:
            form.add_field_error(error)
        else:
            return go_to(request, server_page(it.server))
    context = page_context(
        membership,
        it.server,
        form=form,
        integration=it,
        name=it.short_name,
        forge=FORGES.get(it.forge),
        stored_token=_stored_token(it),
    )
    template = "integrations/_edit_form.html" if is_fragment(request) else "integrations/edit.html"
    return render(request, template, context, status=422 if form.errors else 200)


def _save(request: HttpRequest, membership: Membership, integration: Integration, track: Track, form: EditForm) -> None:
    """Try what is new at the forge, save, and say what follows. Raises FieldError with nothing written."""
    entered = _entered(integration, form.cleaned_data)
    clear_token = bool(form.cleaned_data.get("clear_token"))
    found = _probe(integration, track, entered, clear_token=clear_token)
    adopted = services.edit(
        integration, track, entered, found=found, clear_token=clear_token, by=membership.user, request=request
    )
    saved = f"{integration.short_name} is saved."
    if adopted:
        saved += f" It took over {adopted:,} {'file' if adopted == 1 else 'files'} of an earlier integration."
    track.refresh_from_db()
    if (found and found.branch != form.initial["branch"]) or track.last_fingerprint != track.fingerprint:
        saved += " Refresh it to apply the change to the content."
    messages.success(request, saved)


def _probe(integration: Integration, track: Track, entered: Entered, *, clear_token: bool) -> Probe | None:
    """What the forge says about a new token, a new branch, or going without a token; None when none of these is new."""
    if not (entered.token or clear_token or entered.branch != track.branch):
        return None
    try:
        stored = "" if entered.token or clear_token else integration.token
    except CryptoError as error:
        raise FieldError("token", str(error)) from error
    asked = replace(entered, token=entered.token or stored, username=entered.username or integration.username)
    try:
        return probing.probe(asked)
    except FieldError as error:
        if clear_token and error.field in ("repository", "token"):
            reason = "Without a token this repository cannot be read, so the token stays."
            raise FieldError("clear_token", reason) from error
        if error.field == "repository":
            raise FieldError("token" if entered.token else "", str(error)) from error
        raise


def _entered(integration: Integration, values: dict[str, Any]) -> Entered:
    return Entered(
        forge=integration.forge,
        repository=integration.repository,
        base_url=integration.base_url,
        username=values.get("username", ""),
        token=values.get("token", ""),
        branch=values.get("branch", ""),
        include=values.get("include", ""),
        exclude=values.get("exclude", ""),
        mount_path=values.get("mount_path", ""),
    )


def _stored_token(integration: Integration) -> str:
    """A sentence on the token that is there, which shows no more of it than its end."""
    if not Integration.token.is_set(integration):
        return ""
    try:
        shown = mask(integration.token)
    except CryptoError:
        return "A token is stored that cannot be decrypted any more. Enter a new one."
    of_account = f" of {integration.token_account}" if integration.token_account else ""
    return f"The token {shown}{of_account} is stored. Leave this blank to keep it."


@require_POST
@sensitive_post_parameters("token")
@access.for_members("integrations.import")
def branches(request: HttpRequest, membership: Membership, integration: uuid.UUID) -> HttpResponse:
    return branches_response(request, _as_stored(request, integration_of(membership, integration)))


@require_POST
@sensitive_post_parameters("token")
@access.for_members("integrations.import")
def count(request: HttpRequest, membership: Membership, integration: uuid.UUID) -> HttpResponse:
    return count_response(request, _as_stored(request, integration_of(membership, integration)))


def _as_stored(request: HttpRequest, integration: Integration) -> Entered:
    """What is on the form, with the stored credential where no new one is entered."""
    names = ("username", "token", "branch", "include", "exclude", "mount_path")
    entered = _entered(integration, {name: request.POST.get(name, "")[:20_000] for name in names})
    try:
        token = entered.token or integration.token
    except CryptoError:
        token = ""
    return replace(entered, token=token, username=entered.username or integration.username)


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
