"""Folders out of paths: what is directly below one folder, asked of the database.

Works on any rows that have a `path` (live content, a version's files). Only the names of the page that is shown are
loaded, however many files there are below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Count, F, Model, QuerySet, Value
from django.db.models.functions import StrIndex, Substr

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
        self._prefix = prefix
        self._files = inside.filter(_slash=0).order_by("path")
        self._folders = (
            inside.filter(_slash__gt=0)
            .order_by()
            .values(name=Substr(F("_rest"), 1, F("_slash") - 1))
            .annotate(files=Count("pk"))
            .order_by("name")
        )
        self._count: int | None = None
        self._folder_count: int | None = None

    def folder_count(self) -> int:
        if self._folder_count is None:
            self._folder_count = self._folders.count()
        return self._folder_count

    def count(self) -> int:
        if self._count is None:
            self._count = self.folder_count() + self._files.count()
        return self._count

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, part: slice) -> list[Folder | Any]:
        start, stop = part.start or 0, self.count() if part.stop is None else part.stop
        folders = self.folder_count()
        found: list[Folder | Any] = []
        if start < folders:
            rows = self._folders[start : min(stop, folders)]
            found += [Folder(row["name"], self._prefix + row["name"], row["files"]) for row in rows]
        if stop > folders:
            found += list(self._files[max(0, start - folders) : stop - folders])
        return found


def below(rows: QuerySet[Row], folder: str) -> QuerySet[Row]:
    """The rows in a folder and everywhere below; a range of the index (see PathField)."""
    return rows.filter(path__gte=f"{folder}/", path__lt=f"{folder}0") if folder else rows


def crumbs(path: str) -> list[Crumb]:
    """Each folder on the way to `path`, and itself: `a/b` is `a` and `a/b`."""
    names = path.split("/") if path else []
    return [Crumb(name, "/".join(names[: depth + 1])) for depth, name in enumerate(names)]
