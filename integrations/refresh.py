"""Refresh: head -> unchanged? stop -> list -> diff -> gate -> fetch -> check -> apply.

Every difference is derived by comparing what is here with what is there, so a refresh that was interrupted anywhere is
repaired by running it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.conf import settings

from catalog import blobs as blob_store
from catalog.models import Blob, Content
from forges.clients.base import (
    Client,
    Conflict,
    Credential,
    Entry,
    ForgeError,
    NotFound,
    RateLimited,
    Unavailable,
    Usage,
)
from forges.opening import client_for
from forges.reading import Skip, SkipReason, read_texts
from integrations import gates
from integrations.apply import Applied, Links, Raced, apply_plan, occupied_paths, target_path
from integrations.models import ImportedFile, Integration, Track
from integrations.planning import Picture, Plan, Row, make_plan, select
from jobs.context import RunContext
from jobs.models import Status
from jobs.outcomes import Failure, HandOver, Held, Outcome, Waiting
from orgs import access

Confirmed = Mapping[str, Sequence[str]]

STORE_BATCH = 500
"""Texts held in memory before they are stored, if they are small."""
STORE_CHARACTERS = 4 << 20
"""They are stored at the latest when there is so much of them: Python keeps up to four bytes a character."""
TRIES = 3
"""Times to compare anew when the branch or the rows moved under the refresh."""


RATE_LIMIT = "the forge's rate limit to reset"
"""Finishes “Waiting for …”."""


class _Rewritten(Exception):
    """The commit disappeared under the refresh, and the branch has another head now."""


@dataclass(slots=True)
class TrackReport:
    """What happened to one Track, kept on the Run for the people who read it."""

    branch: str
    commit: str = ""
    commit_url: str = ""
    unchanged_head: bool = False
    complete: bool = True
    warnings: list[str] = field(default_factory=list)
    skips: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    held: dict[str, Any] | None = None


def credential_of(integration: Integration) -> Credential:
    return Credential(token=integration.token, username=integration.username)


def refresh(context: RunContext) -> Outcome:
    """The job: refresh every Track of the integration.

    Options: `prune` (bool), `confirmed` ({track id: digests of the removals that a person has confirmed}).
    """
    integration: Integration = context.subject
    prune = bool(context.options.get("prune"))
    confirmed: Confirmed = context.options.get("confirmed") or {}
    check_credential(integration)
    if prune:
        _check_may_prune(context, integration)
    reports: list[TrackReport] = []
    usage = Usage()
    try:
        with client_for(
            forge=integration.forge,
            base_url=integration.base_url,
            credential=credential_of(integration),
            seconds=context.budget.seconds if context.budget else None,
        ) as client:
            usage = client.usage
            for track in integration.tracks.select_related("integration__server").order_by("branch", "mount_path"):
                report = _refresh_track(context, client, track, prune=prune, confirmed=confirmed)
                reports.append(report)  # one by one: what is done so far is told also when the next one fails
    except RateLimited as error:
        raise Waiting(until=error.reset_at, for_what=RATE_LIMIT) from error
    except ForgeError as error:
        if too_much_for_a_page(context, error):
            raise HandOver("The forge took longer than a page may; the refresh goes on in the background.") from error
        raise failure_of(error, result=_result(usage, reports)) from error
    return _outcome(context, usage, reports, confirmed)


def check_credential(integration: Integration) -> None:
    """Raise Failure when a private repository has no token any more: asking would only be told “not found”."""
    if integration.credential_missing:
        raise Failure(
            "credential_missing",
            f"{integration.repository} is private and has no access token here. Enter one under Edit.",
        )


def _check_may_prune(context: RunContext, integration: Integration) -> None:
    """The right to delete is asked again when the Run runs: it may have been taken away since."""
    person = context.requested_by
    if person is None:
        return
    membership = access.membership_of(person, integration.server.organization_id)
    if not access.may(membership, "contents.can_delete"):
        raise Failure("not_allowed", f"{person} may not delete content, so nothing was pruned or changed.")


def too_much_for_a_page(context: RunContext, error: ForgeError) -> bool:
    """Whether a worker, who has more time and room, should try what did not work within a request."""
    budget, left = context.budget, context.time_left()
    if budget is None or left is None:
        return False
    return error.workers_can or (isinstance(error, Unavailable) and left <= budget.seconds * 0.2)


def failure_of(error: ForgeError, *, result: dict[str, Any] | None = None) -> Failure:
    return Failure(error.code, f"{error} {error.advice}".strip(), result=result)


def _outcome(context: RunContext, usage: Usage, reports: list[TrackReport], confirmed: Confirmed) -> Outcome:
    result = _result(usage, reports)
    held = [report for report in reports if report.held]
    if held:
        count = sum(report.held["count"] for report in held if report.held)
        raise Held(
            result,
            f"This refresh would remove {count:,} files, more than half of what it brought. Look at the list, and "
            "confirm that they shall go.",
            confirm_options={"confirmed": _with_held(confirmed, held)},
        )
    counts: dict[str, int] = {}
    for report in reports:
        for name, number in report.counts.items():
            counts[name] = counts.get(name, 0) + number
        for warning in report.warnings:
            context.log(warning, level="warning")
    partial = any(not report.complete for report in reports)
    return Outcome(status=Status.PARTIAL if partial else Status.SUCCEEDED, counts=counts, result=result)


def _with_held(confirmed: Confirmed, held: list[TrackReport]) -> dict[str, list[str]]:
    """Confirmations add up: a list may grow when the bytes tell that more is gone than the listing did."""
    both = {track: list(digests) for track, digests in confirmed.items()}
    for report in held:
        if report.held:
            both.setdefault(report.held["track"], []).append(report.held["digest"])
    return both


def _result(usage: Usage, reports: list[TrackReport]) -> dict[str, Any]:
    return {
        "tracks": [asdict(report) for report in reports],
        "requests": usage.requests,
        "rate_remaining": usage.rate_remaining,
        "rate_limit": usage.rate_limit,
        "rate_reset_at": usage.rate_reset_at.isoformat() if usage.rate_reset_at else None,
    }


def _refresh_track(
    context: RunContext, client: Client, track: Track, *, prune: bool, confirmed: Confirmed
) -> TrackReport:
    for _ in range(TRIES):
        try:
            return _refresh_once(context, client, track, prune=prune, confirmed=confirmed)
        except Raced:
            context.log("The server's content changed meanwhile; comparing again.")
        except _Rewritten:
            context.log("The branch was rewritten while it was being read; starting again at its new head.")
        try:
            track.refresh_from_db()
        except Track.DoesNotExist as error:
            raise Failure("deleted", "The integration was deleted while it was being refreshed.") from error
    raise Failure("busy", "The repository or the server's content changes faster than it is compared. Refresh again.")


def _refresh_once(
    context: RunContext, client: Client, track: Track, *, prune: bool, confirmed: Confirmed
) -> TrackReport:
    report = TrackReport(branch=track.branch)
    context.progress(f"Asking for the head of {track.branch}")
    name = track.integration.repository
    report.commit = client.head(name, track.branch)
    report.commit_url = client.commit_url(name, report.commit)
    if nothing_to_do(track, report.commit, prune=prune):
        report.unchanged_head = True
        report.counts = {"unchanged": track.files, "skipped": track.skipped_files.count()}
        return report
    picture = take_picture(track)  # before the listing: what is written meanwhile must not look vanished
    try:
        plan = plan_track(context, client, track, picture, commit=report.commit)
        if report_gate(report, track, plan, picture, prune=prune, confirmed=confirmed):
            return report
        texts, skips, stored = _fetch(context, client, track, plan, picture)
    except (Conflict, NotFound) as error:
        if client.head(name, track.branch) == report.commit:
            raise
        raise _Rewritten from error
    plan = plan.without(skips, picture.rows)
    # The bytes may have told that more is gone than the listing did.
    if skips and report_gate(report, track, plan, picture, prune=prune, confirmed=confirmed):
        return report
    context.check()
    context.progress("Applying", done=stored, total=stored)
    applied = apply_plan(
        track,
        plan,
        run=context.run,
        rows=picture.rows,
        blobs=texts,
        prune=prune,
        fingerprint=track.fingerprint,
        links=Links(lambda path: client.file_url(name, plan.commit, path), report.commit_url),
        fence=context.fence,
    )
    _fill(report, plan, applied, prune=prune)
    return report


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
    if imported.exclude(detached_at=None).count() != track.skipped_files.filter(reason=SkipReason.DETACHED).count():
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


def report_gate(
    report: TrackReport,
    track: Track,
    plan: Plan,
    picture: Picture,
    *,
    prune: bool,
    confirmed: Confirmed,
) -> bool:
    """Judge what would be removed. True when the Track has to wait for a person; raises Failure on an abort."""
    removing = plan.removing(prune=prune)
    digest = gates.removal_digest(plan.commit, (row.path for row in removing))
    if digest in confirmed.get(str(track.pk), ()):
        return False
    verdict = gates.judge(
        importable=plan.importable,
        server_rows=picture.server_rows,
        track_rows=len(picture.rows),
        removing=len(removing),
    )
    if verdict is gates.Verdict.ABORT:
        raise Failure(
            "empty_listing",
            f"The branch {track.branch} has no file to import any more, and pruning would remove all "
            f"{len(removing):,} files that came from it. Nothing was changed. If the repository is meant to be empty, "
            "delete the integration and remove its files there; otherwise check the branch and the path filter.",
        )
    if verdict is gates.Verdict.HOLD:
        report.held = {
            "track": str(track.pk),
            "digest": digest,
            "count": len(removing),
            "of": len(picture.rows),
            "paths": sorted(row.target for row in removing),
        }
        return True
    return False


def _fetch(
    context: RunContext, client: Client, track: Track, plan: Plan, picture: Picture
) -> tuple[dict[str, int], dict[str, Skip], int]:
    """Store the texts of what was added and changed: (path -> blob, path -> skip, how many)."""
    here = {row.oid: row.blob_id for row in picture.rows.values()}
    found: dict[str, int] = {entry.path: here[entry.oid] for entry in plan.to_fetch if entry.oid in here}
    wanted = [entry for entry in plan.to_fetch if entry.path not in found]
    if context.budget and len(wanted) > context.budget.items:
        raise HandOver(f"{len(wanted):,} files have to be fetched, which goes on in the background.")
    skips: dict[str, Skip] = {}
    batch: list[tuple[Entry, str]] = []
    done = held = 0
    context.progress("Fetching", done=0, total=len(wanted))
    texts = read_texts(
        client,
        track.integration.repository,
        plan.commit,
        wanted,
        max_bytes=settings.CONTENT_MAX_FILE_BYTES,
        total=plan.listed,
    )
    for entry, text in texts:
        done += 1
        if isinstance(text, Skip):
            skips[entry.path] = text
        else:
            batch.append((entry, text))
            held += len(text)
        if len(batch) >= STORE_BATCH or held >= STORE_CHARACTERS:
            found.update(_store(batch))
            batch.clear()
            held = 0
            context.check()
        context.progress("Fetching", done=done, total=len(wanted))
    found.update(_store(batch))
    return found, skips, done


def _store(batch: list[tuple[Entry, str]]) -> dict[str, int]:
    stored = blob_store.store_texts([text for _, text in batch])
    return {entry.path: stored[Blob.digest(text)] for entry, text in batch}


def _fill(report: TrackReport, plan: Plan, applied: Applied, *, prune: bool) -> None:
    report.counts = {
        "added": applied.added,
        "changed": applied.changed,
        "moved": applied.moved,
        "removed": applied.removed,
        "stale": applied.stale,
        "revived": applied.revived,
        "unchanged": plan.unchanged,
        "skipped": len(plan.skips),
    }
    for skip in plan.skips:
        report.skips[skip.reason] = report.skips.get(skip.reason, 0) + 1
    if not plan.complete:
        report.complete = False
        kept = " Nothing was pruned." if prune else ""
        report.warnings.append(f"The listing of {report.branch} is incomplete: {plan.reason}{kept}")
    if unreadable := report.skips.get(SkipReason.UNREADABLE):
        report.complete = False
        report.warnings.append(f"{unreadable:,} files could not be read this time; they stay as they were here.")
