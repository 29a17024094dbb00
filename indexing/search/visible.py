"""Which texts a search sees, and where they are: in the files of what is served, and in what sources brought.

A text is in the index of its server as long as anything there uses it, also a version that nobody asked for. So what is
found is looked up here before anybody sees it, from the server that was asked.
"""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, TypeVar

from django.db.models import Q, QuerySet

from catalog.models import Content, Origin, Server, Version, VersionFile
from indexing.models import Chunk, Page, Source, Text
from indexing.search import reading
from indexing.search.model import Filters
from indexing.search.reading import ChunkRow, SourceRow
from indexing.texts import format_of

MAX_PLACES = 2_000
"""Rows of files and pages that are read at a time; a text can be at any number of paths."""
_Row = TypeVar("_Row", bound=tuple[Any, ...])


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text is."""

    kind: str
    source: SourceRow | None
    path: str
    url: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """Of an imported file; a detached one is no longer its forge's."""


@dataclass(frozen=True)
class Scope:
    """What is searched of one server, and confined to what."""

    server: Server
    version: Version | None
    number: int
    """Of its index."""
    filters: Filters
    all_sources: Sequence[SourceRow] = ()
    """Of the server."""

    def __post_init__(self) -> None:
        if self.version is not None and self.version.server_id != self.server.pk:
            raise ValueError("The version is another server's.")

    @property
    def files(self) -> QuerySet[Any]:
        """Of the version; of the live content without one."""
        if self.version is None:
            return Content.objects.filter(server=self.server)
        return VersionFile.objects.filter(version=self.version)

    @cached_property
    def sources(self) -> dict[uuid.UUID, SourceRow]:
        """Those that the filters leave."""
        return {source.id: source for source in self.all_sources if self._wants(source)}

    @cached_property
    def content_source(self) -> SourceRow | None:
        return next((source for source in self.sources.values() if source.kind == Source.Kind.CONTENT), None)

    @property
    def has_files(self) -> bool:
        """Whether files can be hits: also before the source that stands for them was made, if none is asked for."""
        if self.content_source is not None:
            return True
        return not self.filters.sources and self._wants_kind(Source.Kind.CONTENT)

    @property
    def page_sources(self) -> list[uuid.UUID]:
        return [source.id for source in self.sources.values() if source.kind != Source.Kind.CONTENT]

    def _wants(self, source: SourceRow) -> bool:
        return self._wants_kind(source.kind) and (not self.filters.sources or source.id in self.filters.sources)

    def _wants_kind(self, kind: str) -> bool:
        return not self.filters.kinds or kind in self.filters.kinds


def places(scope: Scope, chunks: Iterable[ChunkRow]) -> dict[int, Place]:
    """Where each text of these chunks is, by its id; those that are nowhere, or are filtered out, are left out.

    Of several places, the server's own files go first, then short paths.
    """
    found: dict[int, Place] = {}
    wanted = {chunk.text_id: chunk for chunk in chunks}
    if scope.has_files:
        by_blob = defaultdict(list)
        for text in wanted.values():
            by_blob[text.blob_id].append(text)
        for blob_id, path, origin, provenance in _files(scope, set(by_blob)):
            for text in by_blob[blob_id]:
                if text.text_id not in found and is_text_of(text, path):
                    brought = json.loads(provenance) if origin == Origin.IMPORTED else {}
                    found[text.text_id] = Place(Source.Kind.CONTENT, scope.content_source, path, provenance=brought)
    for text_id, source_id, path, url in _pages(scope, wanted.keys() - found.keys()):
        if text_id not in found and is_below(scope.filters.path, path, url):
            source = scope.sources[source_id]
            found[text_id] = Place(source.kind, source, path, url)
    return found


def is_text_of(text: ChunkRow, path: str) -> bool:
    """Whether a file at this path, with the text's blob, is in the index by this text."""
    return text.format == format_of(path) and text.name in ("", path.rpartition("/")[2])


def few_chunks(scopes: Sequence[Scope], limit: int) -> list[int] | None:
    """The ids of all chunks that these may see, if they are no more than the limit; otherwise None."""
    chunks: list[int] = []
    for scope in scopes:
        texts = _few_texts(scope, limit)
        if texts is None:
            return None
        in_range = Chunk.objects.filter(text_id__in=texts, text__index=scope.number)
        chunks += in_range.values_list("pk", flat=True)[: limit + 1]
        if len(chunks) > limit:
            return None
    return chunks


def _few_texts(scope: Scope, limit: int) -> set[int] | None:
    texts: set[int] = set()
    if scope.has_files:
        blobs = _below(scope.files, scope.filters.path.lstrip("/")).values("blob_id")
        of_files = Text.objects.filter(index=scope.number, blob_id__in=blobs)
        texts.update(of_files.values_list("pk", flat=True)[: limit + 1])
    if scope.page_sources:
        pages = Page.objects.filter(source__in=scope.page_sources, text__isnull=False)
        if prefix := scope.filters.path:
            bare = prefix.lstrip("/")
            pages = pages.filter(Q(url__startswith=prefix) | Q(path__startswith=bare) | Q(path__startswith=f"/{bare}"))
        texts.update(pages.values_list("text_id", flat=True)[: limit + 1])
    return texts if len(texts) <= limit else None


def _files(scope: Scope, blobs: Collection[int]) -> Iterator[tuple[int, str, str, str]]:
    """Blob, path, origin and provenance of each file with one of these blobs, short paths first."""
    below = scope.filters.path.lstrip("/")
    return _in_turns(partial(reading.files, scope.server, scope.version, below=below, most=MAX_PLACES), blobs)


def _pages(scope: Scope, texts: Collection[int]) -> Iterator[tuple[int, uuid.UUID, str, str]]:
    if scope.page_sources:
        yield from _in_turns(partial(reading.pages, scope.page_sources, most=MAX_PLACES), texts)


def _in_turns(read: Callable[[Collection[int]], list[_Row]], wanted: Collection[int]) -> Iterator[_Row]:
    """Rows with one of the wanted; so many at a time that what is everywhere hides nothing else for long."""
    left = set(wanted)
    while left:
        turn = read(left)
        yield from turn
        if len(turn) < MAX_PLACES:
            return
        left -= {row[0] for row in turn}


def _below(files: QuerySet[Any], prefix: str) -> QuerySet[Any]:
    # A range, as `startswith` ignores case on SQLite and uses no index.
    return files.filter(path__gte=prefix, path__lt=prefix + reading.AFTER_ALL) if prefix else files


def is_below(prefix: str, path: str, url: str) -> bool:
    """Whether a page or a file is one of those that `Filters.path` leaves."""
    return not prefix or url.startswith(prefix) or path.lstrip("/").startswith(prefix.lstrip("/"))
