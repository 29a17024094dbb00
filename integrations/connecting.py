"""Connect, edit, delete: what a person configures about an integration.

What was entered has been tried at the forge by then (`integrations.probing`), outside any transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from catalog.models import Content, Origin, Server
from integrations.models import ImportedFile, Integration, Track
from integrations.probing import Entered, FieldError, Probe, normalise_mount, parse_filter
from jobs import runs
from jobs.models import LIVE, Run, Status
from orgs import audit
from orgs.models import User


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
    moment end as one. Files that an earlier integration of the same source left are adopted. Raises FieldError.
    """
    parse_filter(entered.include, entered.exclude)
    mount_path = normalise_mount(entered.mount_path)
    with transaction.atomic():
        # One at a time on a server: the second finds the first one's row and updates it.
        Server.objects.select_for_update().get(pk=server.pk)
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
        before = _snapshot(integration, integration.tracks.first()) if not created else {}
        _take_probe(integration, entered, found)
        integration.save()
        track = integration.tracks.order_by("branch", "mount_path").first() or Track(integration=integration)
        adopted = _save_track(
            track,
            branch=found.branch,
            include=entered.include,
            exclude=entered.exclude,
            mount_path=mount_path,
        )
        audit.record(
            "integration.connected" if created else "integration.reconnected",
            organization=server.organization,
            actor=by,
            target=integration,
            scope=server,
            before=before,
            after=_snapshot(integration, track),
            request=request,
        )
    return Connected(integration, track, created, adopted)


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
    there. What the change means for the content is the next refresh's to show and to do. Raises FieldError.
    """
    parse_filter(entered.include, entered.exclude)
    mount_path = normalise_mount(entered.mount_path)
    with transaction.atomic():
        Server.objects.select_for_update().get(pk=integration.server_id)
        before = _snapshot(integration, track)
        if found is not None:
            if found.repository.id != integration.repository_id:
                raise FieldError("repository", "This is another repository. Connect it as an integration of its own.")
            _take_probe(integration, entered, found)
        if clear_token:
            integration.token, integration.token_account, integration.token_expires_at = "", "", None
        integration.save()
        adopted = _save_track(
            track,
            branch=found.branch if found else track.branch,
            include=entered.include,
            exclude=entered.exclude,
            mount_path=mount_path,
        )
        audit.record(
            "integration.edited",
            organization=integration.server.organization,
            actor=by,
            target=integration,
            scope=integration.server,
            before=before,
            after=_snapshot(integration, track) | ({"token": "replaced"} if entered.token else {}),
            request=request,
        )
    return adopted


def _take_probe(integration: Integration, entered: Entered, found: Probe) -> None:
    integration.repository = found.repository.full_name
    integration.web_url = found.repository.web_url
    integration.private = found.repository.private
    if entered.token:
        integration.token = entered.token
        integration.username = entered.username
        integration.token_account = found.account.login or ""
        integration.token_expires_at = found.account.expires_at


def _save_track(track: Track, *, branch: str, include: str, exclude: str, mount_path: str) -> int:
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


def _snapshot(integration: Integration, track: Track | None) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "forge": integration.forge,
        "repository": integration.repository,
        "token": Integration.token.is_set(integration),
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
    source_keys: tuple[str, ...]
    cancelled: int


def delete_integration(integration: Integration, *, by: User, request: HttpRequest | None = None) -> Deleted:
    """Delete an integration and stop its Runs; its content stays, to be adopted by connecting again or removed."""
    with transaction.atomic():
        server = Server.objects.select_for_update().get(pk=integration.server_id)
        going = Run.objects.about(integration).filter(status__in=(*LIVE, Status.HELD))
        cancelled = len([runs.cancel_run(run, by=by, request=request) for run in going])
        keys = tuple(integration.tracks.values_list("source_key", flat=True))
        kept = ImportedFile.objects.filter(track__integration=integration).count()
        audit.record(
            "integration.deleted",
            organization=server.organization,
            actor=by,
            target=integration,
            scope=server,
            before=_snapshot(integration, integration.tracks.first()) | {"files_kept": kept},
            request=request,
        )
        integration.delete()
    return Deleted(integration.repository, kept, keys, cancelled)
