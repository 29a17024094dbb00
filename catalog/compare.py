"""What differs between two versions, or between a version and the live content.

Which files differ is asked of the database by path and blob; texts are loaded for one file at a time.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Value

from catalog.models import Blob, Content, Server, Version, VersionFile

MAX_BYTES = 400_000
"""Of both texts together; comparing takes time in the square of their lines at worst."""
MAX_LINES = 8_000
MAX_DIFF_LINES = 2_000


@dataclass(frozen=True)
class Side:
    """The files of one version, or the live content (`version` is None)."""

    server: Server
    version: Version | None

    @property
    def label(self) -> str:
        return str(self.version) if self.version else "Live content"

    @property
    def key(self) -> str:
        """What stands for it in an address: the version's number, or `live`."""
        return str(self.version.number) if self.version else "live"

    def files(self) -> QuerySet[Any]:
        if self.version:
            return VersionFile.objects.filter(version=self.version)
        return Content.objects.filter(server=self.server)


@dataclass(frozen=True)
class TextDiff:
    lines: list[str]
    """Of a unified diff, without line ends."""
    cut: bool
    """Whether there are more lines than are given."""
    too_large: bool = False


def changes(before: Side, after: Side) -> Any:
    """The files that differ, by path, as dicts `{"path", "kind"}`. Slice it: there may be many."""
    return (
        _of_kind("added", before, after)
        .union(_of_kind("changed", before, after), _of_kind("removed", before, after), all=True)
        .order_by("path")
    )


def counts(before: Side, after: Side) -> dict[str, int]:
    """How many files were added, changed and removed."""
    return {kind: _of_kind(kind, before, after).count() for kind in ("added", "changed", "removed")}


def _of_kind(kind: str, before: Side, after: Side) -> QuerySet[Any, Any]:
    if kind == "removed":
        before, after = after, before
    twin = before.files().filter(path=OuterRef("path"))
    differing: QuerySet[Any, Any]
    if kind == "changed":
        differing = after.files().filter(Exists(twin.exclude(blob=OuterRef("blob"))))
    else:
        differing = after.files().filter(~Exists(twin))
    rows: QuerySet[Any, Any] = differing.order_by().values("path").annotate(kind=Value(kind))
    return rows


def text_diff(before: Side, after: Side, path: str) -> TextDiff | None:
    """The difference of one file's texts; None when neither side has it."""
    blobs = [side.files().filter(path=path).values_list("blob_id", flat=True).first() for side in (before, after)]
    if blobs == [None, None]:
        return None
    found = Blob.objects.filter(pk__in=[pk for pk in blobs if pk])
    if sum(found.values_list("size", flat=True)) > MAX_BYTES:
        return TextDiff([], cut=False, too_large=True)
    texts = {blob.pk: blob.text for blob in found}
    old, new = (texts.get(pk or 0, "") for pk in blobs)
    return diff(old, new, before.label, after.label)


def diff(old: str, new: str, old_name: str = "before", new_name: str = "after") -> TextDiff:
    """A unified diff of two texts, cut after MAX_DIFF_LINES."""
    old_lines, new_lines = old.splitlines(), new.splitlines()
    if len(old_lines) + len(new_lines) > MAX_LINES:
        return TextDiff([], cut=False, too_large=True)
    lines = list(difflib.unified_diff(old_lines, new_lines, old_name, new_name, lineterm=""))
    if not lines and old != new:
        lines = ["@@ Only line ends differ @@"]
    return TextDiff(lines[:MAX_DIFF_LINES], cut=len(lines) > MAX_DIFF_LINES)
