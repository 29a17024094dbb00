"""Folders out of paths: what is directly below one folder, asked of the database.

Works on any rows that have a `path` (live content, a version's files). Only the names of the page that is shown are
loaded, however many files there are below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Count, F, Model, Q, QuerySet, Value
from django.db.models.functions import Greatest, StrIndex, Substr
from django.utils.functional import cached_property

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Folder:
    name: str
    path: str
    files: int
    """In it and everywhere below."""


@dataclass(frozen=True)
class Crumb:
    name: str
    path: str


class Children:
    """What is directly in `folder` ("" is the top): folders, then files. A sequence that a Paginator can page."""

    def __init__(self, rows: QuerySet[Any], folder: str) -> None:
        self.folder = folder
        prefix = f"{folder}/" if folder else ""
        inside = below(rows, folder).annotate(_rest=Substr("path", len(prefix) + 1))
        inside = inside.annotate(_slash=StrIndex(F("_rest"), Value("/")))
        # Not below zero: PostgreSQL refuses a negative length, also where a file has no folder.
        self._inside = inside.annotate(_folder=Substr(F("_rest"), 1, Greatest(F("_slash") - 1, 0)))
        self._prefix = prefix

    @cached_property
    def _counts(self) -> tuple[int, int]:
        """How many folders and files there are, in one pass over the paths."""
        slash = Q(_slash__gt=0)
        found = self._inside.order_by().aggregate(
            folders=Count("_folder", filter=slash, distinct=True), files=Count("pk", filter=~slash)
        )
        return found["folders"], found["files"]

    def count(self) -> int:
        return sum(self._counts)

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, part: slice) -> list[Folder | Any]:
        folders, files = self._counts
        start, stop = part.start or 0, self.count() if part.stop is None else part.stop
        found: list[Folder | Any] = []
        if start < folders:
            rows = self._inside.filter(_slash__gt=0).order_by().values("_folder").annotate(files=Count("pk"))
            rows = rows.order_by("_folder")[start : min(stop, folders)]
            found += [Folder(row["_folder"], self._prefix + row["_folder"], row["files"]) for row in rows]
        if stop > folders and files:
            found += list(self._inside.filter(_slash=0).order_by("path")[max(0, start - folders) : stop - folders])
        return found


def below(rows: QuerySet[Row], folder: str) -> QuerySet[Row]:
    """The rows in a folder and everywhere below; a range of the index (see PathField)."""
    return rows.filter(path__gte=f"{folder}/", path__lt=f"{folder}0") if folder else rows


def crumbs(path: str) -> list[Crumb]:
    """Each folder on the way to `path`, and itself: `a/b` is `a` and `a/b`."""
    names = path.split("/") if path else []
    return [Crumb(name, "/".join(names[: depth + 1])) for depth, name in enumerate(names)]
