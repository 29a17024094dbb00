"""Refresh: head -> unchanged? stop -> list -> diff -> gate -> fetch -> check -> apply.

Every difference is derived by comparing what is here with what is there, so a refresh that was interrupted anywhere is
repaired by running it again.
"""

from __future__ import annotations

from django.conf import settings

from catalog import blobs as blob_store
from catalog.models import Blob
from forges.clients.base import Client, Entry, Usage
from forges.clients.errors import Conflict, ForgeError, Moved, NotFound
from forges.holding import turn_of_reader
from forges.reading import Skip, gates, read_texts
from integrations.afterwards import finish
from integrations.apply import Links, Raced, apply_plan
from integrations.automation import may_prune
from integrations.comparing import nothing_to_do, plan_track, take_picture
from integrations.credentials import open_client
from integrations.models import Integration, Track
from integrations.news import follow_rename
from integrations.planning import Picture, Plan
from integrations.reporting import Confirmed, TrackReport, ending_of, note_applied, outcome_of, result_of
from jobs import runs
from jobs.context import RunContext
from jobs.models import Run, Status
from jobs.outcomes import Failure, HandOver, Held, Outcome
from orgs import access

STORE_BATCH = 500
"""Texts held in memory before they are stored, if they are small."""
STORE_CHARACTERS = 4 << 20
"""They are stored at the latest when there is so much of them: Python keeps up to four bytes a character."""
TRIES = 3
"""Times to compare anew when the branch or the rows moved under the refresh."""


class _Rewritten(Exception):
    """The commit disappeared under the refresh, and the branch has another head now."""


def refresh(context: RunContext) -> Outcome:
    """The job: refresh every Track of the integration.

    Options: `prune` (bool), `confirmed` ({track id: digests of the removals that a person has confirmed}).
    """
    integration: Integration = context.subject
    prune = bool(context.options.get("prune")) and _may_prune(context, integration)
    confirmed: Confirmed = context.options.get("confirmed") or {}
    reports: list[TrackReport] = []
    usage = Usage()
    tracks = list(integration.tracks.order_by("branch", "mount_path"))
    known = {track.last_commit for track in tracks}
    try:
        seconds = context.budget.seconds if context.budget else None
        with turn_of_reader(context, integration), open_client(integration, seconds=seconds) as client:
            usage = client.usage
            for track in tracks:
                track.integration = integration  # one for all: a new name found for one is known to the next
                report = _refresh_track(context, client, track, prune=prune, confirmed=confirmed)
                reports.append(report)  # one by one: what is done so far is told also when the next one fails
    except ForgeError as error:
        raise ending_of(context, error, result=result_of(usage, reports)) from error
    try:
        outcome = outcome_of(context, usage, reports, confirmed)
    except Held:
        _supersede(context)
        raise
    if version := finish(context, integration, reports, known=known):
        outcome.result["version"] = version.number
    return outcome


def _supersede(context: RunContext) -> None:
    """A newer list takes the place of older ones that nobody has decided on."""
    older = Run.objects.about(context.subject).filter(kind=context.run.kind, status=Status.HELD)
    for run in older.exclude(pk=context.run.pk):
        runs.cancel_run(run, by=None)


def _may_prune(context: RunContext, integration: Integration) -> bool:
    """The right to delete is asked again when the Run runs: it may have been taken away since.

    A person is told so and nothing is done; what nobody waits for keeps what vanished.
    """
    person = context.requested_by
    if person is None:
        if allowed := may_prune(integration):
            return allowed
        text = "Who chose that automatic refreshes prune may not delete content any more, so nothing is pruned."
        context.log(text, level="warning")
        return False
    membership = access.membership_of(person, integration.server.organization_id)
    if not access.may(membership, "contents.can_delete"):
        raise Failure("not_allowed", f"{person} may not delete content, so nothing was pruned or changed.")
    return True


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
        except (NotFound, Moved):
            if not _renamed(context, client, track.integration):
                raise
        try:
            track.refresh_from_db()
        except Track.DoesNotExist as error:
            return _removed(context, track, error)
    raise Failure("busy", "The repository or the server's content changes faster than it is compared. Refresh again.")


def _removed(context: RunContext, track: Track, error: Track.DoesNotExist) -> TrackReport:
    if not Integration.objects.filter(pk=track.integration_id).exists():
        raise Failure("deleted", "The integration was deleted while it was being refreshed.") from error
    context.log(f"{track.branch} was removed from the integration meanwhile.")
    return TrackReport(branch=track.branch)


def _renamed(context: RunContext, client: Client, integration: Integration) -> bool:
    """Whether the repository has another name now, which is taken over: by the forge's id it is the same one."""
    found = client.find(integration.repository_id)
    if found.full_name == integration.repository:
        return False
    follow_rename(integration, found.full_name)
    context.log(f"The repository is called {found.full_name} now.")
    return True


def _head(client: Client, track: Track) -> str:
    """Of the repository that was connected, never of another one that has its name by now."""
    integration = track.integration
    return client.head(integration.repository, track.branch, repository_id=integration.repository_id)


def _refresh_once(
    context: RunContext, client: Client, track: Track, *, prune: bool, confirmed: Confirmed
) -> TrackReport:
    report = TrackReport(branch=track.branch)
    context.progress(f"Asking for the head of {track.branch}")
    name = track.integration.repository
    report.commit = _head(client, track)
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
        if _head(client, track) == report.commit:
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
    note_applied(report, plan, applied, prune=prune)
    return report


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
        all_rows=picture.server_rows,
        own_rows=len(picture.rows),
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
