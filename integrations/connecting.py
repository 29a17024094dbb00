"""Connect, edit, delete: what a person configures about an integration.

What was entered has been tried at the forge by then (`integrations.probing`), outside any transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from catalog.models import Content, Origin, Server
from forges import hooks
from forges.picking import FieldError
from integrations.automation import prune_no_more
from integrations.credentials import check_chosen
from integrations.models import ImportedFile, Integration, Track
from integrations.news import credential_given
from integrations.probing import Entered, Probe, normalise_mount, parse_filter
from integrations.webhook import hook_of
from jobs import runs
from jobs.models import LIVE, Run, Status
from orgs import access, audit
from orgs.models import User

_WHICH_FILES = ("branch", "include", "exclude", "mount_path")
_PROBED = (
    *("repository", "web_url", "private", "connection", "username"),
    *(*Integration.token.columns, "token_account", "token_expires_at", "updated_at"),
)
"""Columns that a probe and its credential fill."""


@dataclass(frozen=True, slots=True)
class Connected:
    integration: Integration
    track: Track
    created: bool
    """False when the repository was connected already and its row was updated."""
    adopted: int
    """Files of an earlier integration that it took over."""


def connect(
    server: Server, entered: Entered, found: Probe, *, by: User, request: HttpRequest | None = None
) -> Connected:
    """Connect a probed repository to a server.

    The same repository again updates its row, with what was entered now, and never makes a second; two at the same
    moment end as one. Files that an earlier integration of the same source left are adopted. Raises FieldError, and
    PermissionDenied for who may not import (any more).
    """
    parse_filter(entered.include, entered.exclude)
    mount_path = normalise_mount(entered.mount_path)
    with transaction.atomic():
        # One at a time on a server: the second finds the first one's row and updates it.
        Server.objects.select_for_update().get(pk=server.pk)
        access.require_still(by, server.organization_id, "integrations.import")
        if entered.connection is not None:
            check_chosen(entered.connection, forge=entered.forge, organization=server.organization, by=by)
        identity = {
            "server": server,
            "forge": entered.forge,
            "base_url": found.base_url,
            "repository_id": found.repository.id,
        }
        integration = Integration.objects.filter(**identity).first()
        created = integration is None
        if integration is None:
            integration = Integration(**identity, created_by=by)
        before = snapshot(integration, integration.tracks.first()) if not created else {}
        _take_probe(integration, entered, found)
        integration.save()
        if not created:
            credential_given(integration)
        track = _track_for(integration, found.branch, mount_path)
        adopted = save_track(
            track,
            branch=found.branch,
            include=entered.include,
            exclude=entered.exclude,
            mount_path=mount_path,
        )
        if _brings_other_files(before, track):
            prune_no_more(integration, by=by, request=request)
        audit.record(
            "integration.connected" if created else "integration.reconnected",
            organization=server.organization,
            actor=by,
            target=integration,
            scope=server,
            before=before,
            after=snapshot(integration, track),
            request=request,
        )
    return Connected(integration, track, created, adopted)


def _track_for(integration: Integration, branch: str, mount_path: str) -> Track:
    """The Track that is meant: the one of this branch at this mount path, or the only one, which takes them on; beside
    several others it is another one."""
    tracks = list(integration.tracks.all())
    same = [track for track in tracks if (track.branch, track.mount_path) == (branch, mount_path)]
    return (same or (tracks if len(tracks) == 1 else [Track(integration=integration)]))[0]


def edit(
    integration: Integration,
    track: Track,
    entered: Entered,
    *,
    found: Probe | None,
    clear_token: bool = False,
    by: User,
    request: HttpRequest | None = None,
) -> int:
    """Change branch, filter, mount path or credential; returns how many left-over files were adopted.

    `found` is the probe of a new token or branch, None when neither changed. A blank token keeps the one that is
    there. What the change means for the content is the next refresh's to show and to do. Raises FieldError, and
    PermissionDenied for who may not import (any more).
    """
    parse_filter(entered.include, entered.exclude)
    mount_path = normalise_mount(entered.mount_path)
    with transaction.atomic():
        Server.objects.select_for_update().get(pk=integration.server_id)
        access.require_still(by, integration.server.organization_id, "integrations.import")
        if entered.connection is not None:
            organization = integration.server.organization
            check_chosen(entered.connection, forge=integration.forge, organization=organization, by=by)
        before = snapshot(integration, Track.objects.filter(pk=track.pk).first())
        if found is not None:
            _check_same(integration, found)
            _take_probe(integration, entered, found)
        if clear_token:
            integration.connection = None
            integration.token, integration.token_account, integration.token_expires_at = "", "", None
        # The rest may have been changed while the forge was asked.
        integration.save(update_fields=_PROBED)
        if clear_token or entered.has_credential:
            credential_given(integration)
        adopted = save_track(
            track,
            branch=found.branch if found else track.branch,
            include=entered.include,
            exclude=entered.exclude,
            mount_path=mount_path,
        )
        if _brings_other_files(before, track):
            prune_no_more(integration, by=by, request=request)
        audit.record(
            "integration.edited",
            organization=integration.server.organization,
            actor=by,
            target=integration,
            scope=integration.server,
            before=before,
            after=snapshot(integration, track) | ({"token": "replaced"} if entered.token else {}),
            request=request,
        )
    return adopted


def _check_same(integration: Integration, found: Probe) -> None:
    """FieldError when what was probed is not the integration's repository: numbers are those of one server."""
    if (found.base_url, found.repository.id) != (integration.base_url, integration.repository_id):
        raise FieldError("repository", "This is another repository. Connect it as an integration of its own.")


def _brings_other_files(before: dict[str, Any], track: Track) -> bool:
    """Whether a Track that was there, by its `snapshot`, was changed in what it brings."""
    return bool(before) and any(before.get(name, "") != getattr(track, name) for name in _WHICH_FILES)


def _take_probe(integration: Integration, entered: Entered, found: Probe) -> None:
    integration.repository = found.repository.full_name
    integration.web_url = found.repository.web_url
    integration.private = found.repository.private
    if entered.connection is not None:
        integration.connection = entered.connection
        integration.token, integration.username = "", ""
        integration.token_account, integration.token_expires_at = "", None
    elif entered.token:
        integration.connection = None
        integration.token = entered.token
        integration.username = entered.username
        integration.token_account = found.account.login or ""
        integration.token_expires_at = found.account.expires_at


def save_track(track: Track, *, branch: str, include: str, exclude: str, mount_path: str) -> int:
    """Save a Track and take over what an earlier one of the same source left; its rows follow its new identity."""
    integration = track.integration
    track.branch, track.include, track.exclude, track.mount_path = branch, include, exclude, mount_path
    try:
        with transaction.atomic():
            track.save()
    except IntegrityError as error:
        raise FieldError("branch", "This branch is already connected at this mount path.") from error
    left_over = ImportedFile.objects.filter(server_id=integration.server_id, source_key=track.source_key, track=None)
    own = ImportedFile.objects.filter(track=track)
    # Where both have a row for a path, the Track's own is the newer truth; the other becomes a person's.
    twins = left_over.filter(path__in=own.values("path"))
    Content.objects.filter(pk__in=twins.values("content_id")).update(origin=Origin.TYPED)
    twins.delete()
    own.update(source_key=track.source_key)
    return left_over.update(track=track)


def snapshot(integration: Integration, track: Track | None) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "forge": integration.forge,
        "repository": integration.repository,
        "token": Integration.token.is_set(integration),
        "connection": str(integration.connection_id or ""),
    }
    if track is not None:
        shown |= {
            "branch": track.branch,
            "include": track.include,
            "exclude": track.exclude,
            "mount_path": track.mount_path,
        }
    return shown


@dataclass(frozen=True, slots=True)
class Deleted:
    repository: str
    kept_files: int
    cancelled: int


def delete_integration(integration: Integration, *, by: User, request: HttpRequest | None = None) -> Deleted:
    """Delete an integration and stop its Runs; its content stays, to be adopted by connecting again or removed."""
    with transaction.atomic():
        server = Server.objects.select_for_update().get(pk=integration.server_id)
        going = Run.objects.about(integration).filter(status__in=(*LIVE, Status.HELD))
        cancelled = len([runs.cancel_run(run, by=by, request=request) for run in going])
        kept = ImportedFile.objects.filter(track__integration=integration).count()
        audit.record(
            "integration.deleted",
            organization=server.organization,
            actor=by,
            target=integration,
            scope=server,
            before=snapshot(integration, integration.tracks.first()) | {"files_kept": kept},
            request=request,
        )
        hook = hook_of(integration)
        integration.delete()
        hooks.release(hook, by=by)
    return Deleted(integration.repository, kept, cancelled)
