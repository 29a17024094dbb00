"""The branches that an integration follows: add one, edit its filter and mount path, remove it."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from catalog.views.page import confirm
from forges.picking import FieldError
from integrations import branches as services
from integrations import connecting, entering, wording
from integrations.forms.branches import TrackForm
from integrations.models import ImportedFile, Integration, Track
from integrations.refreshing import request_refresh
from integrations.views.page import LEVELS, integration_of, integration_page, page_context, track_of
from jobs.models import Trigger
from lib.htmx import go_to, is_fragment
from orgs import access
from orgs.models import Membership

FIELDS = ("branch", "include", "exclude", "mount_path")


@access.for_members("integrations.import")
def add(request: HttpRequest, membership: Membership, integration: uuid.UUID) -> Any:
    """Follow another branch, or the same at another mount path, and import it."""
    it = integration_of(membership, integration)
    form = TrackForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            asked = entering.entered(it, form.cleaned_data)
            found = entering.probe_branch(it, asked)
            added = services.add_branch(it, asked, found, by=membership.user, request=request)
        except FieldError as error:
            form.add_field_error(error)
        else:
            _say_added(request, membership, it, added)
            return go_to(request, integration_page(it))
    return _page(request, membership, it, form, action=reverse("integrations:branch_add", args=_where(it)))


def _say_added(request: HttpRequest, membership: Membership, integration: Integration, added: services.Added) -> None:
    done = f"{added.track.branch} is followed, too."
    if added.adopted:
        done += f" It took over {added.adopted:,} {'file' if added.adopted == 1 else 'files'} of an earlier one."
    run = request_refresh(integration, prune=False, membership=membership, trigger=Trigger.CONNECT)
    level, outcome = wording.outcome(run, integration)
    messages.add_message(request, LEVELS[level], f"{done} {outcome}")


@access.for_members("integrations.import")
def edit(request: HttpRequest, membership: Membership, integration: uuid.UUID, track: uuid.UUID) -> Any:
    it = integration_of(membership, integration)
    branch = track_of(it, track)
    stored = {name: getattr(branch, name) for name in FIELDS}
    form = TrackForm(request.POST if request.method == "POST" else None, initial=stored)
    if request.method == "POST" and form.is_valid():
        try:
            _save(request, membership, it, branch, form)
        except FieldError as error:
            form.add_field_error(error)
        else:
            return go_to(request, integration_page(it))
    where = reverse("integrations:branch_edit", args=[*_where(it), branch.pk])
    return _page(request, membership, it, form, action=where, track=Track.objects.get(pk=branch.pk))


def _save(
    request: HttpRequest, membership: Membership, integration: Integration, track: Track, form: TrackForm
) -> None:
    """Try a new branch at the forge, save, and say what follows. Raises FieldError with nothing written."""
    asked = entering.entered(integration, form.cleaned_data)
    found = entering.probe_branch(integration, asked) if asked.branch != track.branch else None
    adopted = connecting.edit(integration, track, asked, found=found, by=membership.user, request=request)
    saved = f"{track.branch} of {integration.short_name} is saved."
    if adopted:
        saved += f" It took over {adopted:,} {'file' if adopted == 1 else 'files'} of an earlier integration."
    track.refresh_from_db()
    if found or track.last_fingerprint != track.fingerprint:
        saved += " Refresh it to apply the change to the content."
    messages.success(request, saved)


def _page(
    request: HttpRequest,
    membership: Membership,
    integration: Integration,
    form: TrackForm,
    *,
    action: str,
    track: Track | None = None,
) -> HttpResponse:
    context = page_context(
        membership,
        integration.server,
        form=form,
        integration=integration,
        name=integration.short_name,
        action=action,
        track=track,
    )
    template = "integrations/_branch_form.html" if is_fragment(request) else "integrations/branch.html"
    return render(request, template, context, status=422 if form.errors else 200)


@access.for_members("integrations.import")
def remove(request: HttpRequest, membership: Membership, integration: uuid.UUID, track: uuid.UUID) -> HttpResponse:
    it = integration_of(membership, integration)
    branch = track_of(it, track)
    name = f"{branch.branch} of {it.short_name}"
    if request.method == "POST":
        try:
            removed = services.remove_branch(branch, by=membership.user, request=request)
        except FieldError as error:
            messages.error(request, str(error))
        else:
            kept = f" {removed.kept_files:,} of its files are kept." if removed.kept_files else ""
            messages.success(request, f"{name} is followed no more.{kept}")
        return redirect(integration_page(it))
    files = ImportedFile.objects.filter(track=branch).count()
    kept = "It has brought no files."
    if files:
        kept = (
            f"Its {files:,} {'file' if files == 1 else 'files'} stay as content of {it.server}: removing them is a "
            "step of its own afterwards, and adding the branch again takes them over."
        )
    context = page_context(
        membership,
        it.server,
        title=f"Follow {name} no more?",
        text=f"Refreshes leave it out from then on. {kept}",
        action=reverse("integrations:branch_remove", args=[*_where(it), branch.pk]),
        cancel_url=integration_page(it),
        confirm="Remove branch",
        danger=True,
    )
    return confirm(request, context)


def _where(integration: Integration) -> list[Any]:
    return [integration.server.organization.slug, integration.pk]
