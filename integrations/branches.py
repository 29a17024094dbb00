"""Several branches on one integration: each a Track with its own filter and mount path."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.http import HttpRequest

from catalog.models import Server
from forges.picking import FieldError
from integrations.automation import prune_no_more
from integrations.connecting import save_track, snapshot
from integrations.models import ImportedFile, Integration, Track
from integrations.probing import Entered, Probe, normalise_mount, parse_filter
from orgs import access, audit
from orgs.models import User


@dataclass(frozen=True, slots=True)
class Added:
    track: Track
    adopted: int
    """Files of an earlier Track of the same source that it took over."""


def add_branch(
    integration: Integration, entered: Entered, found: Probe, *, by: User, request: HttpRequest | None = None
) -> Added:
    """Follow another branch, or the same one at another mount path. Nothing is imported yet. Raises FieldError, and
    PermissionDenied for who may not import (any more)."""
    parse_filter(entered.include, entered.exclude)
    mount_path = normalise_mount(entered.mount_path)
    if (found.base_url, found.repository.id) != (integration.base_url, integration.repository_id):
        raise FieldError("branch", "The forge has another repository under this name now. Edit the integration first.")
    with transaction.atomic():
        Server.objects.select_for_update().get(pk=integration.server_id)
        access.require_still(by, integration.server.organization_id, "integrations.import")
        track = Track(integration=integration)
        adopted = save_track(
            track, branch=found.branch, include=entered.include, exclude=entered.exclude, mount_path=mount_path
        )
        if adopted:  # a branch that was removed and comes back with another filter would be pruned by that
            prune_no_more(integration, by=by, request=request)
        audit.record(
            "integration.branch_added",
            organization=integration.server.organization,
            actor=by,
            target=integration,
            scope=integration.server,
            after=snapshot(integration, track),
            request=request,
        )
    return Added(track, adopted)


@dataclass(frozen=True, slots=True)
class Removed:
    branch: str
    kept_files: int


def remove_branch(track: Track, *, by: User, request: HttpRequest | None = None) -> Removed:
    """Follow it no more. Its content stays, to be adopted by adding it again or removed as a left-over.

    Raises FieldError for the only one: an integration without a branch is one to be deleted.
    """
    integration = track.integration
    with transaction.atomic():
        Server.objects.select_for_update().get(pk=integration.server_id)
        if not Track.objects.filter(integration=integration).exclude(pk=track.pk).exists():
            raise FieldError("", "This is its only branch. Delete the integration instead.")
        kept = ImportedFile.objects.filter(track=track).count()
        audit.record(
            "integration.branch_removed",
            organization=integration.server.organization,
            actor=by,
            target=integration,
            scope=integration.server,
            before=snapshot(integration, track) | {"files_kept": kept},
            request=request,
        )
        track.delete()
    return Removed(track.branch, kept)
