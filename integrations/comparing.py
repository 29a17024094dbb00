"""What is here and what is there: the questions that a refresh and its preview ask before anything is written."""

from __future__ import annotations

from django.conf import settings

from catalog.models import Content
from forges.clients.base import Client
from forges.reading import Skip, SkipReason
from integrations.apply import occupied_paths, target_path
from integrations.models import ImportedFile, Track
from integrations.planning import Picture, Plan, Row, make_plan, select
from jobs.context import RunContext
from jobs.outcomes import HandOver


def take_picture(track: Track) -> Picture:
    """What is here, in three queries."""
    rows: dict[str, Row] = {}
    detached: set[str] = set()
    files = ImportedFile.objects.filter(track=track).values_list(
        "content_id", "path", "content__path", "oid", "content__blob_id", "size", "stale_since", "detached_at"
    )
    for content_id, path, target, oid, blob_id, size, stale_since, detached_at in files.iterator():
        if detached_at:
            detached.add(path)
        else:
            rows[path] = Row(content_id, path, target, oid, blob_id, size, stale=stale_since is not None)
    judged: dict[tuple[str, str], Skip] = {}
    if track.last_fingerprint == track.fingerprint:
        looked_at = (SkipReason.BINARY, SkipReason.NOT_UTF8, SkipReason.LFS_POINTER, SkipReason.TOO_LARGE)
        for skipped in track.skipped_files.filter(reason__in=looked_at).exclude(oid=""):
            judged[skipped.path, skipped.oid] = Skip(
                skipped.path, SkipReason(skipped.reason), skipped.detail, skipped.oid
            )
    return Picture(
        rows=rows,
        detached=frozenset(detached),
        judged=judged,
        server_rows=Content.objects.filter(server_id=track.integration.server_id).count(),
    )


def nothing_to_do(track: Track, commit: str, *, prune: bool) -> bool:
    """Whether the last refresh already made everything as this one would."""
    if commit != track.last_commit or not track.last_complete or track.last_fingerprint != track.fingerprint:
        return False
    if prune and track.stale_files:
        return False
    imported = ImportedFile.objects.filter(track=track)
    if imported.filter(detached_at=None, stale_since=None).count() != track.files:
        return False  # a row was deleted or detached since
    detached = imported.exclude(detached_at=None).values("path")
    if track.skipped_files.filter(reason=SkipReason.DETACHED).exclude(path__in=detached).exists():
        return False  # detached content was deleted: its file can come back
    blocked = list(track.skipped_files.filter(blocked=True).values_list("path", flat=True))
    targets = [target_path(track.mount_path, path) for path in blocked]
    return len(occupied_paths(track.integration.server_id, targets, but=set())) == len(blocked)


def plan_track(context: RunContext, client: Client, track: Track, picture: Picture, *, commit: str) -> Plan:
    """List, filter and compare. No content is fetched."""
    context.check()
    context.progress(f"Listing {track.branch}")
    listing = client.tree(track.integration.repository, commit)
    left = context.time_left()
    if not listing.complete and left is not None and left < 0:
        raise HandOver("The forge took longer than a page may to list its files, which goes on in the background.")
    entries, skips = select(
        listing,
        picture,
        only=track.path_filter,
        max_bytes=settings.CONTENT_MAX_FILE_BYTES,
        mount_path=track.mount_path,
    )
    targets = {entry.path: target_path(track.mount_path, entry.path) for entry in entries}
    arriving = [
        target for path, target in targets.items() if path not in picture.rows or picture.rows[path].target != target
    ]
    own = {row.content_id for row in picture.rows.values()}
    occupied = occupied_paths(track.integration.server_id, arriving, but=own)
    return make_plan(listing, picture, entries=entries, skips=skips, occupied=occupied, targets=targets)
