"""Preview: what a refresh would do, without writing any of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.conf import settings

from catalog.compare import MAX_BYTES, TextDiff, diff
from forges.clients.base import Entry
from forges.clients.errors import ForgeError, Unavailable
from forges.holding import turn_of_reader
from forges.reading import Skip, check_bytes, fetch, gates
from integrations.apply import target_path
from integrations.comparing import plan_track, take_picture
from integrations.credentials import open_client
from integrations.models import ImportedFile, Integration, Track
from integrations.planning import Picture, Plan
from integrations.reporting import ending_of
from jobs.context import RunContext
from jobs.outcomes import Outcome

SHOWN = 1000
"""Paths of each kind that a preview lists; the counts are always exact."""


def preview(context: RunContext) -> Outcome:
    """The job: plan a refresh of each Track. Options: `prune` (bool). The plan is in the result, under `plans`."""
    integration: Integration = context.subject
    prune = bool(context.options.get("prune"))
    plans: list[dict[str, Any]] = []
    counts: dict[str, int] = {}
    try:
        seconds = context.budget.seconds if context.budget else None
        with turn_of_reader(context, integration), open_client(integration, seconds=seconds) as client:
            for track in integration.tracks.select_related("integration__server"):
                picture = take_picture(track)
                context.progress(f"Asking for the head of {track.branch}")
                commit = client.head(integration.repository, track.branch, repository_id=integration.repository_id)
                plan = plan_track(context, client, track, picture, commit=commit)
                shown = describe(track, plan, picture, prune=prune)
                shown["commit_url"] = client.commit_url(integration.repository, commit)
                plans.append(shown)
                for name, number in shown["counts"].items():
                    counts[name] = counts.get(name, 0) + number
    except ForgeError as error:
        raise ending_of(context, error) from error
    return Outcome(counts=counts, result={"plans": plans, "requests": client.usage.requests})


def describe(track: Track, plan: Plan, picture: Picture, *, prune: bool) -> dict[str, Any]:
    """A plan as JSON for the page: counts, and up to `SHOWN` paths of each kind."""
    removing = plan.removing(prune=prune)
    stale = plan.newly_stale(prune=prune)
    verdict = gates.judge(
        importable=plan.importable,
        all_rows=picture.server_rows,
        own_rows=len(picture.rows),
        removing=len(removing),
    )
    return {
        "track": str(track.pk),
        "branch": track.branch,
        "mount_path": track.mount_path,
        "commit": plan.commit,
        "complete": plan.complete,
        "reason": plan.reason,
        "gate": verdict.value,
        "counts": {
            "added": len(plan.added),
            "changed": len(plan.changed),
            "moved": len(plan.moved),
            "removed": len(removing),
            "stale": len(stale),
            "revived": len(plan.revived),
            "unchanged": plan.unchanged,
            "skipped": len(plan.skips),
        },
        "added": _entries(track, plan.added),
        "changed": _entries(track, plan.changed),
        "moved": [
            {"path": target_path(track.mount_path, move.entry.path), "old": picture.rows[move.old].target}
            for move in plan.moved[:SHOWN]
        ],
        "removed": [{"path": row.target} for row in removing[:SHOWN]],
        "stale": [{"path": row.target} for row in stale[:SHOWN]],
        "revived": [{"path": row.target} for row in plan.revived[:SHOWN]],
        "skipped": [
            {"path": skip.path, "reason": str(skip.reason), "detail": skip.detail} for skip in plan.skips[:SHOWN]
        ],
    }


def _entries(track: Track, entries: Iterable[Entry]) -> list[dict[str, Any]]:
    return [
        {
            "path": target_path(track.mount_path, entry.path),
            "source": entry.path,
            "oid": entry.oid,
            "size": entry.size,
            "kind": str(entry.kind),
        }
        for entry, _ in zip(entries, range(SHOWN), strict=False)
    ]


class NotInPlan(LookupError):
    """The path asked for is not among those that the preview lists."""


def preview_diff(track: Track, plan: dict[str, Any], path: str) -> TextDiff | Skip:
    """The difference between a file here and as the preview's commit has it, or why it would be skipped.

    Asks the forge for that one blob, unless the file would be removed. `path` is the one on the server. Raises
    NotInPlan, ForgeError, and Failure when the credential is missing.
    """
    ours = ImportedFile.objects.filter(track=track).select_related("content__blob")
    if any(item["path"] == path for item in plan["removed"]):
        going = ours.filter(content__path=path).first()
        return unified(going.content.blob.text if going else "", "")
    listed = {item["path"]: item for item in (*plan["added"], *plan["changed"])}
    if path not in listed:
        raise NotInPlan(path)
    item = listed[path]
    integration = track.integration
    entry = Entry(item["source"], item["oid"], item["size"])
    with open_client(integration, seconds=settings.REFRESH_INLINE_SECONDS) as client:
        ((_, data),) = fetch(client, integration.repository, plan["commit"], [entry])
    if data is None:
        raise Unavailable("The forge does not hand out this file any more.")
    text = check_bytes(entry, data, max_bytes=settings.CONTENT_MAX_FILE_BYTES)
    if isinstance(text, Skip):
        return text
    imported = ours.filter(path=entry.path).first()
    return unified(imported.content.blob.text if imported else "", text)


def unified(before: str, after: str) -> TextDiff:
    """A unified diff without its file header, within the limits of `catalog.compare`: whoever writes to a repository
    could write texts that take an hour to compare."""
    if len(before) + len(after) > MAX_BYTES:
        return TextDiff([], cut=False, too_large=True)
    found = diff(before, after)
    return replace(found, lines=found.lines[2:] or found.lines)
