"""A server's own content in the index: its live files, and those of all its versions.

There are no pages of it: a file has its text by its blob. What is missing is found by comparing files with texts, in
the database, so that one changed file reads one file, whoever changed it and whatever was missed meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import QuerySet, Sum

from catalog.models import Blob, Content, Server, Version, VersionFile
from indexing import texts
from indexing.chunking.model import CHUNKER
from indexing.matching import format_of, lacking, name_of, used_by
from indexing.models import ServerIndex, Source, Text
from indexing.texts import NewText
from jobs.context import RunContext
from jobs.models import LogLine, Status, Trigger
from jobs.outcomes import Outcome

logger = logging.getLogger(__name__)

BATCH = 1_000
"""Files that are compared and told of at a time, without their texts."""
BATCH_TEXTS, BATCH_BYTES = 100, 4 << 20
"""What is read at a time."""


@dataclass(frozen=True, slots=True)
class _File:
    pk: int
    path: str
    blob_id: int
    size: int


def source_of_content(server: Server) -> Source:
    """The Source that stands for a server's own content, made if there is none."""
    kind = Source.Kind.CONTENT
    source: Source = Source.objects.get_or_create(server=server, kind=kind, defaults={"name": kind.label})[0]
    return source


def index(context: RunContext, source: Source) -> Outcome:
    """Bring the index of a server's own content up to date. One file that cannot be cut fails none of the others."""
    server: Server = source.server
    server.refresh_from_db(fields=["content_revision"])
    place = texts.index_of(server)
    last_version = Version.objects.filter(server=server).order_by("-pk").values_list("pk", flat=True).first() or 0
    live, versions = Content.objects.filter(server=server), _versions(context, source)
    work = _Work(context, place, total=sum(_texts_lacking(files, place) for files in (live, versions)))
    for files in (live, versions):
        work.through(files)
    context.progress("Tidying up")
    forgotten = texts.forget_unused(place)
    facts = {"fingerprint": fingerprint_of(server.content_revision, last_version), **counted(source)}
    with transaction.atomic():
        context.fence()
        Source.objects.filter(pk=source.pk).update(**facts)
    return Outcome(
        status=Status.PARTIAL if work.failed else Status.SUCCEEDED,
        counts={"indexed": work.indexed, "removed": forgotten, "failed": work.failed},
    )


def counted(source: Source) -> dict[str, int]:
    """`pages`, `chunks` and `skipped` of a server's content: of its live files."""
    live = Content.objects.filter(server=source.server_id)
    place = ServerIndex.objects.filter(server=source.server_id).first()
    if place is None:
        return {"pages": 0, "chunks": 0, "skipped": live.count()}
    skipped = lacking(live, place).count()
    used = Text.objects.filter(used_by(live), index=place)
    return {
        "pages": live.count() - skipped,
        "chunks": used.aggregate(chunks=Sum("chunks"))["chunks"] or 0,
        "skipped": skipped,
    }


def fingerprint_of(revision: int, last_version: int) -> str:
    """Of the content that is in the index: the rules it was cut by, its revision, and the newest of its versions."""
    return f"{CHUNKER}.{revision}.{last_version}"


def _versions(context: RunContext, source: Source) -> QuerySet[VersionFile]:
    """The files of versions that may lack a text: they never change, so those looked at once are not again, unless a
    person asks."""
    chunker, _, rest = source.fingerprint.partition(".")
    files = VersionFile.objects.filter(version__server=source.server_id)
    if chunker != str(CHUNKER) or context.run.trigger == Trigger.MANUAL:
        return files
    return files.filter(version__gt=int(rest.partition(".")[2] or 0))


def _texts_lacking(files: QuerySet[Any], place: ServerIndex) -> int:
    return lacking(files, place).order_by().values("blob", "path").distinct().count()


class _Work:
    """Goes through the files that lack a text, and counts."""

    def __init__(self, context: RunContext, place: ServerIndex, *, total: int) -> None:
        self.context, self.place, self.total = context, place, total
        self.indexed = self.failed = 0

    def through(self, files: QuerySet[Any]) -> None:
        last = 0
        while batch := self._next(files, last):
            last = batch[-1].pk
            # A file that several versions have is one text.
            for some in _bounded({(file.blob_id, file.path): file for file in batch}.values()):
                self.context.check()
                self.context.progress("Indexing files", self.indexed + self.failed, self.total)
                self._store(some)

    def _next(self, files: QuerySet[Any], last: int) -> list[_File]:
        rows = lacking(files.filter(pk__gt=last), self.place).order_by("pk")
        return [_File(*row) for row in rows.values_list("pk", "path", "blob_id", "blob__size")[:BATCH]]

    def _store(self, files: Sequence[_File]) -> None:
        read = dict(Blob.objects.filter(pk__in={file.blob_id for file in files}).values_list("pk", "text"))
        new = {
            file: NewText(file.blob_id, read[file.blob_id], format_of(file.path), name_of(file.path))
            for file in files
            if file.blob_id in read  # or it was replaced and collected meanwhile
        }
        try:
            texts.store(self.place, list(new.values()))
        except DatabaseError:
            raise
        except Exception:
            for file, text in new.items():
                self._store_one(file, text)
        else:
            self.indexed += len(new)

    def _store_one(self, file: _File, text: NewText) -> None:
        try:
            texts.store(self.place, [text])
        except DatabaseError:
            raise
        except Exception as error:
            logger.exception("The text of file %s cannot be cut", file.pk)
            self.failed += 1
            self.context.log(f"{file.path} cannot be indexed ({type(error).__name__}).", LogLine.Level.WARNING)
        else:
            self.indexed += 1


def _bounded(files: Iterable[_File]) -> Iterator[list[_File]]:
    """As many at a time as are read into memory together."""
    some: list[_File] = []
    held = 0
    for file in files:
        if some and (len(some) >= BATCH_TEXTS or held + file.size > BATCH_BYTES):
            yield some
            some, held = [], 0
        some.append(file)
        held += file.size
    if some:
        yield some
