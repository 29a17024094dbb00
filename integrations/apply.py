"""Writing a plan: everything that a refresh changes, in one short transaction.

The texts are blobs by then, stored beforehand. What is written here is pointers, in batches, so that memory stays
flat and readers see the old content or the new and never half.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from catalog import contents
from catalog.bulk import insert_rows
from catalog.models import Blob, Content, Origin, Server
from catalog.paths import parents
from forges.clients.base import Entry
from forges.reading import Skip
from integrations.models import FileChange, ImportedFile, Integration, SkippedFile, Track
from integrations.planning import Plan, Row
from jobs.models import Run

BATCH = 1000
"""Rows in one INSERT."""
LOOKUP = 500
"""Values in one IN (…): some builds of SQLite allow 999 parameters."""

RANGES = 50
"""Folders asked about in one query."""

T = TypeVar("T")


class Raced(Exception):
    """Somebody changed rows of this plan since the picture was taken: compare again."""


@dataclass(frozen=True, slots=True)
class Applied:
    added: int = 0
    changed: int = 0
    moved: int = 0
    removed: int = 0
    stale: int = 0
    revived: int = 0

    @property
    def anything(self) -> bool:
        return any((self.added, self.changed, self.moved, self.removed, self.stale, self.revived))


@dataclass(frozen=True, slots=True)
class Links:
    """Where a person sees a file and a commit at the forge. They ask nobody anything."""

    file: Callable[[str], str]
    commit: str


def apply_plan(
    track: Track,
    plan: Plan,
    *,
    run: Run,
    rows: Mapping[str, Row],
    blobs: Mapping[str, int],
    prune: bool,
    fingerprint: str,
    links: Links,
    fence: Callable[[], None],
) -> Applied:
    """Make the Track's rows equal to the plan.

    `rows` is the picture's, `blobs` the stored text of each entry to fetch. `fence` raises if this worker no longer
    owns the Run. Raises Raced, with nothing written, if the picture is no longer true.
    """
    sizes = _sizes(blobs.values())
    if len(sizes) < len(set(blobs.values())):
        raise Raced  # a text was collected before anything pointed to it
    try:
        with transaction.atomic():
            fence()
            Server.objects.select_for_update().get(pk=track.integration.server_id)
            track = Track.objects.select_for_update(of=("self",)).select_related("integration").get(pk=track.pk)
            now = timezone.now()
            if track.fingerprint != fingerprint:
                raise Raced  # somebody edited it meanwhile: what was planned is not what is wanted any more
            writer = _Writer(track, plan, run=run, rows=rows, blobs=blobs, sizes=sizes, links=links, now=now)
            applied = writer.write(prune=prune)
            _replace_skips(track, plan)
            _note_on_track(track, plan, fingerprint=fingerprint, links=links, now=writer.now)
            if applied.anything:
                contents.touch(track.integration.server)
                # Kept with the change itself: whoever is killed now leaves a version to be cut by the next one.
                Integration.objects.filter(pk=track.integration_id).exclude(after_refresh="").update(version_due=True)
            return applied
    except (IntegrityError, Track.DoesNotExist, Server.DoesNotExist) as error:
        raise Raced from error


class _Writer:
    def __init__(
        self,
        track: Track,
        plan: Plan,
        *,
        run: Run,
        rows: Mapping[str, Row],
        blobs: Mapping[str, int],
        sizes: Mapping[int, int],
        links: Links,
        now: datetime,
    ) -> None:
        self.track, self.plan, self.run, self.rows = track, plan, run, rows
        self.blobs, self.sizes, self.links, self.now = blobs, sizes, links, now
        self.server_id = track.integration.server_id

    def write(self, *, prune: bool) -> Applied:
        plan = self.plan
        removing, newly_stale = plan.removing(prune=prune), plan.newly_stale(prune=prune)
        changed = [(self.rows[entry.path], entry) for entry in plan.changed]
        moved = [(self.rows[move.old], move.entry) for move in plan.moved]
        touched = [row for row, _ in (*changed, *moved)] + [*removing, *newly_stale, *plan.revived]
        self._claim(touched, [entry for _, entry in (*changed, *moved)] + list(plan.added))
        self._remove(removing)
        self._move_out_of_the_way([row for row, entry in (*changed, *moved) if row.target != self._target(entry.path)])
        self._update(changed, FileChange.Action.CHANGED)
        self._update(moved, FileChange.Action.MOVED)
        self._mark(newly_stale, stale=True)
        self._mark(plan.revived, stale=False)
        self._add(plan.added)
        return Applied(
            added=len(plan.added),
            changed=len(changed),
            moved=len(moved),
            removed=len(removing),
            stale=len(newly_stale),
            revived=len(plan.revived),
        )

    def _claim(self, touched: Sequence[Row], arriving: Sequence[Entry]) -> None:
        """Lock the rows to be written and see that they are still ours, and that the new paths are still free."""
        ids = {row.content_id for row in touched}
        ours = Content.objects.filter(origin=Origin.IMPORTED, imported_file__detached_at=None)
        locked = sum(
            len(ours.select_for_update(of=("self",)).filter(pk__in=chunk).values_list("pk", flat=True))
            for chunk in chunked(sorted(ids), LOOKUP)
        )
        if locked != len(ids):
            raise Raced
        targets = [target_path(self.track.mount_path, entry.path) for entry in arriving]
        own = {row.content_id for row in self.rows.values()}
        if occupied_paths(self.server_id, targets, but=own):
            raise Raced

    def _remove(self, rows: Sequence[Row]) -> None:
        for chunk in chunked(rows, LOOKUP):
            ids = [row.content_id for row in chunk]
            ImportedFile.objects.filter(content_id__in=ids).delete()
            Content.objects.filter(pk__in=ids).delete()
        self._record(FileChange.Action.REMOVED, ((row.target, "", row.blob_id, None) for row in rows))

    def _move_out_of_the_way(self, rows: Sequence[Row]) -> None:
        """Two files may have changed places: no path is taken before all are free. No real path begins with //."""
        for chunk in chunked(rows, BATCH):
            Content.objects.bulk_create(
                [self._content(row.blob_id, f"//{row.content_id}", pk=row.content_id) for row in chunk],
                update_conflicts=True,
                unique_fields=["id"],
                update_fields=["path"],
            )
        for chunk in chunked(rows, LOOKUP):
            files = list(ImportedFile.objects.filter(content_id__in=[row.content_id for row in chunk]))
            for file in files:
                file.path = f"//{file.content_id}"
            ImportedFile.objects.bulk_update(files, ["path"], batch_size=LOOKUP)

    def _update(self, pairs: Sequence[tuple[Row, Entry]], action: FileChange.Action) -> None:
        """Point existing rows at new texts and paths: an upsert by primary key, one statement a batch."""
        for chunk in chunked(pairs, BATCH):
            Content.objects.bulk_create(
                [
                    self._content(
                        self.blobs.get(entry.path, row.blob_id),
                        self._target(entry.path),
                        pk=row.content_id,
                        provenance=self._provenance(entry),
                    )
                    for row, entry in chunk
                ],
                update_conflicts=True,
                unique_fields=["id"],
                update_fields=["path", "blob", "provenance", "updated_at"],
            )
            by_content = {row.content_id: (row, entry) for row, entry in chunk}
            for part in chunked(sorted(by_content), LOOKUP):
                files = list(ImportedFile.objects.filter(content_id__in=part))
                for file in files:
                    row, entry = by_content[file.content_id]
                    file.path, file.oid, file.commit = entry.path, entry.oid, self.plan.commit
                    file.size = self.sizes[self.blobs[entry.path]] if entry.path in self.blobs else row.size
                    file.stale_since = None
                ImportedFile.objects.bulk_update(
                    files, ["path", "oid", "commit", "size", "stale_since"], batch_size=LOOKUP
                )
        self._record(
            action,
            (
                (
                    self._target(entry.path),
                    row.target if row.target != self._target(entry.path) else "",
                    row.blob_id,
                    self.blobs.get(entry.path, row.blob_id),
                )
                for row, entry in pairs
            ),
        )

    def _mark(self, rows: Sequence[Row], *, stale: bool) -> None:
        since = self.now if stale else None
        for chunk in chunked(rows, LOOKUP):
            ids = [row.content_id for row in chunk]
            ImportedFile.objects.filter(content_id__in=ids).update(stale_since=since)
            marked = list(Content.objects.filter(pk__in=ids))
            for content in marked:
                content.provenance.pop("stale_since", None)
                if since:
                    content.provenance["stale_since"] = since.isoformat()
            Content.objects.bulk_update(marked, ["provenance"], batch_size=LOOKUP)
        action = FileChange.Action.STALE if stale else FileChange.Action.REVIVED
        self._record(action, ((row.target, "", row.blob_id, row.blob_id) for row in rows))

    def _add(self, entries: Sequence[Entry]) -> None:
        for chunk in chunked(entries, LOOKUP):
            targets = {self._target(entry.path): entry for entry in chunk}
            insert_rows(
                Content,
                ("path", "blob", "provenance"),
                ((target, self.blobs[entry.path], self._provenance(entry)) for target, entry in targets.items()),
                same={"server": self.server_id, "origin": Origin.IMPORTED, "updated_at": self.now},
            )
            created = Content.objects.filter(server_id=self.server_id, path__in=list(targets))
            insert_rows(
                ImportedFile,
                ("content", "path", "oid", "size"),
                (
                    (pk, targets[path].path, targets[path].oid, self.sizes[blob_id])
                    for pk, path, blob_id in created.values_list("pk", "path", "blob_id")
                ),
                same={
                    "server": self.server_id,
                    "track": self.track.pk,
                    "source_key": self.track.source_key,
                    "commit": self.plan.commit,
                },
            )
        self._record(
            FileChange.Action.ADDED,
            ((self._target(entry.path), "", None, self.blobs[entry.path]) for entry in entries),
        )

    def _record(self, action: FileChange.Action, changes: Iterable[tuple[str, str, int | None, int | None]]) -> None:
        insert_rows(
            FileChange,
            ("path", "old_path", "before", "after"),
            changes,
            same={"run": self.run.pk, "action": action, "at": self.now},
        )

    def _content(self, blob_id: int, path: str, *, pk: int | None = None, provenance: Any = None) -> Content:
        return Content(
            pk=pk,
            server_id=self.server_id,
            path=path,
            blob_id=blob_id,
            origin=Origin.IMPORTED,
            provenance=provenance or {},
            updated_at=self.now,
        )

    def _provenance(self, entry: Entry) -> dict[str, str]:
        return {
            "repository": self.track.integration.short_name,
            "branch": self.track.branch,
            "commit": self.plan.commit,
            "oid": entry.oid,
            "path": entry.path,
            "url": self.links.file(entry.path),
            "commit_url": self.links.commit,
        }

    def _target(self, path: str) -> str:
        return target_path(self.track.mount_path, path)


def _sizes(blob_ids: Iterable[int]) -> dict[int, int]:
    """The bytes of each text as stored; forges do not always tell them."""
    sizes: dict[int, int] = {}
    for chunk in chunked(sorted(set(blob_ids)), LOOKUP):
        sizes.update(Blob.objects.filter(pk__in=chunk).values_list("pk", "size"))
    return sizes


def _replace_skips(track: Track, plan: Plan) -> None:
    """Remember why files were left out; what an incomplete listing did not show keeps its reason."""
    old = SkippedFile.objects.filter(track=track)
    if plan.complete:
        old.delete()
        fresh: Sequence[Skip] = plan.skips
    else:
        known = set(old.values_list("path", flat=True))
        fresh = [skip for skip in plan.skips if skip.path not in known]
    SkippedFile.objects.bulk_create(
        [
            SkippedFile(
                track=track,
                path=skip.path,
                oid=skip.oid,
                reason=skip.reason,
                detail=skip.detail[:254],
                blocked=skip.path in plan.blocked,
            )
            for skip in fresh
        ],
        batch_size=BATCH,
    )


def _note_on_track(track: Track, plan: Plan, *, fingerprint: str, links: Links, now: datetime) -> None:
    imported = ImportedFile.objects.filter(track=track, detached_at=None)
    track.last_commit = plan.commit
    track.last_commit_url = links.commit
    track.last_fingerprint = fingerprint
    track.last_complete = plan.complete and not any(skip.reason == "unreadable" for skip in plan.skips)
    track.files = imported.filter(stale_since=None).count()
    track.stale_files = imported.exclude(stale_since=None).count()
    track.refreshed_at = now
    track.save()


def target_path(mount_path: str, path: str) -> str:
    """Where a repository's file lies on the server."""
    return f"{mount_path}/{path}" if mount_path else path


def occupied_paths(server_id: Any, paths: Iterable[str], *, but: set[int]) -> set[str]:
    """Those of the paths that other content of the server keeps from being used.

    It has that very path, or is a file where the path needs a folder, or lies in a folder where the path is a file.
    `but` are content ids that do not count.
    """
    here = Content.objects.filter(server_id=server_id)
    if here.count() <= len(but):
        return set()
    needs: dict[str, set[str]] = {}
    wanted = list(paths)
    for path in wanted:
        for taken in (path, *parents(path)):
            needs.setdefault(taken, set()).add(path)
    found: set[str] = set()
    for chunk in chunked(needs, LOOKUP):
        for path, pk in here.filter(path__in=chunk).values_list("path", "pk"):
            if pk not in but:
                found |= needs[path]
    for chunk in chunked(wanted, RANGES):
        # All below a folder is one range of the index: “0” is what follows “/”.
        below = reduce(or_, (Q(path__gt=f"{path}/", path__lt=f"{path}0") for path in chunk))
        for inside, pk in here.filter(below).values_list("path", "pk"):
            if pk not in but:
                found.update(set(chunk).intersection(parents(inside)))
    return found


def chunked(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of up to `size` items. (itertools.batched needs Python 3.12.)"""
    chunk: list[T] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
