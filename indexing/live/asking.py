"""A query, answered from a source that is not in the index yet: from a few of its pages, fetched now."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.core.cache import cache
from django.db import connections

from forges.clients.transport import USER_AGENT
from forges.reading import InvalidPattern, PathFilter
from indexing.crawling.pacing import Stopped
from indexing.crawling.urls import Cover
from indexing.live import repositories, sites
from indexing.live.ranking import Document, Scored, ranked
from indexing.models import Source
from indexing.search.citing import with_lines
from indexing.search.model import Hit
from indexing.search.queries import parse
from indexing.search.snippets import Marker, snippet
from indexing.search.visible import is_below
from lib.database import release_connections
from lib.policy import egress_policy

KEPT = 120
"""Seconds for which what was fetched answers other queries too."""
RESERVE = 0.1
"""Of the time, for reading and ranking what was fetched."""


def fetched(source: Source, query: str, *, path: str, limit: int, seconds: float) -> tuple[Hit, ...] | None:
    """What of it answers the query, best first; None where nothing could be fetched. `path` is as in `Filters`.

    Asks the database where a connection's credential has to be renewed, and the cache: in a thread of its own, whose
    connections are the caller's to close.
    """
    marker = Marker(parse(query).tokens)
    if source.kind == Source.Kind.REPOSITORY:
        documents = _of_repository(source, marker, seconds * (1 - RESERVE))
    else:
        documents = _of_site(source, marker, seconds * (1 - RESERVE))
    if documents is None:
        return None
    below = [document for document in documents if is_below(path, document.path, document.url)]
    return tuple(_hit(source, scored, marker) for scored in ranked(below, marker, limit=limit))


def _of_repository(source: Source, marker: Marker, seconds: float) -> list[Document] | None:
    key = _key(source, "files")
    return repositories.documents_of(
        source, marker, seconds=seconds, listed=cache.get(key), keep=lambda listed: cache.set(key, listed, KEPT)
    )


def _of_site(source: Source, marker: Marker, seconds: float) -> list[Document] | None:
    visitor = sites.Visitor(
        egress_policy(),
        USER_AGENT,
        time.monotonic() + seconds,
        concurrency=settings.INDEX_CRAWL_CONCURRENCY,
        delay=settings.INDEX_CRAWL_DELAY,
    )
    try:
        listed = _listed(source, visitor)
        return None if listed is None else visitor.pages(listed, marker, kept=partial(_kept, source))
    except Stopped:
        return None
    finally:
        visitor.leave()


def _listed(source: Source, visitor: sites.Visitor) -> sites.Listed | None:
    key = _key(source, "lists")
    listed: sites.Listed | None = cache.get(key)
    release_connections()
    if listed is None:
        try:
            cover = Cover.of(source.url, paths=PathFilter.parse(source.include, source.exclude))
        except (ValueError, InvalidPattern):
            return None
        if (listed := visitor.look(cover)) is not None:
            cache.set(key, listed, KEPT)
    return listed


def _kept(source: Source, url: str, fetch: Callable[[], Document | None]) -> Document | None:
    """In a thread that is used again for others."""
    key = _key(source, url)
    try:
        page: Document | None = cache.get(key)
        release_connections()
        if page is None and (page := fetch()) is not None:
            cache.set(key, page, KEPT)
        return page
    finally:
        connections.close_all()


def _key(source: Source, what: str) -> str:
    digest = hashlib.sha256(what.encode()).hexdigest()[:32]
    return f"indexing:live:{source.pk}:{source.updated_at.timestamp()}:{digest}"


def _hit(source: Source, scored: Scored, marker: Marker) -> Hit:
    document, piece = scored.document, scored.piece
    url, start, end = document.url, 0, 0
    if document.path:
        start, end = piece.start_line, piece.end_line
        url = with_lines(url, start, end)
    elif piece.anchor and "#" not in url:
        url = f"{url}#{piece.anchor}"
    return Hit(
        title=scored.title,
        heading=piece.heading,
        snippet=snippet(piece.body, marker),
        score=scored.score,
        kind=source.kind,
        source_id=source.pk,
        source_name=source.name,
        server_id=source.server_id,
        path=document.path,
        url=url,
        repository=source.repository if document.path else "",
        commit=document.commit,
        start_line=start,
        end_line=end,
        live=True,
    )
